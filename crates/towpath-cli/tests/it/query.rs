use crate::harness::Dir;

#[test]
fn the_question_of_the_mission_runs_as_it_is_written() {
    let dir = Dir::with_sample();
    dir.towpath(["store", "create", "my-event-data-store"]).run().success();
    dir.towpath(["ingest", "logs", "--store", "my-event-data-store"]).run().success();
    let sql = "SELECT eventTime, userIdentity.arn, eventName, sourceIPAddress FROM my-event-data-store \
               WHERE eventName = 'DeleteBucket' AND eventTime > '2024-01-01' ORDER BY eventTime DESC";
    let ran = dir.towpath(["query", sql]).run().success();
    assert_eq!(ran.stderr, "");
    insta::assert_snapshot!(ran.text(), @r"
         eventTime               | arn                                  | eventName    | sourceIPAddress
        -------------------------+--------------------------------------+--------------+-----------------
         2024-05-17 12:00:00.000 | arn:aws:iam::111122223333:user/alice | DeleteBucket | 203.0.113.7
         2024-03-01 09:30:00.000 | arn:aws:iam::111122223333:user/alice | DeleteBucket | 203.0.113.7
        ");
}

#[test]
fn headings_are_spelled_as_the_statement_spells_them() {
    let dir = Dir::with_sample();
    let sql =
        "SELECT EVENTNAME, useridentity.ARN, count(*), count(*) AS N FROM trail GROUP BY 1, 2";
    let ran = dir.towpath(["query", sql, "--format", "csv"]).run().success();
    assert_eq!(ran.text().lines().next(), Some("EVENTNAME,ARN,_col2,N"));
}

#[test]
fn a_statement_may_come_from_a_file_or_from_stdin() {
    let dir = Dir::with_sample();
    let sql =
        "\u{FEFF}-- comments; here\nSELECT /* and ; here */ count(*) AS n\nFROM trail;\n-- end\n";
    dir.write("count.sql", sql);
    let args = ["query", "-f", "count.sql", "--format", "csv"];
    assert_eq!(dir.towpath(args).run().success().text(), "n\n5\n");
    let args = ["query", "-f", "-", "--format", "csv"];
    assert_eq!(dir.towpath(args).stdin(sql).run().success().text(), "n\n5\n");
    let args = ["query", "-f", "count.sql", "count.sql", "--format", "ndjson"];
    assert_eq!(dir.towpath(args).run().success().text(), "{\"n\":5}\n{\"n\":5}\n");
}

#[test]
fn a_file_that_is_no_statement_is_refused() {
    let dir = Dir::with_sample();
    dir.write("latin1.sql", b"SELECT '\xe9'");
    let ran = dir.towpath(["query", "-f", "latin1.sql"]).run().code(1);
    assert!(ran.stderr.contains("file `latin1.sql` is not UTF-8 text"), "{}", ran.stderr);
    dir.write("huge.sql", vec![b' '; 1024 * 1024 + 1]);
    let ran = dir.towpath(["query", "-f", "huge.sql"]).run().code(1);
    assert!(ran.stderr.contains("is longer than 1048576 bytes"), "{}", ran.stderr);
}

#[test]
fn output_appears_whole_and_its_name_says_the_format() {
    let dir = Dir::with_sample();
    let sql = "SELECT eventName FROM trail WHERE eventName = 'ListBuckets'";
    let ran = dir.towpath(["query", sql, "-o", "out.csv"]).run().success();
    assert_eq!((ran.stdout.len(), ran.stderr.as_str()), (0, ""));
    assert_eq!(dir.read("out.csv"), b"eventName\nListBuckets\n");

    // A statement that fails leaves what was there.
    dir.towpath(["query", "SELECT nothing FROM trail", "-o", "out.csv"]).run().code(1);
    assert_eq!(dir.read("out.csv"), b"eventName\nListBuckets\n");

    dir.towpath(["query", sql, "-o", "out.csv", "--format", "ndjson"]).run().success();
    assert_eq!(dir.read("out.csv"), b"{\"eventName\":\"ListBuckets\"}\n");
    let ran = dir.towpath(["query", sql, "-o", "-", "--format", "csv"]).run().success();
    assert_eq!(ran.text(), "eventName\nListBuckets\n");
    let mut names: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["lake", "logs", "out.csv"], "no temporary file is left");
}

