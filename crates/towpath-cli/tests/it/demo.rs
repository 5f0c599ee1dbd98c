use std::path::Path;

use crate::harness::{Dir, TRAIL, sample_events};

#[test]
fn the_demo_answers_the_question_and_leaves_nothing_behind() {
    let dir = Dir::new();
    let ran = dir.towpath(["demo"]).run().success();
    let text = ran.text();
    let mut lines = text.lines();
    let headings: Vec<&str> = lines.next().unwrap().split('|').map(str::trim).collect();
    assert_eq!(headings, ["eventTime", "arn", "eventName", "sourceIPAddress"]);
    let rows: Vec<&str> = lines.skip(1).collect();
    assert_eq!(rows.len(), 13, "data/README.md says so");
    assert!(rows.iter().all(|row| row.contains("| DeleteBucket |")), "{text}");
    assert!(ran.stderr.contains("7,206 stored"), "{}", ran.stderr);
    assert!(ran.stderr.contains("broken on purpose"), "{}", ran.stderr);
    let left = std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(left, 0, "the temporary lake is gone, and TOWPATH_LAKE was not touched");
}

#[test]
fn a_demo_in_a_named_lake_stays_and_can_run_again() {
    let dir = Dir::new();
    for stored in ["7,206 stored", " 0 stored"] {
        let ran = dir.towpath(["--lake", "kept", "demo"]).run().success();
        assert!(ran.stderr.contains(stored), "{}", ran.stderr);
    }
    let sql = "SELECT count(*) AS n FROM my-event-data-store";
    let ran = dir.towpath(["--lake", "kept", "query", sql, "--format", "csv"]).run().success();
    assert_eq!(ran.text(), "n\n7206\n");
}

#[test]
fn the_demo_takes_other_log_files_and_then_a_broken_one_counts() {
    let dir = Dir::new();
    dir.write_log_file("logs/a.json.gz", &sample_events());
    let ran = dir.towpath(["demo", "--data", "logs"]).run().success();
    assert!(ran.stderr.contains("5 stored"), "{}", ran.stderr);
    dir.write("logs/b.json.gz", "no gzip");
    dir.towpath(["demo", "--data", "logs"]).run().code(3);
    let ran = dir.towpath(["demo", "--data", "no-such-folder"]).run();
    assert_ne!(ran.code, Some(0));
}

#[test]
fn the_bundled_trail_is_where_the_demo_looks_for_it() {
    assert!(Path::new(TRAIL).is_dir(), "{TRAIL}");
}
