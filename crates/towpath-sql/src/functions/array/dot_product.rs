//! `dot_product(array, array)`: the sum of the products of paired elements, as a double.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#dot_product>. Arrays of different
//! lengths are an error.

use super::vectors;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("dot_product").form(
        &[Param::DoubleArray, Param::DoubleArray],
        Returns::DOUBLE,
        |args| vectors::evaluate(args, |pairs| pairs.map(|(x, y)| x * y).sum()),
    )
}
