//! The verdicts on trails that were tampered with: AWS's, and those that AWS's command misses.

use std::sync::Mutex;

use aws_lc_rs::signature::KeyPair as _;

use towpath_ingest::{
    ChainReport, DigestEvent, DigestFault, DigestKeys, DigestOptions, DigestReport, LogFault,
    UncoveredWhy, verify_digests,
};
use towpath_store::Location;

use crate::{
    signed_trail::{
        BUCKET, SignedTrail, fingerprint, key_list, key_pair, keys, other_key_pair, spki_keys,
    },
    support::at,
    trail::{event, gzip, log_text},
};

/// What a check found.
struct Found {
    report: DigestReport,
    events: Vec<DigestEvent>,
}

impl Found {
    /// Valid and invalid digests, valid and invalid log files.
    fn counts(&self) -> (u64, u64, u64, u64) {
        let ChainReport { digests_valid, digests_invalid, logs_valid, logs_invalid, .. } =
            self.report.counts;
        (digests_valid, digests_invalid, logs_valid, logs_invalid)
    }

    fn digest_faults(&self) -> Vec<DigestFault> {
        let fault = |event: &DigestEvent| match event {
            DigestEvent::Digest { fault, .. } => fault.clone(),
            _ => None,
        };
        self.events.iter().filter_map(fault).collect()
    }

    fn log_faults(&self) -> Vec<LogFault> {
        let fault = |event: &DigestEvent| match event {
            DigestEvent::LogFile { fault, .. } => *fault,
            _ => None,
        };
        self.events.iter().filter_map(fault).collect()
    }

    /// Spans without a valid digest, as hours.
    fn missing_hours(&self) -> Vec<(String, String)> {
        let span = |event: &DigestEvent| match event {
            DigestEvent::Uncovered { from, to, why: UncoveredWhy::Missing } => {
                Some((from.format("%H:%M").to_string(), to.format("%H:%M").to_string()))
            }
            _ => None,
        };
        self.events.iter().filter_map(span).collect()
    }
}

async fn check_with(sources: &[Location], keys: &str, range: Option<(&str, &str)>) -> Found {
    let events = Mutex::new(Vec::new());
    let options = DigestOptions {
        from: range.map(|(from, _)| at(from)),
        to: range.map(|(_, to)| at(to)),
        now: at("2024-02-01T00:00:00Z"),
        keys: DigestKeys::from_json(keys).unwrap(),
    };
    let tell = |event: &DigestEvent| events.lock().unwrap().push(event.clone());
    let report = verify_digests(sources, &options, &tell).await.unwrap();
    Found { report, events: events.into_inner().unwrap() }
}

const SIX_HOURS: Option<(&str, &str)> = Some(("2024-01-10T00:00:00Z", "2024-01-10T06:00:00Z"));

/// Checks the six hours that were asked for.
async fn check(trail: &SignedTrail) -> Found {
    check_with(&trail.buckets().await, &keys(), SIX_HOURS).await
}

#[tokio::test]
async fn a_trail_as_it_was_delivered_is_sound() {
    let found = check(&SignedTrail::six_hours()).await;
    assert_eq!(found.counts(), (6, 0, 18, 0));
    assert!(found.report.is_sound(), "{:?}", found.report);

    // Below a prefix, of an organisation, of a region that is not the trail's own.
    for (head, region) in [
        ("logs/audit/AWSLogs", "us-east-1"),
        ("AWSLogs/o-abcdefghij", "us-east-1"),
        ("AWSLogs", "eu-west-1"),
    ] {
        let mut trail = SignedTrail::at(head, region);
        trail.hour(0, 2);
        // An hour without a log file has a digest too.
        trail.hour(1, 0);
        let range = Some(("2024-01-10T00:00:00Z", "2024-01-10T02:00:00Z"));
        let found = check_with(&trail.buckets().await, &keys(), range).await;
        assert_eq!(found.counts(), (2, 0, 2, 0), "{head}");
        assert!(found.report.is_sound(), "{head}: {:?}", found.report);
    }
}

