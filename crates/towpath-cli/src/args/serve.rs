//! What can be typed after `towpath serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::builder::RangedU64ValueParser;

use super::{LimitArgs, not_empty};

pub(super) const HELP: &str = "\
Answers AWS's own clients as CloudTrail Lake did, until it is interrupted. The lake is made if there
is none yet; the command can work on it at the same time.

TOWPATH_ACCESS_KEY_ID and TOWPATH_SECRET_ACCESS_KEY are the key of an administrator; --keys names a
file with more keys and what each may do. Without any key the server listens on this machine only
and checks no signatures.

Examples:
  towpath serve
  AWS_ENDPOINT_URL_CLOUDTRAIL=http://127.0.0.1:4599 aws cloudtrail list-event-data-stores
  towpath serve --listen 0.0.0.0:4599 --tls-cert cert.pem --tls-key key.pem --keys keys.toml";

#[derive(Debug, ClapArgs)]
pub(crate) struct ServeArgs {
    /// Address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4599")]
    pub(crate) listen: SocketAddr,

    /// File of access keys and what each may do
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,

    /// The account in ARNs: 12 digits
    #[arg(long, value_name = "ID", default_value = "000000000000", value_parser = not_empty)]
    pub(crate) account_id: String,

    /// The Region in ARNs; requests may be signed for any
    #[arg(long, value_name = "REGION", default_value = "us-east-1", value_parser = not_empty)]
    pub(crate) region: String,

    /// Certificate chain in PEM, for HTTPS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// Private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Folder that imports may read as file://…, with all below it; may be given again
    #[arg(long, value_name = "DIR")]
    pub(crate) import_folder: Vec<PathBuf>,

    /// Folder that results may be delivered to as file://…, with all below it; may be given again
    #[arg(long, value_name = "DIR")]
    pub(crate) delivery_folder: Vec<PathBuf>,

    /// Folder in which trails deliver to one folder for each bucket, instead of to the buckets
    #[arg(long, value_name = "DIR")]
    pub(crate) trail_folder: Option<PathBuf>,

    /// Seconds between two deliveries of log files by trails
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = trail_secs())]
    pub(crate) trail_delivery_secs: u64,

    /// Seconds that a digest of a trail covers
    #[arg(long, value_name = "N", default_value_t = 3600, value_parser = trail_secs())]
    pub(crate) trail_digest_secs: u64,

    /// Event data stores that the lake may have, those pending deletion included
    #[arg(long, value_name = "N", default_value_t = 10)]
    #[arg(help_heading = "Limits")]
    pub(crate) stores_max: usize,

    /// Queries that may be queued or running
    #[arg(long, value_name = "N", default_value_t = 10)]
    #[arg(help_heading = "Limits")]
    pub(crate) queries_max: usize,

    /// Requests of one key in a second
    #[arg(long, value_name = "N", default_value_t = 1000)]
    #[arg(help_heading = "Limits")]
    pub(crate) requests_per_sec_max: u32,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

/// Seconds up to a day.
fn trail_secs() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..=24 * 60 * 60)
}
