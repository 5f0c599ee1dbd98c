//! The cases that AWS's command was run on, on a folder: its verdict and ours.
//!
//! The same on a real S3 server, with AWS's command beside ours, are among the acceptance tests of
//! the command.

use std::{fs, path::Path};

use aws_lc_rs::signature::KeyPair as _;
use serde_json::json;
use towpath_ingest::{DigestKeys, DigestOptions, DigestReport, verify_digests};
use towpath_store::Location;

use crate::{
    signed_trail::{
        BUCKET, SignedTrail, fingerprint, key_list, key_pair, keys, other_key_pair, spki_keys,
    },
    support::at,
    trail::{event, gzip, log_text},
};

/// What is done to a trail, AWS's verdict, and ours.
struct Case {
    name: &'static str,
    make: fn() -> SignedTrail,
    valid_to_aws: bool,
    sound: bool,
}

const SOUND: (bool, bool) = (true, true);
/// AWS's command finds nothing wrong.
const BLIND: (bool, bool) = (true, false);
const INVALID: (bool, bool) = (false, false);

fn case(
    name: &'static str,
    (valid_to_aws, sound): (bool, bool),
    make: fn() -> SignedTrail,
) -> Case {
    Case { name, make, valid_to_aws, sound }
}

fn tampered(tamper: impl FnOnce(&mut SignedTrail)) -> SignedTrail {
    let mut trail = SignedTrail::six_hours();
    tamper(&mut trail);
    trail
}

fn at_place(head: &str, region: &'static str) -> SignedTrail {
    let mut trail = SignedTrail::at(head, region);
    (0..6).for_each(|hour| trail.hour(hour, 3));
    trail
}

fn with_log(content: impl FnOnce(&[u8]) -> Vec<u8>) -> SignedTrail {
    tampered(|trail| {
        let key = trail.logs[7].clone();
        let changed = content(&trail.object(&key).content);
        trail.object(&key).content = changed;
    })
}

fn log_of_seven() -> Vec<u8> {
    log_text(&[event("2024-01-10 02:00:00 UTC-1", "2024-01-10T02:06:00+00:00")])
}

fn cases() -> Vec<Case> {
    let mut cases = of_whole_trails();
    cases.extend(of_log_files());
    cases.extend(of_digests());
    cases
}

fn of_whole_trails() -> Vec<Case> {
    vec![
        case("as it was delivered", SOUND, SignedTrail::six_hours),
        case("below a prefix", SOUND, || at_place("logs/audit/AWSLogs", "us-east-1")),
        case("of an organisation", SOUND, || at_place("AWSLogs/o-abcdefghij", "us-east-1")),
        case("of another region", SOUND, || at_place("AWSLogs", "eu-west-1")),
        case("an hour without log files", SOUND, || {
            let mut trail = SignedTrail::new();
            [3, 3, 0, 3, 3, 3].into_iter().zip(0..).for_each(|(logs, hour)| trail.hour(hour, logs));
            trail
        }),
        case("a gap", SOUND, || {
            let mut trail = SignedTrail::new();
            (0..2).for_each(|hour| trail.hour(hour, 3));
            trail.restart();
            (4..6).for_each(|hour| trail.hour(hour, 3));
            trail
        }),
        case("backfill", SOUND, || {
            let mut trail = SignedTrail::new();
            (0..2).for_each(|hour| trail.hour(hour, 3));
            trail.backfill(2, 3);
            trail.restart();
            (3..6).for_each(|hour| trail.hour(hour, 3));
            trail
        }),
        case("the bucket switched", SOUND, || {
            let mut trail = SignedTrail::new();
            (0..3).for_each(|hour| trail.hour(hour, 3));
            trail.bucket = "other".into();
            (3..6).for_each(|hour| trail.hour(hour, 3));
            trail
        }),
    ]
}

fn of_log_files() -> Vec<Case> {
    vec![
        case("compressed anew", SOUND, || with_log(|_| gzip(&log_of_seven()))),
        case("a byte changed", INVALID, || {
            with_log(|_| {
                let text = String::from_utf8(log_of_seven()).unwrap().replace("Alice", "Blice");
                gzip(text.as_bytes())
            })
        }),
        case("deleted", INVALID, || tampered(|trail| trail.remove(&trail.logs[7].clone()))),
        case("truncated", INVALID, || with_log(|content| content[..content.len() - 9].to_vec())),
        case("trailing bytes", INVALID, || with_log(|content| [content, b"more"].concat())),
        case("two members", INVALID, || {
            with_log(|_| [gzip(&log_of_seven()[..20]), gzip(&log_of_seven()[20..])].concat())
        }),
        case("not gzip", INVALID, || with_log(|_| log_of_seven())),
        case("planted", BLIND, || {
            tampered(|trail| {
                let key = trail.logs[4].replace("_0000", "_PLAN");
                let content = trail.object(&trail.logs[4].clone()).content.clone();
                trail.objects.entry((BUCKET.to_owned(), key)).or_default().content = content;
            })
        }),
    ]
}

