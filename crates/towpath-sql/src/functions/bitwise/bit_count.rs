//! `bit_count(x, bits)`: how many bits are set in `x` as a signed number of `bits` bits, in two's
//! complement.
//!
//! <https://trino.io/docs/current/functions/bitwise.html#bit_count>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, invalid, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("bit_count").form(
        &[Param::Bigint, Param::Bigint],
        Returns::BIGINT,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |x: i64, bits: i64| bit_count(x, bits).map(Some))
}

fn bit_count(x: i64, bits: i64) -> Result<i64> {
    let Some(unused) =
        u32::try_from(64_i64.saturating_sub(bits)).ok().filter(|unused| *unused <= 62)
    else {
        return Err(invalid(format!(
            "Bits specified in bit_count must be between 2 and 64, got {bits}"
        )));
    };
    if (x << unused) >> unused != x {
        return Err(invalid(format!(
            "Number must be representable with the bits specified. \
             {x} cannot be represented with {bits} bits"
        )));
    }
    Ok(i64::from((x << unused).count_ones()))
}

#[cfg(test)]
mod tests {
    use super::bit_count;

    #[test]
    fn only_the_given_bits_count() {
        assert_eq!(bit_count(9, 64).unwrap(), 2);
        assert_eq!(bit_count(-7, 64).unwrap(), 62);
        assert_eq!(bit_count(-7, 8).unwrap(), 6);
        assert_eq!(bit_count(-1, 62).unwrap(), 62);
        assert!(bit_count(33_554_132, 25).is_err());
        assert!(bit_count(0, 1).is_err());
        assert!(bit_count(0, 65).is_err());
        assert!(bit_count(0, i64::MIN + 64).is_err());
    }
}