#[tokio::test]
async fn without_a_range_everything_there_is_is_checked() {
    let trail = SignedTrail::six_hours();
    let found = check_with(&trail.buckets().await, &keys(), None).await;
    assert_eq!(found.counts(), (6, 0, 18, 0));
    assert!(found.report.is_sound(), "{:?}", found.report);
    let span = (at("2024-01-10T00:00:00Z"), at("2024-01-10T06:00:00Z"));
    assert_eq!(found.report.counts.found, Some(span));
}

#[tokio::test]
async fn every_way_to_alter_a_log_file_has_awss_verdict() {
    let whole = SignedTrail::six_hours();
    let key = whole.logs[7].clone();
    let text = log_text(&[event("2024-01-10 02:00:00 UTC-1", "2024-01-10T02:06:00+00:00")]);
    let content = whole.objects[&(BUCKET.to_owned(), key.clone())].content.clone();
    let altered = String::from_utf8(text.clone()).unwrap().replace("Alice", "Mallory");
    let two_members = [gzip(&text[..20]), gzip(&text[20..])].concat();
    let trailing = [content.clone(), b"more".to_vec()].concat();
    let cases = [
        ("altered", Some(gzip(altered.as_bytes())), Some(LogFault::Hash)),
        ("deleted", None, Some(LogFault::NotFound)),
        ("truncated", Some(content[..content.len() - 9].to_vec()), Some(LogFault::Hash)),
        ("trailing bytes", Some(trailing), Some(LogFault::Trailing)),
        ("two members", Some(two_members), Some(LogFault::Trailing)),
        ("empty", Some(Vec::new()), Some(LogFault::Hash)),
        ("not gzip", Some(text.clone()), Some(LogFault::Format)),
        ("less than a header", Some(b"text".to_vec()), Some(LogFault::Format)),
        ("compressed anew", Some(recompressed(&text)), None),
    ];
    for (name, content, fault) in cases {
        let mut trail = whole.clone();
        match content {
            Some(content) => trail.object(&key).content = content,
            None => trail.remove(&key),
        }
        let found = check(&trail).await;
        assert_eq!(found.log_faults(), Vec::from_iter(fault), "{name}");
        assert_eq!(found.counts().1, 0, "{name}");
        assert_eq!(found.report.is_valid_to_aws(), fault.is_none(), "{name}");
        assert_eq!(found.report.is_sound(), fault.is_none(), "{name}");
    }
}

/// The text with another compression, stored.
fn recompressed(text: &[u8]) -> Vec<u8> {
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::new(1).unwrap());
    let mut file = vec![0; compressor.gzip_compress_bound(text.len())];
    let length = compressor.gzip_compress(text, &mut file).unwrap();
    file.truncate(length);
    file
}

#[tokio::test]
async fn every_way_to_alter_a_digest_has_awss_verdict() {
    let whole = SignedTrail::six_hours();
    let (third, last) = (whole.digests[2].clone(), whole.digests[5].clone());
    let (fourth, not_json) = (whole.digests[3].clone(), gzip(b"this is not JSON"));
    let of = |key: &String| whole.objects[&(BUCKET.to_owned(), key.clone())].clone();
    let without_metadata = |mut object: crate::signed_trail::Object| {
        object.metadata.clear();
        object
    };
    let changed = {
        let mut object = of(&third);
        let mut text = Vec::new();
        std::io::Read::read_to_end(
            &mut flate2::bufread::GzDecoder::new(object.content.as_slice()),
            &mut text,
        )
        .unwrap();
        let text = String::from_utf8(text).unwrap().replace("SHA-256", "SHA-257");
        object.content = gzip(text.as_bytes());
        object
    };
    let broken = crate::signed_trail::Object { content: not_json, ..of(&third) };
    let cases = [
        ("deleted", &third, None, DigestFault::NotFound, (5, 1, 15, 0)),
        ("changed", &third, Some(changed), DigestFault::Signature, (5, 1, 15, 0)),
        (
            "stripped",
            &third,
            Some(without_metadata(of(&third))),
            DigestFault::Signature,
            (5, 1, 15, 0),
        ),
        (
            "newest stripped",
            &last,
            Some(without_metadata(of(&last))),
            DigestFault::Signature,
            (5, 1, 15, 0),
        ),
        ("not JSON", &third, Some(broken), DigestFault::Format, (5, 1, 15, 0)),
        ("copied over another", &third, Some(of(&fourth)), DigestFault::Moved, (5, 1, 15, 0)),
    ];
    for (name, key, object, fault, counts) in cases {
        let mut trail = whole.clone();
        match object {
            Some(object) => *trail.object(key) = object,
            None => trail.remove(key),
        }
        let found = check(&trail).await;
        assert_eq!(found.digest_faults(), [fault], "{name}");
        assert_eq!(found.counts(), counts, "{name}");
        assert!(!found.report.is_valid_to_aws() && !found.report.is_sound(), "{name}");
        assert_eq!(found.missing_hours().len(), 1, "{name}: the hour is not covered");
    }
}

