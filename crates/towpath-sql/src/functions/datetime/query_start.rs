//! The moment a query began, which `now()` and its like give in every place and on every row.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::plan_err;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};

use crate::functions::args::{Args, invalid};

/// Replaces a call by the constant that `of` makes of the moment the query began, in nanoseconds.
pub(super) fn constant(
    args: Vec<Expr>,
    info: &SimplifyContext,
    of: impl FnOnce(i64) -> ScalarValue,
) -> Result<ExprSimplifyResult> {
    match info.query_execution_start_time().and_then(|now| now.timestamp_nanos_opt()) {
        Some(nanos) => Ok(ExprSimplifyResult::Simplified(Expr::Literal(of(nanos), None))),
        None => Ok(ExprSimplifyResult::Original(args)),
    }
}

/// What a call gives that was not replaced by a constant.
pub(super) fn unknown(_: &Args<'_>) -> Result<ArrayRef> {
    plan_err!("the time at which the query began is not known")
}

/// Ticks of a unit in `nanos`.
pub(super) fn ticks(nanos: i64, unit: TimeUnit) -> i64 {
    nanos.div_euclid(match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    })
}

/// The unit for the precision in argument 0, milliseconds without it.
///
/// # Errors
///
/// If it is no constant from 0 to 9.
pub(super) fn unit_of(precision: Option<&ScalarValue>) -> Result<TimeUnit> {
    match precision.map(|one| one.cast_to(&DataType::Int64)).transpose()? {
        None => Ok(TimeUnit::Millisecond),
        Some(ScalarValue::Int64(Some(0))) => Ok(TimeUnit::Second),
        Some(ScalarValue::Int64(Some(1..=3))) => Ok(TimeUnit::Millisecond),
        Some(ScalarValue::Int64(Some(4..=6))) => Ok(TimeUnit::Microsecond),
        Some(ScalarValue::Int64(Some(7..=9))) => Ok(TimeUnit::Nanosecond),
        Some(_) => Err(invalid("precision must be a constant from 0 to 9")),
    }
}

/// The precision written as the first argument of a call.
pub(super) fn literal_precision(args: &[Expr]) -> Option<&ScalarValue> {
    match args.first() {
        Some(Expr::Literal(precision, _)) => Some(precision),
        _ => None,
    }
}
