//! Building arrays of arrays out of elements that exist already: `combinations`, `ngrams`.

use arrow::array::ArrayRef;
use arrow::array::builder::NullBufferBuilder;
use datafusion::common::Result;

use crate::functions::args::{ErrorCode, error};
use crate::functions::nested::lists::{Gather, item_field, list_of_values};

/// Most elements all inner arrays of one batch may have together. Sub-arrays overlap, so their
/// elements are many times the input's; this keeps a batch below a gigabyte for wide elements.
const BATCH_ELEMENTS_MAX: usize = 10_000_000;

/// A column of arrays of arrays in the making.
#[derive(Debug)]
pub(super) struct NestedGather {
    inner: Gather,
    inner_rows: usize,
    lengths: Vec<usize>,
    nulls: NullBufferBuilder,
    elements: usize,
    closed: usize,
}

impl NestedGather {
    pub(super) fn new(rows: usize) -> NestedGather {
        NestedGather {
            inner: Gather::new(rows),
            inner_rows: 0,
            lengths: Vec::with_capacity(rows),
            nulls: NullBufferBuilder::new(rows),
            elements: 0,
            closed: 0,
        }
    }

    /// Adds an array of the elements at `positions` to the row.
    pub(super) fn push(&mut self, positions: impl Iterator<Item = usize>) {
        for position in positions {
            self.inner.push(position);
            self.elements += 1;
        }
        self.inner.close_row();
        self.inner_rows += 1;
    }

    /// Ends the row.
    pub(super) fn close_row(&mut self) -> Result<()> {
        if self.elements > BATCH_ELEMENTS_MAX {
            return Err(error(
                ErrorCode::ExceededFunctionMemoryLimit,
                format!(
                    "sub-arrays of one batch exceed the limit of {BATCH_ELEMENTS_MAX} elements"
                ),
            ));
        }
        self.lengths.push(self.inner_rows - self.closed);
        self.closed = self.inner_rows;
        self.nulls.append_non_null();
        Ok(())
    }

    /// Adds a NULL row.
    pub(super) fn null_row(&mut self) {
        self.lengths.push(0);
        self.nulls.append_null();
    }

    pub(super) fn finish(
        self,
        data_type: &arrow::datatypes::DataType,
        values: &ArrayRef,
    ) -> Result<ArrayRef> {
        let item = item_field(data_type)?;
        let inner = self.inner.finish(item.data_type(), values)?;
        list_of_values(item, &self.lengths, inner, self.nulls)
    }
}
