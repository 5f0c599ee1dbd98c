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
    assert!(text.contains("\nname,id,retention_days,created_at\ntrail,"), "{text}");
    assert!(text.contains("\none\n1\n.format NAME "), "{text}");
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
