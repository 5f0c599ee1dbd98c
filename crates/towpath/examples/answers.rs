//! A service that answers one question from a lake: who deleted buckets, since when.
//!
//!     towpath --lake ./demo-lake demo
//!     cargo run -p towpath --example answers -- ./demo-lake 127.0.0.1:8080
//!     curl 'http://127.0.0.1:8080/deleted-buckets?since=2024-01-01'
//!
//! The lake lives in the service's own runtime. A caller that goes away cancels its query, because
//! dropping the rows does; the value from the URL is bound, never pasted into the statement.

#![expect(clippy::print_stdout, reason = "an example talks to its terminal")]

use std::collections::HashMap;
use std::env;
use std::error::Error;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use chrono::Utc;
use futures::TryStreamExt;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use towpath::arrow::array::RecordBatch;
use towpath::arrow::error::ArrowError;
use towpath::arrow::util::display::{ArrayFormatter, FormatOptions};
use towpath::{ErrorKind, Lake, LakeOptions, ParameterValue, ParameterValues, QueryLimits};

const QUESTION: &str = "\
    SELECT eventTime, userIdentity.arn AS who, sourceIPAddress, requestParameters['bucketName'] AS bucket
    FROM my-event-data-store
    WHERE eventName = 'DeleteBucket' AND eventTime >= :since
    ORDER BY eventTime DESC";

/// A service has limits of its own: an answer in time, and one that fits a page.
const LIMITS: QueryLimits = QueryLimits { run_secs_max: 10, result_rows_max: Some(1_000) };

type Answer = Result<Json<Vec<Map<String, Value>>>, (StatusCode, String)>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let (Some(lake), Some(address)) = (args.next(), args.next()) else {
        return Err("usage: answers LAKE ADDRESS".into());
    };
    let lake = Lake::open(&lake, LakeOptions::new(Utc::now)).await?;
    let router = Router::new().route("/deleted-buckets", get(deleted_buckets)).with_state(lake);
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}

async fn deleted_buckets(
    State(lake): State<Lake>,
    Query(asked): Query<HashMap<String, String>>,
) -> Answer {
    let since = asked.get("since").map_or("1970-01-01", String::as_str);
    let parameters = ParameterValues {
        named: [("since".to_owned(), ParameterValue::Varchar(since.to_owned()))].into(),
        ..ParameterValues::default()
    };
    let rows =
        lake.query_with(QUESTION, &parameters, LIMITS).await.map_err(|error| refused(&error))?;
    let batches: Vec<RecordBatch> = rows.try_collect().await.map_err(|error| refused(&error))?;
    let objects: Result<Vec<Vec<Map<String, Value>>>, ArrowError> =
        batches.iter().map(objects).collect();
    let objects = objects.map_err(|e| (StatusCode::INTERNAL_SERVER_ERROR, e.to_string()))?;
    Ok(Json(objects.concat()))
}

/// The caller's mistakes are theirs to mend; the rest is ours.
fn refused(error: &towpath::Error) -> (StatusCode, String) {
    let status = match error.kind() {
        ErrorKind::InvalidStatement | ErrorKind::Evaluation => StatusCode::BAD_REQUEST,
        ErrorKind::LimitExceeded => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::StoreNotFound => StatusCode::NOT_FOUND,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, error.to_string())
}

/// The rows of `batch`, each as an object of headings and texts.
fn objects(batch: &RecordBatch) -> Result<Vec<Map<String, Value>>, ArrowError> {
    let options = FormatOptions::default();
    let columns = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
        .collect::<Result<Vec<ArrayFormatter<'_>>, ArrowError>>()?;
    let schema = batch.schema();
    let object = |row: usize| {
        let values = schema.fields().iter().zip(batch.columns()).zip(&columns);
        values
            .map(|((field, array), column)| {
                let text = || Value::from(column.value(row).to_string());
                let value = if array.is_null(row) { Value::Null } else { text() };
                (field.name().clone(), value)
            })
            .collect()
    };
    Ok((0..batch.num_rows()).map(object).collect())
}
