//! `cardinality(array)`: how many elements there are. The forms for maps and `HyperLogLog` sketches
//! are in their groups.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#cardinality>.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;

use crate::functions::args::{Args, collect};
use crate::functions::nested::lists::{Lists, item_of};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("cardinality").form_matched(
        "array(E)",
        |given: &[DataType]| match given {
            [one] => item_of(one).map(|(_, list)| vec![list]),
            _ => None,
        },
        Returns::BIGINT,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(args, 0)?;
    collect(args.rows, |row| {
        Ok(lists.range(row).map(|range| i64::try_from(range.len()).unwrap_or(i64::MAX)))
    })
}
