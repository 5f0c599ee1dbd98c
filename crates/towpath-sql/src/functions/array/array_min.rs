//! `array_min(array)`: the smallest element.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#array_min>.
//!
//! A NULL element makes the result NULL, and so does an empty array; NaN counts only if nothing
//! else is there.

use arrow::array::ArrayRef;
use datafusion::common::{Result, exec_err};

use super::element_at::pick;
use crate::functions::args::Args;
use crate::functions::nested::keys::{is_nan, is_null, keys};
use crate::functions::nested::lists::{Lists, returns_item};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("array_min").form(&[Param::Array], Returns::Field(returns_item), evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(args, 0)?;
    let values = lists.values();
    let Some(rows) = keys(&[values])?.pop() else {
        return exec_err!("no keys");
    };
    pick(args.rows, values, |row| {
        let Some(range) = lists.range(row) else {
            return Ok(None);
        };
        if range.clone().any(|at| is_null(values, at)) {
            return Ok(None);
        }
        Ok(range.reduce(|best_at, at| {
            let (best, key) = (rows.row(best_at), rows.row(at));
            let better = is_nan(values, best_at) || (!is_nan(values, at) && best > key);
            if better { at } else { best_at }
        }))
    })
}