#[test]
fn only_reading_is_possible() {
    let dir = Dir::with_sample();
    for sql in [
        "DELETE FROM trail",
        "COPY (SELECT 1) TO 'x.csv'",
        "CREATE TABLE x AS SELECT 1",
        "INSERT INTO trail SELECT * FROM trail",
        "SET x = 1",
        "SELECT 1; SELECT 2",
        "",
        ";",
    ] {
        let ran = dir.towpath(["query", sql]).run().code(1);
        assert!(ran.stdout.is_empty() && ran.stderr.starts_with("error: "), "{sql}: {ran:?}");
    }
    assert!(!dir.path().join("x.csv").try_exists().unwrap());
}

#[test]
fn a_statement_that_runs_too_long_is_stopped() {
    let dir = Dir::with_sample();
    let sql = "SELECT count(*) FROM trail a, trail b, trail c, trail d, trail e, trail f, trail g, \
               trail h, trail i, trail j, trail k, trail l, trail m WHERE a.eventJson < m.eventJson";
    let ran = dir.towpath(["query", sql, "--run-secs-max", "1"]).run().code(1);
    assert!(ran.stderr.contains("hint: `--run-secs-max`"), "{}", ran.stderr);
}

#[test]
fn a_result_past_a_limit_is_an_error_and_no_file_appears() {
    let dir = Dir::with_sample();
    let sql = "SELECT eventName FROM trail";
    let args = ["query", sql, "--result-rows-max", "4", "-o", "out.csv"];
    let ran = dir.towpath(args).run().code(1);
    assert!(ran.stderr.contains("the result has more than 4 rows"), "{}", ran.stderr);
    for format in ["csv", "json", "table", "parquet", "arrow", "chart"] {
        let sql = "SELECT eventName, count(*) AS n FROM trail GROUP BY 1";
        let args = ["query", sql, "--max-bytes", "20", "--format", format, "-o", "out"];
        let ran = dir.towpath(args).run().code(1);
        let expected = "error: query stopped: the result is longer than 20 bytes \
                        (`result_bytes_max`)\nhint: `--result-bytes-max` raises the limit\n";
        assert_eq!(ran.stderr, expected, "{format}");
    }
    for name in ["out", "out.csv"] {
        assert!(!dir.path().join(name).try_exists().unwrap());
    }
    let args = ["query", sql, "--result-rows-max", "5", "--max-bytes", "1000", "-o", "out.csv"];
    dir.towpath(args).run().success();
    assert_eq!(dir.read("out.csv").iter().filter(|byte| **byte == b'\n').count(), 6);
}

#[test]
fn a_pattern_names_files_and_a_statement_may_be_a_flag() {
    let dir = Dir::with_sample();
    dir.write("q/a.sql", "SELECT 1 AS n");
    dir.write("q/b.sql", "SELECT 2 AS n");
    dir.write("q/c.txt", "no SQL");
    let args = ["query", "-f", "q/*.sql", "--format", "ndjson"];
    assert_eq!(dir.towpath(args).run().success().text(), "{\"n\":1}\n{\"n\":2}\n");
    let ran = dir.towpath(["query", "-f", "q/*.sq"]).run().code(1);
    assert_eq!(ran.stderr, "error: there is no file `q/*.sq`\n");
    let ran = dir.towpath(["query", "-f", "q/[a"]).run().code(2);
    assert!(ran.stderr.contains("`q/[a` is no pattern"), "{}", ran.stderr);

    let args = ["query", "-c", "SELECT 3 AS n", "--format", "ndjson"];
    assert_eq!(dir.towpath(args).run().success().text(), "{\"n\":3}\n");
    dir.towpath(["query", "-c", "SELECT 3", "SELECT 4"]).run().code(2);
}

