//! `greatest(x, …)`: the largest argument; NULL if any is NULL.
//!
//! Trino: <https://trino.io/docs/current/functions/comparison.html#greatest>.

use super::extremes;
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("greatest").form_matched(
        "E, ...",
        extremes::match_common,
        Returns::Field(extremes::returns),
        |args| extremes::evaluate(args, true),
    )
}
