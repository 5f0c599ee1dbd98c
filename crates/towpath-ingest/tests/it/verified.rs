//! Ingests that ask CloudTrail's digests about every log file.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use towpath_ingest::{
    DigestKeys, IngestOptions, IngestReport, LeftOut, RejectReason, VerifyOptions, ingest,
    ingest_verified,
};
use towpath_store::{DigestMark, EventDataStore, Location};

use crate::{
    signed_trail::{BUCKET, SignedTrail, keys},
    support::{clock_at, local_store, stored_events},
    trail::{event, gzip, log_text},
};

/// Shortly after the last of the six hours.
const NOW: &str = "2024-01-10T06:10:00Z";

async fn verified(store: &EventDataStore, sources: &[Location], require: bool) -> IngestReport {
    verified_at(store, sources, require, NOW).await
}

async fn verified_at(
    store: &EventDataStore,
    sources: &[Location],
    require_digest: bool,
    now: &str,
) -> IngestReport {
    let keys = DigestKeys::from_json(&keys()).unwrap();
    let options = VerifyOptions { ingest: IngestOptions::default(), keys, require_digest };
    let report = ingest_verified(store, sources, &options, clock_at(now), &|_| ()).await.unwrap();
    let files = &report.log_files;
    assert_eq!(files.found, files.ingested + files.already_ingested + files.rejected);
    assert!(report.events.reconcile());
    report
}

/// Covered, unverified, planted, altered, missing.
fn marks(report: &IngestReport) -> [u64; 5] {
    let marks = report.digests.as_ref().unwrap();
    [marks.covered, marks.unverified, marks.planted, marks.altered, marks.missing]
}

/// What the commits of a store say of each log file, the last word of them.
async fn recorded(store: &EventDataStore) -> BTreeMap<String, Option<DigestMark>> {
    let newest = store.snapshot().await.unwrap().version();
    let commits: Vec<_> = store.commits(0, newest).try_collect().await.unwrap();
    let sources = commits.into_iter().flat_map(|commit| commit.sources);
    sources.map(|source| (source.key, source.digest)).collect()
}

fn url(key: &str) -> String {
    format!("s3://{BUCKET}/{key}")
}

#[tokio::test]
async fn a_trail_as_it_was_delivered_is_covered_whole() {
    let trail = SignedTrail::six_hours();
    let lab = local_store().await;
    let report = verified(&lab.store, &trail.buckets().await, true).await;
    assert_eq!(marks(&report), [18, 0, 0, 0, 0]);
    assert_eq!(report.events.stored, 18);
    assert!(report.is_complete(), "{report:?}");
    let recorded = recorded(&lab.store).await;
    assert_eq!(recorded.len(), 18);
    assert!(recorded.values().all(|mark| *mark == Some(DigestMark::Covered)));
    // Nothing is read a second time, and nothing is committed.
    let again = verified(&lab.store, &trail.buckets().await, true).await;
    assert_eq!((again.log_files.already_ingested, again.store_version), (18, None));

    // The same in a folder, where the newest digest has its signature beside it.
    let folder = tempfile::tempdir().unwrap();
    let copy = [trail.copy_to(folder.path())];
    let last = &trail.digests[5];
    let metadata = &trail.objects[&(BUCKET.to_owned(), last.clone())].metadata;
    let beside = folder.path().join(format!("{last}.metadata.json"));
    std::fs::write(beside, serde_json::json!({ "Metadata": metadata }).to_string()).unwrap();
    let lab = local_store().await;
    let report = verified(&lab.store, &copy, true).await;
    assert_eq!(marks(&report), [18, 0, 0, 0, 0]);
    assert!(report.is_complete(), "{report:?}");
}

#[tokio::test]
async fn an_altered_log_file_is_rejected_and_named_and_the_rest_goes_on() {
    let whole = SignedTrail::six_hours();
    let key = whole.logs[7].clone();
    let content = whole.objects[&(BUCKET.to_owned(), key.clone())].content.clone();
    let text = log_text(&[event("2024-01-10 02:00:00 UTC-1", "2024-01-10T02:06:00+00:00")]);
    let altered = String::from_utf8(text.clone()).unwrap().replace("Alice", "Mallory");
    let cases = [
        ("altered", gzip(altered.as_bytes()), RejectReason::Altered),
        ("two members", [gzip(&text[..20]), gzip(&text[20..])].concat(), RejectReason::Altered),
        ("not compressed", text.clone(), RejectReason::Altered),
        ("truncated", content[..content.len() - 9].to_vec(), RejectReason::Truncated),
        ("trailing", [content.clone(), b"more".to_vec()].concat(), RejectReason::TrailingBytes),
        ("empty", Vec::new(), RejectReason::Empty),
    ];
    for (name, content, reason) in cases {
        let mut trail = whole.clone();
        trail.object(&key).content = content;
        let lab = local_store().await;
        let sources = trail.buckets().await;
        let report = verified(&lab.store, &sources, false).await;
        assert_eq!(marks(&report), [17, 0, 0, 1, 0], "{name}");
        assert!(!report.is_complete(), "{name}");
        let rejected: Vec<_> =
            report.rejected.iter().map(|one| (one.path.clone(), one.reason)).collect();
        assert_eq!(rejected, [(url(&key), reason)], "{name}");
        assert_eq!(report.events.stored, 17, "{name}");
        assert!(!stored_events(&lab.store).await.iter().any(|text| text.contains("Mallory")));
        assert_eq!(recorded(&lab.store).await[&url(&key)], Some(DigestMark::Altered), "{name}");

        // It stays rejected, and is not recorded again; put right, it is taken.
        let before = lab.store.snapshot().await.unwrap().version();
        assert_eq!(marks(&verified(&lab.store, &sources, false).await), [17, 0, 0, 1, 0]);
        assert_eq!(lab.store.snapshot().await.unwrap().version(), before, "{name}");
        let report = verified(&lab.store, &whole.buckets().await, false).await;
        assert_eq!((marks(&report), report.events.stored), ([18, 0, 0, 0, 0], 1), "{name}");
        assert_eq!(recorded(&lab.store).await[&url(&key)], Some(DigestMark::Covered), "{name}");
    }
}

