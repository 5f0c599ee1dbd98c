//! `bitwise_right_shift_arithmetic(value, shift)`: the bits moved to the right with the sign moving
//! in; 0 or -1 once all are out.
//!
//! <https://trino.io/docs/current/functions/bitwise.html#bitwise_right_shift_arithmetic>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::shift::amount;
use crate::functions::args::Args;
use crate::functions::integer_result::{map_integers, width_of};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("bitwise_right_shift_arithmetic").form(
        &[Param::AnyInteger, Param::Bigint],
        Returns::Same(0),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let width = width_of(&args.data_type(0)?);
    map_integers(args, |value, shift| {
        Ok(amount(shift, width).map_or(value >> 63, |shift| value >> shift))
    })
}
