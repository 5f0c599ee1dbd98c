//! `$unnest_rows(ordinality, collection, …)`: the collections side by side as one array of rows.
//!
//! An array gives its items, an array of rows their fields, a map its keys and values; shorter
//! collections are padded with NULL to the longest, and the position may follow as the last field.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, StructArray, UInt64Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs};

use super::{Operator, over_arrays};
use crate::data_type::unnamed_field;

pub(super) fn operator() -> Operator {
    Operator::new("$unnest_rows", returns, evaluate)
}

fn returns(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let mut fields: Vec<FieldRef> = Vec::new();
    for argument in args.arg_fields.iter().skip(1) {
        match argument.data_type() {
            DataType::List(item) => match item.data_type() {
                DataType::Struct(inner) => fields.extend(inner.iter().cloned()),
                _ => fields.push(Arc::clone(item)),
            },
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(inner) => fields.extend(inner.iter().cloned()),
                other => return exec_err!("a map has rows of entries, not {other}"),
            },
            other => return exec_err!("Cannot unnest type: {other}"),
        }
    }
    if let Some(Some(ScalarValue::Boolean(Some(true)))) = args.scalar_arguments.first() {
        fields.push(Arc::new(Field::new("", DataType::Int64, true)));
    }
    let fields: Fields = fields
        .into_iter()
        .enumerate()
        .map(|(at, field)| field.as_ref().clone().with_name(unnamed_field(at)).with_nullable(true))
        .collect();
    let item = Field::new("item", DataType::Struct(fields), true);
    Ok(Arc::new(Field::new("", DataType::List(Arc::new(item)), true)))
}

fn evaluate(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let DataType::List(item) = args.return_field.data_type().clone() else {
        return exec_err!("unnesting yields an array");
    };
    let ordinality =
        matches!(args.args.first(), Some(ColumnarValue::Scalar(ScalarValue::Boolean(Some(true)))));
    over_arrays(args, |arrays| {
        let rows = arrays.first().map_or(0, Array::len);
        let collections = arrays.iter().skip(1).map(Collection::new).collect::<Result<Vec<_>>>()?;
        let lengths: Vec<usize> = (0..rows)
            .map(|row| collections.iter().map(|one| one.range(row).len()).max().unwrap_or(0))
            .collect();
        let mut columns = Vec::new();
        for collection in &collections {
            let places = collection.places(&lengths);
            for values in &collection.columns {
                columns.push(take(values, &places, None)?);
            }
        }
        if ordinality {
            let positions: Int64Array =
                lengths.iter().flat_map(|length| 1..=i64::try_from(*length).unwrap_or(0)).collect();
            columns.push(Arc::new(positions));
        }
        let DataType::Struct(fields) = item.data_type() else {
            return exec_err!("unnesting yields rows");
        };
        let zipped = StructArray::try_new(fields.clone(), columns, None)?;
        let offsets = OffsetBuffer::from_lengths(lengths);
        Ok(Arc::new(ListArray::try_new(item, offsets, Arc::new(zipped), None)?))
    })
}

/// A column of arrays or maps, its values flat.
struct Collection {
    offsets: OffsetBuffer<i32>,
    nulls: Option<arrow::buffer::NullBuffer>,
    columns: Vec<ArrayRef>,
}

impl Collection {
    fn new(array: &ArrayRef) -> Result<Collection> {
        let (offsets, nulls, values) = match array.data_type() {
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                (list.offsets().clone(), list.nulls().cloned(), Arc::clone(list.values()))
            }
            DataType::Map(..) => {
                let map = array.as_map();
                let entries: ArrayRef = Arc::new(map.entries().clone());
                (map.offsets().clone(), map.nulls().cloned(), entries)
            }
            other => return exec_err!("Cannot unnest type: {other}"),
        };
        let columns = match values.data_type() {
            DataType::Struct(_) => fields_of(values.as_struct())?,
            _ => vec![values],
        };
        Ok(Collection { offsets, nulls, columns })
    }

    fn range(&self, row: usize) -> std::ops::Range<usize> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return 0..0;
        }
        let bound = |at: usize| {
            self.offsets.get(at).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0)
        };
        bound(row)..bound(row + 1)
    }

    /// Where each produced row finds its value; nowhere past the end of a shorter collection.
    fn places(&self, lengths: &[usize]) -> UInt64Array {
        let mut places = Vec::with_capacity(lengths.iter().sum());
        for (row, length) in lengths.iter().enumerate() {
            let range = self.range(row);
            let padding = length - range.len();
            places.extend(range.map(|at| u64::try_from(at).ok()));
            places.extend(std::iter::repeat_n(None, padding));
        }
        UInt64Array::from(places)
    }
}

/// The fields of rows, NULL where the row is.
fn fields_of(rows: &StructArray) -> Result<Vec<ArrayRef>> {
    let Some(nulls) = rows.nulls() else { return Ok(rows.columns().to_vec()) };
    let places: UInt64Array = (0..rows.len())
        .map(|row| if nulls.is_null(row) { None } else { u64::try_from(row).ok() })
        .collect();
    rows.columns().iter().map(|column| Ok(take(column, &places, None)?)).collect()
}
