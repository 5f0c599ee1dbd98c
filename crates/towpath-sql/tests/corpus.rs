//! Plans and runs the Lake and Athena queries of the corpus, on empty stores of the documented
//! schemas.
//!
//! The corpus stands beside the project and not in it: without it there is nothing to run.
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
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use support::{Tables, batches, run};

/// The ids the corpus uses, and the schema each stands for.
const STORES: [(&str, &str); 5] = [
    ("1f0c9b7e", "lake_cloudtrail_events"),
    ("2f0c9b7e", "lake_config_items"),
    ("3f0c9b7e", "lake_integration_events"),
    ("4f0c9b7e", "lake_cloudtrail_events"),
    ("5f0c9b7e", "lake_cloudtrail_events"),
];
const ID_TAIL: &str = "-5d3a-4c0e-9b1e-2a7d6c4e8f10";

/// Queries marked `ok` that this engine refuses, and why.
const REFUSED: [(&str, &str); 0] = [];

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus")
}

fn main() {
    let arguments = Arguments::from_args();
    let Ok(text) = fs::read_to_string(corpus().join("schemas.json")) else {
        println!("no corpus beside the project: the Lake's and Athena's queries are not run");
        return;
    };
    let schemas: Value = serde_json::from_str(&text).unwrap();
    let mut trials = Vec::new();
    for set in ["lake_queries", "athena_queries"] {
        let index = fs::read_to_string(corpus().join(set).join("index.jsonl")).unwrap();
        for line in index.lines() {
            let entry: Value = serde_json::from_str(line).unwrap();
            let name = entry["file"].as_str().unwrap().to_owned();
            let schemas = schemas.clone();
            trials.push(Trial::test(format!("{set}/{name}"), move || check(set, &entry, &schemas)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn check(set: &str, entry: &Value, schemas: &Value) -> Result<(), Failed> {
    let name = entry["file"].as_str().unwrap();
    let mut sql = fs::read_to_string(corpus().join(set).join(name)).unwrap();
    for parameter in entry["params"].as_array().into_iter().flatten() {
        let placeholder = parameter["placeholder"].as_str().unwrap();
        for value in parameter["values"].as_array().unwrap() {
            sql = replace_outside_comments(&sql, placeholder, value.as_str().unwrap());
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let outcome = runtime.block_on(async {
        let mut tables = Tables::default();
        if set == "lake_queries" {
            for (head, schema) in STORES {
                let id = format!("{head}{ID_TAIL}");
                tables.add(&id, empty(&schemas[schema]).await);
            }
        } else {
            let table = athena_table(&schemas["athena_cloudtrail_logs"]).await;
            for name in entry["tables"].as_array().into_iter().flatten() {
                let name = name.as_str().unwrap();
                // The index keeps an alias now and then.
                tables.add(name.split(' ').next().unwrap(), table.clone());
            }
        }
        run(&sql, &tables).await
    });
    let refused = REFUSED.iter().any(|(file, _)| *file == name);
    match (entry["expect"].as_str().unwrap(), outcome) {
        ("ok", Err(error)) if !refused => Err(format!("{sql}\n{error}").into()),
        ("ok", Ok(_)) if refused => Err("runs now: take it off the list".into()),
        _ => Ok(()),
    }
}

/// Puts `value` in the first place of `placeholder` that no comment line holds.
fn replace_outside_comments(sql: &str, placeholder: &str, value: &str) -> String {
    let mut done = false;
    let lines = sql.lines().map(|line| {
        let comment = line.trim_start().starts_with("--");
        if !done && !comment && line.contains(placeholder) {
            done = true;
            return line.replacen(placeholder, value, 1);
        }
        line.to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// An empty batch whose columns are those of a schema entry, made by the engine itself.
async fn empty(schema: &Value) -> RecordBatch {
    let mut columns = Vec::new();
    for (name, data_type) in schema.as_object().unwrap() {
        let name = name.trim_end_matches(" +");
        if name != "note" && !name.contains(' ') {
            columns.push(format!("CAST(NULL AS {}) AS \"{name}\"", data_type.as_str().unwrap()));
        }
    }
    table(&columns).await
}

async fn athena_table(schema: &Value) -> RecordBatch {
    let mut columns = Vec::new();
    for (name, data_type) in schema.as_object().unwrap() {
        if name == "note" {
            continue;
        }
        if name.contains(' ') {
            for name in data_type.as_str().unwrap().split_whitespace() {
                columns.push(format!("CAST(NULL AS varchar) AS \"{name}\""));
            }
            continue;
        }
        columns.push(format!("CAST(NULL AS {}) AS \"{name}\"", data_type.as_str().unwrap()));
    }
    table(&columns).await
}

async fn table(columns: &[String]) -> RecordBatch {
    let sql = format!("SELECT {} WHERE false", columns.join(", "));
    let (headings, schema, found) = batches(&sql, &Tables::default()).await.unwrap();
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .zip(headings)
        .map(|(field, heading)| field.as_ref().clone().with_name(heading))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    match found.first() {
        Some(batch) => RecordBatch::try_new(schema, batch.columns().to_vec()).unwrap(),
        None => RecordBatch::new_empty(schema),
    }
}
