//! `now()`: the moment the query began, timestamp(3) with time zone in UTC. A constant of the plan,
//! so that a comparison with it prunes.
//!
//! <https://trino.io/docs/current/functions/datetime.html#now>

use arrow::datatypes::{FieldRef, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{Expr, ReturnFieldArgs, Volatility};

use super::moments::zoned_field;
use super::query_start::{constant, ticks, unknown};
use super::zone::Zone;
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("now")
        .volatility(Volatility::Stable)
        .form(&[], Returns::Field(returns), unknown)
        .simplify_with(simplify)
}

fn returns(_: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    Ok(zoned_field(TimeUnit::Millisecond, &Zone::utc()))
}

fn simplify(args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
    constant(args, info, |nanos| {
        let millis = ticks(nanos, TimeUnit::Millisecond);
        ScalarValue::TimestampMillisecond(Some(millis), Some(Zone::utc().name))
    })
}
