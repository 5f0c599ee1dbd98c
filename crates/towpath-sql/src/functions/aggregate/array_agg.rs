//! `array_agg([DISTINCT] x [ORDER BY …])`: all values as an array, NULL ones too; NULL if there are no
//! rows.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#array_agg>. Computed by DataFusion,
//! which means the same.

use arrow::datatypes::FieldRef;
use datafusion::common::Result;
use datafusion::functions_aggregate::array_agg::array_agg_udaf;

use super::definition::{AggregateFunction, field, match_any, unnamed};
use crate::functions::nested::lists::list_of;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("array_agg")
        .delegate("T", match_any, returns, array_agg_udaf())
        .orders_distinct()
}

fn returns(fields: &[FieldRef]) -> Result<FieldRef> {
    Ok(unnamed(list_of(field(fields, 0)?)))
}
