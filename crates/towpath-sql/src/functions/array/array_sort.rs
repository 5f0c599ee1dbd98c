//! `array_sort(array)`: the elements in ascending order, NULL elements last. The form with a
//! comparison is in the lambda group.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#array_sort>.

use arrow::array::ArrayRef;
use arrow::compute::SortOptions;
use datafusion::common::{Result, exec_err};

use crate::functions::args::Args;
use crate::functions::nested::keys::keys_sorted;
use crate::functions::nested::lists::{Gather, Lists};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("array_sort").form(&[Param::Array], Returns::Same(0), evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(args, 0)?;
    let options = SortOptions { descending: false, nulls_first: false };
    let Some(rows) = keys_sorted(&[lists.values()], options)?.pop() else {
        return exec_err!("no keys");
    };
    let mut gather = Gather::new(args.rows);
    for row in 0..args.rows {
        let Some(range) = lists.range(row) else {
            gather.null_row();
            continue;
        };
        let mut order: Vec<usize> = range.collect();
        order.sort_by(|a, b| rows.row(*a).cmp(&rows.row(*b)));
        order.into_iter().for_each(|at| gather.push(at));
        gather.close_row();
    }
    gather.finish(args.return_field.data_type(), lists.values())
}
