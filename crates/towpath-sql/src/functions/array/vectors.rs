//! What `dot_product` and `euclidean_distance` share: pairs of arrays of numbers.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::Float64Type;
use datafusion::common::Result;

use crate::functions::args::{Args, collect, invalid};
use crate::functions::nested::lists::Lists;

/// Computes a number from the paired elements of two arrays of the same length.
///
/// A NULL array or element gives NULL.
pub(super) fn evaluate(
    args: &Args<'_>,
    compute: impl Fn(&mut dyn Iterator<Item = (f64, f64)>) -> f64,
) -> Result<ArrayRef> {
    let (left, right) = (Lists::of(args, 0)?, Lists::of(args, 1)?);
    let a_values = arrow::compute::cast(left.values(), &arrow::datatypes::DataType::Float64)?;
    let b_values = arrow::compute::cast(right.values(), &arrow::datatypes::DataType::Float64)?;
    let (a, b) = (a_values.as_primitive::<Float64Type>(), b_values.as_primitive::<Float64Type>());
    collect(args.rows, |row| {
        let (Some(left), Some(right)) = (left.range(row), right.range(row)) else {
            return Ok(None);
        };
        if left.len() != right.len() {
            return Err(invalid("The arguments must have the same length"));
        }
        if left.clone().any(|at| a.is_null(at)) || right.clone().any(|at| b.is_null(at)) {
            return Ok(None);
        }
        let mut pairs = left.zip(right).map(|(x, y)| (a.value(x), b.value(y)));
        Ok(Some(compute(&mut pairs)))
    })
}
