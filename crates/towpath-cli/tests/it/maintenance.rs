//! `towpath compact`, `expire` and `doctor`.

use crate::harness::{Dir, event, sample_events};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// The rows that a command prints as ndjson.
fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn store_folder(dir: &Dir) -> PathBuf {
    let stores = dir.path().join("lake/stores");
    fs::read_dir(stores).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn compact_makes_files_fewer_and_answers_stay() {
    let dir = Dir::with_sample();
    dir.write_log_file("more/a.json.gz", &[event(6, "PutObject", "2024-03-09T00:00:00Z")]);
    dir.towpath(["ingest", "more", "--store", "trail"]).run().success();
    let all = ["query", "SELECT * FROM trail ORDER BY eventID", "--format", "ndjson"];
    let before = dir.towpath(all).run().success().text();

    let compact = ["compact", "--store", "trail", "--format", "ndjson"];
    let done = &rows(&dir.towpath(compact).run().success().text())[0];
    assert_eq!((&done["files_before"], &done["files_after"]), (&2.into(), &1.into()), "{done}");
    assert_eq!(dir.towpath(all).run().success().text(), before);
    let done = &rows(&dir.towpath(compact).run().success().text())[0];
    assert_eq!(done["files_before"], 0);
}

#[test]
fn expire_says_before_it_does_and_drops_whole_files() {
    let dir = Dir::new();
    dir.write_log_file("logs/sample.json.gz", &sample_events());
    dir.towpath(["store", "create", "trail", "--retention-days", "3653"]).run().success();
    dir.towpath(["ingest", "logs", "--store", "trail"]).run().success();
    dir.towpath(["store", "update", "trail", "--retention-days", "7"]).run().success();
    let expire = |more: &[&str]| {
        let args = [&["expire", "--format", "ndjson"], more].concat();
        rows(&dir.towpath(args).run().success().text()).remove(0)
    };
    for _ in 0..2 {
        let plan = expire(&["--dry-run"]);
        assert_eq!((&plan["files_dropped"], &plan["events_dropped"]), (&3.into(), &5.into()));
    }
    assert_eq!(expire(&[])["events_dropped"], 5);
    assert_eq!(expire(&["--store", "trail"])["events_dropped"], 0);
    dir.towpath(["expire", "--store", "nowhere"]).run().code(1);
}

#[test]
fn doctor_explains_a_torn_commit_before_it_moves_it_aside() {
    let dir = Dir::with_sample();
    let whole = dir.towpath(["doctor"]).run().success();
    assert!(whole.text().ends_with("nothing to repair\n"), "{}", whole.text());
    let torn = store_folder(&dir).join("_delta_log").join(format!("{:020}.json", 2));
    fs::write(&torn, "").unwrap();
    let query = dir.towpath(["query", "SELECT count(*) FROM trail"]).run().code(1);
    assert!(query.stderr.contains("towpath doctor --repair"), "{}", query.stderr);

    let explained = dir.towpath(["doctor"]).run().code(1);
    assert!(explained.text().contains("commit 2: its file is empty"), "{}", explained.text());
    assert!(torn.is_file(), "nothing was changed");
    let repaired = dir.towpath(["doctor", "--repair"]).run().success();
    assert_eq!(
        repaired.text().lines().next(),
        explained.text().lines().next(),
        "it is said before it is done"
    );
    assert!(!torn.is_file());
    dir.towpath(["query", "SELECT count(*) FROM trail"]).run().success();
    dir.towpath(["doctor"]).run().success();
}
