//! `reverse(array)`: the elements in the opposite order. The form for strings is in the string
//! group.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#reverse>.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::Args;
use crate::functions::nested::lists::{Gather, Lists};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("reverse").form(&[Param::Array], Returns::Same(0), evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(args, 0)?;
    let mut gather = Gather::new(args.rows);
    for row in 0..args.rows {
        match lists.range(row) {
            Some(range) => {
                range.rev().for_each(|at| gather.push(at));
                gather.close_row();
            }
            None => gather.null_row(),
        }
    }
    gather.finish(args.return_field.data_type(), lists.values())
}
