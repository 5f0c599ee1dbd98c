//! Runs the Trino cases of the corpus, each under its own name.
//!
//! The corpus stands beside the project and not in it: without it there is nothing to run. A case
//! in `golden_known.txt` is expected to differ, for the reason written there; one that stops
//! differing fails, so that the list only shrinks.
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

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use support::{Tables, run, same};

/// Seconds a case may take; one that takes longer hangs.
const CASE_SECS_MAX: u64 = 60;

type Scores = Arc<Mutex<BTreeMap<String, (usize, usize)>>>;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus")
}

fn main() {
    let arguments = Arguments::from_args();
    let Ok(text) = fs::read_to_string(corpus().join("trino_golden.jsonl")) else {
        println!("no corpus beside the project: Trino's cases are not run");
        return;
    };
    let known = known_differences();
    let scores: Scores = Scores::default();
    let trials = text
        .lines()
        .map(|line| {
            let case: Value = serde_json::from_str(line).unwrap();
            let group = case["group"].as_str().unwrap().to_owned();
            let id = case["id"].as_str().unwrap().to_owned();
            let (scores, reason) = (Arc::clone(&scores), known.get(&id).cloned());
            Trial::test(format!("{group}/{id}"), move || judge(&case, reason, &scores))
        })
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let scores = scores.lock().unwrap();
    let (mut passed, mut all) = (0, 0);
    for (group, (right, total)) in scores.iter() {
        println!("{group:12} {right:4} of {total}");
        (passed, all) = (passed + right, all + total);
    }
    println!("{:12} {passed:4} of {all}", "all");
    conclusion.exit();
}

/// Case ids and why they differ, from lines `id reason`.
fn known_differences() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden_known.txt");
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| line.split_once(' ').unwrap_or((line, "")))
        .map(|(id, reason)| (id.to_owned(), reason.to_owned()))
        .collect()
}

fn judge(case: &Value, known: Option<String>, scores: &Scores) -> Result<(), Failed> {
    let verdict = check(case);
    let group = case["group"].as_str().unwrap().to_owned();
    let mut scores = scores.lock().unwrap();
    let score = scores.entry(group).or_default();
    score.0 += usize::from(verdict.is_ok());
    score.1 += 1;
    match (verdict, known) {
        (Ok(()), None) | (Err(_), Some(_)) => Ok(()),
        (Ok(()), Some(_)) => Err("passes now: take it off golden_known.txt".into()),
        (Err(text), None) => Err(text.into()),
    }
}

fn check(case: &Value) -> Result<(), String> {
    let sql = case["sql"].as_str().unwrap().to_owned();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let limit = std::time::Duration::from_secs(CASE_SECS_MAX);
            tokio::time::timeout(limit, run(&sql, &Tables::default()))
                .await
                .unwrap_or_else(|_| Err("took too long".to_owned()))
        })
    });
    let outcome = thread.join().map_err(|_| "panicked".to_owned())?;
    let sql = case["sql"].as_str().unwrap();
    let Some(expected) = case.get("expected") else {
        return match outcome {
            Err(_) => Ok(()),
            Ok(rows) => Err(format!("{sql}\nexpected an error, got {:?}", rows.rows)),
        };
    };
    let rows = outcome.map_err(|error| format!("{sql}\n{error}"))?;
    let reals = rows.types.iter().any(|t| t.to_string() == "real");
    let tolerance = if reals { 1e-6 } else { 1e-9 };
    let expected: Vec<Vec<Value>> = serde_json::from_value(expected.clone()).unwrap();
    let found: Vec<Vec<Value>> = rows.rows.into_iter().map(|row| prepared(row, case)).collect();
    let expected: Vec<Vec<Value>> = expected.into_iter().map(|row| prepared(row, case)).collect();
    let ordered = case["ordered"].as_bool().unwrap_or(false);
    if equal(&found, &expected, ordered, tolerance) {
        return Ok(());
    }
    let show = |rows: &[Vec<Value>]| serde_json::to_string(rows).unwrap();
    Err(format!("{sql}\nexpected {}\ngot      {}", show(&expected), show(&found)))
}

/// Brings values to the form they are compared in.
fn prepared(row: Vec<Value>, case: &Value) -> Vec<Value> {
    row.into_iter()
        .map(|value| match value {
            Value::String(text) if case["compare"] == "json" => {
                serde_json::from_str(&text).unwrap_or(Value::String(text))
            }
            Value::Array(mut items) if case["array_order"] == "any" => {
                items.sort_by_key(ToString::to_string);
                Value::Array(items)
            }
            other => other,
        })
        .collect()
}

fn equal(found: &[Vec<Value>], expected: &[Vec<Value>], ordered: bool, tolerance: f64) -> bool {
    let same_row = |found: &[Value], expected: &[Value]| {
        found.len() == expected.len()
            && found.iter().zip(expected).all(|(f, e)| same(f, e, tolerance))
    };
    if found.len() != expected.len() {
        return false;
    }
    if ordered {
        return found.iter().zip(expected).all(|(f, e)| same_row(f, e));
    }
    let mut left: Vec<&Vec<Value>> = expected.iter().collect();
    found.iter().all(|row| {
        let place = left.iter().position(|other| same_row(row, other));
        place.map(|place| left.swap_remove(place)).is_some()
    })
}
