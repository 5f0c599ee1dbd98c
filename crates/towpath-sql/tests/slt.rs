//! Runs `tests/slt/**/*.slt`, each statement under its own name.
//!
//! The format is sqllogictest's: `query` with the statement, `----` and the rows, one line each,
//! columns separated by tabs; `query error TEXT` for a statement that must fail with a message that
//! contains TEXT; `statement ok`. Rows are compared in order after `query ordered`, else sorted.
//! Lines that begin with `#` are comments; `skipif` and `onlyif` lines are for other engines.
#![allow(
    clippy::allow_attributes,
    clippy::only_used_in_recursion,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "test binaries share `support`, and each uses a part of it"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use support::{Tables, run};

#[derive(Clone, Debug, Default)]
struct Case {
    line: usize,
    sql: String,
    expected: Vec<String>,
    error: Option<String>,
    ordered: bool,
    checks_rows: bool,
}

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let mut files = Vec::new();
    find(&root, &mut files);
    files.sort();
    let mut trials = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap().with_extension("").display().to_string();
        let text = fs::read_to_string(&file).unwrap();
        for case in cases(&text) {
            trials.push(Trial::test(format!("{name}:{}", case.line), move || check(&case)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "slt") {
            files.push(path);
        }
    }
}

/// Records are separated by empty lines.
fn cases(text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut case = Case { line: index + 1, ..Case::default() };
        match words.as_slice() {
            ["query", "error", ..] | ["statement", "error", ..] => {
                let text = line.split_once("error").map_or("", |(_, text)| text.trim());
                case.error = Some(text.to_owned());
            }
            ["query", options @ ..] => {
                case.ordered = options.contains(&"ordered");
                case.checks_rows = true;
            }
            ["statement", ..] => {}
            _ => continue,
        }
        let mut in_rows = false;
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.is_empty()) {
            match line {
                "----" => in_rows = true,
                _ if in_rows => case.expected.push(line.to_owned()),
                _ => {
                    case.sql.push_str(line);
                    case.sql.push('\n');
                }
            }
        }
        cases.push(case);
    }
    cases
}

fn check(case: &Case) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let outcome = runtime.block_on(run(&case.sql, &Tables::default()));
    match (&case.error, outcome) {
        (Some(text), Err(error)) if error.contains(text.as_str()) => Ok(()),
        (Some(text), Err(error)) => Err(format!("expected the error {text}\ngot {error}").into()),
        (Some(text), Ok(rows)) => {
            Err(format!("expected the error {text}\ngot {:?}", rows.rows).into())
        }
        (None, Err(error)) => Err(error.into()),
        (None, Ok(rows)) => {
            let mut found: Vec<String> = rows.rows.iter().map(|row| line(row)).collect();
            let mut expected = case.expected.clone();
            if !case.ordered {
                found.sort();
                expected.sort();
            }
            if !case.checks_rows || found == expected {
                return Ok(());
            }
            Err(format!("expected\n{}\ngot\n{}", expected.join("\n"), found.join("\n")).into())
        }
    }
}

fn line(row: &[Value]) -> String {
    let cells = row.iter().map(|cell| match cell {
        Value::Null => "NULL".to_owned(),
        Value::String(text) if text.is_empty() => "(empty)".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    cells.collect::<Vec<_>>().join("\t")
}
