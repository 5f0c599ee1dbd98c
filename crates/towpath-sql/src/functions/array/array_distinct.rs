//! `array_distinct(array)`: the array without repeated elements, the first of each kept.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#array_distinct>.
//!
//! NULL is an element like others here: one of them stays.

use std::collections::HashSet;

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::Args;
use crate::functions::nested::keys::keys;
use crate::functions::nested::lists::{Gather, Lists};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("array_distinct").form(&[Param::Array], Returns::Same(0), evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(args, 0)?;
    let all = keys(&[lists.values()])?;
    let mut gather = Gather::new(args.rows);
    let mut seen = HashSet::new();
    for row in 0..args.rows {
        let Some(range) = lists.range(row) else {
            gather.null_row();
            continue;
        };
        seen.clear();
        for at in range {
            if all.iter().any(|rows| seen.insert(rows.row(at))) {
                gather.push(at);
            }
        }
        gather.close_row();
    }
    gather.finish(args.return_field.data_type(), lists.values())
}
