//! `slice(array, start, length)`: `length` elements from `start` on.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#slice>.
//!
//! * `start` counts from 1, and from the end if negative; 0 is an error;
//! * a start past either end gives an empty array, a length past the end stops there;
//! * a negative length is an error.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, Value, invalid};
use crate::functions::nested::lists::{Gather, Lists};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("slice").form(
        &[Param::Array, Param::Bigint, Param::Bigint],
        Returns::Same(0),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(args, 0)?;
    let (starts, lengths) = (args.column::<i64>(1)?, args.column::<i64>(2)?);
    let mut gather = Gather::new(args.rows);
    for row in 0..args.rows {
        let given = (lists.range(row), i64::get(&starts, row), i64::get(&lengths, row));
        let (Some(range), Some(start), Some(length)) = given else {
            gather.null_row();
            continue;
        };
        let Ok(length) = usize::try_from(length) else {
            return Err(invalid("length must be greater than or equal to 0"));
        };
        if start == 0 {
            return Err(invalid("SQL array indices start at 1"));
        }
        let distance = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
        let first = if start > 0 {
            Some(distance - 1).filter(|first| *first < range.len())
        } else {
            range.len().checked_sub(distance)
        };
        if let Some(first) = first {
            let from = range.start + first;
            gather.extend(from..from.saturating_add(length).min(range.end));
        }
        gather.close_row();
    }
    gather.finish(args.return_field.data_type(), lists.values())
}
