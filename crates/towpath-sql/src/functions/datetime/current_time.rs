//! `current_time`: the time of day in UTC when the query began. Given as a time without zone, which
//! the engine has no type for.
//!
//! <https://trino.io/docs/current/functions/datetime.html#current_time>

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{Expr, Volatility};

use super::moments::DAY_NANOS;
use super::query_start::{constant, unknown};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("current_time")
        .volatility(Volatility::Stable)
        .form(&[], Returns::Type(DataType::Time64(TimeUnit::Microsecond)), unknown)
        .simplify_with(simplify)
}

fn simplify(args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
    constant(args, info, |nanos| {
        let millis = nanos.rem_euclid(DAY_NANOS) / 1_000_000;
        ScalarValue::Time64Microsecond(Some(millis * 1_000))
    })
}
