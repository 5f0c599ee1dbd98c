//! `flatten(array(array))`: the elements of all inner arrays in one array.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#flatten>. NULL inner arrays are left
//! out.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;

use crate::functions::args::Args;
use crate::functions::nested::lists::{Gather, Lists, item_of, returns_item, with_item};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("flatten").form_matched(
        "array(array(E))",
        match_array_of_arrays,
        Returns::Field(returns_item),
        evaluate,
    )
}

fn match_array_of_arrays(given: &[DataType]) -> Option<Vec<DataType>> {
    let [one] = given else { return None };
    let (item, list) = item_of(one)?;
    let (_, inner) = item_of(&item)?;
    Some(vec![with_item(list, inner)])
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let outer = Lists::of(args, 0)?;
    let inner = Lists::of_array(outer.values())?;
    let mut gather = Gather::new(args.rows);
    for row in 0..args.rows {
        match outer.range(row) {
            Some(range) => {
                range.filter_map(|at| inner.range(at)).for_each(|range| gather.extend(range));
                gather.close_row();
            }
            None => gather.null_row(),
        }
    }
    gather.finish(args.return_field.data_type(), inner.values())
}
