//! `towpath ingest --watch`, as a program that is told to end.

#![cfg(unix)]

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::harness::{Dir, event, gzip};
use crate::selectors::{SELECTORS, log_file as log_of_three};

/// Longer than anything here takes on a machine with other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is in time for a user: the promise of the command.
const VISIBLE_WITHIN: Duration = Duration::from_secs(10);

/// A watch that does not outlive its test.
struct Watch(Child);

impl Drop for Watch {
    fn drop(&mut self) {
        // It has ended, unless the test has failed.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Watch {
    fn signal(&self, name: &str) {
        let args = [format!("-{name}"), self.0.id().to_string()];
        assert!(Command::new("kill").args(args).status().unwrap().success());
    }

    /// Waits for its end and returns its exit code.
    fn code(&mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }
}

fn watch(dir: &Dir) -> Watch {
    let stderr = File::create(dir.path().join("stderr")).unwrap();
    let args = ["ingest", "logs", "--store", "trail", "--watch", "--report", "report.ndjson"];
    let mut command = dir.towpath(args).into_command();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
    Watch(command.spawn().unwrap())
}

/// The lines of the report so far.
fn report(dir: &Dir) -> Vec<Value> {
    let text = std::fs::read_to_string(dir.path().join("report.ndjson")).unwrap_or_default();
    // A line that is being written has no end yet.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_there() {
        assert!(began.elapsed() < PATIENCE, "{what} did not happen");
        thread::sleep(Duration::from_millis(50));
    }
}

fn count(dir: &Dir) -> String {
    let sql = "SELECT count(*) AS n FROM trail";
    dir.towpath(["query", sql, "--format", "csv"]).run().success().text()
}

fn happened(dir: &Dir, what: &str) -> usize {
    report(dir).iter().filter(|line| line["what"] == what).count()
}

