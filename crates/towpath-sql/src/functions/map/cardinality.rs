//! `cardinality(map)`: how many entries there are.
//!
//! Trino: <https://trino.io/docs/current/functions/map.html#cardinality>.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, collect};
use crate::functions::nested::maps::{Maps, match_map};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("cardinality").form_matched(
        "map(K,V)",
        match_map,
        Returns::BIGINT,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let maps = Maps::of(args, 0)?;
    collect(args.rows, |row| {
        Ok(maps.range(row).map(|range| i64::try_from(range.len()).unwrap_or(i64::MAX)))
    })
}
