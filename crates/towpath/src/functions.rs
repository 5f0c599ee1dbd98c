//! What the Lake's table derives from the stored columns: `eventTime` to the millisecond,
//! `calendarday`, `eventJson` and `eventJsonChecksum`.
//!
//! These are functions of the view, not of the SQL dialect: no statement can name them. The two of
//! time know their preimage, so that a comparison with a constant becomes a range over the stored
//! column, which prunes data files, row groups and pages.

use std::sync::Arc;

use arrow::array::{
    Array, AsArray, Int64Array, StringViewBuilder, TimestampMicrosecondArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use arrow::temporal_conversions::timestamp_us_to_datetime;
use chrono::{Datelike, Days, NaiveDate};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use sha2::{Digest, Sha256};
use towpath_event::event_texts;

/// What the functions of time are called in plans.
pub(crate) const TIMESTAMP_MILLIS: &str = "towpath_timestamp_millis";
pub(crate) const CALENDAR_DAY: &str = "towpath_calendarday";

const MICROS_PER_MILLI: i64 = 1_000;

/// The stored type of `eventTime`: microseconds, UTC.
fn stored_time(micros: i64) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into()))
}

/// `expr` as the Lake's `timestamp(3)`: milliseconds since 1970, UTC, without a zone; what is
/// finer than a millisecond is cut off.
pub(crate) fn timestamp_millis(expr: Expr) -> Expr {
    ScalarUDF::new_from_impl(TimestampMillis::new()).call(vec![expr])
}

/// The UTC day of `expr` as the bigint `YYYYMMDD`, the Lake's `calendarday`.
pub(crate) fn calendarday(expr: Expr) -> Expr {
    ScalarUDF::new_from_impl(CalendarDay::new()).call(vec![expr])
}

/// The lower-case hexadecimal SHA-256 of the text `expr`, which is towpath's `eventJsonChecksum`.
/// AWS does not document its algorithm.
pub(crate) fn sha256_hex(expr: Expr) -> Expr {
    ScalarUDF::new_from_impl(Sha256Hex::new()).call(vec![expr])
}

