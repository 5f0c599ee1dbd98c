//! `luhn_check(string)`: whether a string of digits has a right last digit by Luhn's algorithm.
//!
//! <https://trino.io/docs/current/functions/string.html#luhn_check>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, invalid, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("luhn_check").form(&[Param::Varchar], Returns::BOOLEAN, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |text: &str| luhn(text).map(Some))
}

fn luhn(text: &str) -> Result<bool> {
    if text.is_empty() {
        return Ok(false);
    }
    let mut sum = 0_u64;
    for (index, character) in text.chars().rev().enumerate() {
        let Some(digit) = character.to_digit(10) else {
            return Err(invalid("Input contains non-digit characters"));
        };
        let digit = u64::from(digit);
        let doubled = digit * 2;
        sum += match (index % 2, doubled > 9) {
            (0, _) => digit,
            (_, true) => doubled - 9,
            (_, false) => doubled,
        };
    }
    Ok(sum.is_multiple_of(10))
}

#[cfg(test)]
mod tests {
    use super::luhn;

    #[test]
    fn the_last_digit_is_checked() {
        assert!(luhn("79927398713").unwrap());
        assert!(!luhn("79927398714").unwrap());
        assert!(!luhn("").unwrap());
        assert!(luhn("7992x").is_err());
    }
}
