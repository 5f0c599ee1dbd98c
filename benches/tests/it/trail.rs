//! `data/trail` against `towpath_benches::trail::build`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::LazyLock;

use flate2::read::MultiGzDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};
use towpath_benches::trail::{Form, Trail, TrailFile, build};
use towpath_event::EventBatchBuilder;

use crate::project;

/// The bundled data stays small enough to be cloned without a thought.
const BYTES_MAX: u64 = 2_000_000;
const FILES_MAX: usize = 400;

/// The trail, made once for all tests that only look at it.
static TRAIL: LazyLock<Trail> = LazyLock::new(build);

/// Every file below `folder`, by its path from `root`.
fn files_below(root: &Path, folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(root, &path));
        } else {
            let key = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            files.insert(key, fs::read(&path).unwrap());
        }
    }
    files
}

fn bundled() -> BTreeMap<String, Vec<u8>> {
    let root = project("data/trail");
    files_below(&root, &root)
}

fn gunzip(bytes: &[u8]) -> Result<String, std::io::Error> {
    let mut text = String::new();
    MultiGzDecoder::new(bytes).read_to_string(&mut text)?;
    Ok(text)
}

fn sha256_hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn find<'a>(trail: &'a Trail, key: &str) -> Option<&'a TrailFile> {
    trail.files.iter().find(|file| file.key == key)
}

#[test]
fn building_twice_gives_the_same_trail() {
    let (one, two) = (&*TRAIL, build());
    assert_eq!(one.manifest, two.manifest);
    assert_eq!(one.files.len(), two.files.len());
    assert!(
        one.files.iter().zip(&two.files).all(|(a, b)| a.key == b.key && a.content == b.content)
    );
}

#[test]
fn the_bundled_files_hold_what_the_generator_makes() {
    let trail = &*TRAIL;
    let bundled = bundled();
    let expected: Vec<&str> = trail.files.iter().map(|file| file.key.as_str()).collect();
    let found: Vec<&str> = bundled.keys().map(String::as_str).collect();
    assert_eq!(found, expected, "run the generator again; see data/README.md");
    for file in &trail.files {
        let bytes = &bundled[&file.key];
        match file.form {
            Form::Plain => assert_eq!(bytes, file.content.as_bytes(), "{}", file.key),
            Form::Gzip => assert_eq!(gunzip(bytes).unwrap(), file.content, "{}", file.key),
            Form::CutGzip => assert!(gunzip(bytes).is_err(), "{}", file.key),
        }
    }
}

#[test]
fn the_bundled_manifest_is_that_of_the_trail() {
    let text = fs::read_to_string(project("data/trail-manifest.json")).unwrap();
    let bundled: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(bundled, TRAIL.manifest);
    let readme = fs::read_to_string(project("data/README.md")).unwrap();
    assert!(readme.contains(bundled["sha256"].as_str().unwrap()), "put the sha256 into the README");
}

#[test]
fn the_bundled_data_is_small() {
    let root = project("data");
    let files = files_below(&root, &root);
    let bytes: usize = files.values().map(Vec::len).sum();
    assert!(u64::try_from(bytes).unwrap() < BYTES_MAX, "{bytes} bytes");
    assert!(files.len() < FILES_MAX, "{} files", files.len());
}

#[test]
fn the_manifest_reconciles() {
    let manifest = &TRAIL.manifest;
    let count = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_u64).unwrap();
    let rows = count("/records/rows");
    assert_eq!(count("/records/inLogFiles"), rows + count("/records/duplicate"));
    assert_eq!(rows, count("/records/identities") + count("/records/sameIdentityOtherContent"));
    let tables = manifest["rowsBy"].as_object().unwrap();
    assert_eq!(tables.len(), 8);
    for (field, table) in tables {
        let sum: u64 = table.as_object().unwrap().values().filter_map(Value::as_u64).sum();
        assert_eq!(sum, rows, "{field}");
    }
    let duplicates_percent = 100 * count("/records/duplicate") / count("/records/inLogFiles");
    assert!((8..=20).contains(&duplicates_percent), "{duplicates_percent} %");
}