#[tokio::test]
async fn a_planted_log_file_is_marked_and_left_out_where_digests_are_required() {
    let mut trail = SignedTrail::six_hours();
    let planted = trail.logs[4].replace("_0000000000000001", "_PLANTED000000000");
    let text = log_text(&[event("planted", "2024-01-10T01:06:00Z")]);
    trail.objects.entry((BUCKET.to_owned(), planted.clone())).or_default().content = gzip(&text);
    let sources = trail.buckets().await;

    let lab = local_store().await;
    let report = verified(&lab.store, &sources, true).await;
    assert_eq!(marks(&report), [18, 0, 1, 0, 0]);
    assert_eq!(report.rejected[0].reason, RejectReason::NotCovered);
    assert_eq!((report.log_files.rejected, report.events.stored), (1, 18));

    let lab = local_store().await;
    let report = verified(&lab.store, &sources, false).await;
    assert_eq!((marks(&report), report.events.stored), ([18, 0, 1, 0, 0], 19));
    assert_eq!(report.digests.as_ref().unwrap().planted_log_files, [url(&planted)]);
    assert!(!report.is_complete());
    assert_eq!(recorded(&lab.store).await[&url(&planted)], Some(DigestMark::Planted));
}

#[tokio::test]
async fn missing_log_files_are_named_and_recorded() {
    let mut trail = SignedTrail::six_hours();
    let gone = [trail.logs[3].clone(), trail.logs[17].clone()];
    gone.iter().for_each(|key| trail.remove(key));
    let lab = local_store().await;
    let report = verified(&lab.store, &trail.buckets().await, false).await;
    assert_eq!(marks(&report), [16, 0, 0, 0, 2]);
    let mut named = report.digests.as_ref().unwrap().missing_log_files.clone();
    named.sort_unstable();
    assert_eq!(named, gone.each_ref().map(|key| url(key)));
    assert!(!report.is_complete());
    assert_eq!(recorded(&lab.store).await[&url(&gone[0])], Some(DigestMark::Missing));
    // What turns up is taken.
    let report = verified(&lab.store, &SignedTrail::six_hours().buckets().await, false).await;
    assert_eq!((marks(&report), report.events.stored), ([18, 0, 0, 0, 0], 2));
}

#[tokio::test]
async fn what_was_ingested_before_its_digest_was_there_is_marked_later() {
    let whole = SignedTrail::six_hours();
    let mut early = whole.clone();
    early.remove(&whole.digests[5]);
    let lab = local_store().await;
    // Without asking at all.
    let sources = early.buckets().await;
    let options = IngestOptions::default();
    ingest(&lab.store, &sources, &options, clock_at(NOW), &|_| ()).await.unwrap();
    let report = verified(&lab.store, &sources, false).await;
    assert_eq!(marks(&report), [15, 3, 0, 0, 0]);
    assert_eq!((report.log_files.ingested, report.events.duplicate), (18, 18));
    let report = verified(&lab.store, &whole.buckets().await, false).await;
    assert_eq!(marks(&report), [18, 0, 0, 0, 0]);
    assert_eq!((report.log_files.ingested, report.log_files.already_ingested), (3, 15));
    assert_eq!(stored_events(&lab.store).await.len(), 18);

    // Where digests are required, they wait for theirs, but not for ever.
    let lab = local_store().await;
    let report = verified(&lab.store, &sources, true).await;
    assert_eq!(report.log_files.left_out[&LeftOut::AwaitsDigest], 3);
    assert_eq!((report.log_files.rejected, report.events.stored), (0, 15));
    let report = verified_at(&lab.store, &sources, true, "2024-01-10T12:00:00Z").await;
    assert_eq!(report.log_files.rejected, 3);
    let report = verified(&lab.store, &whole.buckets().await, true).await;
    assert_eq!((report.events.stored, marks(&report)), (3, [18, 0, 0, 0, 0]));
}

#[tokio::test]
async fn log_files_of_an_invalid_digest_are_unverified() {
    let mut trail = SignedTrail::six_hours();
    trail.object(&trail.digests[2].clone()).metadata.clear();
    let lab = local_store().await;
    let report = verified(&lab.store, &trail.buckets().await, false).await;
    assert_eq!(marks(&report), [15, 3, 0, 0, 0]);
    assert_eq!(report.digests.as_ref().unwrap().digests.counts.digests_invalid, 1);
    assert!(!report.is_complete());
}
