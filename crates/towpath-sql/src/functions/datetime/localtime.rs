//! `localtime`: the time of day a clock in UTC showed when the query began, time.
//!
//! <https://trino.io/docs/current/functions/datetime.html#localtime>

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{Expr, Volatility};

use super::moments::DAY_NANOS;
use super::query_start::{constant, unknown};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("localtime")
        .volatility(Volatility::Stable)
        .form(&[], Returns::Type(DataType::Time64(TimeUnit::Microsecond)), unknown)
        .simplify_with(simplify)
}

fn simplify(args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
    constant(args, info, |nanos| {
        // Milliseconds, as the default precision of a time is 3.
        let millis = nanos.rem_euclid(DAY_NANOS) / 1_000_000;
        ScalarValue::Time64Microsecond(Some(millis * 1_000))
    })
}
