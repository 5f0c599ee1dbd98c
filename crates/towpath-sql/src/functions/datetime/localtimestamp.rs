//! `localtimestamp`, `localtimestamp(p)`: what a clock in UTC showed when the query began,
//! timestamp(p), 3 decimals unless given.
//!
//! <https://trino.io/docs/current/functions/datetime.html#localtimestamp>

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{Expr, ReturnFieldArgs, Volatility};

use super::query_start::{constant, literal_precision, ticks, unit_of, unknown};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("localtimestamp")
        .volatility(Volatility::Stable)
        .form_optional(&[Param::Bigint], 1, Returns::Field(returns), unknown)
        .simplify_with(simplify)
}

fn returns(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let unit = unit_of(args.scalar_arguments.first().copied().flatten())?;
    Ok(Arc::new(Field::new("localtimestamp", DataType::Timestamp(unit, None), true)))
}

fn simplify(args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
    let unit = unit_of(literal_precision(&args))?;
    constant(args, info, |nanos| {
        let ticks = Some(ticks(nanos, unit));
        match unit {
            TimeUnit::Second => ScalarValue::TimestampSecond(ticks, None),
            TimeUnit::Millisecond => ScalarValue::TimestampMillisecond(ticks, None),
            TimeUnit::Microsecond => ScalarValue::TimestampMicrosecond(ticks, None),
            TimeUnit::Nanosecond => ScalarValue::TimestampNanosecond(ticks, None),
        }
    })
}
