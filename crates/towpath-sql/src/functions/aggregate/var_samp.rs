//! `var_samp(x)`: the sample variance; `variance` is the same.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#var_samp>. Computed by DataFusion, which
//! means the same.

use datafusion::functions_aggregate::variance::var_samp_udaf;

use super::definition::{AggregateFunction, match_double, returns_double};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("var_samp")
        .delegate("double", match_double, returns_double, var_samp_udaf())
        .alias("variance")
}
