//! `current_date`: the day in UTC when the query began, date.
//!
//! <https://trino.io/docs/current/functions/datetime.html#current_date>

use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{Expr, Volatility};

use super::moments::DAY_NANOS;
use super::query_start::{constant, unknown};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("current_date")
        .volatility(Volatility::Stable)
        .form(&[], Returns::DATE, unknown)
        .simplify_with(simplify)
}

fn simplify(args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
    constant(args, info, |nanos| {
        ScalarValue::Date32(i32::try_from(nanos.div_euclid(DAY_NANOS)).ok())
    })
}
