//! `translate(source, from, to)`: each code point that stands in `from` is replaced by the one at the
//! same place in `to`, or removed where `to` is shorter. The first of equals in `from` counts.
//!
//! <https://trino.io/docs/current/functions/string.html#translate>

use std::collections::BTreeMap;

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map3};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("translate").form(
        &[Param::Varchar, Param::Varchar, Param::Varchar],
        Returns::VARCHAR,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map3(args, |source: &str, from: &str, to: &str| {
        let mut table: BTreeMap<char, Option<char>> = BTreeMap::new();
        let mut targets = to.chars();
        for character in from.chars() {
            let target = targets.next();
            table.entry(character).or_insert(target);
        }
        let translated = source
            .chars()
            .filter_map(|one| table.get(&one).copied().unwrap_or(Some(one)))
            .collect::<String>();
        Ok(Some(translated))
    })
}
