//! `parse_duration(string)`: an interval of days to seconds from text such as `3.81 d`; the units are
//! `ns`, `us`, `ms`, `s`, `m`, `h`, `d`. It has whole milliseconds.
//!
//! <https://trino.io/docs/current/functions/datetime.html#parse_duration>

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::Result;

use super::moments::collect_ticks;
use crate::functions::args::{Args, invalid};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("parse_duration").form(
        &[Param::Varchar],
        Returns::Type(DataType::Duration(TimeUnit::Millisecond)),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let texts = args.column::<&str>(0)?;
    collect_ticks(args, |row| texts.get(row).map(parse).transpose())
}

#[expect(clippy::cast_possible_truncation, reason = "saturating")]
fn parse(text: &str) -> Result<i64> {
    let trimmed = text.trim();
    let at = trimmed.find(|one: char| !one.is_ascii_digit() && one != '.').unwrap_or(trimmed.len());
    let number = trimmed.get(..at).unwrap_or("");
    let unit = trimmed.get(at..).unwrap_or("").trim_start();
    let plain = number.starts_with(|one: char| one.is_ascii_digit())
        && number.ends_with(|one: char| one.is_ascii_digit());
    let number = number.parse::<f64>().ok().filter(|_| plain);
    let letters = !unit.is_empty() && unit.bytes().all(|byte| byte.is_ascii_alphabetic());
    let (Some(number), true) = (number, letters) else {
        return Err(invalid(format!("duration is not a valid data duration string: {text}")));
    };
    let millis = match unit {
        "ns" => 1e-6,
        "us" => 1e-3,
        "ms" => 1.0,
        "s" => 1_000.0,
        "m" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return Err(invalid(format!("Unknown time unit: {unit}"))),
    };
    Ok((number * millis + 0.5).floor() as i64)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn units_are_lower_case() {
        assert_eq!(parse("3.81 d").unwrap(), 329_184_000);
        assert_eq!(parse(" 5m ").unwrap(), 300_000);
        assert_eq!(parse("1ns").unwrap(), 0);
        for text in ["", "5", "m", "5 x", "-5s", ".5s", "5.s", "5S", "1 2s"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
