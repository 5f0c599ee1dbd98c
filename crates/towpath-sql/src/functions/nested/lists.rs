//! Reading arrays ([`Lists`]) and building them out of elements that exist already ([`Gather`]).

use std::ops::Range;
use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt64Builder, new_null_array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs};

use crate::functions::args::{Args, ErrorCode, error};
use crate::functions::nested::common_type::{common_type, common_type_of, normalized};

/// A column of arrays; a constant one is kept once.
#[derive(Debug, Clone)]
pub(crate) struct Lists {
    array: ListArray,
    constant: bool,
}

impl Lists {
    /// Argument `index` as arrays.
    pub(crate) fn of(args: &Args<'_>, index: usize) -> Result<Lists> {
        match args.value(index)? {
            ColumnarValue::Scalar(scalar) => {
                Ok(Lists { array: list_array(&scalar.to_array()?)?, constant: true })
            }
            ColumnarValue::Array(array) => Lists::of_array(array),
        }
    }

    /// Reads a list array; one of type Null counts as all NULL.
    pub(crate) fn of_array(array: &ArrayRef) -> Result<Lists> {
        Ok(Lists { array: list_array(array)?, constant: false })
    }

    /// Where the elements of `row` are in [`Lists::values`], `None` for NULL.
    pub(crate) fn range(&self, row: usize) -> Option<Range<usize>> {
        let row = if self.constant { 0 } else { row };
        if self.array.is_null(row) {
            return None;
        }
        let offsets = self.array.value_offsets();
        let bound = |at: usize| offsets.get(at).and_then(|offset| usize::try_from(*offset).ok());
        Some(bound(row)?..bound(row + 1)?)
    }

    /// The elements of all rows. Some may belong to no row.
    pub(crate) fn values(&self) -> &ArrayRef {
        self.array.values()
    }
}

fn list_array(array: &ArrayRef) -> Result<ListArray> {
    match array.data_type() {
        DataType::List(_) => Ok(array.as_list::<i32>().clone()),
        DataType::Null => {
            let nulls = new_null_array(&DataType::new_list(DataType::Null, true), array.len());
            Ok(nulls.as_list::<i32>().clone())
        }
        other => exec_err!("expected array, got {other}"),
    }
}

/// The field of the elements of a list type.
pub(crate) fn item_field(data_type: &DataType) -> Result<&FieldRef> {
    match data_type {
        DataType::List(item) => Ok(item),
        other => exec_err!("expected array, got {other}"),
    }
}

/// The list type with elements of `item`'s type, keeping its extension type.
pub(crate) fn list_of(item: &FieldRef) -> DataType {
    let item = item.as_ref().clone().with_name("item").with_nullable(true);
    DataType::List(Arc::new(item))
}

/// Builds a column of arrays by naming which existing elements each row has.
#[derive(Debug)]
pub(crate) struct Gather {
    indices: UInt64Builder,
    lengths: Vec<usize>,
    nulls: NullBufferBuilder,
    closed: usize,
}

impl Gather {
    pub(crate) fn new(rows: usize) -> Gather {
        Gather {
            indices: UInt64Builder::new(),
            lengths: Vec::with_capacity(rows),
            nulls: NullBufferBuilder::new(rows),
            closed: 0,
        }
    }

    /// Adds the element at `index` to the row.
    pub(crate) fn push(&mut self, index: usize) {
        self.indices.append_value(index as u64);
    }

    /// Adds the elements of `range` to the row.
    pub(crate) fn extend(&mut self, range: Range<usize>) {
        range.for_each(|index| self.push(index));
    }

    /// How many elements the row has so far.
    pub(crate) fn pending(&self) -> usize {
        self.len() - self.closed
    }

    /// How many elements all rows have so far.
    fn len(&self) -> usize {
        arrow::array::ArrayBuilder::len(&self.indices)
    }

    /// Ends the row.
    pub(crate) fn close_row(&mut self) {
        self.lengths.push(self.pending());
        self.closed = self.len();
        self.nulls.append_non_null();
    }

    /// Ends the row, which is NULL; elements added to it must be none.
    pub(crate) fn null_row(&mut self) {
        self.lengths.push(self.pending());
        self.closed = self.len();
        self.nulls.append_null();
    }

    /// The arrays of type `data_type`, elements taken from `values`.
    pub(crate) fn finish(mut self, data_type: &DataType, values: &ArrayRef) -> Result<ArrayRef> {
        let item = item_field(data_type)?;
        let indices = self.indices.finish();
        let values = take(values.as_ref(), &indices, None)?;
        list_of_values(item, &self.lengths, values, self.nulls)
    }
}

/// Most elements the arrays of one batch may have together; Arrow counts them in 32 bits.
const BATCH_ELEMENTS_MAX: usize = i32::MAX as usize;

/// Cuts `values` into arrays of `lengths`.
pub(crate) fn list_of_values(
    item: &FieldRef,
    lengths: &[usize],
    values: ArrayRef,
    mut nulls: NullBufferBuilder,
) -> Result<ArrayRef> {
    if values.len() > BATCH_ELEMENTS_MAX {
        return Err(error(
            ErrorCode::ExceededFunctionMemoryLimit,
            format!("arrays of one batch exceed the limit of {BATCH_ELEMENTS_MAX} elements"),
        ));
    }
    let offsets = OffsetBuffer::from_lengths(lengths.iter().copied());
    let values = relabeled(values, item.data_type())?;
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, nulls.finish())?))
}

