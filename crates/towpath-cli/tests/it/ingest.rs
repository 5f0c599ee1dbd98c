use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Dir, TRAIL, event, gzip, sample_events};

/// Real logs that stand beside the project for us, and that a user does not have.
const REAL_TRAIL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/aws-trail");

fn count(dir: &Dir) -> String {
    let sql = "SELECT count(*) AS n FROM trail";
    dir.towpath(["query", sql, "--format", "csv"]).run().success().text()
}

#[test]
fn events_are_stored_once_however_often_they_are_ingested() {
    let dir = Dir::with_sample();
    assert_eq!(count(&dir), "n\n5\n");
    // The same log file, and its events in another one with one more.
    let mut events = sample_events();
    events.push(event(6, "PutObject", "2024-06-01T00:00:00Z"));
    dir.write_log_file("logs/again.json.gz", &events);
    let ran = dir.towpath(["ingest", "logs", "--store", "trail"]).run().success();
    assert!(ran.stdout.is_empty());
    insta::assert_snapshot!(ran.stderr, @r"
        2 log files: 1 ingested, 1 already ingested, 0 rejected
        6 events: 1 stored, 5 duplicate, 0 filtered, 0 expired, 0 rejected
        ");
    assert_eq!(count(&dir), "n\n6\n");
}

#[test]
fn a_refused_log_file_is_named_the_others_are_taken_and_the_exit_code_is_3() {
    let dir = Dir::new();
    let whole = gzip(br#"{"Records":[]}"#);
    dir.write_log_file("logs/good.json.gz", &sample_events());
    dir.write("logs/cut.json.gz", &whole[..whole.len() - 9]);
    dir.write("logs/empty.json.gz", "");
    dir.write("logs/text.json.gz", "this is not gzip");
    dir.write("logs/broken.json.gz", gzip(br#"{"Records":[{"eventID":"x","#));
    dir.write("logs/norecords.json.gz", gzip(br#"{"records":[]}"#));
    dir.write("logs/notes.txt", "not a log file at all");
    dir.towpath(["store", "create", "trail"]).run().success();
    let args = ["ingest", "logs", "--store", "trail", "--report", "report.json"];
    let ran = dir.towpath(args).run().code(3);
    assert!(ran.stdout.is_empty());
    for name in ["cut", "empty", "text", "broken", "norecords"] {
        let line = format!("logs/{name}.json.gz` was not ingested: ");
        assert!(ran.stderr.contains(&line), "{name} is missing in {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("good.json.gz"), "{}", ran.stderr);
    assert_eq!(count(&dir), "n\n5\n");

    let report: Value = serde_json::from_slice(&dir.read("report.json")).unwrap();
    assert_eq!(report["log_files"]["ingested"], 1);
    assert_eq!(report["log_files"]["rejected"], 5);
    assert_eq!(report["events"]["stored"], 5);
    let rejected = report["rejected"].as_array().unwrap();
    assert_eq!(rejected.len(), 5);
    assert!(rejected.iter().all(|file| file["path"].is_string() && file["reason"].is_string()));
}

#[test]
fn a_report_on_stdout_is_one_json_document() {
    let dir = Dir::new();
    dir.write_log_file("logs/a.json.gz", &sample_events());
    dir.towpath(["store", "create", "trail"]).run().success();
    let args = ["ingest", "logs", "--store", "trail", "--report", "-"];
    let ran = dir.towpath(args).run().success();
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let events = &report["events"];
    let sum: u64 = ["stored", "duplicate", "filtered", "expired", "rejected"]
        .iter()
        .map(|count| events[count].as_u64().unwrap())
        .sum();
    assert_eq!(events["seen"].as_u64(), Some(sum));
    assert_eq!(sum, 5);
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_before_any_work() {
    let dir = Dir::with_sample();
    dir.write_log_file("more/b.json.gz", &[event(9, "PutObject", "2024-06-01T00:00:00Z")]);
    let args = ["ingest", "more", "--store", "trail", "--report", "no/such/report.json"];
    let ran = dir.towpath(args).run().code(1);
    assert!(
        ran.stderr.starts_with("error: could not create file `no/such/report.json`"),
        "{}",
        ran.stderr
    );
    assert_eq!(count(&dir), "n\n5\n");
}

#[test]
fn from_and_to_are_event_times() {
    let dir = Dir::new();
    dir.write_log_file("logs/a.json.gz", &sample_events());
    dir.towpath(["store", "create", "trail"]).run().success();
    let range = ["--from", "2024-03-01T09:30:00Z", "--to", "2024-05-17T12:00:00Z"];
    let args = ["ingest", "logs", "--store", "trail", "--report", "-"];
    let ran = dir.towpath(args.iter().chain(&range)).run().success();
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(report["events"]["stored"], 2, "from is included, to is not");
    assert_eq!(report["events"]["filtered"], 3);

    let ran = dir.towpath(args.iter().chain(&["--from", "-7d"])).run().success();
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(report["events"]["stored"], 0);
}

#[test]
fn expired_events_and_foreign_files_are_no_failure() {
    let dir = Dir::new();
    dir.write_log_file("logs/a.json.gz", &[event(1, "CreateBucket", "2015-01-01T00:00:00Z")]);
    dir.write("logs/CloudTrail-Digest/d.json.gz", gzip(b"{}"));
    dir.towpath(["store", "create", "trail"]).run().success();
    let args = ["ingest", "logs", "--store", "trail", "--report", "-"];
    let ran = dir.towpath(args).run().success();
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(report["events"]["expired"], 1);
    assert_eq!(report["log_files"]["found"], 1);
}

#[test]
fn a_source_that_is_not_there_is_an_error() {
    let dir = Dir::with_sample();
    let ran = dir.towpath(["ingest", "no-such-folder", "--store", "trail"]).run();
    assert!(matches!(ran.code, Some(1 | 2)), "{ran:?}");
    assert!(
        ran.stderr.starts_with("error: ") && ran.stderr.contains("no-such-folder"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_source_without_log_files_is_said_to_be_so() {
    let dir = Dir::with_sample();
    std::fs::create_dir(dir.path().join("nothing")).unwrap();
    let ran = dir.towpath(["ingest", "nothing", "--store", "trail"]).run().success();
    assert!(ran.stderr.contains("warning: there was no log file in the sources"), "{}", ran.stderr);
}

#[test]
fn an_ingest_that_is_killed_loses_and_doubles_nothing() {
    let dir = Dir::new();
    dir.towpath(["store", "create", "trail", "--retention-days", "3653"]).run().success();
    for millis in [20, 60, 150, 300, 500] {
        let mut child = dir
            .towpath(["ingest", TRAIL, "--store", "trail"])
            .into_command()
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(millis));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    dir.towpath(["ingest", TRAIL, "--store", "trail"]).run().code(3);
    assert_eq!(count(&dir), "n\n7206\n", "data/README.md says so");
}

#[test]
fn two_ingests_at_once_store_every_event_once() {
    let dir = Dir::new();
    dir.towpath(["store", "create", "trail", "--retention-days", "3653"]).run().success();
    let both = [0, 1].map(|_| {
        dir.towpath(["ingest", TRAIL, "--store", "trail"])
            .into_command()
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    });
    for mut child in both {
        assert_eq!(child.wait().unwrap().code(), Some(3), "one log file is broken");
    }
    assert_eq!(count(&dir), "n\n7206\n", "data/README.md says so");
}

#[test]
fn real_logs_count_the_same_after_one_run_and_after_three() {
    if !Path::new(REAL_TRAIL).is_dir() {
        println!("{REAL_TRAIL} is not here; the bundled logs are tested all the same");
        return;
    }
    let dir = Dir::new();
    dir.towpath(["store", "create", "trail", "--retention-days", "3653"]).run().success();
    for stored in [12_241, 0, 0] {
        let args = ["ingest", REAL_TRAIL, "--store", "trail", "--report", "-"];
        let ran = dir.towpath(args).run().success();
        let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
        assert_eq!(report["events"]["stored"], stored);
        assert_eq!(count(&dir), "n\n12241\n");
    }
    let sql = "SELECT eventCategory, count(*) AS n, count(DISTINCT eventID) AS ids, \
               count_if(eventName = 'DeleteBucket') AS deleted FROM trail GROUP BY 1 ORDER BY 1";
    let ran = dir.towpath(["query", sql, "--format", "csv"]).run().success();
    assert_eq!(
        ran.text(),
        "eventCategory,n,ids,deleted\nData,5969,5969,0\nManagement,6272,6272,8\n"
    );
}
