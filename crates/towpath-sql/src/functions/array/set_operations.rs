//! What `array_except`, `array_intersect`, `array_union` and `arrays_overlap` share: two arrays
//! whose elements have keys that compare across both.

use std::ops::Range;

use arrow::array::ArrayRef;
use arrow::row::{Row, Rows};
use datafusion::common::{Result, exec_err};

use crate::functions::args::Args;
use crate::functions::nested::keys::keys;
use crate::functions::nested::lists::{Gather, Lists, joined};

/// Two columns of arrays over one column of elements.
#[derive(Debug)]
pub(super) struct TwoArrays {
    left: Lists,
    right: Lists,
    /// Elements of the right column stand after the left's.
    pub(super) values: ArrayRef,
    keys: Rows,
}

impl TwoArrays {
    pub(super) fn of(args: &Args<'_>) -> Result<TwoArrays> {
        let (left, right) = (Lists::of(args, 0)?, Lists::of(args, 1)?);
        let values = joined(left.values(), right.values())?;
        let Some(keys) = keys(&[&values])?.pop() else {
            return exec_err!("no keys");
        };
        Ok(TwoArrays { left, right, values, keys })
    }

    /// The two arrays of `row`, as ranges of [`TwoArrays::values`]; `None` if either is NULL.
    pub(super) fn ranges(&self, row: usize) -> Option<(Range<usize>, Range<usize>)> {
        let (left, right) = (self.left.range(row)?, self.right.range(row)?);
        let shift = self.left.values().len();
        Some((left, right.start + shift..right.end + shift))
    }

    /// What the element at `at` is compared by.
    pub(super) fn key(&self, at: usize) -> Row<'_> {
        self.keys.row(at)
    }
}

/// Evaluates a function that gives an array of elements of its two arrays.
pub(super) fn evaluate(
    args: &Args<'_>,
    row_elements: impl Fn(&TwoArrays, Range<usize>, Range<usize>, &mut Gather),
) -> Result<ArrayRef> {
    let arrays = TwoArrays::of(args)?;
    let mut gather = Gather::new(args.rows);
    for row in 0..args.rows {
        match arrays.ranges(row) {
            Some((left, right)) => {
                row_elements(&arrays, left, right, &mut gather);
                gather.close_row();
            }
            None => gather.null_row(),
        }
    }
    gather.finish(args.return_field.data_type(), &arrays.values)
}
