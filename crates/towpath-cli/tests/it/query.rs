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
