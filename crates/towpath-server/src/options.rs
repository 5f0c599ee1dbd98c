//! [`ServerOptions`]: what a server is told when it starts.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::access::AccessKey;
use crate::error::{Error, Result};

/// How a server is run.
#[derive(Clone)]
pub struct ServerOptions {
    /// Where to listen. Port 0 takes any free one.
    pub listen: SocketAddr,

    /// Who may do what. Without keys, a server listens on loopback only, and signatures are not
    /// checked there.
    pub keys: Vec<AccessKey>,

    /// The account in ARNs: 12 digits.
    pub account_id: String,

    /// The Region in ARNs. Requests may be signed for any.
    pub region: String,

    /// Certificate chain and private key, both in PEM. `None`: plain HTTP.
    pub tls: Option<TlsOptions>,

    /// Folders of this machine that imports may read, with all below them. Empty: buckets only.
    pub import_folders: Vec<PathBuf>,

    /// Folders of this machine that results may be delivered to, with all below them. Empty: buckets
    /// only.
    pub delivery_folders: Vec<PathBuf>,

    /// How trails deliver.
    pub trails: TrailOptions,

    /// What requests may cost.
    pub limits: ServerLimits,

    /// What time it is. `chrono::Utc::now`, or a clock of a test.
    pub now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
}

/// How trails deliver what is put into the lake.
#[derive(Clone, Debug)]
pub struct TrailOptions {
    /// Seconds between two deliveries of log files. AWS's value: about 300.
    pub log_files_secs: u64,

    /// Seconds that one digest covers. AWS's value: 3,600.
    pub digests_secs: u64,

    /// A folder in which trails deliver to one folder for each bucket. `None`: to the buckets
    /// themselves, by the storage options of the lake.
    pub folder: Option<PathBuf>,
}

impl TrailOptions {
    /// As AWS's trails deliver, to buckets.
    pub fn aws() -> TrailOptions {
        TrailOptions { log_files_secs: 300, digests_secs: 3_600, folder: None }
    }
}

/// Certificate chain and private key, both in PEM.
#[derive(Clone)]
pub struct TlsOptions {
    /// The server's certificate, then those that it was signed with.
    pub certificates_pem: Vec<u8>,
    /// Its private key.
    pub key_pem: Vec<u8>,
}

/// What requests and queries may cost.
#[derive(Clone, Copy, Debug)]
pub struct ServerLimits {
    /// Connections at once. Those beyond wait to be accepted.
    pub connections_max: usize,

    /// Longest time to send the head of a request, its body, or the answer to it, in seconds each.
    pub request_secs_max: u64,

    /// Requests of one key in a second, in the mean; twice as many in one burst. Those beyond get
    /// `ThrottlingException`, upon which SDKs wait and try again.
    pub requests_per_sec_max: u32,

    /// Queries at once, queued and running. AWS's value: 10.
    pub queries_max: usize,

    /// Longest run of a query in seconds. AWS's value: 3,600.
    pub query_secs_max: u64,

    /// Event data stores, those pending deletion included. AWS's value: 10.
    pub stores_max: usize,
}

impl ServerLimits {
    /// AWS's own limits where it has some.
    pub fn aws() -> ServerLimits {
        ServerLimits {
            connections_max: 1_024,
            request_secs_max: 60,
            requests_per_sec_max: 1_000,
            queries_max: 10,
            query_secs_max: 3_600,
            stores_max: 10,
        }
    }

    pub(crate) fn request_max(&self) -> Duration {
        Duration::from_secs(self.request_secs_max)
    }
}

impl ServerOptions {
    /// Options for `listen` with AWS's limits, account `000000000000`, Region `us-east-1`, no keys
    /// and no TLS.
    pub fn new(
        listen: SocketAddr,
        now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static,
    ) -> ServerOptions {
        ServerOptions {
            listen,
            keys: Vec::new(),
            account_id: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            tls: None,
            import_folders: Vec::new(),
            delivery_folders: Vec::new(),
            trails: TrailOptions::aws(),
            limits: ServerLimits::aws(),
            now: Arc::new(now),
        }
    }

    /// Checks what ARNs are made of, and that nobody else can do everything.
    pub(crate) fn check(&self) -> Result<()> {
        let is_account = self.account_id.len() == 12
            && self.account_id.bytes().all(|byte| byte.is_ascii_digit());
        if !is_account {
            return Err(Error::Option { option: "account_id", expected: "12 digits" });
        }
        let is_region_char =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.region.is_empty() || !self.region.bytes().all(is_region_char) {
            let expected = "lower-case letters, digits and hyphens, as `eu-central-1`";
            return Err(Error::Option { option: "region", expected });
        }
        if self.keys.is_empty() && !self.listen.ip().is_loopback() {
            return Err(Error::NoKeys { address: self.listen });
        }
        Ok(())
    }
}

impl fmt::Debug for ServerOptions {
    /// Leaves out what is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerOptions")
            .field("listen", &self.listen)
            .field("keys", &self.keys.len())
            .field("account_id", &self.account_id)
            .field("region", &self.region)
            .field("has_tls", &self.tls.is_some())
            .field("import_folders", &self.import_folders)
            .field("delivery_folders", &self.delivery_folders)
            .field("trails", &self.trails)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TlsOptions {
    /// Leaves out the private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions").finish_non_exhaustive()
    }
}