#[test]
fn what_arrives_is_visible_within_ten_seconds_and_a_signal_ends_the_watch_with_0() {
    let dir = Dir::new();
    dir.write_log_file("logs/a.json.gz", &[event(1, "CreateBucket", "2024-03-01T08:00:00Z")]);
    dir.towpath(["store", "create", "trail"]).run().success();
    for (round, name) in ["TERM", "INT"].into_iter().enumerate() {
        let mut child = watch(&dir);
        wait_for("catching up", || happened(&dir, "caught_up") == round + 1);
        // At first one that was there, which is left for a moment because it is new.
        wait_for("a commit", || happened(&dir, "committed") == round + 1);
        let number = u32::try_from(round).unwrap() + 2;
        let arrives = event(number, "DeleteBucket", "2024-03-02T08:00:00Z");
        dir.write_log_file(&format!("logs/{number}.json.gz"), &[arrives]);
        let arrived = Instant::now();
        wait_for("a commit", || happened(&dir, "committed") == round + 2);
        assert!(arrived.elapsed() < VISIBLE_WITHIN, "{:?}", arrived.elapsed());
        child.signal(name);
        let code = child.code();
        let stderr = String::from_utf8(dir.read("stderr")).unwrap();
        assert_eq!(code, Some(0), "{name}: {stderr}");
        assert!(stderr.starts_with(&format!("{} log files", 2 - round)), "{name}: {stderr}");
    }
    assert_eq!(count(&dir), "n\n3\n");
    let line = report(&dir).into_iter().find(|line| line["what"] == "committed").unwrap();
    assert_eq!(line["log_files"], 1);
    assert_eq!(line["events"]["stored"], 1);
    assert!(line["time"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn a_signal_in_the_middle_of_the_backlog_ends_after_the_running_commit() {
    let dir = Dir::new();
    let mut total = 0;
    for file in 0..30 {
        let events: Vec<Value> = (0..250)
            .map(|n| {
                let mut one = event(file * 1000 + n, "PutObject", "2024-03-01T08:00:00Z");
                // Large enough for more than one commit.
                one["additionalEventData"] = json!({ "text": "x".repeat(8 * 1024) });
                one
            })
            .collect();
        total += events.len();
        let text = json!({ "Records": events }).to_string();
        dir.write(&format!("logs/{file}.json"), text);
    }
    dir.towpath(["store", "create", "trail"]).run().success();
    let mut child = watch(&dir);
    wait_for("a commit", || happened(&dir, "committed") > 0);
    child.signal("TERM");
    assert_eq!(child.code(), Some(0));
    let stored: u64 =
        report(&dir).iter().filter_map(|line| line["events"]["stored"].as_u64()).sum();
    assert_eq!(count(&dir), format!("n\n{stored}\n"));
    dir.towpath(["ingest", "logs", "--store", "trail"]).run().success();
    assert_eq!(count(&dir), format!("n\n{total}\n"));
}

#[test]
fn a_broken_log_file_is_named_and_the_watch_goes_on() {
    let dir = Dir::new();
    let broken = dir.write("logs/broken.json.gz", gzip(b"{}"));
    // Else it might be being written.
    File::options().write(true).open(broken).unwrap().set_modified(UNIX_EPOCH).unwrap();
    dir.towpath(["store", "create", "trail"]).run().success();
    let mut child = watch(&dir);
    wait_for("catching up", || happened(&dir, "caught_up") == 1);
    dir.write_log_file("logs/a.json.gz", &[event(1, "CreateBucket", "2024-03-01T08:00:00Z")]);
    wait_for("a commit", || happened(&dir, "committed") == 1);
    child.signal("TERM");
    assert_eq!(child.code(), Some(0));
    let stderr = String::from_utf8(dir.read("stderr")).unwrap();
    assert_eq!(stderr.matches("broken.json.gz` was not ingested: ").count(), 1, "{stderr}");
    assert_eq!(happened(&dir, "rejected"), 1);
}

#[test]
fn the_selectors_of_the_store_choose_what_a_watch_takes() {
    let dir = Dir::new();
    dir.write("selectors.yaml", SELECTORS);
    dir.write("logs/a.json", log_of_three());
    let create = ["store", "create", "trail", "--selectors", "selectors.yaml"];
    dir.towpath(create).run().success();
    let mut child = watch(&dir);
    wait_for("a commit", || happened(&dir, "committed") == 1);
    child.signal("TERM");
    assert_eq!(child.code(), Some(0));
    let line = report(&dir).into_iter().find(|line| line["what"] == "committed").unwrap();
    assert_eq!((&line["events"]["stored"], &line["events"]["filtered"]), (&json!(1), &json!(2)));
    assert_eq!(count(&dir), "n\n1\n");
}

/// Eight data files of one month, which is when compacting is worth it.
fn eight_data_files(dir: &Dir, first: u32) {
    for number in first..first + 8 {
        let events = [event(number, "PutObject", "2024-03-01T08:00:00Z")];
        let folder = format!("logs/{number}");
        dir.write_log_file(&format!("{folder}/a.json.gz"), &events);
        dir.towpath(["ingest", &folder, "--store", "trail"]).run().success();
    }
}

fn data_files(dir: &Dir) -> u64 {
    let ran = dir.towpath(["store", "show", "trail", "--format", "json"]).run().success();
    serde_json::from_str::<Value>(&ran.text()).unwrap()["data_files"].as_u64().unwrap()
}

#[test]
fn a_watch_and_a_server_compact_on_their_own() {
    let dir = Dir::new();
    dir.towpath(["store", "create", "trail"]).run().success();
    eight_data_files(&dir, 0);
    assert_eq!(data_files(&dir), 8);
    let mut child = watch(&dir);
    wait_for("a compaction", || happened(&dir, "maintained") == 1);
    child.signal("TERM");
    assert_eq!(child.code(), Some(0));
    let line = report(&dir).into_iter().find(|line| line["what"] == "maintained").unwrap();
    assert_eq!((&line["files_before"], &line["files_after"]), (&json!(8), &json!(1)));
    assert_eq!(data_files(&dir), 1);

    eight_data_files(&dir, 8);
    let mut command = dir.towpath(["serve", "--listen", "127.0.0.1:0"]).into_command();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut server = Watch(command.spawn().unwrap());
    wait_for("a compaction", || data_files(&dir) <= 2);
    server.signal("TERM");
    assert_eq!(server.code(), Some(0));
    assert_eq!(count(&dir), "n\n16\n");
}

#[test]
fn what_cannot_be_watched_is_said_before_any_work() {
    let dir = Dir::with_sample();
    let watch = ["ingest", "--store", "trail", "--watch"];
    let queue = ["--notifications", "https://sqs.eu-west-1.amazonaws.com/111122223333/trail"];
    let run = |args: &[&str]| dir.towpath(watch.iter().chain(args)).run();

    let ran = run(&["no/such/folder"]).code(2);
    assert!(ran.stderr.contains("no/such/folder` does not exist"), "{}", ran.stderr);
    let ran = run(&[&["logs"][..], &queue].concat()).code(2);
    assert!(ran.stderr.contains("no source is a bucket on S3"), "{}", ran.stderr);
    let ran = run(&["logs", "--report", "-"]).code(2);
    assert!(ran.stderr.contains("must be a file"), "{}", ran.stderr);
    let ran = run(&["logs", "--every", "0"]).code(2);
    assert!(ran.stderr.contains("--every"), "{}", ran.stderr);
    let ran = dir.towpath(["ingest", "logs", "--store", "trail", "--every", "5"]).run().code(2);
    assert!(ran.stderr.contains("--watch"), "{}", ran.stderr);
}
