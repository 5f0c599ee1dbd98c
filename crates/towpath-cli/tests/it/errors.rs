use std::io::Read;
use std::process::Stdio;

use crate::harness::{Dir, event};

#[test]
fn wrong_usage_is_exit_code_2_and_says_so_on_stderr() {
    let dir = Dir::new();
    for args in [
        &["querry"][..],
        &["query"],
        &["query", "SELECT 1", "-f", "x.sql"],
        &["query", "SELECT 1", "--format", "xml"],
        &["query", "SELECT 1", "--run-secs-max", "0"],
        &["ingest", "--store", "x"],
        &["ingest", "x"],
        &["ingest", "", "--store", "x"],
        &["store", "create", "x", "--retention-days", "6"],
        &["store", "create", "x", "--retention-days", "3654"],
        &["store"],
        &["shell", "--format", "parquet"],
        &["--lake", "", "store", "list"],
    ] {
        let ran = dir.towpath(args).run().code(2);
        assert!(ran.stdout.is_empty(), "{args:?} wrote to stdout");
        assert!(!ran.stderr.is_empty(), "{args:?} said nothing");
    }
    assert!(!dir.path().join("lake").try_exists().unwrap(), "no work was done");
}

#[test]
fn without_a_terminal_a_subcommand_is_needed() {
    let ran = Dir::new().towpath([] as [&str; 0]).run().code(2);
    assert!(ran.stdout.is_empty());
    assert!(ran.stderr.contains("Usage: towpath"), "{}", ran.stderr);
    assert!(ran.stderr.contains("error: a subcommand is missing"), "{}", ran.stderr);
}

#[test]
fn help_and_version_go_to_stdout() {
    let dir = Dir::new();
    let version = dir.towpath(["--version"]).run().success();
    assert_eq!(version.text(), format!("towpath {}\n", env!("CARGO_PKG_VERSION")));
    for args in [
        &["--help"][..],
        &["demo", "--help"],
        &["store", "--help"],
        &["store", "create", "--help"],
        &["ingest", "--help"],
        &["query", "--help"],
        &["shell", "--help"],
    ] {
        let help = dir.towpath(args).run().success();
        assert!(help.text().contains("Usage: towpath"), "{args:?}");
        assert_eq!(help.stderr, "", "{args:?}");
    }
}

#[test]
fn a_bad_time_is_an_error_before_any_work() {
    let dir = Dir::new();
    for (from, to) in [
        ("yesterday", "2024-01-01"),
        ("", "2024-01-01"),
        ("2024-02-30", "2024-03-01"),
        ("-7x", "2024-03-01"),
        ("2024-01-02", "2024-01-01"),
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01", ""),
    ] {
        let args = ["ingest", "logs", "--store", "trail", "--from", from, "--to", to];
        let ran = dir.towpath(args).run().code(2);
        assert!(ran.stderr.starts_with("error: "), "{from:?} {to:?}: {}", ran.stderr);
        // The lake does not exist, which nobody has found out.
        assert!(!ran.stderr.contains("lake"), "{from:?} {to:?}: {}", ran.stderr);
    }
}

#[test]
fn a_lake_that_is_not_there_is_named_and_a_hint_says_what_to_do() {
    let dir = Dir::new();
    for args in [
        &["store", "list"][..],
        &["query", "SELECT 1"],
        &["ingest", "logs", "--store", "trail"],
        &["shell"],
    ] {
        let ran = dir.towpath(args).run().code(1);
        assert!(ran.stdout.is_empty(), "{args:?}");
        assert!(ran.stderr.starts_with("error: "), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("hint: "), "{args:?}: {}", ran.stderr);
    }
    assert!(!dir.path().join("lake").try_exists().unwrap(), "a question creates nothing");
}

#[test]
fn a_folder_of_other_things_does_not_become_a_lake() {
    let dir = Dir::new();
    dir.write("lake/letter.txt", "dear");
    let ran = dir.towpath(["store", "create", "trail"]).run().code(1);
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("lake"), "{}", ran.stderr);
    assert!(!dir.path().join("lake/stores").try_exists().unwrap());
}

#[test]
fn a_store_that_is_not_there_gets_the_nearest_name_as_a_hint() {
    let dir = Dir::with_sample();
    let ran = dir.towpath(["ingest", "logs", "--store", "trial"]).run().code(1);
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: ") && ran.stderr.contains("trail"), "{}", ran.stderr);

    let ran = dir.towpath(["query", "SELECT count(*) FROM trial"]).run().code(1);
    assert!(ran.stderr.contains("hint: ") && ran.stderr.contains("trail"), "{}", ran.stderr);
}

