//! `date(x)`: `CAST(x AS date)` of a timestamp, date or text `yyyy-mm-dd`.
//!
//! <https://trino.io/docs/current/functions/datetime.html#date>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::calendar::{days_in_month, days_of};
use super::moments::{Moments, collect_ticks};
use super::preimage;
use crate::functions::args::{Args, invalid_cast};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("date")
        .preimage_with(preimage::of_date)
        .form(&[Param::Varchar], Returns::DATE, text)
        .form(&[Param::Date], Returns::DATE, moment)
        .form(&[Param::Timestamp], Returns::DATE, moment)
        .form(&[Param::TimestampTz], Returns::DATE, moment)
}

fn moment(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = Moments::of(args, 0)?;
    collect_ticks(args, |row| Ok(moments.get(row).map(|ticks| moments.local(ticks).days)))
}

fn text(args: &Args<'_>) -> Result<ArrayRef> {
    let texts = args.column::<&str>(0)?;
    collect_ticks(args, |row| {
        let Some(text) = texts.get(row) else { return Ok(None) };
        match parse_date(text.trim()) {
            Some(days) => Ok(Some(days)),
            None => Err(invalid_cast(format!("Value cannot be cast to date: {text}"))),
        }
    })
}

/// The days since 1970 of a text such as `2024-1-31`.
fn parse_date(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = digits.split('-').map(|part| {
        let plain = !part.is_empty() && part.len() <= 6 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<i64>().ok().filter(|_| plain)
    });
    let (year, month, day) = (parts.next()?? * sign, parts.next()??, parts.next()??);
    let fits = parts.next().is_none()
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day);
    fits.then(|| days_of(year, month, day))
}

#[cfg(test)]
mod tests {
    use super::parse_date;

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        assert_eq!(parse_date("1970-01-02"), Some(1));
        assert_eq!(parse_date("2013-8-2"), Some(15_919));
        for text in ["2023-13-01", "2023-02-30", "2023-01", "", "x", "2023-01-01-01", "2023-+1-01"]
        {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }
}
