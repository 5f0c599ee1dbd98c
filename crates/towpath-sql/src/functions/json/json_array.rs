//! `JSON_ARRAY(value, … [NULL|ABSENT ON NULL])`: JSON text.
//!
//! Trino: <https://trino.io/docs/current/functions/json.html#json-array>.
//!
//! Bound to `$json_array(null_on_null, value, …)`; a value with `FORMAT JSON` is of type JSON. Returns
//! varchar.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::json_object::kept;
use super::sql_json::{json_column, text_at};
use crate::functions::args::{Args, check_bytes, collect};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("$json_array").form_matched(
        "boolean, T, ...",
        |given| {
            if given.is_empty() { None } else { Some(kept(given)) }
        },
        Returns::VARCHAR,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let null_on_null = args.constant::<bool>(0)?.flatten() == Some(true);
    let values: Result<Vec<ArrayRef>> =
        (1..args.len()).map(|index| json_column(args, index)).collect();
    let values = values?;
    collect(args.rows, |row| {
        let mut out = String::from("[");
        for value in &values {
            let before = out.len();
            if before > 1 {
                out.push(',');
            }
            match text_at(value, row) {
                Some(text) => out.push_str(text),
                None if null_on_null => out.push_str("null"),
                None => out.truncate(before),
            }
            check_bytes(out.len())?;
        }
        out.push(']');
        Ok(Some(out))
    })
}
