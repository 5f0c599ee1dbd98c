//! `current_timestamp`, `current_timestamp(p)`: the moment the query began, timestamp(p) with time
//! zone in UTC, 3 decimals unless given. A constant of the plan, so that a comparison with it prunes.
//!
//! <https://trino.io/docs/current/functions/datetime.html#current_timestamp>

use arrow::datatypes::{FieldRef, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{Expr, ReturnFieldArgs, Volatility};

use super::moments::zoned_field;
use super::query_start::{constant, literal_precision, ticks, unit_of, unknown};
use super::zone::Zone;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("current_timestamp")
        .volatility(Volatility::Stable)
        .form_optional(&[Param::Bigint], 1, Returns::Field(returns), unknown)
        .simplify_with(simplify)
}

fn returns(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let unit = unit_of(args.scalar_arguments.first().copied().flatten())?;
    Ok(zoned_field(unit, &Zone::utc()))
}

fn simplify(args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
    let unit = unit_of(literal_precision(&args))?;
    constant(args, info, |nanos| {
        let (ticks, zone) = (Some(ticks(nanos, unit)), Some(Zone::utc().name));
        match unit {
            TimeUnit::Second => ScalarValue::TimestampSecond(ticks, zone),
            TimeUnit::Millisecond => ScalarValue::TimestampMillisecond(ticks, zone),
            TimeUnit::Microsecond => ScalarValue::TimestampMicrosecond(ticks, zone),
            TimeUnit::Nanosecond => ScalarValue::TimestampNanosecond(ticks, zone),
        }
    })
}
