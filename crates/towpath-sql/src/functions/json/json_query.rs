//! `JSON_QUERY(input, path [PASSING …] [WRAPPER] [QUOTES] [… ON EMPTY] [… ON ERROR])`: JSON text.
//!
//! Trino: <https://trino.io/docs/current/functions/json.html#json-query>.
//!
//! Bound to `$json_query(input, path, wrapper, quotes, on_empty, on_error, name, value, …)`:
//! `wrapper` is `'WITHOUT'`, `'CONDITIONAL'` or `'UNCONDITIONAL'`, `quotes` `'KEEP'` or `'OMIT'`, the
//! others are `'NULL'`, `'ERROR'`, `'EMPTY ARRAY'` or `'EMPTY OBJECT'`. Returns varchar.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::json_text::Json;
use super::sql_json::{Call, Failure, in_pairs};
use crate::functions::args::{Args, collect, invalid};
use crate::functions::nested::common_type::is_string;
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("$json_query").form_matched(
        "varchar, varchar, varchar, varchar, varchar, varchar, ...",
        match_call,
        Returns::VARCHAR,
        evaluate,
    )
}

fn match_call(given: &[DataType]) -> Option<Vec<DataType>> {
    let text = |index: usize| given.get(index).is_some_and(|one| is_string(one) || one.is_null());
    (in_pairs(given.len(), 6) && text(0) && text(1)).then(|| super::json_object::kept(given))
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let call = Call::of(args, 6)?;
    let word = |index| args.constant::<&str>(index).map(|word| word.flatten().unwrap_or(""));
    let (wrapper, quotes, on_empty, on_error) = (word(2)?, word(3)?, word(4)?, word(5)?);
    collect(args.rows, |row| {
        call.with_items(row, |items| {
            let result = items.and_then(|items| {
                if items.is_empty() {
                    return substitute(on_empty).map_err(|()| {
                        Failure::Output("cannot extract JSON: JSON path found no items".to_owned())
                    });
                }
                single(items, wrapper).map(|item| Some(text_of(&item, quotes)))
            });
            match result {
                Ok(text) => Ok(text),
                Err(failure) => substitute(on_error).map_err(|()| invalid(failure.to_string())),
            }
        })
    })
}

/// What stands for no items, or for an error; `Err` if that is to be an error.
fn substitute(behavior: &str) -> Result<Option<String>, ()> {
    match behavior {
        "ERROR" => Err(()),
        "EMPTY ARRAY" => Ok(Some("[]".to_owned())),
        "EMPTY OBJECT" => Ok(Some("{}".to_owned())),
        _ => Ok(None),
    }
}

/// The items as one, wrapped in an array as `wrapper` says.
fn single<'v>(mut items: Vec<Json<'v>>, wrapper: &str) -> Result<Json<'v>, Failure> {
    let wrap = match wrapper {
        "UNCONDITIONAL" => true,
        "CONDITIONAL" => !matches!(items.as_slice(), [Json::Array(_) | Json::Object(_)]),
        _ => false,
    };
    match items.pop() {
        Some(only) if !wrap && items.is_empty() => Ok(only),
        Some(last) if wrap => {
            items.push(last);
            Ok(Json::Array(items))
        }
        _ => Err(Failure::Output("cannot extract JSON: JSON path found multiple items".to_owned())),
    }
}

fn text_of(item: &Json<'_>, quotes: &str) -> String {
    match item {
        Json::String(text) if quotes == "OMIT" => text.clone().into_owned(),
        other => other.to_text(),
    }
}
