use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::slice;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::Dir;

/// A statement that computes for minutes and reads next to nothing.
const ENDLESS: &str = "SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a(x), \
     UNNEST(sequence(1, 10000)) AS b(y), UNNEST(sequence(1, 10000)) AS c(z) WHERE x * y + z = 7";

const COUNT: &str = "SELECT eventName, count(*) AS n FROM trail GROUP BY 1 ORDER BY 1";

/// A folder with a lake that has a store without events.
fn with_store() -> Dir {
    let dir = Dir::new();
    dir.towpath(["store", "create", "trail"]).run().success();
    dir
}

/// The batch query as `towpath job status` shows it.
fn status(dir: &Dir, id: &str) -> Value {
    let ran = dir.towpath(["job", "status", id, "--format", "json"]).run().success();
    serde_json::from_str(&ran.text()).unwrap()
}

/// Waits until the query has that status.
fn reaches(dir: &Dir, id: &str, expected: &str) -> Value {
    let begun = Instant::now();
    loop {
        let status = status(dir, id);
        if status["status"] == expected {
            return status;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "not {expected}: {status}");
        sleep(Duration::from_millis(50));
    }
}

/// Submits a query that no worker is started for.
fn submit(dir: &Dir, args: &[&str]) -> String {
    let args = ["job", "submit", "--no-worker"].iter().chain(args);
    dir.towpath(args).run().success().text().trim_end().to_owned()
}

fn work(dir: &Dir) {
    dir.towpath(["job", "run", "--until-idle"]).run().success();
}

#[test]
fn a_query_outlives_the_command_that_submits_it() {
    let dir = Dir::with_sample();
    let ran = dir.towpath(["job", "submit", COUNT]).run().success();
    assert_eq!(ran.stderr, "");
    let id = ran.text().trim_end().to_owned();
    assert_eq!(id.len(), 36, "{id}");
    let status = reaches(&dir, &id, "FINISHED");
    assert_eq!((&status["rows"], &status["statement"]), (&3.into(), &COUNT.into()));
    let ran = dir.towpath(["job", "results", &id, "--format", "csv"]).run().success();
    assert_eq!(ran.text(), "eventName,n\nCreateBucket,1\nDeleteBucket,3\nListBuckets,1\n");

    let page = ["job", "results", &id, "--format", "ndjson", "--page-rows", "2"];
    let ran = dir.towpath(page).run().success();
    assert_eq!(ran.text().lines().count(), 2);
    let token = ran.stderr.trim_end().strip_prefix("next page: --page ").unwrap().to_owned();
    let ran = dir.towpath(page.into_iter().chain(["--page", token.as_str()])).run().success();
    assert_eq!(ran.text(), "{\"eventName\":\"ListBuckets\",\"n\":1}\n");
    assert_eq!(ran.stderr, "this is the last page\n");
    dir.towpath(["job", "results", &id, "-o", "out.parquet"]).run().success();
    assert!(dir.read("out.parquet").starts_with(b"PAR1"));
}

#[test]
fn waiting_prints_the_rows_or_why_there_are_none() {
    let dir = with_store();
    let wait = |sql: &str| dir.towpath(["job", "submit", "--wait", "--format", "csv", sql]).run();
    assert_eq!(wait("SELECT 1 AS n").success().text(), "n\n1\n");
    let ran = wait("SELECT 1 / (n - 1) FROM UNNEST(sequence(1, 2)) AS t(n)").code(1);
    assert!(ran.stdout.is_empty());
    assert!(ran.stderr.contains("is FAILED") && ran.stderr.contains("Division by zero"), "{ran:?}");
    let ran = wait("SELECT nothing FROM trail").code(1);
    assert!(ran.stderr.starts_with("error: line 1:8: Column 'nothing' cannot"), "{}", ran.stderr);
}

