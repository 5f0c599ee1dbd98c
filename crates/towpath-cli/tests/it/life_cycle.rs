use crate::harness::{Dir, TRAIL, event};
use serde_json::Value;

fn shown(dir: &Dir, store: &str) -> Value {
    let ran = dir.towpath(["store", "show", store, "--format", "json"]).run().success();
    serde_json::from_str(&ran.text()).unwrap()
}

fn count(dir: &Dir) -> String {
    let count = ["query", "SELECT count(*) AS n FROM trail", "--format", "csv"];
    dir.towpath(count).run().success().text()
}

#[test]
fn an_update_acts_on_the_next_query_and_what_expired_does_not_come_back() {
    let dir = Dir::new();
    let old = event(1, "Old", "2024-03-01T08:00:00Z");
    dir.write_log_file("logs/a.json.gz", &[old]);
    dir.towpath(["store", "create", "trail", "--retention-days", "3653"]).run().success();
    dir.towpath(["ingest", "logs", "--store", "trail"]).run().success();
    assert_eq!(count(&dir), "n\n1\n");

    dir.towpath(["store", "update", "trail", "--retention-days", "7"]).run().success();
    assert_eq!(count(&dir), "n\n0\n");
    dir.towpath(["store", "update", "trail", "--retention-days", "3653"]).run().success();
    assert_eq!(count(&dir), "n\n0\n");
    assert_eq!(shown(&dir, "trail")["retention_days"], 3653);
}

#[test]
fn an_update_needs_something_to_change_and_stays_within_the_limits() {
    let dir = Dir::new();
    dir.towpath(["store", "create", "trail"]).run().success();
    let both = ["store", "update", "trail", "--termination-protection"];
    for args in [
        &["store", "update", "trail"][..],
        &["store", "update", "trail", "--retention-days", "6"],
        &["store", "update", "trail", "--retention-days", "3654"],
        &[&both[..], &["--no-termination-protection"]].concat(),
    ] {
        let ran = dir.towpath(args).run().code(2);
        assert!(ran.stdout.is_empty() && ran.stderr.starts_with("error: "), "{args:?}: {ran:?}");
    }
    assert_eq!(shown(&dir, "trail")["version"], 0);
}

#[test]
fn a_renamed_store_is_found_by_its_new_name_only() {
    let dir = Dir::with_sample();
    dir.towpath(["store", "create", "other"]).run().success();
    dir.towpath(["store", "update", "trail", "--name", "OTHER"]).run().code(1);
    dir.towpath(["store", "update", "trail", "--name", "org-trail"]).run().success();

    assert_eq!(shown(&dir, "org-trail")["events"], 5);
    let gone = dir.towpath(["store", "show", "trail"]).run().code(1);
    assert!(gone.stderr.contains("does not exist"), "{}", gone.stderr);
    dir.towpath(["store", "create", "trail"]).run().success();
}

#[test]
fn a_deleted_store_answers_nothing_until_it_is_restored() {
    let dir = Dir::with_sample();
    let told = dir.towpath(["store", "delete", "trail"]).run().success();
    assert!(told.stderr.contains("`towpath store restore trail` brings it back"), "{told:?}");

    assert_eq!(shown(&dir, "trail")["status"], "PENDING_DELETION");
    let query = dir.towpath(["query", "SELECT count(*) FROM trail"]).run().code(1);
    assert!(query.stdout.is_empty() && query.stderr.contains("pending deletion"), "{query:?}");
    let ingest = dir.towpath(["ingest", TRAIL, "--store", "trail"]).run().code(1);
    assert!(ingest.stderr.contains("pending deletion"), "{ingest:?}");
    dir.towpath(["store", "create", "trail"]).run().code(1);
    dir.towpath(["store", "update", "trail", "--retention-days", "9"]).run().code(1);

    dir.towpath(["store", "restore", "trail"]).run().success();
    assert_eq!(count(&dir), "n\n5\n");
    dir.towpath(["store", "restore", "trail"]).run().code(1);
}

#[test]
fn a_protected_or_held_store_is_not_deleted() {
    let dir = Dir::new();
    dir.towpath(["store", "create", "trail", "--termination-protection"]).run().success();
    let refused = dir.towpath(["store", "delete", "trail"]).run().code(1);
    let hint = "hint: `towpath store update NAME --no-termination-protection` turns it off";
    assert!(refused.stderr.contains(hint), "{}", refused.stderr);
    dir.towpath(["store", "update", "trail", "--no-termination-protection"]).run().success();

    let add = ["store", "hold", "add", "trail", "--reason", "case 7", "--by", "jdoe"];
    let id = dir.towpath(add).run().success().text();
    let refused = dir.towpath(["store", "delete", "trail"]).run().code(1);
    assert!(refused.stderr.contains("under 1 legal hold(s)"), "{}", refused.stderr);
    let list = dir.towpath(["store", "hold", "list", "trail", "--format", "ndjson"]);
    let held: Value = serde_json::from_str(&list.run().success().text()).unwrap();
    assert_eq!(held["id"], id.trim_end());
    assert_eq!((&held["reason"], &held["placed_by"]), (&"case 7".into(), &"jdoe".into()));
    assert_eq!((&held["from"], &held["to"]), (&Value::Null, &Value::Null));

    dir.towpath(["store", "hold", "release", "trail", id.trim_end(), "--by", "x"]).run().success();
    dir.towpath(["store", "hold", "release", "trail", id.trim_end(), "--by", "x"]).run().code(2);
    dir.towpath(["store", "delete", "trail"]).run().success();
}

#[test]
fn a_hold_keeps_what_retention_would_take() {
    let dir = Dir::with_sample();
    let add = ["store", "hold", "add", "trail", "--reason", "breach", "--by", "jdoe"];
    let span = ["--from", "2024-03-01", "--to", "2024-03-02"];
    dir.towpath(add.iter().chain(&span)).run().success();
    dir.towpath(["store", "update", "trail", "--retention-days", "7"]).run().success();
    assert_eq!(count(&dir), "n\n2\n");
    let backwards = ["--from", "2024-03-02", "--to", "2024-03-01"];
    dir.towpath(add.iter().chain(&backwards)).run().code(2);
}
