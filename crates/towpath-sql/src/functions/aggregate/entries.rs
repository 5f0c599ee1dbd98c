//! What `histogram`, `map_agg`, `map_union`, `multimap_agg` and `approx_most_frequent` share: one entry
//! for each key seen.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{Array, ArrayRef, new_empty_array};
use arrow::datatypes::DataType;
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::{Result, ScalarValue};

use crate::functions::nested::keys::one_zero;
use crate::functions::nested::lists::scalar_at;
use crate::functions::nested::maps::{build_checked_maps, expect_entry_fields};

/// Keys and what belongs to each, in the order in which they were first seen.
#[derive(Debug)]
pub(super) struct Entries<V> {
    converter: RowConverter,
    slots: HashMap<OwnedRow, usize>,
    keys: Vec<ScalarValue>,
    pub(super) values: Vec<V>,
    bytes: usize,
}

impl<V> Entries<V> {
    pub(super) fn new(key_type: &DataType) -> Result<Entries<V>> {
        Ok(Entries {
            converter: RowConverter::new(vec![SortField::new(key_type.clone())])?,
            slots: HashMap::new(),
            keys: Vec::new(),
            values: Vec::new(),
            bytes: 0,
        })
    }

    /// Calls `update` for each row whose key is not NULL, with what belongs to the key, `None` if the
    /// key is new; what comes back belongs to it from then on.
    pub(super) fn update(
        &mut self,
        keys: &ArrayRef,
        mut update: impl FnMut(usize, Option<&mut V>) -> Result<Option<V>>,
    ) -> Result<()> {
        if keys.data_type() == &DataType::Null {
            return Ok(());
        }
        let rows = self.converter.convert_columns(&[one_zero(Arc::clone(keys))])?;
        for row in (0..keys.len()).filter(|row| keys.is_valid(*row)) {
            let order = rows.row(row).owned();
            if let Some(slot) = self.slots.get(&order) {
                update(row, self.values.get_mut(*slot))?;
                continue;
            }
            let Some(value) = update(row, None)? else { continue };
            let mut key = scalar_at(keys, row)?;
            // A slice of a batch would keep the whole batch alive.
            key.compact();
            self.bytes +=
                order.as_ref().len() + key.size() + size_of::<V>() + size_of::<OwnedRow>();
            self.slots.insert(order, self.keys.len());
            self.keys.push(key);
            self.values.push(value);
        }
        Ok(())
    }

    /// Bytes held, those behind the values not counted.
    pub(super) fn size(&self) -> usize {
        size_of_val(self) + self.bytes
    }

    /// The entries as one map; NULL if there are none and `null_if_empty`.
    pub(super) fn to_map(
        &self,
        data_type: &DataType,
        values: ArrayRef,
        null_if_empty: bool,
    ) -> Result<ScalarValue> {
        if self.keys.is_empty() && null_if_empty {
            return ScalarValue::try_new_null(data_type);
        }
        let (key, _) = expect_entry_fields(data_type)?;
        let keys = if self.keys.is_empty() {
            new_empty_array(key.data_type())
        } else {
            ScalarValue::iter_to_array(self.keys.iter().cloned())?
        };
        one_map(data_type, keys, values)
    }

    /// The keys.
    pub(super) fn keys(&self) -> &[ScalarValue] {
        &self.keys
    }
}

/// A map of all of `keys` and `values`.
pub(super) fn one_map(
    data_type: &DataType,
    keys: ArrayRef,
    values: ArrayRef,
) -> Result<ScalarValue> {
    let mut nulls = NullBufferBuilder::new(1);
    nulls.append_non_null();
    let length = keys.len();
    let map = build_checked_maps(data_type, &[length], keys, values, nulls.finish())?;
    scalar_at(&map, 0)
}

/// Scalars as a column of `data_type`.
pub(super) fn scalar_column(values: &[ScalarValue], data_type: &DataType) -> Result<ArrayRef> {
    if values.is_empty() {
        return Ok(new_empty_array(data_type));
    }
    ScalarValue::iter_to_array(values.iter().cloned())
}
