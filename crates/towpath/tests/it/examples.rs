//! The example services, run as a user would run them.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use towpath::{IngestOptions, Lake, NewStore, Retention};

use crate::support::{event, lake_at, now};

/// The built example. `cargo test` builds all of them, a narrower selection of tests may not.
fn example(name: &str) -> PathBuf {
    let me = std::env::current_exe().unwrap();
    let built = me.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(built.is_file(), "build the examples: cargo build --workspace --examples");
    built
}

async fn ingest(folder: &Path, lake: &Lake, name: &str, records: &[String]) {
    let file = folder.join(name);
    fs::write(&file, format!(r#"{{"Records":[{}]}}"#, records.join(","))).unwrap();
    let store = match lake.store("my-event-data-store").await {
        Ok(store) => store,
        Err(_) => {
            let new = NewStore::new("my-event-data-store", Retention::days(2557).unwrap());
            lake.create_store(new).await.unwrap()
        }
    };
    let report =
        store.ingest(&[file.to_str().unwrap()], &IngestOptions::default(), &|_| ()).await.unwrap();
    assert_eq!(report.events.stored, records.len() as u64);
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn a_service_answers_a_question_over_http() {
    let folder = tempfile::tempdir().unwrap();
    let lake_folder = folder.path().join("lake");
    let lake = lake_at(&lake_folder, now()).await;
    let deleted = r#","userIdentity":{"arn":"arn:aws:iam::111122223333:user/ana"},"requestParameters":{"bucketName":"logs"}"#;
    ingest(
        folder.path(),
        &lake,
        "one.json",
        &[
            event("1", "DeleteBucket", "2024-03-01T10:00:00Z", deleted),
            event("2", "DeleteBucket", "2023-12-31T23:59:59Z", deleted),
            event("3", "PutObject", "2024-03-01T10:00:00Z", ""),
        ],
    )
    .await;

    let mut service = Command::new(example("answers"));
    let service = service.arg(&lake_folder).arg("127.0.0.1:0").stdout(Stdio::piped());
    let mut running = Running(service.spawn().unwrap());
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();

    let (status, body) = get(&address, "/deleted-buckets?since=2024-01-01");
    let rows: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(rows.as_array().unwrap().len(), 1, "{body}");
    assert_eq!(rows[0]["bucket"], "logs");
    assert_eq!(rows[0]["who"], "arn:aws:iam::111122223333:user/ana");

    let (status, body) = get(&address, "/deleted-buckets?since='%20OR%20true%20--");
    assert_eq!(status, 400, "a value is never read as SQL: {body}");
}

#[tokio::test]
async fn a_detector_tells_of_each_arrival_once_across_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let lake_folder = folder.path().join("lake");
    let lake = lake_at(&lake_folder, now()).await;
    let seen = folder.path().join("seen.json");
    let detector = example("detector");
    let tell = || {
        let output =
            Command::new(&detector).arg(&lake_folder).arg(&seen).arg("--once").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };

    let first = event("1", "StopLogging", "2024-03-01T10:00:00Z", "");
    ingest(folder.path(), &lake, "one.json", &[first]).await;
    assert_eq!(tell().lines().count(), 1);
    assert_eq!(tell(), "");

    // It arrives later and is older than what was seen.
    let late = event("2", "DeleteTrail", "2023-01-01T10:00:00Z", "");
    let other = event("3", "PutObject", "2024-04-01T10:00:00Z", "");
    ingest(folder.path(), &lake, "two.json", &[late, other]).await;
    let told = tell();
    assert!(told.lines().count() == 1 && told.contains("DeleteTrail"), "{told}");
    assert_eq!(tell(), "");
}