#[test]
fn a_query_is_cancelled_from_another_process_and_its_worker_stops() {
    let dir = with_store();
    let id = submit(&dir, &[ENDLESS]);
    let mut worker = dir.towpath(["job", "run", "--until-idle"]).into_command();
    let mut worker = worker.stderr(Stdio::null()).spawn().unwrap();
    reaches(&dir, &id, "RUNNING");
    let ran = dir.towpath(["job", "results", &id]).run().code(1);
    assert!(ran.stderr.contains("is RUNNING") && ran.stderr.contains("hint: "), "{}", ran.stderr);

    let asked = Instant::now();
    dir.towpath(["job", "cancel", &id]).run().success();
    assert!(worker.wait().unwrap().success());
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    assert_eq!(status(&dir, &id)["status"], "CANCELLED");
    let ran = dir.towpath(["job", "cancel", &id]).run().code(1);
    assert!(ran.stderr.contains("has ended: it is CANCELLED"), "{}", ran.stderr);
}

#[test]
fn queries_are_listed_by_status_store_and_time() {
    let dir = with_store();
    let first = submit(&dir, &["SELECT 1"]);
    let second = submit(&dir, &["SELECT count(*) FROM trail"]);
    dir.towpath(["job", "cancel", &first]).run().success();
    let list = |more: &[&str]| -> Vec<String> {
        let args = ["job", "list", "--format", "ndjson"].iter().chain(more);
        let text = dir.towpath(args).run().success().text();
        let ids = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        ids.map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(list(&[]), [second.clone(), first.clone()]);
    assert_eq!(list(&["--status", "cancelled"]), [first]);
    assert_eq!(list(&["--store", "trail"]), slice::from_ref(&second));
    assert_eq!(list(&["--max", "1"]), [second]);
    assert!(list(&["--to", "-1d"]).is_empty());
    for wrong in [["--status", "done"], ["--from", "someday"]] {
        dir.towpath(["job", "list"].into_iter().chain(wrong)).run().code(2);
    }
    let unknown = "00000000-0000-7000-8000-000000000000";
    for command in ["status", "results", "cancel"] {
        let ran = dir.towpath(["job", command, unknown]).run().code(1);
        assert!(ran.stderr.contains("does not exist"), "{command}: {}", ran.stderr);
    }
}

#[test]
fn delivered_results_are_verified_and_a_changed_one_is_refused() {
    let dir = Dir::with_sample();
    let id = submit(&dir, &[COUNT, "--deliver", "out", "--account", "111122223333"]);
    work(&dir);
    let status = status(&dir, &id);
    assert_eq!(status["delivery_status"], "SUCCESS", "{status}");
    let folder = PathBuf::from(status["delivery"].as_str().unwrap());
    let layout = format!("out/AWSLogs/111122223333/CloudTrail-Lake/Query/{}", day(&status));
    assert_eq!(folder, fs::canonicalize(dir.path()).unwrap().join(layout).join(&id));

    let verify = ["job", "verify", folder.to_str().unwrap()];
    let ran = dir.towpath(verify).run().success();
    assert!(ran.stderr.starts_with("1 file is as signed with key `"), "{}", ran.stderr);
    let keys = dir.towpath(["job", "keys", "--format", "ndjson"]).run().success().text();
    let key: Value = serde_json::from_str(&keys).unwrap();
    dir.write("key.txt", key["public_key"].as_str().unwrap());
    let by_key = verify.into_iter().chain(["--public-key", "key.txt"]);
    dir.towpath(by_key).without_env("TOWPATH_LAKE").run().success();

    let file = folder.join("result_1.csv.gz");
    let mut content = fs::read(&file).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(&file, content).unwrap();
    let ran = dir.towpath(verify).run().code(1);
    assert!(ran.stderr.contains("file `result_1.csv.gz` was changed"), "{}", ran.stderr);
}

/// The day that the query ended, as it stands in paths.
fn day(status: &Value) -> String {
    status["ended_at"].as_str().unwrap().split(' ').next().unwrap().replace('-', "/")
}

#[test]
fn private_keys_are_in_no_output() {
    let dir = with_store();
    submit(&dir, &["SELECT 1", "--deliver", "out"]);
    let run = ["job", "run", "--until-idle", "-vv"];
    let ran = dir.towpath(run).env("TOWPATH_KEY_PASSPHRASE", "canary in a mine").run().success();
    assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
    let keys = fs::read_dir(dir.path().join("lake/keys/private")).unwrap();
    for key in keys {
        let text = fs::read_to_string(key.unwrap().path()).unwrap();
        assert!(text.contains("\"protection\":\"passphrase\""), "sealed");
    }
    submit(&dir, &["SELECT 1", "--deliver", "out"]);
    work(&dir);
    let list = dir.towpath(["job", "list", "--format", "ndjson", "--max", "1"]).run().success();
    let last: Value = serde_json::from_str(&list.text()).unwrap();
    assert_eq!(last["delivery_status"], "FAILED_SIGNING_FILE", "without the passphrase");
}

#[test]
fn a_saved_query_is_run_with_values_for_its_parameters() {
    let dir = Dir::with_sample();
    let sql = "SELECT count(*) AS n FROM trail WHERE eventName = :name AND eventTime > ?";
    let add = ["saved", "add", "Deletes", sql, "--description", "who deletes"];
    dir.towpath(add).run().success();
    let ran = dir.towpath(["saved", "list", "--format", "ndjson"]).run().success();
    let saved: Value = serde_json::from_str(&ran.text()).unwrap();
    assert_eq!((&saved["name"], &saved["parameters"]), (&"Deletes".into(), &"? :name".into()));
    assert_eq!(
        dir.towpath(["saved", "show", "deletes"]).run().success().text(),
        format!("{sql}\n")
    );

    let run = ["saved", "run", "deletes", "--format", "csv", "-p", "name=DeleteBucket", "-p"];
    let with = |value: &str| dir.towpath(run.into_iter().chain([value])).run();
    assert_eq!(with("2024-01-01").success().text(), "n\n2\n");
    assert_eq!(with(":timestamp=2023-01-01").success().text(), "n\n3\n");
    assert_eq!(with("' OR 1=1").code(1).text(), "", "a value is never read as SQL");
    let batch = ["--saved", "DELETES", "-p", "name=ListBuckets", "-p", "2024-01-01"];
    let id = submit(&dir, &batch);
    work(&dir);
    let ran = dir.towpath(["job", "results", &id, "--format", "csv"]).run().success();
    assert_eq!(ran.text(), "n\n1\n");

    dir.towpath(add).run().code(1);
    dir.towpath(add.into_iter().chain(["--replace"])).run().success();
    dir.towpath(["saved", "delete", "deletes"]).run().success();
    for command in ["show", "run", "delete"] {
        let ran = dir.towpath(["saved", command, "deletes"]).run().code(1);
        assert!(ran.stderr.contains("saved query `deletes` does not exist"), "{}", ran.stderr);
    }
    dir.towpath(["saved", "add", "bad name", "SELECT 1"]).run().code(2);
    dir.towpath(["saved", "add", "bad", "SELECT"]).run().code(1);
}

#[test]
fn a_schedule_is_made_listed_and_deleted() {
    let dir = with_store();
    let add = |more: &[&str]| {
        let args = ["schedule", "add", "root", "SELECT eventID FROM trail"].iter().chain(more);
        dir.towpath(args).run()
    };
    add(&["--every", "1h", "--deliver", "out"]).success();
    assert!(add(&["--cron", "0 6 * * *"]).code(1).stderr.contains("`root` already exists"));
    let ran = dir.towpath(["schedule", "list", "--format", "ndjson"]).run().success();
    let schedule: Value = serde_json::from_str(&ran.text()).unwrap();
    assert_eq!((&schedule["name"], &schedule["every"]), (&"root".into(), &"3600 s".into()));
    assert_eq!((&schedule["runs"], &schedule["error"]), (&0.into(), &Value::Null));
    dir.towpath(["schedule", "delete", "root"]).run().success();
    dir.towpath(["schedule", "delete", "root"]).run().code(1);
    add(&["--cron", "0 6 * * *"]).success();
    for wrong in [&["--every", "soon"][..], &["--cron", "daily"], &["--every", "1s"], &[]] {
        add(wrong).code(2);
    }
}
