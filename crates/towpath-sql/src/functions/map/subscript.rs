//! `$subscript(map, key)`: what `map[key]` means. The form for arrays is in the array group.
//!
//! Trino: <https://trino.io/docs/current/functions/map.html#subscript-operator>. A key that the map
//! does not have is an error; a NULL map or key gives NULL.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::element_at::{KeySearch, match_map_and_key, returns_value};
use crate::functions::args::{Args, invalid};
use crate::functions::array::element_at::pick;
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("$subscript").form_matched(
        "map(K,V), K",
        match_map_and_key,
        Returns::Field(returns_value),
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let search = KeySearch::of(args)?;
    pick(args.rows, search.maps.values(), |row| match search.position(row) {
        None => Ok(None),
        Some(Some(at)) => Ok(Some(at)),
        Some(None) => Err(invalid(format!("Key not present in map: {}", search.wanted_text(row)))),
    })
}
