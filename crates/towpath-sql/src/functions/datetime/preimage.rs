//! Comparisons of `date(x)`, `year(x)` and `date_trunc(unit, x)` with a constant, as spans of `x`.
//!
//! `year(eventTime) = 2024` becomes `eventTime >= 2024-01-01 AND eventTime < 2025-01-01`, which
//! prunes partitions, files and row groups. Only for dates, and for timestamps on a clock in UTC.

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;

use super::calendar::{civil_of, days_of};
use super::moments::{Kind, shape};
use super::unit::Unit;

/// The span of a timestamp that `date` gives that day for.
pub(super) fn of_date(
    args: &[Expr],
    result: &ScalarValue,
    info: &SimplifyContext,
) -> Result<PreimageResult> {
    match (args, result) {
        ([x], ScalarValue::Date32(Some(day))) => {
            let day = i64::from(*day);
            span(x, day, day + 1, info)
        }
        _ => Ok(PreimageResult::None),
    }
}

/// The span of a date or timestamp that `year` gives that year for.
pub(super) fn of_year(
    args: &[Expr],
    result: &ScalarValue,
    info: &SimplifyContext,
) -> Result<PreimageResult> {
    match (args, result) {
        ([x], ScalarValue::Int64(Some(year @ 1..=9_999))) => {
            span(x, days_of(*year, 1, 1), days_of(*year + 1, 1, 1), info)
        }
        _ => Ok(PreimageResult::None),
    }
}

/// The span of a date or timestamp that `date_trunc` gives that moment for, if it is the first of
/// its unit.
pub(super) fn of_date_trunc(
    args: &[Expr],
    result: &ScalarValue,
    info: &SimplifyContext,
) -> Result<PreimageResult> {
    let [Expr::Literal(unit, _), x] = args else { return Ok(PreimageResult::None) };
    let data_type = info.get_data_type(x)?;
    let (Some(Some(unit)), Ok((kind, day_ticks, _))) = (unit.try_as_str(), shape(&data_type))
    else {
        return Ok(PreimageResult::None);
    };
    let Ok(unit) = Unit::named(unit, kind) else { return Ok(PreimageResult::None) };
    if result.data_type() != data_type || kind == Kind::Time {
        return Ok(PreimageResult::None);
    }
    let Some(ticks) = ticks_of(result)? else { return Ok(PreimageResult::None) };
    if let Some(millis) = unit.millis().filter(|_| unit.is_of_day()) {
        let length = (day_ticks / 86_400).saturating_mul(millis) / 1_000;
        if length == 0 || ticks % length != 0 {
            return Ok(PreimageResult::None);
        }
        return interval(x, ticks, ticks.checked_add(length), &data_type);
    }
    let day = ticks.div_euclid(day_ticks);
    let next = if ticks % day_ticks == 0 { next_first(day, unit) } else { None };
    match next {
        Some(next) => span(x, day, next, info),
        None => Ok(PreimageResult::None),
    }
}

/// The first day of the next unit, if `day` is the first of one.
fn next_first(day: i64, unit: Unit) -> Option<i64> {
    let civil = civil_of(day);
    match unit {
        Unit::Day => Some(day + 1),
        Unit::Week => ((day + 3) % 7 == 0).then_some(day + 7),
        _ => {
            let months = unit.months()?;
            let is_first = civil.day == 1 && (civil.month - 1) % months == 0;
            is_first.then(|| days_of(civil.year, civil.month + months, 1))
        }
    }
}

/// The span of `x` from the first day up to the day `end`.
fn span(x: &Expr, first: i64, end: i64, info: &SimplifyContext) -> Result<PreimageResult> {
    let data_type = info.get_data_type(x)?;
    let Ok((_, day_ticks, _)) = shape(&data_type) else { return Ok(PreimageResult::None) };
    match first.checked_mul(day_ticks) {
        Some(first) => interval(x, first, end.checked_mul(day_ticks), &data_type),
        None => Ok(PreimageResult::None),
    }
}

