//! Log files that are too large to be decoded as a whole: the same promises, part by part.

use std::sync::{Arc, LazyLock};

use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path};
use towpath_ingest::{IngestOptions, RejectReason};

use crate::{
    support::{bucket, ingest_folder, ingest_location, local_store, sorted, stored_events},
    trail::{self, events, gzip, log_file, log_text},
};

/// More than is decoded as a whole, and so much that there are two parts.
const TEXT_BYTES: usize = 34 << 20;

/// Events of two months, each with 16 KiB of text that does not compress to nothing.
static LARGE: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut state = 1u64;
    let mut word = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        format!("{state:016x}")
    };
    let words: String = std::iter::repeat_with(&mut word).take(2048).collect();
    let event = |n: usize| {
        let padding = words.get(n % 16_384..n % 16_384 + 16_384).unwrap();
        let month = 1 + n % 2;
        format!(
            r#"{{"eventTime":"2024-0{month}-10T00:00:00Z","eventName":"Put","eventID":"{n}","requestParameters":{{"x":"{padding}"}}}}"#
        )
    };
    (0..TEXT_BYTES / (16 << 10)).map(event).collect()
});

#[tokio::test]
async fn a_large_log_file_is_one_commit_and_deduplicated() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let mut large = LARGE.clone();
    // Twice in the log file, far apart, and once in a small one that is in before.
    large.push(large[0].clone());
    trail::write(trail.path(), "a.json.gz", &log_file(&large[1..3]));
    trail::write(trail.path(), "b.json.gz", &log_file(&large));
    trail::write(trail.path(), "c.json.gz", &log_file(&events("c", "2024-01-10", 5)));

    let report = ingest_folder(&local.store, trail.path()).await;
    let (seen, different) = (large.len() + 7, large.len() + 4);
    assert_eq!(report.events.seen, u64::try_from(seen).unwrap(), "{report:?}");
    assert_eq!(report.events.stored, u64::try_from(different).unwrap());
    assert_eq!((report.events.duplicate, report.events.conflicting), (3, 0));
    assert_eq!((report.log_files.ingested, report.log_files.rejected), (3, 0));
    large.pop();
    large.extend(events("c", "2024-01-10", 5));
    assert!(stored_events(&local.store).await == sorted(&large));

    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!(report.log_files.already_ingested, 3);
}

#[tokio::test]
async fn a_large_plain_log_file_of_a_bucket_is_read_piece_by_piece() {
    let local = local_store().await;
    let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let large = &*LARGE;
    let text = log_text(large);
    assert!(text.len() > TEXT_BYTES);
    objects.put(&Path::from("trail/large.json"), text.into()).await.unwrap();
    let source = bucket(&objects, "trail");
    let report = ingest_location(&local.store, &source, &IngestOptions::default()).await.unwrap();
    assert_eq!(report.events.stored, u64::try_from(large.len()).unwrap());
    assert!(stored_events(&local.store).await == sorted(large));
}

#[tokio::test]
async fn events_under_a_key_that_is_written_with_escapes_are_in_too() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let escaped = events("e", "2024-01-10", 5);
    let text = log_text(&LARGE);
    let list = format!(r#","\u0052ecords":[{}]}}"#, escaped.join(","));
    let text = [text.strip_suffix(b"}").unwrap(), list.as_bytes()].concat();
    trail::write(trail.path(), "a.json.gz", &gzip(&text));

    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!(report.log_files.ingested, 1, "{report:?}");
    assert!(stored_events(&local.store).await == sorted(&[LARGE.clone(), escaped].concat()));
}

#[tokio::test]
async fn a_large_log_file_with_one_bad_event_is_not_in_at_all() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let mut large = LARGE.clone();
    let last = large.len() - 1;
    let offset = log_text(&large[..last]).len() - 1;
    large[last] = r#"{"eventTime":"never"}"#.to_owned();
    trail::write(trail.path(), "bad.json.gz", &log_file(&large));
    let whole = log_file(&LARGE);
    trail::write(trail.path(), "cut.json.gz", &whole[..whole.len() - 9]);
    let open = [&log_text(&LARGE)[..], b"]"].concat();
    trail::write(trail.path(), "open.json.gz", &gzip(&open));

    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!((report.log_files.rejected, report.events.stored), (3, 0));
    assert_eq!(local.store.snapshot().await.unwrap().version(), 0);
    let rejected = |end: &str| {
        let mut all = report.rejected.iter();
        serde_json::to_value(all.find(|one| one.path.ends_with(end)).unwrap()).unwrap()
    };
    let bad = rejected("bad.json.gz");
    assert_eq!(bad["reason"], "undecodable", "{bad}");
    assert_eq!(bad["place"]["text"]["record"], large.len());
    // The event begins after the comma; the value of its time a little later.
    assert_eq!(bad["place"]["text"]["byte"], offset + r#"{"eventTime":"#.len());
    assert_eq!(rejected("cut.json.gz")["reason"], "truncated");
    assert_eq!(rejected("open.json.gz")["reason"], "undecodable");
    assert_eq!(report.rejected.len(), 3);
    assert!(report.rejected.iter().all(|one| one.reason != RejectReason::Unreadable));
}

#[tokio::test]
async fn a_log_file_of_more_months_than_a_commit_takes_does_not_keep_others_out() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let month = |n: u32| format!("{}-{:02}-01T00:00:00Z", 2030 + n / 12, 1 + n % 12);
    let too_many: Vec<String> = (0..257).map(|n| trail::event(&n.to_string(), &month(n))).collect();
    let good = events("good", "2024-01-10", 6);
    trail::write(trail.path(), "a.json.gz", &log_file(&good[..3]));
    trail::write(trail.path(), "b-too-many.json.gz", &log_file(&too_many));
    trail::write(trail.path(), "c.json.gz", &log_file(&good[3..]));
    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!((report.events.stored, report.log_files.ingested), (6, 2), "{report:?}");
    assert_eq!((report.log_files.rejected, report.events.rejected), (1, 257));
    assert_eq!(report.rejected[0].reason, RejectReason::TooLarge);
    assert!(report.rejected[0].path.ends_with("b-too-many.json.gz"));
    assert_eq!(stored_events(&local.store).await, sorted(&good));
}
