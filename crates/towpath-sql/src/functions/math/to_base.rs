//! `to_base(x, radix)`: the number written in a base from 2 to 36.
//!
//! <https://trino.io/docs/current/functions/math.html#to_base>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, invalid, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("to_base").form(&[Param::Bigint, Param::Bigint], Returns::VARCHAR, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |x: i64, radix: i64| to_base(x, check_radix(radix)?).map(Some))
}

/// The radix, if it is from 2 to 36.
pub(super) fn check_radix(radix: i64) -> Result<u32> {
    match u32::try_from(radix) {
        Ok(radix @ 2..=36) => Ok(radix),
        _ => Err(invalid("Radix must be between 2 and 36")),
    }
}

fn to_base(x: i64, radix: u32) -> Result<String> {
    let mut rest = x.unsigned_abs();
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(rest % u64::from(radix)).unwrap_or(0);
        digits.extend(char::from_digit(digit, radix));
        rest /= u64::from(radix);
        if rest == 0 {
            break;
        }
    }
    if x < 0 {
        digits.push('-');
    }
    Ok(digits.into_iter().rev().collect())
}
