//! How much memory an ingest takes, measured in a process of its own.

use std::{
    env,
    fmt::Write,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    support::{ingest_folder, local_store},
    trail::{self, gzip, key},
};

/// What the issue allows.
const RESIDENT_KIB_MAX: u64 = 512 << 10;

/// Set in the process that is measured.
const CHILD: &str = "TOWPATH_TEST_MEMORY";

/// The text of a log file of about `text_bytes`, of events that are as different as real ones.
fn text_of(text_bytes: usize, number: usize) -> Vec<u8> {
    let mut text = String::from(r#"{"Records":["#);
    let mut n = 0_u64;
    while text.len() < text_bytes {
        let comma = if n == 0 { "" } else { "," };
        let unlike = (n * 2_654_435_761) % 1_000_003;
        let body = format!("{unlike:07}-{n:07}/").repeat(24);
        write!(
            text,
            r#"{comma}{{"eventTime":"2024-01-10T00:{:02}:{:02}Z","eventSource":"s3.amazonaws.com","eventName":"PutObject{}","eventID":"{number}-{n}","userIdentity":{{"type":"AssumedRole","arn":"arn:aws:sts::123456789012:assumed-role/r/{unlike}"}},"requestParameters":{{"bucketName":"b","key":"{body}"}},"responseElements":{{"etag":"{body}"}},"recipientAccountId":"123456789012"}}"#,
            n / 60 % 60,
            n % 60,
            n % 40
        )
        .unwrap();
        n += 1;
    }
    text.push_str("]}");
    text.into_bytes()
}

/// The most memory this process has had, in KiB.
fn resident_kib_max() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[tokio::test]
async fn an_ingest_takes_less_than_512_megabytes() {
    if env::var_os(CHILD).is_some() {
        return ingest_much().await;
    }
    if !Path::new("/proc/self/status").try_exists().unwrap() {
        println!("not tested: this system does not tell how much memory a process takes");
        return;
    }
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", "memory::an_ingest_takes_less_than_512_megabytes"])
        .env(CHILD, "1")
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

/// Several commits of many log files, and one log file that is larger than a commit.
async fn ingest_much() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    for n in 0..40 {
        let path = key("eu-west-1", "2024-01-10", n);
        let text = text_of(3 << 20, usize::try_from(n).unwrap());
        trail::write(trail.path(), &path, &gzip(&text));
    }
    trail::write(trail.path(), "zz-large.json.gz", &gzip(&text_of(96 << 20, 99)));
    let before = resident_kib_max().unwrap();
    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!(report.log_files.ingested, 41);
    let after = resident_kib_max().unwrap();
    assert!(after < RESIDENT_KIB_MAX, "{after} KiB, of which {before} were there before");
}
