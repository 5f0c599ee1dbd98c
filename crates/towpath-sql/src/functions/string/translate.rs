//! `translate(source, from, to)`: each code point that stands in `from` is replaced by the one at the
//! same place in `to`, or removed where `to` is shorter. The first of equals in `from` counts.
//!
//! <https://trino.io/docs/current/functions/string.html#translate>

use std::collections::BTreeMap;

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map1, map3};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("translate").form(
        &[Param::Varchar, Param::Varchar, Param::Varchar],
        Returns::VARCHAR,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let constants = (args.constant::<&str>(1)?, args.constant::<&str>(2)?);
    if let (Some(Some(from)), Some(Some(to))) = constants {
        let table = table(from, to);
        return map1(args, |source: &str| Ok(Some(translate(source, &table))));
    }
    map3(args, |source: &str, from: &str, to: &str| Ok(Some(translate(source, &table(from, to)))))
}

/// What each code point of `from` becomes: `None` if it is removed.
fn table(from: &str, to: &str) -> BTreeMap<char, Option<char>> {
    let mut table = BTreeMap::new();
    let mut targets = to.chars();
    for character in from.chars() {
        let target = targets.next();
        table.entry(character).or_insert(target);
    }
    table
}

fn translate(source: &str, table: &BTreeMap<char, Option<char>>) -> String {
    source.chars().filter_map(|one| table.get(&one).copied().unwrap_or(Some(one))).collect()
}