fn interval(
    x: &Expr,
    first: i64,
    end: Option<i64>,
    data_type: &DataType,
) -> Result<PreimageResult> {
    let in_utc = match data_type {
        DataType::Date32 | DataType::Timestamp(_, None) => true,
        DataType::Timestamp(_, Some(zone)) => zone.as_ref() == "UTC",
        _ => false,
    };
    let (Some(end), true) = (end, in_utc) else { return Ok(PreimageResult::None) };
    let (Some(lower), Some(upper)) = (scalar(first, data_type)?, scalar(end, data_type)?) else {
        return Ok(PreimageResult::None);
    };
    let interval = Box::new(Interval::try_new(lower, upper)?);
    Ok(PreimageResult::Range { expr: x.clone(), interval })
}

/// Ticks as a value of a type, `None` outside its range.
fn scalar(ticks: i64, data_type: &DataType) -> Result<Option<ScalarValue>> {
    if data_type == &DataType::Date32 {
        return Ok(i32::try_from(ticks).ok().map(|days| ScalarValue::Date32(Some(days))));
    }
    ScalarValue::Int64(Some(ticks)).cast_to(data_type).map(Some)
}

/// The ticks of a value, `None` for NULL.
fn ticks_of(value: &ScalarValue) -> Result<Option<i64>> {
    if let ScalarValue::Date32(days) = value {
        return Ok(days.map(i64::from));
    }
    match value.cast_to(&DataType::Int64)? {
        ScalarValue::Int64(ticks) => Ok(ticks),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{Field, Schema, TimeUnit};
    use datafusion::common::DFSchema;
    use datafusion::logical_expr::{col, lit};
    use datafusion::optimizer::simplify_expressions::ExprSimplifier;

    use super::*;
    use crate::functions::testing::function;

    /// What a filter becomes, for a timestamp(3) `t` and a date `d`.
    fn simplified(filter: Expr) -> String {
        let t = Field::new("t", DataType::Timestamp(TimeUnit::Millisecond, None), true);
        let schema = Schema::new(vec![t, Field::new("d", DataType::Date32, true)]);
        let schema = Arc::new(DFSchema::try_from(schema).unwrap());
        let context = SimplifyContext::builder().with_schema(schema).build();
        ExprSimplifier::new(context).simplify(filter).unwrap().to_string()
    }

    #[test]
    fn comparisons_become_spans() {
        let call = |name: &str, args: Vec<Expr>| function(name).call(args);
        let day = lit(ScalarValue::Date32(Some(1)));
        assert_eq!(
            simplified(call("date", vec![col("t")]).eq(day)),
            "t >= TimestampMillisecond(86400000, None) AND t < TimestampMillisecond(172800000, None)"
        );
        assert_eq!(
            simplified(call("year", vec![col("d")]).gt(lit(1970_i64))),
            "d >= Date32(\"1971-01-01\")"
        );
        let first = lit(ScalarValue::TimestampMillisecond(Some(3_600_000), None));
        let hour = call("date_trunc", vec![lit("hour"), col("t")]);
        assert_eq!(
            simplified(hour.clone().lt_eq(first)),
            "t < TimestampMillisecond(7200000, None)"
        );
        let between = lit(ScalarValue::TimestampMillisecond(Some(3_600_001), None));
        assert!(simplified(hour.eq(between)).starts_with("date_trunc("));
    }

    #[test]
    fn only_the_first_moment_of_a_unit_has_a_span() {
        assert_eq!(next_first(days_of(2024, 1, 1), Unit::Quarter), Some(days_of(2024, 4, 1)));
        assert_eq!(next_first(days_of(2024, 2, 1), Unit::Quarter), None);
        assert_eq!(next_first(days_of(2024, 2, 1), Unit::Month), Some(days_of(2024, 3, 1)));
        assert_eq!(next_first(days_of(2024, 1, 1), Unit::Week), Some(days_of(2024, 1, 8)));
        assert_eq!(next_first(days_of(2024, 1, 2), Unit::Week), None);
        assert_eq!(next_first(days_of(2024, 1, 2), Unit::Year), None);
    }
}
