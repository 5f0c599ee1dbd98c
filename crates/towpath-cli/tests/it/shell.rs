use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::harness::Dir;

#[test]
fn statements_from_a_pipe_run_in_order_with_marks_between() {
    let dir = Dir::with_sample();
    let input = "SELECT count(*) AS n FROM trail;\n.print --- mark 1; \nSELECT\n  1 AS a, -- one;\n\
                 '; ' AS b; SELECT 2 AS c;\n.print\n.print end\n";
    let ran = dir.towpath(["shell", "--format", "ndjson"]).stdin(input).run().success();
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.text(), "{\"n\":5}\n--- mark 1;\n{\"a\":1,\"b\":\"; \"}\n{\"c\":2}\n\nend\n");
}

#[test]
fn results_are_flushed_after_each_statement() {
    let dir = Dir::with_sample();
    let mut child = dir
        .towpath(["shell", "--format", "ndjson"])
        .into_command()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for number in 0..3 {
        // The answer must come while the pipe is still open, or this waits for ever.
        writeln!(stdin, "SELECT {number} AS n;\n.print end-{number}").unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), format!("{{\"n\":{number}}}"));
        assert_eq!(lines.next().unwrap().unwrap(), format!("end-{number}"));
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn an_error_does_not_stop_the_shell_and_shows_in_the_exit_code() {
    let dir = Dir::with_sample();
    let input = "SELECT 1 AS a;\nSELECT nothing FROM trail;\n.nonsense\nSELECT 2 AS b;\n";
    let ran = dir.towpath(["shell", "--format", "csv"]).stdin(input).run().code(3);
    assert_eq!(ran.text(), "a\n1\nb\n2\n");
    assert_eq!(ran.stderr.matches("error: ").count(), 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("there is no command `.nonsense`\nhint: "), "{}", ran.stderr);

    let ran = dir.towpath(["shell"]).stdin("SELECT nothing;\n").run().code(1);
    assert!(ran.stdout.is_empty());
}

#[test]
fn quit_ends_and_a_last_statement_needs_no_semicolon() {
    let dir = Dir::with_sample();
    let ran = dir.towpath(["shell", "--format", "csv"]).stdin("SELECT 7 AS n").run().success();
    assert_eq!(ran.text(), "n\n7\n");
    let ran = dir.towpath(["shell"]).stdin(".print a\n.quit\n.print b\n").run().success();
    assert_eq!(ran.text(), "a\n");
    let ran = dir.towpath(["shell"]).stdin("").run().success();
    assert_eq!((ran.text().as_str(), ran.stderr.as_str()), ("", ""));
}

#[test]
fn the_shell_lists_stores_and_changes_its_format() {
    let dir = Dir::with_sample();
    let input = ".stores\n.format csv\n.stores\n.format parquet\nSELECT 1 AS one;\n.help\n";
    let ran = dir.towpath(["shell"]).stdin(input).run().code(3);
    let text = ran.text();
    assert!(text.starts_with(" name  | id "), "{text}");
    assert!(text.contains("\nname,id,retention_days,created_at,status\ntrail,"), "{text}");
    assert!(text.contains("\none\n1\n.chart SQL "), "{text}");
    assert!(ran.stderr.contains("error: the shell prints text"), "{}", ran.stderr);
}

#[test]
fn a_statement_without_end_is_bounded() {
    let dir = Dir::with_sample();
    let mut input = "SELECT '".to_owned();
    input.push_str(&"x\n".repeat(600 * 1024));
    input.push_str("';\nSELECT 1 AS after;\n");
    let ran = dir.towpath(["shell", "--format", "csv"]).stdin(input).run().code(3);
    assert_eq!(ran.text(), "after\n1\n");
    assert!(ran.stderr.contains("a statement is longer than 1048576 bytes"), "{}", ran.stderr);
}

#[test]
fn psql_users_find_their_commands() {
    let dir = Dir::with_sample();
    let input = "\\x\nSELECT 1 AS one;\n\\x\n\\dt\n\\d trail\n\\echo here\n\\q\n.print not here\n";
    let ran = dir.towpath(["shell", "--format", "csv"]).stdin(input).run().success();
    let text = ran.text();
    assert!(text.starts_with("one = 1\nname,id,"), "{text}");
    assert!(text.contains("\ncolumn,type,description\neventVersion,varchar,"), "{text}");
    assert!(text.contains("\nuserIdentity,row,"), "{text}");
    assert!(text.contains("\nuserIdentity.sessionContext.attributes.creationDate,timestamp(3),"));
    assert!(text.contains("\nresources,array(row),") && text.contains("\nresources.arn,varchar,"));
    assert!(text.ends_with("here\n") && !text.contains("not here"), "{text}");
}

