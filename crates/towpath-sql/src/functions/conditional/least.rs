//! `least(x, …)`: the smallest argument; NULL if any is NULL.
//!
//! Trino: <https://trino.io/docs/current/functions/comparison.html#least>.

use super::extremes;
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("least").form_matched(
        "E, ...",
        extremes::match_common,
        Returns::Field(extremes::returns),
        |args| extremes::evaluate(args, false),
    )
}