#[test]
fn a_plan_is_shown_and_an_error_in_it_has_the_place_that_was_typed() {
    let dir = Dir::with_sample();
    let sql = "SELECT eventName FROM trail WHERE eventName = 'DeleteBucket'";
    let text = dir.towpath(["query", sql, "--explain"]).run().success().text();
    assert!(text.lines().count() > 1 && text.contains("eventName"), "{text}");
    assert!(!text.contains("\\n"), "{text}");
    let text = dir.towpath(["query", sql, "--explain", "--format", "json"]).run().success().text();
    assert!(text.contains("\"Query Plan\":"), "{text}");
    let ran = dir.towpath(["query", "SELECT evntName FROM trail", "--explain"]).run().code(1);
    assert!(ran.stderr.starts_with("error: line 1:8: Column 'evntName'"), "{}", ran.stderr);
}

#[test]
fn statistics_go_to_stderr() {
    let dir = Dir::with_sample();
    let args = ["query", "SELECT eventName FROM trail", "--stats", "--format", "csv"];
    let ran = dir.towpath(args).run().success();
    assert_eq!(ran.text().lines().count(), 6);
    assert!(ran.stderr.starts_with("5 rows, "), "{}", ran.stderr);
    assert!(ran.stderr.ends_with(", 5 events scanned, 3 of 3 data files\n"), "{}", ran.stderr);
}

#[test]
fn text_for_a_spreadsheet_is_no_formula() {
    let dir = Dir::with_sample();
    let sql = "SELECT '=1+1' AS a, -1 AS n";
    let exact = dir.towpath(["query", sql, "--format", "csv"]).run().success();
    assert_eq!(exact.text(), "a,n\n=1+1,-1\n");
    let args = ["query", sql, "--format", "csv", "--spreadsheet-safe"];
    assert_eq!(dir.towpath(args).run().success().text(), "a,n\n'=1+1,-1\n");
}

#[test]
fn counts_are_drawn_by_name_and_over_time() {
    let dir = Dir::with_sample();
    let sql = "SELECT eventName, count(*) FROM trail GROUP BY 1 ORDER BY 2 DESC, 1";
    let ran = dir.towpath(["query", sql, "--format", "chart"]).run().success();
    let lines: Vec<String> = ran.text().lines().map(str::to_owned).collect();
    assert!(lines[0].starts_with(" DeleteBucket │█") && lines[0].ends_with(" 3"), "{lines:?}");
    assert!(lines[1].starts_with(" CreateBucket │█") && lines[1].ends_with(" 1"), "{lines:?}");
    let sql = "SELECT date_trunc('month', eventTime), count(*) FROM trail GROUP BY 1";
    let text = dir.towpath(["query", sql, "--format", "chart"]).run().success().text();
    assert!(text.contains('┤') && text.contains("2023-12-01"), "{text}");
    let ran = dir.towpath(["query", "SELECT 'a'", "--format", "chart"]).run().code(1);
    assert!(ran.stderr.starts_with("error: a chart needs a label or a time"), "{}", ran.stderr);
}

#[test]
fn values_are_bound_and_never_pasted() {
    let dir = Dir::with_sample();
    let count = "SELECT count(*) AS n FROM trail WHERE";
    let run = |condition: &str, values: &[&str]| {
        let sql = format!("{count} {condition}");
        let mut args = vec!["query".to_owned(), sql, "--format".to_owned(), "csv".to_owned()];
        args.extend(values.iter().flat_map(|value| ["-p".to_owned(), (*value).to_owned()]));
        dir.towpath(args).run()
    };
    let named =
        run("eventName = :name AND eventTime > :since", &["name=DeleteBucket", "since=2024-01-01"]);
    assert_eq!(named.success().text(), "n\n2\n");
    let positional =
        run("eventName = ? AND cardinality(resources) < ?", &["DeleteBucket", ":bigint=5"]);
    positional.code(0);
    let evil = run("eventName = ?", &["=x' OR '1' = '1"]);
    assert_eq!(evil.success().text(), "n\n0\n");

    let missing = run("eventName = :name", &[]).code(1);
    assert!(missing.stderr.contains("name"), "{}", missing.stderr);
    run("eventName = ?", &["a", "b"]).code(1);
    run("eventName = ?", &["n:money=1"]).code(2);
    run("eventName = :a", &["a=1", "a=2"]).code(2);
}
