//! `from_base(string, radix)`: the number written in a base from 2 to 36, bigint.
//!
//! <https://trino.io/docs/current/functions/math.html#from_base>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::to_base::check_radix;
use crate::functions::args::{Args, invalid, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("from_base").form(
        &[Param::Varchar, Param::Bigint],
        Returns::BIGINT,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |text: &str, radix: i64| match i64::from_str_radix(text, check_radix(radix)?) {
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(invalid(format!("Not a valid base-{radix} number: {text}"))),
    })
}
