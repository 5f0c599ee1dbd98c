//! `GetQueryResults`.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use towpath::arrow::array::RecordBatch;
use towpath::text::{is_null, push_text};
use towpath::{PAGE_ROWS_MAX, ResultPage};

use super::input::{read, without_nulls};
use super::query::{check_stores, error_message, query_id};
use crate::api::Call;
use crate::wire::ApiError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    query_id: String,
    next_token: Option<String>,
    max_query_results: Option<u32>,
}

/// A page of rows. While there are none, it says how the query is doing.
pub(super) async fn run(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: Input = read(input)?;
    let id = query_id(&input.query_id)?;
    let rows_max = input.max_query_results.unwrap_or(PAGE_ROWS_MAX);
    let page = call.api.lake.query_results(id, input.next_token.as_deref(), rows_max).await?;
    check_stores(call, &page.query).await?;
    let ResultPage { query, batches, next_token, .. } = page;
    let rows: Vec<Value> = batches.iter().flat_map(rows).collect();
    Ok(without_nulls(json!({
        "QueryStatus": query.status.as_str(),
        "QueryStatistics": {
            "ResultsCount": rows.len(),
            "TotalResultsCount": query.statistics.rows,
            "BytesScanned": query.statistics.bytes_scanned,
        },
        "QueryResultRows": rows,
        "NextToken": next_token,
        "ErrorMessage": error_message(&query),
    })))
}

/// Each row as a list of maps with one entry, heading and text: so that headings may repeat.
fn rows(batch: &RecordBatch) -> Vec<Value> {
    let schema = batch.schema();
    let row = |row: usize| -> Value {
        let cells = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
            let mut cell = Map::new();
            let text = (!is_null(column, row)).then(|| {
                let mut text = String::new();
                push_text(&mut text, column, field, row);
                text
            });
            cell.insert(field.name().clone(), text.map_or(Value::Null, Value::String));
            Value::Object(cell)
        });
        Value::Array(cells.collect())
    };
    (0..batch.num_rows()).map(row).collect()
}
