//! `bool_and(boolean)`: true if every value is true; NULL values are left out.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#bool_and>. Computed by DataFusion, which
//! means the same.

use datafusion::functions_aggregate::bool_and_or::bool_and_udaf;

use super::definition::{AggregateFunction, match_boolean, returns_boolean};

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("bool_and")
        .delegate("boolean", match_boolean, returns_boolean, bool_and_udaf())
        .alias("every")
}
