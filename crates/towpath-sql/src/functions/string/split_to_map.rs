//! `split_to_map(string, entryDelimiter, keyValueDelimiter)`: `'a=1,b=2'` as a map. A key that comes
//! twice is an error.
//!
//! <https://trino.io/docs/current/functions/string.html#split_to_map>

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, MapBuilder, MapFieldNames, StringViewBuilder};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::entries::entries;
use crate::functions::args::{Args, VIEW_BYTES, add_bytes, invalid, map_type};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("split_to_map").form(
        &[Param::Varchar, Param::Varchar, Param::Varchar],
        Returns::Type(map_type(DataType::Utf8View, DataType::Utf8View)),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let texts = args.column::<&str>(0)?;
    let (outer, inner) = (args.column::<&str>(1)?, args.column::<&str>(2)?);
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    let mut maps = MapBuilder::new(Some(names), StringViewBuilder::new(), StringViewBuilder::new());
    let mut bytes = 0;
    for row in 0..args.rows {
        let (Some(text), Some(outer), Some(inner)) =
            (texts.get(row), outer.get(row), inner.get(row))
        else {
            maps.append(false)?;
            continue;
        };
        let entries = entries(text, outer, inner)?;
        bytes = add_bytes(bytes, text.len() + entries.len() * 2 * VIEW_BYTES)?;
        let mut seen = HashSet::new();
        for (key, value) in entries {
            if !seen.insert(key) {
                return Err(invalid(format!("Duplicate keys ({key}) are not allowed")));
            }
            maps.keys().append_value(key);
            maps.values().append_value(value);
        }
        maps.append(true)?;
    }
    Ok(Arc::new(maps.finish()))
}
