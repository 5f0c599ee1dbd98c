//! A folder of its own for each test, log files made in it, and the binary run there.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The bundled trail.
pub(crate) const TRAIL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/trail");

/// A temporary folder with nothing in it.
pub(crate) struct Dir {
    folder: TempDir,
}

impl Dir {
    pub(crate) fn new() -> Dir {
        Dir { folder: tempfile::tempdir().unwrap() }
    }

    /// A folder with a lake, a store `trail` in it, and [`sample_events`] ingested.
    pub(crate) fn with_sample() -> Dir {
        let dir = Dir::new();
        dir.write_log_file("logs/sample.json.gz", &sample_events());
        dir.towpath(["store", "create", "trail"]).run().success();
        dir.towpath(["ingest", "logs", "--store", "trail"]).run().success();
        dir
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes a log file as CloudTrail delivers it.
    pub(crate) fn write_log_file(&self, name: &str, events: &[Value]) -> PathBuf {
        self.write(name, gzip(json!({ "Records": events }).to_string().as_bytes()))
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path().join(name)).unwrap()
    }

    /// The command `towpath` on the lake `lake` in this folder, with nothing of our environment.
    pub(crate) fn towpath<I: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = I>,
    ) -> TestCommand {
        let mut command = Command::new(env!("CARGO_BIN_EXE_towpath"));
        command
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .env("TMPDIR", self.path())
            .env("TOWPATH_LAKE", self.path().join("lake"));
        TestCommand { command, stdin: None }
    }
}

/// A command that has not run yet.
pub(crate) struct TestCommand {
    command: Command,
    stdin: Option<Vec<u8>>,
}

impl TestCommand {
    pub(crate) fn stdin(mut self, text: impl Into<Vec<u8>>) -> TestCommand {
        self.stdin = Some(text.into());
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> TestCommand {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> TestCommand {
        self.command.env_remove(name);
        self
    }

    /// The command itself, for a test that does something else with it.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    /// Runs to the end.
    pub(crate) fn run(mut self) -> Ran {
        let stdin = if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child = self
            .command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        if let Some(text) = self.stdin {
            // A command that ends before it has read everything is none of our business here.
            drop(child.stdin.take().unwrap().write_all(&text));
        }
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn success(self) -> Ran {
        self.code(0)
    }

    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.text(), self.stderr);
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One event of a user called alice; tests change what they are about.
pub(crate) fn event(number: u32, name: &str, time: &str) -> Value {
    json!({
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLE",
            "arn": "arn:aws:iam::111122223333:user/alice",
            "accountId": "111122223333",
            "userName": "alice"
        },
        "eventTime": time,
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-cli/2.15.0",
        "requestParameters": { "bucketName": format!("bucket-{number}") },
        "responseElements": null,
        "requestID": format!("REQ{number}"),
        "eventID": format!("00000000-0000-4000-8000-{number:012}"),
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management"
    })
}

/// Five events; three are a `DeleteBucket`, one of them before 2024.
pub(crate) fn sample_events() -> Vec<Value> {
    vec![
        event(1, "CreateBucket", "2024-03-01T08:00:00Z"),
        event(2, "DeleteBucket", "2024-03-01T09:30:00Z"),
        event(3, "DeleteBucket", "2023-12-31T23:59:59Z"),
        event(4, "ListBuckets", "2024-03-02T00:00:00Z"),
        event(5, "DeleteBucket", "2024-05-17T12:00:00Z"),
    ]
}
