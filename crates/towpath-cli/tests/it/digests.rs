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

#[test]
fn an_ingest_that_asks_digests_marks_log_files_and_keeps_the_keys() {
    let dir = Dir::new();
    dir.write("keys.json", keys());
    let run = |args: &[&str]| dir.towpath(["--lake", "lake"].iter().chain(args)).run();
    run(&["store", "create", "trail", "--retention-days", "3653"]).code(0);
    let ingest = ["ingest", TRAIL, "--store", "trail", "--verify-digests", "--report", "r.json"];
    let ran = run(&ingest).code(2);
    assert!(ran.stderr.contains("--public-keys or --keys-region"), "{}", ran.stderr);

    // Nobody signed the bundled digests, so they prove nothing, and what is there is taken.
    let ran = run(&[&ingest[..], &["--public-keys", "keys.json"]].concat()).code(3);
    assert!(ran.stderr.contains("log files: 0 covered, "), "{}", ran.stderr);
    let report: Value = serde_json::from_slice(&dir.read("r.json")).unwrap();
    let marks = &report["digests"];
    assert_eq!(marks["unverified"], report["log_files"]["found"]);
    assert_eq!((&marks["altered"], &marks["missing"]), (&json!(0), &json!(0)));
    assert!(marks["digests"]["counts"]["digests_invalid"].as_u64().unwrap() > 0);

    // The keys are the lake's now. Where a valid digest is required, nothing is left to take.
    run(&["store", "create", "strict", "--retention-days", "3653"]).code(0);
    let strict = ["ingest", TRAIL, "--store", "strict", "--verify-digests", "--require-digest"];
    let ran = run(&strict).code(3);
    assert!(ran.stderr.contains("no valid digest names the log file"), "{}", ran.stderr);
    assert!(ran.stderr.contains(" 0 stored"), "{}", ran.stderr);
}

#[test]
fn coverage_prints_the_hours_and_names_the_gaps() {
    let dir = Dir::new();
    let run = |args: &[&str]| dir.towpath(["--lake", "lake"].iter().chain(args)).run();
    run(&["store", "create", "trail", "--retention-days", "3653"]).code(0);
    // One of the bundled log files is cut short.
    run(&["ingest", TRAIL, "--store", "trail", "--report", "r.json"]).code(3);
    let taken: Value = serde_json::from_slice(&dir.read("r.json")).unwrap();
    let taken = taken["log_files"]["ingested"].as_u64();

    // Without a source, only what was ingested.
    let ran = run(&["coverage", "--store", "trail", "--format", "ndjson"]).code(0);
    let text = ran.text();
    let hours: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ingested: u64 = hours.iter().map(|hour| hour["ingested"].as_u64().unwrap()).sum();
    assert!(hours.iter().all(|hour| hour["named"].is_null()));

    // With one, and no keys: what the digests say is believed, and that is said.
    let args = ["coverage", "--store", "trail", "--source", TRAIL, "--report", "-"];
    let ran = run(&args).code(1);
    assert!(ran.stderr.contains("were not checked"), "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.text()).unwrap();
    assert_eq!(report["signatures_checked"], false);
    let hours = report["hours"].as_array().unwrap();
    let sum = |name: &str| hours.iter().map(|hour| hour[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!(Some(sum("ingested") + report["unplaced"].as_u64().unwrap()), taken);
    assert_eq!(sum("ingested"), ingested);
    assert_eq!(sum("named"), sum("ingested") - sum("not_named") + sum("not_ingested"));
    assert!(sum("named") > 0 && sum("digest_secs") > 0);
}