#[test]
fn what_the_readme_says_was_planted_is_there() {
    let manifest = &TRAIL.manifest;
    let named = |name: &str| manifest["rowsBy"]["eventName"][name].as_u64().unwrap_or(0);
    assert_eq!(named("DeleteBucket"), 17);
    assert_eq!(manifest["deleteBucketAfter2024"], 13);
    assert_eq!(named("StopLogging"), 2);
    assert_eq!(named("ScheduleKeyDeletion"), 3);
    assert_eq!(named("CreateAccessKey"), 6);
    assert_eq!(named("AssumeRoleWithWebIdentity"), 12);
    assert_eq!(manifest["rowsBy"]["errorCode"]["VpceAccessDenied"], 12);
    assert_eq!(manifest["rowsBy"]["errorCode"]["Client.RequestLimitExceeded"], 64);
    assert_eq!(manifest["records"]["sameIdentityOtherContent"], 2);
    assert_eq!(manifest["files"]["logFilesBroken"], 1);
    assert_eq!(manifest["eventTime"]["oldest"], "2023-12-04T10:12:31Z");
    let versions = manifest["rowsBy"]["eventVersion"].as_object().unwrap();
    let expected = ["1.00", "1.01", "1.02", "1.03", "1.04", "1.05", "1.06", "1.07", "1.08", "1.09"];
    let expected: Vec<&str> = expected.into_iter().chain(["1.10", "1.11"]).collect();
    assert_eq!(versions.keys().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn every_readable_log_file_decodes_to_the_counts_of_the_manifest() {
    let trail = &*TRAIL;
    let mut builder = EventBatchBuilder::new();
    let mut events = 0;
    for file in &trail.files {
        let is_log_file =
            file.key.contains("/CloudTrail/") || file.key.contains("/CloudTrail-NetworkActivity/");
        if is_log_file && file.form != Form::CutGzip {
            events += builder.append_log_file(file.content.as_bytes()).unwrap().events;
        }
    }
    let batch = builder.finish();
    let keys: BTreeSet<u128> = batch.identities.iter().map(|identity| identity.key).collect();
    let rows: BTreeSet<(u128, u64)> =
        batch.identities.iter().map(|identity| (identity.key, identity.content)).collect();
    let records = &trail.manifest["records"];
    assert_eq!(records["inLogFiles"], events);
    assert_eq!(records["identities"], keys.len());
    assert_eq!(records["rows"], rows.len());
}

#[test]
fn digests_name_the_true_hashes_of_log_files_and_of_one_another() {
    let trail = &*TRAIL;
    let digests = trail.files.iter().filter(|file| file.key.contains("/CloudTrail-Digest/"));
    let mut listed = 0;
    let mut previous: Option<&TrailFile> = None;
    for file in digests {
        let digest: Value = serde_json::from_str(&file.content).unwrap();
        assert_eq!(digest["digestS3Object"], file.key.as_str());
        assert_eq!(digest["previousDigestS3Object"].as_str(), previous.map(|p| p.key.as_str()));
        let hash = previous.map(|previous| sha256_hex(&previous.content));
        assert_eq!(digest["previousDigestHashValue"].as_str(), hash.as_deref());
        for entry in digest["logFiles"].as_array().unwrap() {
            let log_file = find(trail, entry["s3Object"].as_str().unwrap()).unwrap();
            assert_eq!(entry["hashValue"], sha256_hex(&log_file.content).as_str());
            listed += 1;
        }
        previous = Some(file);
    }
    assert!(listed >= 4, "{listed} log files");
}

#[test]
fn two_log_files_are_identical_under_different_keys() {
    let trail = &*TRAIL;
    let mut by_content: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in trail.files.iter().filter(|file| file.key.contains("/CloudTrail/")) {
        by_content.entry(&file.content).or_default().push(&file.key);
    }
    // The delivery of two trails gives some too; this pair is of one trail and one minute.
    let copied = by_content.values().filter(|keys| {
        keys.len() == 2
            && keys[0].rsplit_once('_').unwrap().0 == keys[1].rsplit_once('_').unwrap().0
    });
    assert_eq!(copied.count(), 1);
}
