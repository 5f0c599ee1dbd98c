//! Log files as CloudTrail writes them, made in the test.

use std::{
    fs,
    path::{Path, PathBuf},
};

use libdeflater::{CompressionLvl, Compressor};

/// The account of [`event`].
pub(crate) const ACCOUNT: &str = "123456789012";

/// An event with this id at this time.
pub(crate) fn event(id: &str, time: &str) -> String {
    event_named(id, time, "DescribeInstances")
}

/// An event with this id, time and name.
pub(crate) fn event_named(id: &str, time: &str, name: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"IAMUser","userName":"Alice"}},"eventTime":"{time}","eventSource":"ec2.amazonaws.com","eventName":"{name}","awsRegion":"eu-west-1","requestParameters":{{"instancesSet":{{"items":[]}}}},"eventID":"{id}","readOnly":true,"recipientAccountId":"{ACCOUNT}"}}"#
    )
}

/// `count` events of one day, a second apart, with ids that begin with `prefix`.
pub(crate) fn events(prefix: &str, day: &str, count: u32) -> Vec<String> {
    let time = |n: u32| format!("{day}T{:02}:{:02}:{:02}Z", n / 3600 % 24, n / 60 % 60, n % 60);
    (0..count).map(|n| event(&format!("{prefix}-{n}"), &time(n))).collect()
}

/// The text of a log file with these events.
pub(crate) fn log_text<S: AsRef<str>>(events: &[S]) -> Vec<u8> {
    let events: Vec<&str> = events.iter().map(AsRef::as_ref).collect();
    format!(r#"{{"Records":[{}]}}"#, events.join(",")).into_bytes()
}

/// The bytes of a log file with these events.
pub(crate) fn log_file<S: AsRef<str>>(events: &[S]) -> Vec<u8> {
    gzip(&log_text(events))
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::default());
    let mut file = vec![0; compressor.gzip_compress_bound(text.len())];
    let length = compressor.gzip_compress(text, &mut file).unwrap();
    file.truncate(length);
    file
}

/// The key of a log file of a region, delivered on a day (`2024-01-31`), told apart by `unique`.
pub(crate) fn key(region: &str, day: &str, unique: u32) -> String {
    let date = day.replace('-', "");
    format!(
        "AWSLogs/{ACCOUNT}/CloudTrail/{region}/{}/{ACCOUNT}_CloudTrail_{region}_{date}T1200Z_{unique:016}.json.gz",
        day.replace('-', "/")
    )
}

/// Writes a file below `folder` and returns its path.
pub(crate) fn write(folder: &Path, key: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}
