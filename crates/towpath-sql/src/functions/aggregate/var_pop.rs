//! `var_pop(x)`: the population variance.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#var_pop>. Computed by DataFusion, which
//! means the same.

use datafusion::functions_aggregate::variance::var_pop_udaf;

use super::definition::{AggregateFunction, match_double, returns_double};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("var_pop").delegate(
        "double",
        match_double,
        returns_double,
        var_pop_udaf(),
    )
}