/// Gives `values` the type `data_type`, which may differ from theirs in names and metadata only.
pub(crate) fn relabeled(values: ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    if values.data_type() == data_type {
        return Ok(values);
    }
    if values.data_type() == &DataType::Null {
        return Ok(new_null_array(data_type, values.len()));
    }
    match (values.data_type(), data_type) {
        (DataType::List(_), DataType::List(item)) => {
            let list = values.as_list::<i32>();
            let inner = relabeled(Arc::clone(list.values()), item.data_type())?;
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, inner, nulls)?))
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let row = values.as_struct();
            let columns: Result<Vec<ArrayRef>> = row
                .columns()
                .iter()
                .zip(fields)
                .map(|(column, field)| relabeled(Arc::clone(column), field.data_type()))
                .collect();
            let row = arrow::array::StructArray::try_new_with_length(
                fields.clone(),
                columns?,
                row.nulls().cloned(),
                row.len(),
            )?;
            Ok(Arc::new(row))
        }
        (DataType::Map(..), DataType::Map(entries, sorted)) => {
            let map = values.as_map();
            let inner: ArrayRef = Arc::new(map.entries().clone());
            let inner = relabeled(inner, entries.data_type())?;
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            Ok(Arc::new(arrow::array::MapArray::try_new(
                Arc::clone(entries),
                offsets,
                inner.as_struct().clone(),
                nulls,
                *sorted,
            )?))
        }
        _ => Ok(arrow::compute::cast(&values, data_type)?),
    }
}

/// The elements of both, those of `b` after those of `a`.
pub(crate) fn joined(a: &ArrayRef, b: &ArrayRef) -> Result<ArrayRef> {
    let b = relabeled(Arc::clone(b), a.data_type())?;
    Ok(concat(&[a.as_ref(), b.as_ref()])?)
}

/// Matches `(array(E), E)`.
pub(crate) fn match_array_and_element(given: &[DataType]) -> Option<Vec<DataType>> {
    let [array, element] = given else { return None };
    let (item, list) = item_of(array)?;
    let common = common_type(&item, element)?;
    Some(vec![with_item(list, common.clone()), common])
}

/// Matches any number of `array(E)`, at least one.
pub(crate) fn match_arrays(given: &[DataType]) -> Option<Vec<DataType>> {
    if given.is_empty() {
        return None;
    }
    let lists: Option<Vec<DataType>> =
        given.iter().map(|one| item_of(one).map(|(_, list)| list)).collect();
    let lists = lists?;
    let common = common_type_of(&lists)?;
    Some(vec![common; given.len()])
}

/// Matches `(array(E), array(E))`.
pub(crate) fn match_two_arrays(given: &[DataType]) -> Option<Vec<DataType>> {
    if given.len() == 2 { match_arrays(given) } else { None }
}

/// The type of the elements and the list as functions work on it; NULL is an array of NULLs.
pub(crate) fn item_of(data_type: &DataType) -> Option<(DataType, DataType)> {
    match normalized(data_type) {
        DataType::List(item) => Some((item.data_type().clone(), DataType::List(item))),
        DataType::Null => Some((DataType::Null, DataType::new_list(DataType::Null, true))),
        _ => None,
    }
}

/// `list` with elements of type `item`.
pub(crate) fn with_item(list: DataType, item: DataType) -> DataType {
    match list {
        DataType::List(field) if field.data_type() != &item => {
            DataType::List(Arc::new(field.as_ref().clone().with_data_type(item)))
        }
        other => other,
    }
}

/// What an element of the array in the first argument is, for `Returns::Field`.
pub(crate) fn returns_item(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let Some(list) = args.arg_fields.first() else {
        return exec_err!("expected array");
    };
    let item = item_field(list.data_type())?;
    Ok(Arc::new(item.as_ref().clone().with_nullable(true)))
}

/// An array of the arrays in the first argument, for `Returns::Field`.
pub(crate) fn returns_array_of_arrays(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let Some(list) = args.arg_fields.first() else {
        return exec_err!("expected array");
    };
    Ok(Arc::new(Field::new("", list_of(list), true)))
}

/// The value at `row`, of exactly the type of `column`.
///
/// `ScalarValue::try_from_array` gives arrays a fresh element field, which loses that the elements are
/// JSON; the plan then refuses the value.
pub(crate) fn scalar_at(column: &ArrayRef, row: usize) -> Result<ScalarValue> {
    if row >= column.len() {
        return exec_err!("row {row} is out of range");
    }
    let one = column.slice(row, 1);
    match column.data_type() {
        DataType::List(_) => Ok(ScalarValue::List(Arc::new(one.as_list::<i32>().clone()))),
        DataType::Struct(_) => Ok(ScalarValue::Struct(Arc::new(one.as_struct().clone()))),
        DataType::Map(..) => Ok(ScalarValue::Map(Arc::new(one.as_map().clone()))),
        _ => ScalarValue::try_from_array(&one, 0),
    }
}
