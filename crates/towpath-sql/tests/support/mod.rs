//! What the test binaries share: relations in memory, and running a statement to text.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Float32Type, Float64Type, Int64Type, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::execution::context::SessionConfig;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::physical_plan::collect;
use serde_json::{Map, Value, json};
use towpath_sql::{
    PlannedStatement, RelationError, RelationName, Relations, Statement, Type, physical_plan,
    session_state, trino_text,
};

/// Memory a test statement may take.
const MEMORY_BYTES_MAX: usize = 512 << 20;

/// Relations by lower-case name.
#[derive(Default)]
pub struct Tables {
    tables: HashMap<String, Arc<dyn TableProvider>>,
}

impl Tables {
    pub fn add(&mut self, name: &str, batch: RecordBatch) {
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
        self.tables.insert(name.to_lowercase(), Arc::new(table));
    }
}

#[async_trait]
impl Relations for Tables {
    async fn resolve(&self, name: &RelationName) -> Result<Arc<dyn TableProvider>, RelationError> {
        match self.tables.get(&name.text.to_lowercase()) {
            Some(table) => Ok(Arc::clone(table)),
            None => Err(RelationError::NotFound { near: self.tables.keys().next().cloned() }),
        }
    }
}

/// The moment every test statement starts at.
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_704_164_645, 678_000_000).unwrap()
}

fn runtime() -> Arc<RuntimeEnv> {
    RuntimeEnvBuilder::new().with_memory_limit(MEMORY_BYTES_MAX, 1.0).build_arc().unwrap()
}

/// A result: headings and rows as JSON values.
#[derive(Debug)]
pub struct Rows {
    pub headings: Vec<String>,
    pub types: Vec<Type>,
    pub rows: Vec<Vec<Value>>,
}

/// Parses, plans and runs a statement: headings, schema and batches. Errors are their text.
pub async fn batches(
    sql: &str,
    tables: &Tables,
) -> Result<(Vec<String>, SchemaRef, Vec<RecordBatch>), String> {
    let (planned, schema, batches) = execute(sql, tables).await?;
    Ok((planned.headings, schema, batches))
}

async fn execute(
    sql: &str,
    tables: &Tables,
) -> Result<(PlannedStatement, SchemaRef, Vec<RecordBatch>), String> {
    let statement = Statement::parse(sql).map_err(|error| error.to_string())?;
    execute_statement(&statement, tables).await
}

async fn execute_statement(
    statement: &Statement,
    tables: &Tables,
) -> Result<(PlannedStatement, SchemaRef, Vec<RecordBatch>), String> {
    let config = SessionConfig::new().with_target_partitions(2);
    let session = session_state(config, runtime(), now());
    let planned = statement.plan(&session, tables).await.map_err(|error| error.to_string())?;
    let plan = physical_plan(&session, &planned).await;
    let plan = plan.map_err(|error| trino_text(&error))?;
    let schema = plan.schema();
    let batches = collect(plan, session.task_ctx()).await.map_err(|error| trino_text(&error))?;
    Ok((planned, schema, batches))
}

/// Runs a statement to values.
pub async fn run(sql: &str, tables: &Tables) -> Result<Rows, String> {
    let statement = Statement::parse(sql).map_err(|error| error.to_string())?;
    run_statement(&statement, tables).await
}

/// Runs a parsed statement to values.
pub async fn run_statement(statement: &Statement, tables: &Tables) -> Result<Rows, String> {
    let (planned, _, batches) = execute_statement(statement, tables).await?;
    let mut rows = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().zip(batch.schema_ref().fields());
            let cells = cells.zip(&planned.types);
            rows.push(cells.map(|((array, field), kind)| cell(array, field, kind, row)).collect());
        }
    }
    Ok(Rows { headings: planned.headings, types: planned.types, rows })
}

/// A value as the corpus writes it: numbers as numbers, other scalars as Trino's text.
pub fn cell(array: &ArrayRef, field: &Field, data_type: &Type, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            let wide = arrow::compute::cast(array, &DataType::Int64).unwrap();
            json!(wide.as_primitive::<Int64Type>().value(row))
        }
        DataType::Float32 => float(f64::from(array.as_primitive::<Float32Type>().value(row))),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
        DataType::List(item) => {
            let Type::Array(inner) = data_type else { panic!("{data_type} is a list") };
            let values = array.as_list::<i32>().value(row);
            (0..values.len()).map(|at| cell(&values, item, inner, at)).collect()
        }
        DataType::Struct(fields) => {
            let Type::Row(types) = data_type else { panic!("{data_type} is a struct") };
            let columns = array.as_struct().columns();
            let cells = columns.iter().zip(fields).zip(types);
            cells
                .map(|((column, field), inner)| cell(column, field, &inner.data_type, row))
                .collect()
        }
        DataType::Map(..) => {
            let Type::Map(key_type, value_type) = data_type else { panic!("{data_type} is a map") };
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let mut object = Map::new();
            for at in 0..keys.len() {
                let key = match cell(keys, field, key_type, at) {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                object.insert(key, cell(values, field, value_type, at));
            }
            Value::Object(object)
        }
        DataType::Timestamp(..) => Value::String(text(array, row).replace('T', " ")),
        _ => Value::String(text(array, row)),
    }
}

fn text(array: &ArrayRef, row: usize) -> String {
    let options = FormatOptions::default();
    ArrayFormatter::try_new(array, &options).unwrap().value(row).to_string()
}

fn float(value: f64) -> Value {
    match value {
        value if value.is_nan() => json!("NaN"),
        value if value == f64::INFINITY => json!("Infinity"),
        value if value == f64::NEG_INFINITY => json!("-Infinity"),
        value => json!(value),
    }
}

/// Whether two values are the same by the rules of the corpus.
pub fn same(found: &Value, expected: &Value, tolerance: f64) -> bool {
    match (found, expected) {
        (Value::Number(found), Value::Number(expected)) => {
            if let (Some(found), Some(expected)) = (found.as_i64(), expected.as_i64()) {
                return found == expected;
            }
            let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
            (found - expected).abs() <= tolerance * expected.abs().max(f64::MIN_POSITIVE)
        }
        // A few cases of the corpus spell booleans as numbers, or counts as booleans.
        (Value::Bool(flag), Value::Number(number)) | (Value::Number(number), Value::Bool(flag)) => {
            number.as_i64() == Some(i64::from(*flag))
        }
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len()
                && found.iter().zip(expected).all(|(f, e)| same(f, e, tolerance))
        }
        (Value::Object(found), Value::Object(expected)) => {
            found.len() == expected.len()
                && found.iter().all(|(key, value)| {
                    expected.get(key).is_some_and(|other| same(value, other, tolerance))
                })
        }
        (found, expected) => found == expected,
    }
}
