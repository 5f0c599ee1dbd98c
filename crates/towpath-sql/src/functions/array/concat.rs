//! `concat(array, array, …)` and `array || array`; also an element before or after an array. The
//! forms for strings are in the string group.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#concat>. Any NULL array gives NULL; a
//! NULL element is an element.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::concat;
use arrow::datatypes::DataType;
use datafusion::common::Result;

use crate::functions::args::{Args, ErrorCode, error};
use crate::functions::nested::common_type::common_type;
use crate::functions::nested::lists::{Gather, Lists, item_of, match_arrays, relabeled, with_item};
use crate::functions::scalar::{Returns, ScalarFunction};

/// Most elements of one result: an array that is joined to itself again and again doubles each time.
const ELEMENTS_MAX: usize = 1 << 20;

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("concat")
        .form_matched(
            "array(E), array(E), ...",
            |given| {
                let some_array = given.iter().any(|one| !matches!(one, DataType::Null));
                if given.len() > 1 && some_array { match_arrays(given) } else { None }
            },
            Returns::Same(0),
            concat_arrays,
        )
        .form_matched("array(E), E", |given| match_element(given, true), Returns::Same(0), append)
        .form_matched("E, array(E)", |given| match_element(given, false), Returns::Same(1), prepend)
}

/// Matches an array and an element, in that order if `array_first`.
fn match_element(given: &[DataType], array_first: bool) -> Option<Vec<DataType>> {
    let [left, right] = given else { return None };
    let (array, element) = if array_first { (left, right) } else { (right, left) };
    if array == &DataType::Null {
        return None;
    }
    let (item, list) = item_of(array)?;
    let common = common_type(&item, element)?;
    let list = with_item(list, common.clone());
    Some(if array_first { vec![list, common] } else { vec![common, list] })
}

/// One part of each row's result: where its elements are, `None` if the part is NULL.
type Part = Box<dyn Fn(usize) -> Option<Range<usize>>>;

fn concat_arrays(args: &Args<'_>) -> Result<ArrayRef> {
    let lists: Result<Vec<Lists>> = (0..args.len()).map(|index| Lists::of(args, index)).collect();
    let mut values = Vec::new();
    let mut parts: Vec<Part> = Vec::new();
    let mut shift = 0;
    for list in lists? {
        values.push(Arc::clone(list.values()));
        let start = shift;
        shift += list.values().len();
        parts.push(Box::new(move |row| {
            list.range(row).map(|range| range.start + start..range.end + start)
        }));
    }
    gather_parts(args, &values, &parts)
}

fn append(args: &Args<'_>) -> Result<ArrayRef> {
    let (values, array, element) = array_and_element(args, 0, 1)?;
    gather_parts(args, &values, &[array, element])
}

fn prepend(args: &Args<'_>) -> Result<ArrayRef> {
    let (values, array, element) = array_and_element(args, 1, 0)?;
    gather_parts(args, &values, &[element, array])
}

fn array_and_element(
    args: &Args<'_>,
    array_index: usize,
    element_index: usize,
) -> Result<(Vec<ArrayRef>, Part, Part)> {
    let lists = Lists::of(args, array_index)?;
    let elements = args.array(element_index)?;
    let shift = lists.values().len();
    let values = vec![Arc::clone(lists.values()), elements];
    let array: Part = Box::new(move |row| lists.range(row));
    let element: Part = Box::new(move |row| Some(shift + row..shift + row + 1));
    Ok((values, array, element))
}

fn gather_parts(args: &Args<'_>, values: &[ArrayRef], parts: &[Part]) -> Result<ArrayRef> {
    let data_type = values.first().map_or(DataType::Null, |first| first.data_type().clone());
    let same: Result<Vec<ArrayRef>> =
        values.iter().map(|one| relabeled(Arc::clone(one), &data_type)).collect();
    let same = same?;
    let borrowed: Vec<&dyn Array> = same.iter().map(AsRef::as_ref).collect();
    let all = concat(&borrowed)?;
    let mut gather = Gather::new(args.rows);
    for row in 0..args.rows {
        let ranges: Option<Vec<Range<usize>>> = parts.iter().map(|part| part(row)).collect();
        match ranges {
            Some(ranges) => {
                let added: usize = ranges.iter().map(ExactSizeIterator::len).sum();
                if added > ELEMENTS_MAX {
                    return Err(error(
                        ErrorCode::ExceededFunctionMemoryLimit,
                        format!("array exceeds the limit of {ELEMENTS_MAX} elements"),
                    ));
                }
                ranges.into_iter().for_each(|range| gather.extend(range));
                gather.close_row();
            }
            None => gather.null_row(),
        }
    }
    gather.finish(args.return_field.data_type(), &all)
}
