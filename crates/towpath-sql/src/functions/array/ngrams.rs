//! `ngrams(array, n)`: all runs of `n` neighbouring elements; the whole array if it is shorter.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#ngrams>.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::arrays_of_arrays::NestedGather;
use crate::functions::args::{Args, Value, invalid};
use crate::functions::nested::lists::{Lists, returns_array_of_arrays};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("ngrams").form(
        &[Param::Array, Param::Bigint],
        Returns::Field(returns_array_of_arrays),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(args, 0)?;
    let lengths = args.column::<i64>(1)?;
    let mut gather = NestedGather::new(args.rows);
    for row in 0..args.rows {
        let (Some(range), Some(length)) = (lists.range(row), i64::get(&lengths, row)) else {
            gather.null_row();
            continue;
        };
        if length <= 0 {
            return Err(invalid("N must be positive"));
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(range.len());
        let last = range.end - length;
        for start in range.start..=last {
            gather.push(start..start + length);
        }
        gather.close_row()?;
    }
    gather.finish(args.return_field.data_type(), lists.values())
}