#[test]
fn an_error_in_a_statement_shows_its_place_and_the_near_name() {
    let dir = Dir::with_sample();
    let ran = dir.towpath(["query", "SELECT evntName FROM trail"]).run().code(1);
    assert!(ran.stdout.is_empty());
    insta::assert_snapshot!(ran.stderr, @r"
        error: line 1:8: Column 'evntName' cannot be resolved
          SELECT evntName FROM trail
                 ^
        hint: did you mean 'eventname'?
        ");
}

#[test]
fn an_error_in_a_file_names_the_file_and_the_others_run() {
    let dir = Dir::with_sample();
    dir.write("bad.sql", "SELECT 1 +\n");
    dir.write("good.sql", "-- the answer\nSELECT 42 AS answer;\n-- the end");
    let args = ["query", "-f", "bad.sql", "good.sql", "--format", "csv"];
    let ran = dir.towpath(args).run().code(3);
    assert_eq!(ran.text(), "answer\n42\n");
    assert!(ran.stderr.contains("could not run the statement in `bad.sql`"), "{}", ran.stderr);

    let ran = dir.towpath(["query", "-f", "bad.sql", "bad.sql"]).run().code(1);
    assert!(ran.stdout.is_empty());
    dir.towpath(["query", "-f", "bad.sql"]).run().code(1);
    let ran = dir.towpath(["query", "-f", "missing.sql"]).run().code(1);
    assert!(ran.stderr.starts_with("error: could not read file `missing.sql`\n"), "{}", ran.stderr);
}

#[test]
fn what_a_stranger_wrote_does_not_reach_the_terminal_raw() {
    let dir = Dir::new();
    let mut evil = event(1, "DeleteBucket", "2024-03-01T08:00:00Z");
    evil["userAgent"] = "\u{1b}[2Jgone".into();
    dir.write_log_file("logs/a.json.gz", &[evil]);
    dir.towpath(["store", "create", "trail"]).run().success();
    dir.towpath(["ingest", "logs", "--store", "trail"]).run().success();
    for format in ["table", "markdown", "line"] {
        let args = ["query", "SELECT userAgent FROM trail", "--format", format];
        let text = dir.towpath(args).run().success().text();
        assert!(!text.contains('\u{1b}') && text.contains("[2Jgone"), "{format}: {text:?}");
    }
    let args = ["query", "SELECT userAgent FROM trail", "--format", "csv"];
    assert_eq!(dir.towpath(args).run().success().text(), "userAgent\n\u{1b}[2Jgone\n");

    let ran = dir.towpath(["query", "SELECT \u{1b}[2J"]).run().code(1);
    assert!(!ran.stderr.contains('\u{1b}'), "{:?}", ran.stderr);
}

#[test]
fn a_reader_that_stops_early_is_no_error() {
    let dir = Dir::with_sample();
    // More output than any pipe holds, so that the writer must notice.
    let sql = "SELECT a.eventJson FROM trail a, trail b, trail c, trail d, trail e";
    for format in ["table", "csv", "ndjson", "parquet", "arrow"] {
        let mut child = dir
            .towpath(["query", sql, "--format", format])
            .into_command()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let mut first = [0_u8; 4];
        stdout.read_exact(&mut first).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), stderr.as_ref()), (Some(0), ""), "{format}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let dir = Dir::with_sample();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = dir
        .towpath(["query", "SELECT eventName FROM trail", "--format", "csv"])
        .into_command()
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("error: could not write to stdout\n  caused by: "), "{stderr}");
}

#[test]
fn log_lines_never_mix_with_data() {
    let dir = Dir::with_sample();
    let quiet = dir.towpath(["query", "SELECT 1 AS one", "--format", "csv"]).run().success();
    assert_eq!((quiet.text().as_str(), quiet.stderr.as_str()), ("one\n1\n", ""));

    let loud = dir
        .towpath(["query", "SELECT 1 AS one", "--format", "csv", "-vv"])
        .env("TOWPATH_LOG", "trace")
        .run()
        .success();
    assert_eq!(loud.text(), "one\n1\n");
    assert!(!loud.stderr.is_empty(), "tracing says something");
    assert!(!loud.stderr.contains('\u{1b}'), "no colours where no terminal is");

    let bad = dir.towpath(["query", "SELECT 1 AS one"]).env("TOWPATH_LOG", "[[[=").run().success();
    assert!(bad.stderr.starts_with("warning: TOWPATH_LOG is not a filter"), "{}", bad.stderr);
}

#[test]
fn without_a_home_folder_a_lake_must_be_named() {
    let dir = Dir::new();
    let ran = dir
        .towpath(["store", "list"])
        .without_env("HOME")
        .without_env("TOWPATH_LAKE")
        .run()
        .code(1);
    assert_eq!(ran.stderr, "error: no lake is named\nhint: give --lake or set TOWPATH_LAKE\n");
}
