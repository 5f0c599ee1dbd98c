//! `JSON_EXISTS(input, path [PASSING …] [TRUE|FALSE|UNKNOWN|ERROR ON ERROR])`.
//!
//! Trino: <https://trino.io/docs/current/functions/json.html#json-exists>.
//!
//! Bound to `$json_exists(input, path, on_error, name, value, …)`; `on_error` is one of the
//! four words. A NULL input gives NULL.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::sql_json::{Call, in_pairs};
use crate::functions::args::{Args, collect, invalid};
use crate::functions::nested::common_type::is_string;
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("$json_exists").form_matched(
        "varchar, varchar, varchar, ...",
        match_call,
        Returns::BOOLEAN,
        evaluate,
    )
}

fn match_call(given: &[DataType]) -> Option<Vec<DataType>> {
    let text = |index: usize| given.get(index).is_some_and(|one| is_string(one) || one.is_null());
    (in_pairs(given.len(), 3) && text(0) && text(1)).then(|| super::json_object::kept(given))
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let call = Call::of(args, 3)?;
    let on_error = args.constant::<&str>(2)?.flatten();
    collect(args.rows, |row| {
        call.with_items(row, |items| match items {
            Ok(items) => Ok(Some(!items.is_empty())),
            Err(failure) => match on_error {
                Some("TRUE") => Ok(Some(true)),
                Some("UNKNOWN") => Ok(None),
                Some("ERROR") => Err(invalid(failure.to_string())),
                _ => Ok(Some(false)),
            },
        })
    })
}
