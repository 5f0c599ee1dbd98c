//! `bitwise_left_shift(value, shift)`: the bits moved to the left, within the type of `value`; 0 once
//! all are out.
//!
//! <https://trino.io/docs/current/functions/bitwise.html#bitwise_left_shift>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::shift::{amount, signed};
use crate::functions::args::Args;
use crate::functions::integer_result::{map_integers, width_of};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("bitwise_left_shift").form(
        &[Param::AnyInteger, Param::Bigint],
        Returns::Same(0),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let width = width_of(&args.data_type(0)?);
    map_integers(args, |value, shift| {
        Ok(amount(shift, width).map_or(0, |shift| signed(value << shift, width)))
    })
}
