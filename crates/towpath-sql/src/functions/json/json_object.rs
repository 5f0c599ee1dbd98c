//! `JSON_OBJECT(key : value, … [NULL|ABSENT ON NULL] [WITH|WITHOUT UNIQUE KEYS])`: JSON text.
//!
//! Trino: <https://trino.io/docs/current/functions/json.html#json-object>.
//!
//! Bound to `$json_object(null_on_null, unique_keys, key, value, …)`; a value with `FORMAT JSON` is of
//! type JSON. Members keep their order. Returns varchar. A repeated key is an error whatever
//! `unique_keys` says, and one that `TRY` does not catch, as in Trino.

use std::collections::HashSet;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{Result, not_impl_err};

use super::json_text::write_string;
use super::sql_json::{in_pairs, json_column, text_at};
use crate::functions::args::{Args, Strings, Value, check_bytes, collect, invalid};
use crate::functions::nested::common_type::{is_string, normalized};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("$json_object").form_matched(
        "boolean, boolean, varchar, T, ...",
        |given| {
            let keys_are_text =
                given.iter().skip(2).step_by(2).all(|key| is_string(key) || key == &DataType::Null);
            (in_pairs(given.len(), 2) && keys_are_text).then(|| kept(given))
        },
        Returns::VARCHAR,
        evaluate,
    )
}

/// The types as they are, in the forms that functions work on.
pub(super) fn kept(given: &[DataType]) -> Vec<DataType> {
    given.iter().map(normalized).collect()
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let null_on_null = args.constant::<bool>(0)?.flatten() == Some(true);
    let mut members: Vec<(Strings<'_>, ArrayRef)> = Vec::new();
    for index in (2..args.len()).step_by(2) {
        members.push((args.column::<&str>(index)?, json_column(args, index + 1)?));
    }
    collect(args.rows, |row| {
        let mut out = String::from("{");
        let mut seen = HashSet::new();
        for (keys, values) in &members {
            let Some(key) = <&str>::get(keys, row) else {
                return Err(invalid(
                    "null value passed for JSON object key to JSON_OBJECT function",
                ));
            };
            if !seen.insert(key) {
                return not_impl_err!("cannot construct a JSON object with duplicate key");
            }
            let before = out.len();
            if before > 1 {
                out.push(',');
            }
            write_string(key, &mut out);
            out.push(':');
            match text_at(values, row) {
                Some(text) => out.push_str(text),
                None if null_on_null => out.push_str("null"),
                None => out.truncate(before),
            }
            check_bytes(out.len())?;
        }
        out.push('}');
        Ok(Some(out))
    })
}
