//! A server on a free port, and a client that signs.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use towpath::{Lake, LakeOptions};
use towpath_server::{AccessKey, Grant, Server, ServerOptions};

pub(crate) const KEY: &str = "AKIDADMINISTRATOR000";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A running server, its lake in a folder of its own.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) folder: tempfile::TempDir,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Value,
}

impl Answer {
    /// The name of the error.
    pub(crate) fn error(&self) -> &str {
        self.body["__type"].as_str().unwrap_or("none")
    }
}

/// How a request is signed and sent.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) key: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) path: &'a str,
    pub(crate) service: &'a str,
    pub(crate) target: Option<String>,
    pub(crate) body: String,
    pub(crate) at: DateTime<Utc>,
    /// Headers that are not signed.
    pub(crate) unsigned: Vec<(&'a str, String)>,
}

impl Request<'_> {
    pub(crate) fn operation(operation: &str, body: &Value) -> Request<'static> {
        Request {
            key: KEY,
            secret: SECRET,
            path: "/",
            service: "cloudtrail",
            target: Some(format!("CloudTrail_20131101.{operation}")),
            body: body.to_string(),
            at: Utc::now(),
            unsigned: vec![("amz-sdk-invocation-id", uuid::Uuid::new_v4().to_string())],
        }
    }

    /// The text of the request as it goes over the wire.
    pub(crate) fn signed(&self, address: SocketAddr) -> String {
        let date = self.at.format("%Y%m%dT%H%M%SZ").to_string();
        let mut headers = vec![
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("host", address.to_string()),
            ("x-amz-date", date.clone()),
        ];
        headers.extend(self.target.clone().map(|target| ("x-amz-target", target)));
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let (path, query) = self.path.split_once('?').unwrap_or((self.path, ""));
        let mut canonical = format!("POST\n{path}\n{query}\n");
        for (name, value) in &headers {
            writeln!(canonical, "{name}:{value}").unwrap();
        }
        write!(canonical, "\n{names}\n{}", hash(&self.body)).unwrap();
        let day = self.at.format("%Y%m%d");
        let scope = format!("{day}/eu-west-1/{}/aws4_request", self.service);
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hash(&canonical));
        let mut key = Key::new(HMAC_SHA256, format!("AWS4{}", self.secret).as_bytes());
        for part in scope.split('/') {
            key = Key::new(HMAC_SHA256, sign(&key, part.as_bytes()).as_ref());
        }
        let signature = hex(sign(&key, to_sign.as_bytes()).as_ref());
        headers.push((
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, \
                 Signature={signature}",
                self.key
            ),
        ));
        headers.push(("content-length", self.body.len().to_string()));
        headers.push(("connection", "close".to_owned()));
        let mut text = format!("POST {} HTTP/1.1\r\n", self.path);
        for (name, value) in headers.iter().chain(&self.unsigned) {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        format!("{text}\r\n{}", self.body)
    }
}

impl TestServer {
    /// A server with one administrator, and AWS's limits.
    pub(crate) async fn start() -> TestServer {
        TestServer::with(|_| {}).await
    }

