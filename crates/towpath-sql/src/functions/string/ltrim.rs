//! `ltrim(string)`, `ltrim(string, characters)`: without white space, or the given characters, at
//! the start. `TRIM(LEADING … FROM …)` is written with it.
//!
//! <https://trino.io/docs/current/functions/string.html#ltrim>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::code_points::is_whitespace;
use crate::functions::args::{Args, map1, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("ltrim").form(&[Param::Varchar], Returns::VARCHAR, white).form(
        &[Param::Varchar, Param::Varchar],
        Returns::VARCHAR,
        characters,
    )
}

fn white(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |text: &str| Ok(Some(text.trim_start_matches(is_whitespace))))
}

fn characters(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |text: &str, set: &str| Ok(Some(text.trim_start_matches(|one| set.contains(one)))))
}