#[tokio::test]
async fn keys_that_do_not_fit_have_awss_verdict() {
    let trail = SignedTrail::six_hours();
    let sources = trail.buckets().await;
    let own = fingerprint(key_pair());
    let other = other_key_pair().public_key();
    let region = "us-east-1".to_owned();
    let unknown = DigestFault::NoKey { region, fingerprint: own.clone() };
    let cases = [
        (key_list(other.as_ref(), &fingerprint(other_key_pair())), unknown),
        (key_list(other.as_ref(), &own), DigestFault::Signature),
        (spki_keys(), DigestFault::KeyForm { fingerprint: own.clone() }),
    ];
    for (keys, fault) in cases {
        let found = check_with(&sources, &keys, SIX_HOURS).await;
        assert_eq!(found.counts(), (0, 6, 0, 0), "{fault}");
        assert!(found.digest_faults().iter().all(|one| *one == fault), "{fault}");
        // The log files are looked at all the same, and prove nothing.
        assert_eq!(found.report.logs_unproven, 18, "{fault}");
    }
    for none in ["", "{}", r#"{"PublicKeyList":[]}"#, r#"{"PublicKeyList":[{"Value":"?"}]}"#] {
        assert!(DigestKeys::from_json(none).is_err(), "{none}");
    }
}

#[tokio::test]
async fn a_trail_that_was_off_has_a_gap_and_is_sound() {
    let mut trail = SignedTrail::new();
    trail.hour(0, 3);
    trail.hour(1, 3);
    trail.restart();
    trail.hour(4, 3);
    trail.hour(5, 3);
    let found = check(&trail).await;
    assert_eq!(found.counts(), (4, 0, 12, 0));
    let (from, to) = (at("2024-01-10T02:00:00Z"), at("2024-01-10T04:00:00Z"));
    assert!(found.events.contains(&DigestEvent::Gap { from, to, backfill: false }));
    let why = UncoveredWhy::TrailOff;
    assert!(found.events.contains(&DigestEvent::Uncovered { from, to, why }));
    assert!(found.report.is_sound(), "{:?}", found.report);
    assert_eq!((found.report.spans_off, found.report.spans_missing), (1, 0));
}

#[tokio::test]
async fn backfill_digests_and_a_change_of_buckets_are_followed() {
    let mut trail = SignedTrail::new();
    trail.hour(0, 3);
    trail.backfill(1, 2);
    trail.restart();
    trail.hour(2, 3);
    trail.bucket = "other".into();
    trail.hour(3, 3);
    let range = Some(("2024-01-10T00:00:00Z", "2024-01-10T04:00:00Z"));
    let found = check_with(&trail.buckets().await, &keys(), range).await;
    assert_eq!(found.counts(), (3, 0, 11, 0));
    assert_eq!((found.report.counts.backfill_valid, found.report.counts.backfill_invalid), (1, 0));
    assert!(found.report.is_sound(), "{:?}", found.report);

    let backfill = trail.digests[1].clone();
    trail.object(&backfill).metadata.remove("backfill-generation-timestamp");
    let found = check_with(&trail.buckets().await, &keys(), range).await;
    assert_eq!((found.report.counts.backfill_valid, found.report.counts.backfill_invalid), (0, 1));
    assert_eq!(found.digest_faults(), [DigestFault::Format]);
}