#[test]
fn functions_and_examples_are_listed_and_an_example_is_asked_of_the_only_store() {
    let dir = Dir::with_sample();
    let input = ".functions element_\n.examples bucket\n.examples delete-bucket\n.examples zebra\n";
    let ran = dir.towpath(["shell", "--format", "csv"]).stdin(input).run().code(3);
    let text = ran.text();
    assert!(text.starts_with("function\nelement_at\nexample,category,finds\n"), "{text}");
    assert!(text.contains("\ndelete-bucket,management,"), "{text}");
    assert!(text.contains("FROM trail WHERE eventName = 'DeleteBucket'"), "{text}");
    let expected = "error: there is no example about `zebra`\nhint: `.examples` lists all\n";
    assert_eq!(ran.stderr, expected);
}

#[test]
fn every_example_runs_as_it_is_printed() {
    let dir = Dir::with_sample();
    let input = ".explain\n.examples delete-bucket\n";
    let ran = dir.towpath(["shell"]).stdin(input).run().code(3);
    assert!(ran.stderr.contains("there was no statement yet"), "{}", ran.stderr);
    let args = ["shell", "--format", "ndjson"];
    let again = dir.towpath(args).stdin(ran.text()).run().success();
    assert_eq!(again.text().lines().count(), 2);
}

#[test]
fn rows_go_to_a_file_and_back() {
    let dir = Dir::with_sample();
    let input = ".output a.csv\nSELECT 1 AS a;\nSELECT 2 AS b;\n.output\nSELECT 3 AS c;\n\
                 .output b.csv\nSELECT 4 AS d;\n";
    let ran = dir.towpath(["shell", "--format", "csv"]).stdin(input).run().success();
    assert_eq!(ran.text(), "c\n3\n");
    assert_eq!(dir.read("a.csv"), b"a\n1\nb\n2\n");
    assert_eq!(dir.read("b.csv"), b"d\n4\n");
    let ran = dir.towpath(["shell"]).stdin(".output no/such/folder\n").run().code(1);
    assert!(ran.stderr.contains("could not create file `no/such/folder`"), "{}", ran.stderr);
}

#[test]
fn a_file_is_read_as_if_it_were_typed() {
    let dir = Dir::with_sample();
    dir.write("inner.sql", "SELECT 2 AS b;\n.print from inside\nSELECT 3 AS c");
    dir.write("outer.sql", "SELECT 1 AS a;\n.read inner.sql\n");
    dir.write("self.sql", ".read self.sql\n");
    let args = ["shell", "--format", "ndjson"];
    let ran = dir.towpath(args).stdin(".read outer.sql\n").run().success();
    assert_eq!(ran.text(), "{\"a\":1}\n{\"b\":2}\nfrom inside\n{\"c\":3}\n");
    let ran = dir.towpath(args).stdin(".read self.sql\n").run().code(3);
    assert!(ran.stderr.contains("files read one another more than 8 deep"), "{}", ran.stderr);

    let ran = dir.towpath(["shell", "--init", "inner.sql"]).stdin("SELECT 4 AS d;").run().success();
    assert!(ran.text().contains("from inside") && ran.text().contains(" d\n"), "{}", ran.text());
    dir.write(".towpathrc", ".print rc\n");
    let ran = dir.towpath(["shell"]).stdin(".print x\n").run().success();
    assert_eq!(ran.text(), "x\n", "a pipe does not depend on the rc file");
}

#[test]
fn the_last_statement_is_drawn_and_explained() {
    let dir = Dir::with_sample();
    let input = "SELECT eventName, count(*) FROM trail GROUP BY 1 ORDER BY 2 DESC, 1;\n.chart\n\
                 .explain SELECT eventName FROM trail;\n.timing on\n.chart SELECT 'a', 1\n";
    let ran = dir.towpath(["shell", "--format", "csv"]).stdin(input).run().success();
    let text = ran.text();
    assert!(text.starts_with("eventName,_col1\nDeleteBucket,3\n"), "{text}");
    assert!(text.contains("\n DeleteBucket │█"), "{text}");
    assert!(text.contains("Query Plan"), "{text}");
    assert!(text.trim_end().ends_with("█ 1"), "{text}");
    assert!(ran.stderr.starts_with("1 row, "), "{}", ran.stderr);
}
