//! `element_at(map, key)`; the form for arrays is in the array group.
//!
//! Trino: <https://trino.io/docs/current/functions/map.html#element_at>.
//!
//! A key that the map does not have gives NULL, where `map[key]` is an error; a NULL map or key
//! gives NULL.

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef};
use arrow::row::Rows;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs};

use crate::functions::args::Args;
use crate::functions::array::element_at::pick;
use crate::functions::nested::common_type::{common_type, is_string};
use crate::functions::nested::keys::{is_null, keys};
use crate::functions::nested::maps::{
    Maps, entry_fields, expect_entry_fields, map_or_unknown, value_text, with_key,
};
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("element_at").form_matched(
        "map(K,V), K",
        match_map_and_key,
        Returns::Field(returns_value),
        evaluate,
    )
}

/// Matches `(map(K, V), K)`.
pub(super) fn match_map_and_key(given: &[DataType]) -> Option<Vec<DataType>> {
    let [map, key] = given else { return None };
    let map = &map_or_unknown(map)?;
    let (own, _) = entry_fields(map)?;
    let common = common_type(own.data_type(), key)?;
    // Keys are strings in nearly every map of the Lake; those are compared as they are.
    if is_string(own.data_type()) {
        let key = if key == &DataType::Null { common } else { key.clone() };
        return Some(vec![map.clone(), key]);
    }
    Some(vec![with_key(map, &common)?, common])
}

/// `Returns::Field` of a function that gives a value of the map in the first argument.
pub(super) fn returns_value(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let Some(map) = args.arg_fields.first() else {
        return exec_err!("expected map");
    };
    let (_, value) = expect_entry_fields(map.data_type())?;
    Ok(std::sync::Arc::new(value.as_ref().clone().with_nullable(true)))
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let search = KeySearch::of(args)?;
    pick(args.rows, search.maps.values(), |row| Ok(search.position(row).flatten()))
}

/// The text of a constant argument that is one.
fn constant_text(argument: &ColumnarValue) -> Option<String> {
    match argument {
        ColumnarValue::Scalar(scalar) => scalar.try_as_str().flatten().map(str::to_owned),
        ColumnarValue::Array(_) => None,
    }
}

/// Maps and, for each row, a key to look for in them.
#[derive(Debug)]
pub(super) struct KeySearch {
    pub(super) maps: Maps,
    wanted: ArrayRef,
    constant: bool,
    compared: Compared,
}

#[derive(Debug)]
enum Compared {
    /// Keys as they are stored, and the one that is looked for in all rows.
    Constant(StringArray, String),
    Text(StringViewArray, StringViewArray),
    Keys(Rows, Rows),
}

impl KeySearch {
    pub(super) fn of(args: &Args<'_>) -> Result<KeySearch> {
        let maps = Maps::of(args, 0)?;
        let (wanted, constant) = match args.value(1)? {
            ColumnarValue::Scalar(scalar) => (scalar.to_array()?, true),
            ColumnarValue::Array(array) => (std::sync::Arc::clone(array), false),
        };
        let stored = maps.keys().as_string_opt::<i32>().filter(|_| constant);
        let compared = if let Some((own, text)) = stored.zip(constant_text(args.value(1)?)) {
            Compared::Constant(own.clone(), text)
        } else if is_string(maps.keys().data_type()) && is_string(wanted.data_type()) {
            let text = |array: &ArrayRef| -> Result<StringViewArray> {
                Ok(cast(array, &DataType::Utf8View)?.as_string_view().clone())
            };
            Compared::Text(text(maps.keys())?, text(&wanted)?)
        } else {
            let mut pair = keys(&[maps.keys(), &wanted])?.into_iter();
            let (Some(own), Some(wanted)) = (pair.next(), pair.next()) else {
                return exec_err!("no keys");
            };
            Compared::Keys(own, wanted)
        };
        Ok(KeySearch { maps, wanted, constant, compared })
    }

    /// Where the value of the key is. The outer `None` says the map or the key is NULL, the inner
    /// one that the map does not have the key.
    pub(super) fn position(&self, row: usize) -> Option<Option<usize>> {
        let mut range = self.maps.range(row)?;
        let wanted = if self.constant { 0 } else { row };
        if is_null(&self.wanted, wanted) {
            return None;
        }
        Some(match &self.compared {
            Compared::Constant(own, text) => range.find(|at| own.value(*at) == text),
            Compared::Text(own, texts) => {
                let text = texts.value(wanted);
                range.find(|at| own.value(*at) == text)
            }
            Compared::Keys(own, keys) => {
                let key = keys.row(wanted);
                range.find(|at| own.row(*at) == key)
            }
        })
    }

    /// The key looked for in `row`, for an error.
    pub(super) fn wanted_text(&self, row: usize) -> String {
        value_text(&self.wanted, if self.constant { 0 } else { row })
    }
}