#[tokio::test]
async fn deleted_digests_are_found_where_awss_command_finds_nothing() {
    /// Which are deleted, whether AWS sees anything, the hours that are named, and how many log
    /// files are unverified.
    type Case = (&'static [usize], bool, &'static [(&'static str, &'static str)], u64);
    let whole = SignedTrail::six_hours();
    let cases: [Case; 4] = [
        (&[5], false, &[("05:00", "06:00")], 3),
        (&[4, 5], false, &[("04:00", "06:00")], 6),
        (&[2, 3], true, &[("02:00", "04:00")], 6),
        (&[0, 1, 2, 3, 4, 5], false, &[("00:00", "06:00")], 18),
    ];
    for (deleted, is_seen, hours, unverified) in cases {
        let mut trail = whole.clone();
        deleted.iter().for_each(|n| trail.remove(&whole.digests[*n]));
        let found = check(&trail).await;
        assert_eq!(!found.report.is_valid_to_aws(), is_seen, "{deleted:?}");
        assert!(!found.report.is_sound(), "{deleted:?}");
        let named = found.missing_hours();
        let named: Vec<(&str, &str)> =
            named.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
        assert_eq!(named, hours, "{deleted:?}");
        assert_eq!(found.report.logs_unverified, unverified, "{deleted:?}");
        assert!(found.report.spans_missing > 0, "{deleted:?}");
        // Also when nobody says until when: the log files of the time are still there.
        let found = check_with(&trail.buckets().await, &keys(), None).await;
        assert!(!found.report.is_sound(), "{deleted:?} without a range");
    }
}

#[tokio::test]
async fn a_planted_log_file_is_found_where_awss_command_finds_nothing() {
    let mut trail = SignedTrail::six_hours();
    let planted = trail.logs[4].replace("_0000000000000001", "_PLANTED000000000");
    let content = trail.object(&trail.logs[4].clone()).content.clone();
    trail.objects.entry((BUCKET.to_owned(), planted.clone())).or_default().content = content;
    let found = check(&trail).await;
    assert_eq!(found.counts(), (6, 0, 18, 0));
    assert!(found.report.is_valid_to_aws() && !found.report.is_sound());
    let url = format!("s3://{BUCKET}/{planted}");
    assert!(found.events.contains(&DigestEvent::Planted { url }));
    assert_eq!(found.report.logs_planted, 1);
}

#[tokio::test]
async fn log_files_of_an_invalid_digest_are_looked_at_and_prove_nothing() {
    let mut trail = SignedTrail::six_hours();
    trail.object(&trail.digests[2].clone()).metadata.clear();
    trail.object(&trail.logs[6].clone()).content = gzip(b"{}");
    let found = check(&trail).await;
    let matches: Vec<bool> = found
        .events
        .iter()
        .filter_map(|event| match event {
            DigestEvent::Unproven { matches, .. } => Some(*matches),
            _ => None,
        })
        .collect();
    assert_eq!(matches, [false, true, true]);
    assert_eq!(found.report.logs_planted, 0);
}

#[tokio::test]
async fn in_a_copy_each_digest_proves_the_one_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let trail = SignedTrail::six_hours();
    let copy = [trail.copy_to(&folder.path().join("copy"))];
    let found = check_with(&copy, &keys(), SIX_HOURS).await;
    assert_eq!(found.counts(), (0, 6, 0, 0), "nothing vouches for the newest");

    // With what `head-object` says of the newest, all are proven.
    let last = &trail.digests[5];
    let metadata = &trail.objects[&(BUCKET.to_owned(), last.clone())].metadata;
    let head = serde_json::json!({ "ContentLength": 1, "Metadata": metadata }).to_string();
    let beside = folder.path().join("copy").join(format!("{last}.metadata.json"));
    std::fs::write(&beside, head).unwrap();
    let found = check_with(&copy, &keys(), SIX_HOURS).await;
    assert_eq!(found.counts(), (6, 0, 18, 0));
    assert!(found.report.is_sound(), "{:?}", found.report);

    // A copy of a part: the account's folder itself.
    let part = [Location::local(&folder.path().join("copy/AWSLogs")).unwrap()];
    assert!(check_with(&part, &keys(), SIX_HOURS).await.report.is_sound());
}
