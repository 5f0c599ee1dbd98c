//! `split_to_multimap(string, entryDelimiter, keyValueDelimiter)`: `'a=1,a=2'` as a map from each
//! key to the array of its values, in order.
//!
//! <https://trino.io/docs/current/functions/string.html#split_to_multimap>

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, MapBuilder, MapFieldNames, StringViewBuilder};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::entries::entries;
use crate::functions::args::{Args, VIEW_BYTES, add_bytes, array_type, map_type};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("split_to_multimap").form(
        &[Param::Varchar, Param::Varchar, Param::Varchar],
        Returns::Type(map_type(DataType::Utf8View, array_type(DataType::Utf8View))),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let texts = args.column::<&str>(0)?;
    let (outer, inner) = (args.column::<&str>(1)?, args.column::<&str>(2)?);
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    let values = ListBuilder::new(StringViewBuilder::new());
    let mut maps = MapBuilder::new(Some(names), StringViewBuilder::new(), values);
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
        let mut grouped: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (key, value) in entries {
            grouped.entry(key).or_default().push(value);
        }
        for (key, values) in grouped {
            maps.keys().append_value(key);
            for value in values {
                maps.values().values().append_value(value);
            }
            maps.values().append(true);
        }
        maps.append(true)?;
    }
    Ok(Arc::new(maps.finish()))
}
