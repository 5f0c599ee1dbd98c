//! `bitwise_or(x, y)`: the OR of two bigints in two's complement, bigint.
//!
//! <https://trino.io/docs/current/functions/bitwise.html#bitwise_or>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("bitwise_or").form(
        &[Param::Bigint, Param::Bigint],
        Returns::BIGINT,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |x: i64, y: i64| Ok(Some(x | y)))
}
