//! `euclidean_distance(array, array)`: the distance of two points, as a double.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#euclidean_distance>. Arrays of
//! different lengths are an error.

use super::vectors;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("euclidean_distance").form(
        &[Param::DoubleArray, Param::DoubleArray],
        Returns::DOUBLE,
        |args| {
            vectors::evaluate(args, |pairs| pairs.map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt())
        },
    )
}
