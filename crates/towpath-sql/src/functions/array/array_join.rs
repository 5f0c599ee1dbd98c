//! `array_join(array, delimiter[, null_replacement])`: the elements as one text.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#array_join>.
//!
//! * NULL elements are left out, delimiter and all, unless a replacement is given;
//! * an element prints as `CAST(element AS varchar)` does.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field};
use datafusion::common::Result;

use crate::functions::args::{Args, Strings, Value, check_bytes, collect};
use crate::functions::json_cast::text_column;
use crate::functions::nested::keys::is_null;
use crate::functions::nested::lists::Lists;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("array_join").form_optional(
        &[Param::Array, Param::Varchar, Param::Varchar],
        1,
        Returns::VARCHAR,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(args, 0)?;
    let item = match args.value(0)?.data_type() {
        DataType::List(item) => item,
        other => Arc::new(Field::new("item", other, true)),
    };
    let texts = text_column(lists.values(), &item)?;
    let texts = Strings::of_array(texts.as_ref())?;
    let delimiters = args.column::<&str>(1)?;
    let replacements = if args.len() > 2 { Some(args.column::<&str>(2)?) } else { None };
    collect(args.rows, |row| {
        let Some(range) = lists.range(row) else {
            return Ok(None);
        };
        let Some(delimiter) = <&str>::get(&delimiters, row) else {
            return Ok(None);
        };
        let replacement = match &replacements {
            Some(column) => match <&str>::get(column, row) {
                Some(replacement) => Some(replacement),
                None => return Ok(None),
            },
            None => None,
        };
        let mut out = String::new();
        let mut first = true;
        for at in range {
            let text = if !is_null(lists.values(), at) { texts.get(at) } else { replacement };
            let Some(text) = text else { continue };
            if !std::mem::replace(&mut first, false) {
                out.push_str(delimiter);
            }
            out.push_str(text);
            check_bytes(out.len())?;
        }
        Ok(Some(out))
    })
}
