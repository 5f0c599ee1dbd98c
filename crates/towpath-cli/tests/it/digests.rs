//! `towpath verify-digests` on the bundled trail, whose digests nobody signed.

use serde_json::{Value, json};

use crate::harness::{Dir, TRAIL};

/// The bundled digests are of these hours.
const HOURS: [&str; 4] = ["--from", "2024-11-14T02:00:00Z", "--to", "2024-11-14T09:00:00Z"];

fn keys() -> String {
    json!({ "PublicKeyList": [{ "Value": "MAYCAQECAQM=", "Fingerprint": "00" }] }).to_string()
}

#[test]
fn unsigned_digests_are_invalid_in_awss_words_and_their_log_files_unproven() {
    let dir = Dir::new();
    dir.write("keys.json", keys());
    let args = ["verify-digests", TRAIL, "--public-keys", "keys.json", "--report", "found.ndjson"];
    let ran = dir.towpath(args.iter().chain(&HOURS)).run().code(1);
    let expected = "\
Validating log files for trail arn:aws:cloudtrail:us-east-1:111122223333:trail/kingfisher-org \
between 2024-11-14T02:00:00Z and 2024-11-14T09:00:00Z

Results requested for 2024-11-14T02:00:00Z to 2024-11-14T09:00:00Z
No valid digests found in range

0/7 digest files valid, 7/7 digest files INVALID
";
    assert!(ran.text().contains(expected), "{}", ran.text());
    assert_eq!(ran.stderr.matches("\tINVALID: signature verification failed\n").count(), 7);
    let unproven = "UNPROVEN: its digest is not valid; its content is what that says";
    assert!(ran.stderr.contains(unproven), "{}", ran.stderr);
    assert!(!ran.stderr.contains("is not what that says"), "{}", ran.stderr);

    let found = String::from_utf8(dir.read("found.ndjson")).unwrap();
    let last: Value = serde_json::from_str(found.lines().last().unwrap()).unwrap();
    assert_eq!((&last["what"], &last["sound"]), (&json!("report"), &json!(false)));
    assert_eq!(last["report"]["counts"]["digests_invalid"], 7);
    let unproven = last["report"]["logs_unproven"].as_u64().unwrap();
    assert_eq!(found.matches(r#""what":"unproven""#).count() as u64, unproven);
}

#[test]
fn what_cannot_be_checked_is_said_before_any_work() {
    let dir = Dir::new();
    dir.write("keys.json", keys());
    dir.write("none.json", "{}");
    let run = |args: &[&str]| dir.towpath(["verify-digests"].iter().chain(args)).run();

    let ran = run(&[TRAIL]).code(2);
    assert!(ran.stderr.contains("--public-keys"), "{}", ran.stderr);
    let ran = run(&[TRAIL, "--public-keys", "no.json"]).code(1);
    assert!(ran.stderr.starts_with("error: could not read file `no.json`"), "{}", ran.stderr);
    let ran = run(&[TRAIL, "--public-keys", "none.json"]).code(2);
    assert!(ran.stderr.starts_with("error: public keys cannot be used"), "{}", ran.stderr);
    let ran = run(&["no/such/folder", "--public-keys", "keys.json"]).code(2);
    assert!(ran.stderr.contains("no/such/folder` does not exist"), "{}", ran.stderr);
    let range = ["--from", "2024-02-01", "--to", "2024-01-01"];
    let ran = run(&[&[TRAIL, "--public-keys", "keys.json"][..], &range].concat()).code(2);
    assert!(ran.stderr.contains("must be before"), "{}", ran.stderr);
}
