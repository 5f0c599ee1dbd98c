//! What `greatest` and `least` share.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt64Array};
use arrow::compute::{interleave, take};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use crate::functions::args::Args;
use crate::functions::nested::common_type::common_type_of;
use crate::functions::nested::keys::{is_nan, is_null, keys};
use crate::functions::nested::lists::relabeled;

/// Matches one argument or more with a type in common.
pub(super) fn match_common(given: &[DataType]) -> Option<Vec<DataType>> {
    if given.is_empty() {
        return None;
    }
    common_type_of(given).map(|common| vec![common; given.len()])
}

/// The largest (or smallest) argument of each row; NULL if any is NULL. NaN counts only if nothing else
/// is there.
pub(super) fn evaluate(args: &Args<'_>, largest: bool) -> Result<ArrayRef> {
    let data_type = args.return_field.data_type();
    let columns: Result<Vec<ArrayRef>> =
        (0..args.len()).map(|index| relabeled(args.array(index)?, data_type)).collect();
    let columns = columns?;
    let borrowed: Vec<&ArrayRef> = columns.iter().collect();
    let rows = keys(&borrowed)?;
    let mut places = Vec::with_capacity(args.rows);
    let mut valid = Vec::with_capacity(args.rows);
    for row in 0..args.rows {
        valid.push(columns.iter().all(|column| !is_null(column, row)));
        let mut best = 0;
        for (index, (column, own)) in columns.iter().zip(&rows).enumerate().skip(1) {
            let Some((best_rows, best_column)) = rows.get(best).zip(columns.get(best)) else {
                break;
            };
            let (key, best_key) = (own.row(row), best_rows.row(row));
            let beyond = if largest { key > best_key } else { key < best_key };
            if is_nan(best_column, row) || (beyond && !is_nan(column, row)) {
                best = index;
            }
        }
        places.push((best, row));
    }
    let values: Vec<&dyn Array> = columns.iter().map(AsRef::as_ref).collect();
    let chosen = interleave(&values, &places)?;
    if valid.iter().all(|valid| *valid) {
        return Ok(chosen);
    }
    let positions: UInt64Array =
        valid.iter().enumerate().map(|(row, valid)| valid.then_some(row as u64)).collect();
    Ok(take(chosen.as_ref(), &positions, None)?)
}

/// The field of the result: the first argument's type.
pub(super) fn returns(
    args: &datafusion::logical_expr::ReturnFieldArgs<'_>,
) -> Result<arrow::datatypes::FieldRef> {
    match args.arg_fields.iter().find(|field| field.data_type() != &DataType::Null) {
        Some(field) => Ok(Arc::new(field.as_ref().clone().with_nullable(true))),
        None => Ok(Arc::new(arrow::datatypes::Field::new("", DataType::Null, true))),
    }
}