/// The exact texts of events, of which `columns` are the physical columns in order.
pub(crate) fn event_json(columns: Vec<Expr>) -> Expr {
    ScalarUDF::new_from_impl(EventJson::new(columns.len())).call(columns)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TimestampMillis {
    signature: Signature,
}

impl TimestampMillis {
    fn new() -> TimestampMillis {
        TimestampMillis { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for TimestampMillis {
    fn name(&self) -> &'static str {
        TIMESTAMP_MILLIS
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Timestamp(TimeUnit::Millisecond, None))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let micros = stored_times(self.name(), &args)?;
        let millis: TimestampMillisecondArray =
            micros.unary(|value| value.div_euclid(MICROS_PER_MILLI));
        Ok(ColumnarValue::Array(Arc::new(millis)))
    }

    fn preimage(
        &self,
        args: &[Expr],
        literal: &Expr,
        _: &SimplifyContext,
    ) -> Result<PreimageResult> {
        let Expr::Literal(ScalarValue::TimestampMillisecond(Some(millis), None), _) = literal
        else {
            return Ok(PreimageResult::None);
        };
        let start = millis.checked_mul(MICROS_PER_MILLI);
        let end = start.and_then(|start| start.checked_add(MICROS_PER_MILLI));
        half_open(args, start.zip(end))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CalendarDay {
    signature: Signature,
}

impl CalendarDay {
    fn new() -> CalendarDay {
        CalendarDay { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for CalendarDay {
    fn name(&self) -> &'static str {
        CALENDAR_DAY
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let micros = stored_times(self.name(), &args)?;
        let days: Int64Array = micros.unary_opt(day_of);
        Ok(ColumnarValue::Array(Arc::new(days)))
    }

    /// A number that is no date has no preimage, and the comparison stays as it is.
    fn preimage(
        &self,
        args: &[Expr],
        literal: &Expr,
        _: &SimplifyContext,
    ) -> Result<PreimageResult> {
        let Expr::Literal(ScalarValue::Int64(Some(day)), _) = literal else {
            return Ok(PreimageResult::None);
        };
        let start = date_of(*day);
        let end = start.and_then(|date| date.checked_add_days(Days::new(1)));
        half_open(args, start.and_then(micros_at).zip(end.and_then(micros_at)))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sha256Hex {
    signature: Signature,
}

impl Sha256Hex {
    fn new() -> Sha256Hex {
        Sha256Hex { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Sha256Hex {
    fn name(&self) -> &'static str {
        "towpath_sha256_hex"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let Some(texts) = columns[0].as_string_view_opt() else {
            return exec_err!("{} takes a text", self.name());
        };
        let mut hashes = StringViewBuilder::with_capacity(texts.len());
        for text in texts {
            hashes.append_option(text.map(|text| format!("{:x}", Sha256::digest(text))));
        }
        Ok(ColumnarValue::Array(Arc::new(hashes.finish())))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct EventJson {
    signature: Signature,
}

impl EventJson {
    fn new(columns: usize) -> EventJson {
        EventJson { signature: Signature::any(columns, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for EventJson {
    fn name(&self) -> &'static str {
        "towpath_event_json"
    }

    /// Without the columns, which are all there are and would bury the rest of a plan.
    fn display_name(&self, _: &[Expr]) -> Result<String> {
        Ok(format!("{}()", self.name()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        match event_texts(&columns) {
            Ok(texts) => Ok(ColumnarValue::Array(Arc::new(texts))),
            Err(err) => Err(DataFusionError::External(Box::new(err))),
        }
    }
}

/// The stored event times that `function` is called with.
fn stored_times(function: &str, args: &ScalarFunctionArgs) -> Result<TimestampMicrosecondArray> {
    let columns = ColumnarValue::values_to_arrays(&args.args)?;
    match columns.first().and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>()) {
        Some(micros) => Ok(micros.clone()),
        None => exec_err!("{function} takes a stored event time"),
    }
}

/// The preimage `[start, end)` of a comparison over the one argument in `args`.
fn half_open(args: &[Expr], bounds: Option<(i64, i64)>) -> Result<PreimageResult> {
    let (Some((start, end)), [expr]) = (bounds, args) else {
        return Ok(PreimageResult::None);
    };
    let interval = Interval::try_new(stored_time(start), stored_time(end))?;
    Ok(PreimageResult::Range { expr: expr.clone(), interval: Box::new(interval) })
}

fn day_of(micros: i64) -> Option<i64> {
    let date = timestamp_us_to_datetime(micros)?.date();
    Some(i64::from(date.year()) * 10_000 + i64::from(date.month()) * 100 + i64::from(date.day()))
}

fn date_of(day: i64) -> Option<NaiveDate> {
    let year = i32::try_from(day / 10_000).ok()?;
    let month = u32::try_from(day / 100 % 100).ok()?;
    NaiveDate::from_ymd_opt(year, month, u32::try_from(day % 100).ok()?)
}

fn micros_at(date: NaiveDate) -> Option<i64> {
    Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::{date_of, day_of, micros_at};

    #[test]
    fn a_day_is_the_utc_day_of_the_event_time() {
        let midnight = micros_at(date_of(20_240_229).unwrap()).unwrap();
        assert_eq!(day_of(midnight), Some(20_240_229));
        assert_eq!(day_of(midnight - 1), Some(20_240_228));
        assert_eq!(day_of(midnight + 86_400_000_000), Some(20_240_301));
    }

    #[test]
    fn a_number_that_is_no_date_has_no_day() {
        assert_eq!(date_of(20_240_230), None);
        assert_eq!(date_of(0), None);
        assert_eq!(date_of(-20_240_101), None);
        assert_eq!(date_of(i64::MAX), None);
    }
}
