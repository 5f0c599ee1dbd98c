//! `cosine_distance(x, y)`: 1 less the cosine similarity of two vectors.
//!
//! <https://trino.io/docs/current/functions/math.html#cosine_distance>

use std::collections::BTreeMap;

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::vectors::{map_vectors, norm, pairs, vector_type};
use crate::functions::args::{Args, invalid};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("cosine_distance")
        .form(&[Param::DoubleArray, Param::DoubleArray], Returns::DOUBLE, arrays)
        .form_matched(
            "map(varchar, double), map(varchar, double)",
            vector_type,
            Returns::DOUBLE,
            maps,
        )
}

fn arrays(args: &Args<'_>) -> Result<ArrayRef> {
    pairs(args, |x, y| {
        let (length_x, length_y) = (norm(x), norm(y));
        if length_x == 0.0 || length_y == 0.0 {
            return Err(invalid("Vector magnitude cannot be zero"));
        }
        Ok(Some(1.0 - x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>() / (length_x * length_y)))
    })
}

fn maps(args: &Args<'_>) -> Result<ArrayRef> {
    map_vectors(args, |x, y| {
        let length = |one: &BTreeMap<String, f64>| {
            one.values().map(|value| value * value).sum::<f64>().sqrt()
        };
        let dot: f64 = x.iter().filter_map(|(key, value)| Some(value * y.get(key)?)).sum();
        let product = length(x) * length(y);
        (product != 0.0).then(|| 1.0 - dot / product)
    })
}
