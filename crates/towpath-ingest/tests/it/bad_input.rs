//! Files that cannot be taken: each is named, and none stops or spoils the others.

use std::{fs, os::unix::fs::symlink};

use towpath_ingest::RejectReason;

use crate::{
    support::{ingest_folder, local_store, sorted, stored_events},
    trail::{self, events, gzip, log_file, log_text},
};

/// Every kind of bad file, with the reason that it is to be refused for.
fn bad_files() -> Vec<(&'static str, Vec<u8>, RejectReason)> {
    let whole = log_file(&events("bad", "2024-01-10", 20));
    let mut altered = whole.clone();
    // A block type that deflate does not have.
    altered[10] |= 0b110;
    let mut other_crc = whole.clone();
    let at_crc = other_crc.len() - 6;
    other_crc[at_crc] ^= 1;
    let broken = {
        let mut text = log_text(&events("broken", "2024-01-10", 20));
        let at = text.len() / 2;
        text[at] = b'}';
        text
    };
    let without_time = log_file(&[r#"{"eventID":"1"}"#]);
    let nested = gzip(&log_file(&events("nested", "2024-01-10", 2)));
    vec![
        ("truncated.json.gz", whole[..whole.len() / 2].to_vec(), RejectReason::Truncated),
        ("only-magic.json.gz", whole[..2].to_vec(), RejectReason::Truncated),
        ("altered.json.gz", altered, RejectReason::Damaged),
        ("other-crc.json.gz", other_crc, RejectReason::ChecksumMismatch),
        ("empty.json.gz", Vec::new(), RejectReason::Empty),
        ("empty-member.json.gz", gzip(b""), RejectReason::Empty),
        ("not-gzip.json.gz", b"<html>no such key</html>".to_vec(), RejectReason::NotGzip),
        ("trailing.json.gz", [&whole[..], b"junk"].concat(), RejectReason::TrailingBytes),
        ("bomb.json.gz", gzip(&vec![b' '; 64 << 20]), RejectReason::Bomb),
        ("broken.json.gz", gzip(&broken), RejectReason::Undecodable),
        ("broken.json", broken, RejectReason::Undecodable),
        ("no-records.json.gz", gzip(br#"{"logFiles":[]}"#), RejectReason::Undecodable),
        ("nan.json", br#"{"Records":[NaN]}"#.to_vec(), RejectReason::Undecodable),
        ("latin1.json", b"{\"Records\":[{\"a\":\"\xe9\"}]}".to_vec(), RejectReason::Undecodable),
        ("without-time.json.gz", without_time, RejectReason::Undecodable),
        ("nested.json.gz", nested, RejectReason::Undecodable),
    ]
}

#[tokio::test]
async fn bad_files_are_named_and_every_good_event_is_stored() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let bad = bad_files();
    for (name, bytes, _) in &bad {
        trail::write(trail.path(), name, bytes);
    }
    let good = events("good", "2024-01-10", 100);
    trail::write(trail.path(), "a-good.json.gz", &log_file(&good[..50]));
    trail::write(trail.path(), "z-good.json.gz", &log_file(&good[50..]));

    let report = ingest_folder(&local.store, trail.path()).await;
    assert!(!report.is_complete());
    assert_eq!(report.log_files.rejected, u64::try_from(bad.len()).unwrap());
    for (name, _, reason) in &bad {
        let path = trail.path().canonicalize().unwrap().join(name).display().to_string();
        let rejected: Vec<_> = report.rejected.iter().filter(|one| one.path == path).collect();
        assert_eq!(rejected.len(), 1, "{name}");
        assert_eq!(rejected[0].reason, *reason, "{name}: {}", rejected[0].message);
        assert!(!rejected[0].message.is_empty());
    }
    assert_eq!(report.events.stored, 100);
    assert_eq!(stored_events(&local.store).await, sorted(&good));

    // A bad file is tried again each time, and may have become good.
    trail::write(trail.path(), "truncated.json.gz", &log_file(&events("bad", "2024-01-10", 20)));
    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!(report.log_files.rejected, u64::try_from(bad.len() - 1).unwrap());
    assert_eq!((report.log_files.already_ingested, report.events.stored), (2, 20));
}

#[tokio::test]
async fn a_bad_event_rejects_the_events_before_it_too() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let mut log = events("a", "2024-01-10", 9);
    log[6] = r#"{"eventTime":"yesterday"}"#.to_owned();
    trail::write(trail.path(), "log.json.gz", &log_file(&log));
    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!((report.events.seen, report.events.rejected, report.events.stored), (7, 7, 0));
    assert_eq!(local.store.snapshot().await.unwrap().version(), 0);
}

#[tokio::test]
async fn what_a_file_is_does_not_depend_on_its_name() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let log = events("a", "2024-01-10", 4);
    trail::write(trail.path(), "zipped.json", &log_file(&log[..2]));
    trail::write(trail.path(), "plain.json.gz", &log_text(&log[2..]));
    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!((report.events.stored, report.log_files.rejected), (4, 0));
}

#[tokio::test]
async fn several_gzip_members_are_one_log_file() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let log = events("a", "2024-01-10", 4);
    let text = log_text(&log);
    let (head, tail) = text.split_at(text.len() / 3);
    trail::write(trail.path(), "log.json.gz", &[gzip(head), gzip(tail)].concat());
    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!((report.events.stored, report.log_files.rejected), (4, 0));
    assert_eq!(stored_events(&local.store).await, sorted(&log));
}

#[tokio::test]
async fn a_link_to_nowhere_and_a_pipe_do_not_stop_the_others() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    trail::write(trail.path(), "log.json.gz", &log_file(&events("a", "2024-01-10", 3)));
    symlink(trail.path().join("gone"), trail.path().join("dangling.json.gz")).unwrap();
    symlink(trail.path().join("gone"), trail.path().join("dangling-too")).unwrap();
    symlink("/dev/zero", trail.path().join("endless.json.gz")).unwrap();
    fs::create_dir(trail.path().join("folder.json")).unwrap();
    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!((report.events.stored, report.log_files.rejected), (3, 1));
    assert_eq!(report.rejected[0].reason, RejectReason::Unreadable);
    assert!(report.rejected[0].path.ends_with("dangling.json.gz"));
}
