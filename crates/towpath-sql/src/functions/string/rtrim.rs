//! `rtrim(string)`, `rtrim(string, characters)`: without white space, or the given characters, at
//! the end. `TRIM(TRAILING … FROM …)` is written with it.
//!
//! <https://trino.io/docs/current/functions/string.html#rtrim>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::code_points::is_whitespace;
use crate::functions::args::{Args, map1, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("rtrim").form(&[Param::Varchar], Returns::VARCHAR, white).form(
        &[Param::Varchar, Param::Varchar],
        Returns::VARCHAR,
        characters,
    )
}

fn white(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |text: &str| Ok(Some(text.trim_end_matches(is_whitespace))))
}

fn characters(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |text: &str, set: &str| Ok(Some(text.trim_end_matches(|one| set.contains(one)))))
}
