//! `JSON_VALUE(input, path [PASSING …] [RETURNING type] [… ON EMPTY] [… ON ERROR])`: a scalar.
//!
//! Trino: <https://trino.io/docs/current/functions/json.html#json-value>.
//!
//! Bound to `$json_value(input, path, on_empty, on_error, empty_default, error_default, name, value,
//! …)`: `on_empty` and `on_error` are `'NULL'`, `'ERROR'` or `'DEFAULT'`. The defaults are of the type
//! to return, NULL where there is none. A NULL input gives NULL, and so does a JSON `null`.

use arrow::array::{Array, ArrayRef, UInt64Array};
use arrow::compute::interleave;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ReturnFieldArgs;

use super::json_text::Json;
use super::sql_json::{Call, Failure, in_pairs};
use crate::functions::args::{Args, invalid};
use crate::functions::json_cast::scalar_from_json;
use crate::functions::nested::common_type::{common_type, is_string};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("$json_value").form_matched(
        "varchar, varchar, varchar, varchar, T, T, ...",
        match_call,
        Returns::Field(returns),
        evaluate,
    )
}

fn match_call(given: &[DataType]) -> Option<Vec<DataType>> {
    let text = |index: usize| given.get(index).is_some_and(|one| is_string(one) || one.is_null());
    if !(in_pairs(given.len(), 6) && text(0) && text(1)) {
        return None;
    }
    let mut types = super::json_object::kept(given);
    let [_, _, _, _, on_empty, on_error, ..] = types.as_mut_slice() else {
        return None;
    };
    let returning = match common_type(on_empty, on_error)? {
        DataType::Null => DataType::Utf8View,
        common => common,
    };
    on_empty.clone_from(&returning);
    *on_error = returning;
    Some(types)
}

fn returns(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    match args.arg_fields.get(4) {
        Some(field) => Ok(std::sync::Arc::new(field.as_ref().clone().with_nullable(true))),
        None => exec_err!("JSON_VALUE has no type to return"),
    }
}

/// Where a row's result comes from.
enum Outcome {
    Null,
    Scalar(ArrayRef),
    EmptyDefault,
    ErrorDefault,
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let call = Call::of(args, 6)?;
    let on_empty = args.constant::<&str>(2)?.flatten();
    let on_error = args.constant::<&str>(3)?.flatten();
    let mut outcomes = Vec::with_capacity(args.rows);
    for row in 0..args.rows {
        let outcome = call.with_items(row, |items| {
            let result = items.and_then(|items| scalar(&items, args.return_field));
            let failure = match result {
                Ok(Some(outcome)) => return Ok(Some(outcome)),
                Ok(None) => match on_empty {
                    Some("DEFAULT") => return Ok(Some(Outcome::EmptyDefault)),
                    Some("ERROR") => Failure::Output(
                        "cannot extract SQL scalar from JSON: JSON path found no items".to_owned(),
                    ),
                    _ => return Ok(None),
                },
                Err(failure) => failure,
            };
            match on_error {
                Some("DEFAULT") => Ok(Some(Outcome::ErrorDefault)),
                Some("ERROR") => Err(invalid(failure.to_string())),
                _ => Ok(None),
            }
        })?;
        outcomes.push(outcome.unwrap_or(Outcome::Null));
    }
    assemble(args, &outcomes)
}

/// The one scalar among `items` as SQL; `None` if there are no items.
fn scalar(items: &[Json<'_>], returning: &FieldRef) -> Result<Option<Outcome>, Failure> {
    match items {
        [] => Ok(None),
        [Json::Null] => Ok(Some(Outcome::Null)),
        [Json::Array(_) | Json::Object(_)] => Err(Failure::Output(
            "cannot extract SQL scalar from JSON: JSON path found an item that cannot be converted \
             to an SQL value"
                .to_owned(),
        )),
        [item] => match scalar_from_json(item, returning) {
            Ok(column) => Ok(Some(Outcome::Scalar(column))),
            Err(_) => Err(Failure::Output(
                "cannot extract SQL scalar from JSON: JSON path found an item that cannot be \
                 converted to the returned type"
                    .to_owned(),
            )),
        },
        _ => Err(Failure::Output(
            "cannot extract SQL scalar from JSON: JSON path found multiple items".to_owned(),
        )),
    }
}

/// Puts the results together: row 0 of the first column is NULL, then defaults, then scalars.
fn assemble(args: &Args<'_>, outcomes: &[Outcome]) -> Result<ArrayRef> {
    let data_type = args.return_field.data_type();
    let null = arrow::array::new_null_array(data_type, 1);
    let (on_empty, on_error) = (args.array(4)?, args.array(5)?);
    let mut columns: Vec<&dyn Array> = vec![null.as_ref(), on_empty.as_ref(), on_error.as_ref()];
    let mut positions = Vec::with_capacity(outcomes.len());
    for (row, outcome) in outcomes.iter().enumerate() {
        positions.push(match outcome {
            Outcome::Null => (0, 0),
            Outcome::EmptyDefault => (1, row),
            Outcome::ErrorDefault => (2, row),
            Outcome::Scalar(column) => {
                columns.push(column.as_ref());
                (columns.len() - 1, 0)
            }
        });
    }
    if outcomes.is_empty() {
        return Ok(arrow::compute::take(
            null.as_ref(),
            &UInt64Array::from(Vec::<u64>::new()),
            None,
        )?);
    }
    Ok(interleave(&columns, &positions)?)
}