    /// A server whose options `change` has changed.
    pub(crate) async fn with(change: impl FnOnce(&mut ServerOptions)) -> TestServer {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("out")).unwrap();
        TestServer::on(folder, LakeOptions::new(Utc::now), change).await
    }

    /// A server on a lake that may be there already, with what its queries may use.
    pub(crate) async fn on(
        folder: tempfile::TempDir,
        lake: LakeOptions,
        change: impl FnOnce(&mut ServerOptions),
    ) -> TestServer {
        let mut options = ServerOptions::new("127.0.0.1:0".parse().unwrap(), Utc::now);
        options.keys = vec![AccessKey::administrator(KEY, SECRET)];
        options.account_id = "123456789012".to_owned();
        options.import_folders = vec![folder.path().join("logs")];
        options.delivery_folders = vec![folder.path().join("out")];
        change(&mut options);
        let path = folder.path().join("lake");
        let lake = Lake::open_or_create(path.to_str().unwrap(), lake).await.unwrap();
        let server = Server::bind(lake, options).await.unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(async move { drop(stopped.await) }));
        TestServer { address, folder, stop, running }
    }

    /// Asks the server to stop, waits until it has, and returns its folder.
    pub(crate) async fn stopped(self) -> tempfile::TempDir {
        self.stop.send(()).unwrap();
        self.running.await.unwrap();
        self.folder
    }

    /// Calls `operation` as the administrator.
    pub(crate) async fn call(&self, operation: &str, body: Value) -> Answer {
        self.send(&Request::operation(operation, &body)).await
    }

    /// Calls `operation` and returns the answer, which must be no error.
    pub(crate) async fn ok(&self, operation: &str, body: Value) -> Value {
        let answer = self.call(operation, body).await;
        assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
        answer.body
    }

    /// Calls `operation` and returns the name of the error, which must be one of the user's.
    pub(crate) async fn refused(&self, operation: &str, body: Value) -> String {
        let answer = self.call(operation, body).await;
        assert_eq!(answer.status, 400, "{operation}: {}", answer.body);
        answer.error().to_owned()
    }

    pub(crate) async fn send(&self, request: &Request<'_>) -> Answer {
        self.send_text(&request.signed(self.address)).await
    }

    /// Sends `text` as it is.
    pub(crate) async fn send_text(&self, text: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = serde_json::from_str(body).unwrap_or_else(|_| json!(body));
        Answer { status, head: head.to_lowercase(), body }
    }

    /// The lake that the server serves, opened by somebody else at the same time.
    pub(crate) async fn lake(&self) -> Lake {
        open_lake(self.folder.path()).await
    }

    /// Creates a store and returns its id.
    pub(crate) async fn store(&self, name: &str) -> String {
        let store = self.ok("CreateEventDataStore", json!({"Name": name})).await;
        let arn = store["EventDataStoreArn"].as_str().unwrap();
        arn.rsplit('/').next().unwrap().to_owned()
    }

    /// Writes `events` as a log file and ingests it into the store.
    pub(crate) async fn ingest(&self, store: &str, events: &[Value]) {
        let path = self.write_log_file(
            "111122223333_CloudTrail_eu-west-1_20260101T0000Z_aB3dE5fG7hJ9kL1m.json.gz",
            events,
        );
        let lake = self.lake().await;
        let store = lake.store(store).await.unwrap();
        let path = path.to_str().unwrap();
        let report = store.ingest(&[path], &towpath::IngestOptions::default(), &|_| ()).await;
        let report = report.unwrap();
        assert_eq!(report.events.stored, events.len() as u64, "{report:?}");
    }

    /// Writes a log file into the folder that imports may read.
    pub(crate) fn write_log_file(&self, name: &str, events: &[Value]) -> std::path::PathBuf {
        let folder = self.folder.path().join("logs");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        std::io::Write::write_all(&mut encoder, json!({"Records": events}).to_string().as_bytes())
            .unwrap();
        std::fs::write(&path, encoder.finish().unwrap()).unwrap();
        path
    }

    /// Asks until the query runs.
    pub(crate) async fn runs(&self, query: &str) {
        for _ in 0..600 {
            let described = self.ok("DescribeQuery", json!({"QueryId": query})).await;
            if described["QueryStatus"] == "RUNNING" {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("the query does not run");
    }

    /// Asks until the query has ended, and returns what `DescribeQuery` then says.
    pub(crate) async fn ended(&self, query: &str) -> Value {
        for _ in 0..600 {
            let described = self.ok("DescribeQuery", json!({"QueryId": query})).await;
            if !matches!(described["QueryStatus"].as_str().unwrap(), "QUEUED" | "RUNNING") {
                return described;
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!("the query does not end");
    }

    /// Asks until the result of the query has been delivered, or cannot be.
    pub(crate) async fn delivered(&self, query: &str) -> Value {
        for _ in 0..600 {
            let described = self.ok("DescribeQuery", json!({"QueryId": query})).await;
            if described["DeliveryStatus"] != "PENDING" {
                return described;
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!("the result is not delivered");
    }

    /// Runs a statement to its end and returns all rows of the first page.
    pub(crate) async fn rows(&self, statement: &str) -> Value {
        let started = self.ok("StartQuery", json!({"QueryStatement": statement})).await;
        let id = started["QueryId"].as_str().unwrap();
        let ended = self.ended(id).await;
        assert_eq!(ended["QueryStatus"], "FINISHED", "{ended}");
        self.ok("GetQueryResults", json!({"QueryId": id})).await["QueryResultRows"].clone()
    }
}

async fn open_lake(folder: &Path) -> Lake {
    let lake = folder.join("lake");
    Lake::open_or_create(lake.to_str().unwrap(), LakeOptions::new(Utc::now)).await.unwrap()
}

/// A management event, `minutes` ago.
pub(crate) fn event(name: &str, minutes: i64) -> Value {
    let time = Utc::now() - chrono::TimeDelta::minutes(minutes);
    json!({
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:jane",
            "arn": "arn:aws:sts::111122223333:assumed-role/admin/jane",
            "accountId": "111122223333",
            "accessKeyId": "ASIAEXAMPLE",
        },
        "eventTime": time.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "192.0.2.1",
        "requestParameters": {"bucketName": "canary", "a": {"b": 1}},
        "responseElements": null,
        "readOnly": false,
        "resources": [{"ARN": "arn:aws:s3:::canary", "type": "AWS::S3::Bucket"}],
        "eventID": uuid::Uuid::new_v4().to_string(),
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    })
}

/// A key of `principal` that may call all operations on `store`, for events of `accounts`.
pub(crate) fn key_of_accounts(
    id: &str,
    principal: &str,
    store: &str,
    accounts: &[&str],
) -> AccessKey {
    let grant = Grant {
        operations: vec!["*".to_owned()],
        stores: vec![store.to_owned()],
        accounts: accounts.iter().map(|name| (*name).to_owned()).collect(),
        deliver_to: Vec::new(),
    };
    AccessKey::new(id, SECRET, principal, vec![grant])
}

/// A key that may call `operations` on `stores`.
pub(crate) fn limited_key(id: &str, operations: &[&str], stores: &[&str]) -> AccessKey {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let grant = Grant {
        operations: owned(operations),
        stores: owned(stores),
        accounts: Vec::new(),
        deliver_to: Vec::new(),
    };
    AccessKey::new(id, SECRET, "limited", vec![grant])
}

fn hash(text: &str) -> String {
    hex(digest(&SHA256, text.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