fn of_digests() -> Vec<Case> {
    vec![
        case("deleted in the middle", INVALID, || {
            tampered(|trail| trail.remove(&trail.digests[2].clone()))
        }),
        case("two deleted", INVALID, || {
            tampered(|trail| [2, 3].iter().for_each(|n| trail.remove(&trail.digests[*n].clone())))
        }),
        case("the newest deleted", BLIND, || {
            tampered(|trail| trail.remove(&trail.digests[5].clone()))
        }),
        case("all deleted", BLIND, || {
            tampered(|trail| (0..6).for_each(|n| trail.remove(&trail.digests[n].clone())))
        }),
        case("changed", INVALID, || {
            tampered(|trail| {
                let key = trail.digests[2].clone();
                let text = gunzip(&trail.object(&key).content).replace("SHA-256", "SHA-257");
                trail.object(&key).content = gzip(text.as_bytes());
            })
        }),
        // In a folder the digest after it still has its signature.
        case("stripped of its metadata", SOUND, || {
            tampered(|trail| trail.object(&trail.digests[2].clone()).metadata.clear())
        }),
        case("the newest stripped", INVALID, || {
            tampered(|trail| trail.object(&trail.digests[5].clone()).metadata.clear())
        }),
        case("not JSON", INVALID, || {
            tampered(|trail| trail.object(&trail.digests[2].clone()).content = gzip(b"text"))
        }),
        case("copied over another", INVALID, || {
            tampered(|trail| {
                let other = trail.object(&trail.digests[3].clone()).clone();
                *trail.object(&trail.digests[2].clone()) = other;
            })
        }),
    ]
}

fn gunzip(content: &[u8]) -> String {
    let mut text = String::new();
    let mut decoder = flate2::bufread::GzDecoder::new(content);
    std::io::Read::read_to_string(&mut decoder, &mut text).unwrap();
    text
}

/// Writes the trail as a folder, with the metadata of each digest in a file beside it.
fn into_folder(trail: &SignedTrail, folder: &Path) -> Location {
    let place = trail.copy_to(folder);
    for ((_, key), object) in trail.objects.iter().filter(|(_, object)| !object.metadata.is_empty())
    {
        let head = json!({ "Metadata": object.metadata }).to_string();
        fs::write(folder.join(format!("{key}.metadata.json")), head).unwrap();
    }
    place
}

async fn check(trail: &SignedTrail, keys: &str) -> DigestReport {
    let folder = tempfile::tempdir().unwrap();
    let place = into_folder(trail, folder.path());
    let options = DigestOptions {
        from: Some(at("2024-01-10T00:00:00Z")),
        to: Some(at("2024-01-10T06:00:00Z")),
        now: at("2024-02-01T00:00:00Z"),
        keys: DigestKeys::from_json(keys).unwrap(),
    };
    verify_digests(&[place], &options, &|_| ()).await.unwrap()
}

#[tokio::test]
async fn each_case_on_a_folder_has_awss_verdict_or_a_better_one() {
    for Case { name, make, valid_to_aws, sound } in cases() {
        let report = check(&make(), &keys()).await;
        assert_eq!(report.is_valid_to_aws(), valid_to_aws, "{name}: {report:?}");
        assert_eq!(report.is_sound(), sound, "{name}: {report:?}");
    }
}

#[tokio::test]
async fn keys_that_do_not_fit_are_no_proof_on_a_folder() {
    let own = fingerprint(key_pair());
    let other = other_key_pair().public_key();
    let wrong = [
        key_list(other.as_ref(), &fingerprint(other_key_pair())),
        key_list(other.as_ref(), &own),
        spki_keys(),
    ];
    for keys in wrong {
        let report = check(&SignedTrail::six_hours(), &keys).await;
        assert!(!report.is_valid_to_aws() && !report.is_sound(), "{keys}");
    }
    assert!(DigestKeys::from_json(r#"{"PublicKeyList":[]}"#).is_err(), "no keys is no check");
}
