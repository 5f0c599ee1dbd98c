//! `typeof(x)`: the name of the type of `x`, such as `varchar(3)`, `integer` or `array(bigint)`.
//!
//! What Arrow does not know of a type (the bound of a varchar that is no literal) only the planner
//! can say; where it does not answer the call itself, the name here is without it.
//!
//! <https://trino.io/docs/current/functions/conversion.html#typeof>

use arrow::array::ArrayRef;
use arrow::datatypes::Field;
use datafusion::common::Result;

use crate::functions::args::{Args, collect};
use crate::functions::scalar::{Param, Returns, ScalarFunction};
use crate::functions::type_name::type_name;

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("typeof").form(&[Param::Any], Returns::VARCHAR, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let name = match args.fields.first() {
        Some(field) => type_name(field),
        None => type_name(&Field::new("", args.data_type(0)?, true)),
    };
    collect(args.rows, |_| Ok(Some(name.as_str())))
}
