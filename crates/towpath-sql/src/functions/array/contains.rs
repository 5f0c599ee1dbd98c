//! `contains(array, element)`: if the array has the element.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#contains>.
//!
//! A NULL array or element gives NULL, and so does an array that has a NULL and not the element.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::row::Rows;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ColumnarValue;

use crate::functions::args::{Args, collect};
use crate::functions::nested::common_type::is_string;
use crate::functions::nested::keys::{is_nan, is_null, keys};
use crate::functions::nested::lists::{Lists, match_array_and_element};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("contains").form_matched(
        "array(E), E",
        match_array_and_element,
        Returns::BOOLEAN,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let found = ElementSearch::of(args)?;
    collect(args.rows, |row| {
        let Some(range) = found.lists.range(row) else {
            return Ok(None);
        };
        if !found.is_searchable(row) {
            return Ok(None);
        }
        if range.clone().any(|at| found.matches(at, row)) {
            return Ok(Some(true));
        }
        let nulls = range.into_iter().any(|at| is_null(found.lists.values(), at));
        Ok(if nulls { None } else { Some(false) })
    })
}

/// Arrays and, for each row, an element to look for in them.
#[derive(Debug)]
pub(crate) struct ElementSearch {
    pub(crate) lists: Lists,
    needle: ArrayRef,
    constant: bool,
    compared: Compared,
}

/// Elements and what is looked for, in a form that compares. Strings, by far the most common, are
/// compared where they are.
#[derive(Debug)]
enum Compared {
    Text(StringViewArray, StringViewArray),
    Keys(Rows, Rows),
}

impl ElementSearch {
    /// Arrays in the first argument, elements in the second.
    pub(crate) fn of(args: &Args<'_>) -> Result<ElementSearch> {
        let lists = Lists::of(args, 0)?;
        let (needle, constant) = match args.value(1)? {
            ColumnarValue::Scalar(scalar) => (scalar.to_array()?, true),
            ColumnarValue::Array(array) => (Arc::clone(array), false),
        };
        let compared = if is_string(lists.values().data_type()) && is_string(needle.data_type()) {
            let text = |array: &ArrayRef| -> Result<StringViewArray> {
                Ok(cast(array, &DataType::Utf8View)?.as_string_view().clone())
            };
            Compared::Text(text(lists.values())?, text(&needle)?)
        } else {
            let mut pair = keys(&[lists.values(), &needle])?.into_iter();
            let (Some(elements), Some(needles)) = (pair.next(), pair.next()) else {
                return exec_err!("no keys");
            };
            Compared::Keys(elements, needles)
        };
        Ok(ElementSearch { lists, needle, constant, compared })
    }

    fn needle_row(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }

    /// False if the element to look for is NULL.
    pub(crate) fn is_searchable(&self, row: usize) -> bool {
        self.needle.data_type() != &DataType::Null && self.needle.is_valid(self.needle_row(row))
    }

    /// If the element at `at` equals the one looked for in `row`. NULL and NaN equal nothing.
    pub(crate) fn matches(&self, at: usize, row: usize) -> bool {
        let values = self.lists.values();
        let row = self.needle_row(row);
        !is_null(values, at)
            && match &self.compared {
                Compared::Text(elements, needles) => elements.value(at) == needles.value(row),
                Compared::Keys(elements, needles) => {
                    elements.row(at) == needles.row(row) && !is_nan(values, at)
                }
            }
    }
}
