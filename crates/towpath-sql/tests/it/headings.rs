//! Headings are spelled as the query spells them.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, StructArray};
use arrow::datatypes::{DataType, Field};

use crate::support::{Tables, run};

fn tables() -> Tables {
    let names: ArrayRef = Arc::new(StringArray::from(vec!["ConsoleLogin", "GetObject"]));
    let arns: ArrayRef = Arc::new(StringArray::from(vec!["arn:a", "arn:b"]));
    let field = Arc::new(Field::new("arn", DataType::Utf8, true));
    let identity: ArrayRef = Arc::new(StructArray::from(vec![(field, arns)]));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("eventname", names, true),
        ("useridentity", identity, true),
        ("number", numbers, true),
    ])
    .unwrap();
    let mut tables = Tables::default();
    for name in ["events", "1f0c9b7e-5d3a-4c0e-9b1e-2a7d6c4e8f10", "my-event-data-store"] {
        tables.add(name, batch.clone());
    }
    tables
}

async fn headings(sql: &str) -> Vec<String> {
    run(sql, &tables()).await.unwrap().headings
}

#[tokio::test]
async fn columns_fields_aliases_and_expressions_are_named_as_trino_does() {
    let sql = "SELECT eventName, userIdentity.ARN, number AS \"How Many\", number + 1, eventName FROM events";
    assert_eq!(headings(sql).await, ["eventName", "ARN", "How Many", "_col3", "eventName"]);
    assert_eq!(headings("SELECT * FROM events").await, ["eventname", "useridentity", "number"]);
}

#[tokio::test]
async fn ids_and_hyphenated_names_need_no_quotes_and_arithmetic_is_left_alone() {
    let rows = run(
        "SELECT t.number-number-1 FROM 1f0c9b7e-5d3a-4c0e-9b1e-2a7d6c4e8f10 AS t, my-event-data-store--x\n WHERE t.EVENTNAME = my-event-data-store.\"eventName\" ORDER BY 1",
        &tables(),
    )
    .await;
    assert!(rows.is_err(), "a hyphenated name qualifies nothing: {rows:?}");
    let sql = "SELECT t.number-u.number-1 FROM 1f0c9b7e-5d3a-4c0e-9b1e-2a7d6c4e8f10 AS t, my-event-data-store--x\n AS u WHERE t.EVENTNAME = u.\"eventName\" ORDER BY 1";
    let rows = run(sql, &tables()).await.unwrap();
    assert_eq!(rows.rows, [[serde_json::json!(-1)], [serde_json::json!(-1)]]);
    let sql = "SELECT 1f0c9b7e-5d3a-4c0e-9b1e-2a7d6c4e8f10.eventName FROM 1f0c9b7e-5d3a-4c0e-9b1e-2a7d6c4e8f10 LIMIT 1;";
    assert_eq!(headings(sql).await, ["eventName"]);
}
