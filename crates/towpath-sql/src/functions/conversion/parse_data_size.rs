//! `parse_data_size(string)`, also called `parse_presto_data_size`: the bytes in text such as
//! `2.3MB`, decimal(38,0). Units are `B`, `kB`, `MB` … `YB`, each 1024 of the one before; parts of a
//! byte are dropped.
//!
//! <https://trino.io/docs/current/functions/conversion.html#parse_data_size>

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::Decimal128Builder;
use arrow::datatypes::DataType;
use datafusion::common::Result;

use crate::functions::args::{Args, invalid, out_of_range};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("parse_data_size").alias("parse_presto_data_size").form(
        &[Param::Varchar],
        Returns::Type(DataType::Decimal128(38, 0)),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let texts = args.column::<&str>(0)?;
    let mut bytes =
        Decimal128Builder::with_capacity(args.rows).with_data_type(DataType::Decimal128(38, 0));
    for row in 0..args.rows {
        bytes.append_option(texts.get(row).map(parse).transpose()?);
    }
    Ok(Arc::new(bytes.finish()))
}

/// The largest decimal(38,0).
const BYTES_MAX: i128 = 10_i128.pow(38) - 1;

fn parse(text: &str) -> Result<i128> {
    let malformed = || invalid(format!("Invalid data size: '{text}'"));
    let at = text.find(|one: char| !one.is_ascii_digit() && one != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(at).ok_or_else(malformed)?;
    let exponent = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
        .iter()
        .position(|known| *known == unit)
        .ok_or_else(malformed)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
        return Err(malformed());
    }
    let out_of_bounds = || out_of_range(format!("Value out of range: '{text}'"));
    let digits =
        |text: &str| -> Option<i128> { if text.is_empty() { Some(0) } else { text.parse().ok() } };
    let factor = 1_i128 << (10 * exponent);
    let whole =
        digits(whole).and_then(|whole| whole.checked_mul(factor)).ok_or_else(out_of_bounds)?;
    // Twelve decimals of the largest unit are already less precise than any text that is meant.
    let kept = fraction.get(..fraction.len().min(12)).unwrap_or("");
    let scale = 10_i128.pow(u32::try_from(kept.len()).unwrap_or(0));
    let part = digits(kept).and_then(|part| part.checked_mul(factor)).ok_or_else(out_of_bounds)?;
    let bytes = whole + part / scale;
    if bytes > BYTES_MAX { Err(out_of_bounds()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn units_are_powers_of_1024() {
        assert_eq!(parse("1kB").unwrap(), 1_024);
        assert_eq!(parse("2.3MB").unwrap(), 2_411_724);
        assert_eq!(parse("0.5B").unwrap(), 0);
        assert_eq!(parse("1YB").unwrap(), 1 << 80);
        for text in ["", "1", "kB", "1KB", "1.2.3MB", ".B", "-1B", "1 kB", "99999999999999999999YB"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
