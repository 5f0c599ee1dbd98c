//! `trim_array(array, n)`: the array without its last `n` elements.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#trim_array>. A negative `n` is an
//! error, and so is one larger than the array.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, Value, invalid};
use crate::functions::nested::lists::{Gather, Lists};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("trim_array").form(
        &[Param::Array, Param::Bigint],
        Returns::Same(0),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(args, 0)?;
    let sizes = args.column::<i64>(1)?;
    let mut gather = Gather::new(args.rows);
    for row in 0..args.rows {
        let (Some(range), Some(size)) = (lists.range(row), i64::get(&sizes, row)) else {
            gather.null_row();
            continue;
        };
        let Ok(size) = usize::try_from(size) else {
            return Err(invalid("size must not be negative"));
        };
        if size > range.len() {
            return Err(invalid(format!(
                "size must not exceed array cardinality {}: {size}",
                range.len()
            )));
        }
        gather.extend(range.start..range.end - size);
        gather.close_row();
    }
    gather.finish(args.return_field.data_type(), lists.values())
}
