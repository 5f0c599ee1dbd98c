//! What a store has of what was delivered, on a trail with gaps that were planted.

use towpath_ingest::{
    CoverageHour, CoverageOptions, CoverageReport, DigestKeys, IngestOptions, UncoveredWhy,
    VerifyOptions, coverage, ingest_verified,
};
use towpath_store::{EventDataStore, Location};

use crate::{
    signed_trail::{BUCKET, SignedTrail, keys},
    support::{at, clock_at, local_store},
    trail::{ACCOUNT, event, gzip, log_text},
};

const NOW: &str = "2024-01-10T06:10:00Z";

/// Digest seconds, named, ingested, not ingested, not named, altered, missing, events.
fn counts(hour: &CoverageHour) -> [u64; 8] {
    let (secs, named) = (hour.digest_secs.unwrap(), hour.named.unwrap());
    let CoverageHour { ingested, not_ingested, not_named, altered, missing, events, .. } = hour;
    [secs, named, *ingested, *not_ingested, *not_named, *altered, *missing, *events]
}

async fn take(store: &EventDataStore, trail: &SignedTrail) {
    let keys = DigestKeys::from_json(&keys()).unwrap();
    let options = VerifyOptions { ingest: IngestOptions::default(), keys, require_digest: false };
    let sources = trail.buckets().await;
    ingest_verified(store, &sources, &options, clock_at(NOW), &|_| ()).await.unwrap();
}

async fn cover(store: &EventDataStore, sources: &[Location], has_keys: bool) -> CoverageReport {
    let keys = has_keys.then(|| DigestKeys::from_json(&keys()).unwrap());
    let options = CoverageOptions { from: None, to: None, now: at(NOW), keys };
    coverage(store, sources, &options).await.unwrap()
}

#[tokio::test]
async fn a_trail_that_was_ingested_whole_is_complete() {
    let mut trail = SignedTrail::six_hours();
    let mut other = SignedTrail::at("AWSLogs", "eu-west-1");
    (0..6).for_each(|hour| other.hour(hour, 1));
    trail.objects.extend(other.objects);
    let lab = local_store().await;
    take(&lab.store, &trail).await;
    let report = cover(&lab.store, &trail.buckets().await, true).await;
    assert!(report.is_complete() && report.gaps.is_empty(), "{report:?}");
    assert_eq!(report.hours.len(), 12);
    for (place, hour) in report.hours.iter().enumerate() {
        let (region, files) = if place < 6 { ("eu-west-1", 1) } else { ("us-east-1", 3) };
        assert_eq!((hour.account.as_str(), hour.region.as_str()), (ACCOUNT, region));
        assert_eq!(counts(hour), [3600, files, files, 0, 0, 0, 0, files], "{hour:?}");
        assert_eq!(hour.delivery_lag_secs, Some((0, 0)));
    }
    // From 00:11 and from 00:01 until the ingest.
    assert_eq!(report.hours[6].ingest_lag_secs, Some((21_540, 22_140)));
    // A second ingest changes nothing of it.
    take(&lab.store, &trail).await;
    assert_eq!(cover(&lab.store, &trail.buckets().await, true).await, report);
}

#[tokio::test]
async fn every_gap_that_was_planted_is_told_and_no_other() {
    let whole = SignedTrail::six_hours();
    let mut trail = whole.clone();
    // Of hour 1 a log file is gone, of hour 2 the digest, of hour 4 a log file is another.
    trail.remove(&whole.logs[4]);
    trail.remove(&whole.digests[2]);
    let text = log_text(&[event("other", "2024-01-10T04:01:00Z")]);
    trail.object(&whole.logs[12]).content = gzip(&text);
    // Into hour 3 one was put that no digest names.
    let planted = whole.logs[10].replace("_0000000000000001", "_PLANTED000000000");
    trail.objects.entry((BUCKET.to_owned(), planted)).or_default().content = gzip(&text);
    let lab = local_store().await;
    take(&lab.store, &trail).await;

    let sources = trail.buckets().await;
    let report = cover(&lab.store, &sources, true).await;
    assert!(!report.is_complete() && report.signatures_checked);
    let found: Vec<[u64; 8]> = report.hours.iter().map(counts).collect();
    let expected = [
        [3600, 3, 3, 0, 0, 0, 0, 3],
        [3600, 3, 2, 1, 0, 0, 1, 2],
        [0, 0, 3, 0, 3, 0, 0, 3],
        [3600, 3, 4, 0, 1, 0, 0, 4],
        [3600, 3, 2, 1, 0, 1, 0, 2],
        [3600, 3, 3, 0, 0, 0, 0, 3],
    ];
    assert_eq!(found, expected);
    let gaps: Vec<_> = report.gaps.iter().map(|gap| (gap.from, gap.to, gap.why)).collect();
    let (from, to) = (at("2024-01-10T02:00:00Z"), at("2024-01-10T03:00:00Z"));
    assert_eq!(gaps, [(from, to, UncoveredWhy::Missing)]);

    // Without keys the same, and that nothing was checked; without a source only what was ingested.
    let unchecked = cover(&lab.store, &sources, false).await;
    assert!(!unchecked.signatures_checked);
    assert_eq!(unchecked.hours, report.hours);
    let alone = cover(&lab.store, &[], true).await;
    assert!(alone.digests.is_none() && !alone.is_complete());
    assert!(alone.hours.iter().all(|hour| hour.named.is_none() && hour.not_named == 0));
    let ingested: Vec<u64> = alone.hours.iter().map(|hour| hour.ingested).collect();
    assert_eq!(ingested, [3, 2, 3, 4, 2, 3]);
}

#[tokio::test]
async fn a_time_that_is_asked_for_bounds_hours_and_what_digests_cover() {
    let trail = SignedTrail::six_hours();
    let lab = local_store().await;
    take(&lab.store, &trail).await;
    let options = CoverageOptions {
        from: Some(at("2024-01-10T01:05:00Z")),
        to: Some(at("2024-01-10T02:05:00Z")),
        now: at(NOW),
        keys: Some(DigestKeys::from_json(&keys()).unwrap()),
    };
    let report = coverage(&lab.store, &trail.buckets().await, &options).await.unwrap();
    let found: Vec<[u64; 8]> = report.hours.iter().map(counts).collect();
    assert_eq!(found, [[3300, 2, 2, 0, 0, 0, 0, 2], [300, 1, 1, 0, 0, 0, 0, 1]]);
}
