use crate::harness::Dir;

/// An id of a store as CloudTrail Lake would have given it.
const ID: &str = "1f0c9b7e-5d3a-4c0e-9b1e-2a7d6c4e8f10";

#[test]
fn create_prints_the_id_and_nothing_else_on_stdout() {
    let dir = Dir::new();
    let ran = dir.towpath(["store", "create", "org-trail"]).run().success();
    let id = ran.text();
    assert_eq!(id.trim_end().len(), 36, "{id}");
    assert!(
        ran.stderr.starts_with("created event data store `org-trail` in lake `"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.ends_with("it keeps events for 2557 days\n"), "{}", ran.stderr);
}

#[test]
fn a_store_can_keep_the_id_it_had_in_cloudtrail_lake() {
    let dir = Dir::new();
    let ran = dir.towpath(["store", "create", "old", "--id", ID]).run().success();
    assert_eq!(ran.text(), format!("{ID}\n"));
    let count = format!("SELECT count(*) AS n FROM {ID}");
    let ran = dir.towpath(["query", &count, "--format", "csv"]).run().success();
    assert_eq!(ran.text(), "n\n0\n");
    dir.towpath(["store", "create", "other", "--id", ID]).run().code(1);
}

#[test]
fn a_name_is_taken_whatever_its_case() {
    let dir = Dir::new();
    dir.towpath(["store", "create", "trail"]).run().success();
    let ran = dir.towpath(["store", "create", "TRAIL"]).run().code(1);
    assert!(ran.stdout.is_empty());
    assert!(
        ran.stderr.starts_with("error: ") && ran.stderr.contains("already exists"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_name_that_no_store_may_have_is_refused() {
    let dir = Dir::new();
    for name in ["ab", "with space", "sl/ash", "ünï", &"x".repeat(129)] {
        let ran = dir.towpath(["store", "create", name]).run();
        assert!(matches!(ran.code, Some(1 | 2)), "{name}: {ran:?}");
        assert!(ran.stdout.is_empty() && ran.stderr.starts_with("error: "), "{name}: {ran:?}");
    }
    let ran = dir.towpath(["store", "create", "trail", "--id", "not-a-uuid"]).run();
    assert!(matches!(ran.code, Some(1 | 2)), "{ran:?}");
}

#[test]
fn list_shows_every_store_by_name() {
    let dir = Dir::new();
    dir.towpath(["store", "create", "zebra", "--retention-days", "7"]).run().success();
    dir.towpath(["store", "create", "alpha", "--retention-days", "3653"]).run().success();
    let ran = dir.towpath(["store", "list", "--format", "csv"]).run().success();
    let text = ran.text();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("name,id,retention_days,created_at,status"));
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!((rows[0][0], rows[0][2]), ("alpha", "3653"));
    assert_eq!((rows[1][0], rows[1][2]), ("zebra", "7"));
    assert_eq!(rows.len(), 2);
    assert_eq!(ran.stderr, "");
}

#[test]
fn show_says_what_a_store_holds() {
    let dir = Dir::with_sample();
    let ran = dir.towpath(["store", "show", "trail", "--format", "json"]).run().success();
    let shown: serde_json::Value = serde_json::from_str(&ran.text()).unwrap();
    assert_eq!(shown["name"], "trail");
    assert_eq!(shown["events"], 5);
    assert_eq!(shown["retention_days"], 2557);
    assert_eq!(shown["oldest_event_time"], "2023-12-31 23:59:59.000");
    assert_eq!(shown["newest_event_time"], "2024-05-17 12:00:00.000");

    let id = shown["id"].as_str().unwrap();
    let by_id = dir.towpath(["store", "show", id]).run().success().text();
    assert!(by_id.contains("             name = trail\n"), "{by_id}");
    assert!(by_id.contains("           events = 5\n"), "{by_id}");
}

#[test]
fn an_empty_store_has_no_event_times() {
    let dir = Dir::new();
    dir.towpath(["store", "create", "empty"]).run().success();
    let ran = dir.towpath(["store", "show", "empty", "--format", "ndjson"]).run().success();
    let shown: serde_json::Value = serde_json::from_str(&ran.text()).unwrap();
    assert_eq!(shown["events"], 0);
    assert_eq!(shown["oldest_event_time"], serde_json::Value::Null);
}
