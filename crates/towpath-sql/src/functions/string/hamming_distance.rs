//! `hamming_distance(string1, string2)`: at how many positions two strings of one length differ.
//!
//! <https://trino.io/docs/current/functions/string.html#hamming_distance>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, invalid, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("hamming_distance").form(
        &[Param::Varchar, Param::Varchar],
        Returns::BIGINT,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |left: &str, right: &str| {
        let (mut left, mut right) = (left.chars(), right.chars());
        let mut distance = 0_i64;
        loop {
            match (left.next(), right.next()) {
                (Some(a), Some(b)) => distance += i64::from(a != b),
                (None, None) => return Ok(Some(distance)),
                _ => {
                    return Err(invalid(
                        "The input strings to hamming_distance function must have the same length",
                    ));
                }
            }
        }
    })
}
