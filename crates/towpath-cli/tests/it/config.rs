use serde_json::Value;

use crate::harness::{Dir, Ran};

/// The setting `name` as `towpath config` shows it: value and origin.
fn setting(ran: &Ran, name: &str) -> (Value, String) {
    let lines = ran.text();
    let rows = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let row = rows.into_iter().find(|row| row["name"] == name).unwrap();
    (row["value"].clone(), row["origin"].as_str().unwrap().to_owned())
}

#[test]
fn each_setting_says_where_it_comes_from() {
    let dir = Dir::new();
    dir.write(
        ".config/towpath/towpath.toml",
        "format = \"csv\"\nresult_rows_max = 9\n[storage]\naws_secret_access_key = \"hush\"\n",
    );
    let args = ["config", "--format", "ndjson"];
    let ran = dir.towpath(args).env("TOWPATH_RESULT_ROWS_MAX", "7").run().success();
    let (lake, origin) = setting(&ran, "lake");
    assert_eq!(lake, dir.path().join("lake").to_str().unwrap());
    assert_eq!(origin, "variable TOWPATH_LAKE");
    assert_eq!(setting(&ran, "result_rows_max"), ("7".into(), RESULT_ROWS.to_owned()));
    let (format, origin) = setting(&ran, "format");
    assert_eq!(format, "csv");
    assert!(origin.starts_with("file `") && origin.ends_with("towpath.toml` line 1"), "{origin}");
    assert_eq!(setting(&ran, "run_secs_max"), ("3600".into(), "default".to_owned()));
    assert_eq!(setting(&ran, "storage.aws_secret_access_key").0, "****");
    assert!(!ran.text().contains("hush"));

    let ran = dir.towpath(["--lake", "x", "config", "--format", "ndjson"]).run().success();
    assert_eq!(setting(&ran, "lake"), ("x".into(), "flag --lake".to_owned()));
}

const RESULT_ROWS: &str = "variable TOWPATH_RESULT_ROWS_MAX";

#[test]
fn the_file_decides_where_nothing_else_does() {
    let dir = Dir::with_sample();
    dir.write("mine.toml", "lake = \"lake\"\nformat = \"ndjson\"\nresult_rows_max = 3\n");
    let count = ["query", "SELECT count(*) AS n FROM trail"];
    let by_flag = ["--config", "mine.toml"].into_iter().chain(count);
    let ran = dir.towpath(by_flag).without_env("TOWPATH_LAKE").run().success();
    assert_eq!(ran.text(), "{\"n\":5}\n");
    let by_variable = dir.towpath(count).without_env("TOWPATH_LAKE");
    let ran = by_variable.env("TOWPATH_CONFIG", "mine.toml").run().success();
    assert_eq!(ran.text(), "{\"n\":5}\n");

    let args = ["--config", "mine.toml", "query", "SELECT eventName FROM trail"];
    let ran = dir.towpath(args).run().code(1);
    assert!(ran.stderr.contains("more than 3 rows (`result_rows_max`)"), "{}", ran.stderr);
    let ran = dir.towpath(args.into_iter().chain(["--max-rows", "5"])).run().success();
    assert_eq!(ran.text().lines().count(), 5);
}

#[test]
fn a_file_of_the_current_folder_is_not_read() {
    let dir = Dir::new();
    dir.write("towpath.toml", "lake = \"theirs\"\n");
    let ran = dir.towpath(["config", "--format", "ndjson"]).run().success();
    assert_eq!(setting(&ran, "config"), (Value::Null, "default".to_owned()));
}

#[test]
fn a_mistake_in_the_file_is_wrong_usage_with_its_line() {
    let dir = Dir::new();
    let path = dir.write("bad.toml", "lake = \"x\"\nlimit = 3\n");
    let ran = dir.towpath(["--config", "bad.toml", "store", "list"]).run().code(2);
    assert!(ran.stderr.starts_with("error: file `bad.toml` line 2: unknown field `limit`"));
    let ran = dir.towpath(["config"]).env("TOWPATH_CONFIG", &path).run().code(2);
    assert!(ran.stderr.contains("line 2: unknown field"), "{}", ran.stderr);
    let ran = dir.towpath(["--config", "absent.toml", "config"]).run().code(1);
    assert!(ran.stderr.contains("could not read the settings in `absent.toml`"), "{}", ran.stderr);
    let ran = dir.towpath(["config"]).env("TOWPATH_FORMAT", "xml").run().code(2);
    assert!(ran.stderr.starts_with("error: variable TOWPATH_FORMAT: `xml` is no format; table, "));
}

#[test]
fn completions_are_made_for_every_shell() {
    let dir = Dir::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = dir.towpath(["completions", shell]).run().success().text();
        assert!(script.contains("towpath") && script.contains("retention-days"), "{shell}");
    }
    dir.towpath(["completions", "csh"]).run().code(2);
}

#[test]
fn manual_pages_are_made_from_the_help() {
    let dir = Dir::new();
    let page = dir.towpath(["man"]).run().success().text();
    assert!(page.contains(".TH towpath 1") && page.contains("TOWPATH"), "{page}");
    dir.towpath(["man", "--dir", "man/man1"]).run().success();
    for name in ["towpath", "towpath-query", "towpath-store", "towpath-store-create"] {
        let page = String::from_utf8(dir.read(&format!("man/man1/{name}.1"))).unwrap();
        assert!(page.contains(&format!(".TH {name} 1")), "{page}");
        assert!(page.contains("Examples") || name == "towpath-store", "{name}: {page}");
    }
}
