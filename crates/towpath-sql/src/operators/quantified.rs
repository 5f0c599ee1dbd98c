//! `$quantified(symbol, all, value, array)`: `value op ALL|ANY` of an array that holds the result
//! of a subquery; a NULL array is an empty result.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::compare::Comparator;
use super::{Operator, boolean_field, evaluated_text, over_arrays};

pub(super) fn operator() -> Operator {
    Operator::new("$quantified", |_| Ok(boolean_field()), evaluate)
}

fn evaluate(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let symbol = evaluated_text(args, 0)?.to_owned();
    let all =
        matches!(args.args.get(1), Some(ColumnarValue::Scalar(ScalarValue::Boolean(Some(true)))));
    over_arrays(args, |arrays| {
        let [_, _, value, lists] = arrays else {
            return exec_err!("a quantified comparison takes a value and an array");
        };
        if !matches!(lists.data_type(), DataType::List(_)) {
            return exec_err!("a quantified comparison searches an array");
        }
        let lists = lists.as_list::<i32>();
        let comparator = Comparator::new(value, lists.values())?;
        let results: BooleanArray = (0..value.len())
            .map(|row| {
                if lists.is_null(row) {
                    return Some(all);
                }
                let offsets = lists.offsets();
                let bound = |at: usize| {
                    offsets.get(at).and_then(|at| usize::try_from(*at).ok()).unwrap_or(0)
                };
                let members = bound(row)..bound(row + 1);
                let tests = members.map(|member| comparator.test(&symbol, row, member));
                decided(tests, all)
            })
            .collect();
        Ok(Arc::new(results))
    })
}

/// Stops at the first test that decides; an unknown one leaves the result unknown.
fn decided(tests: impl Iterator<Item = Option<bool>>, all: bool) -> Option<bool> {
    let mut result = Some(all);
    for test in tests {
        match test {
            Some(test) if test != all => return Some(test),
            Some(_) => {}
            None => result = None,
        }
    }
    result
}
