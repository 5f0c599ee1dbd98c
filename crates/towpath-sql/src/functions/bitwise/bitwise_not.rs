//! `bitwise_not(x)`: the NOT of a bigint in two's complement, bigint.
//!
//! <https://trino.io/docs/current/functions/bitwise.html#bitwise_not>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("bitwise_not").form(&[Param::Bigint], Returns::BIGINT, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |x: i64| Ok(Some(!x)))
}
