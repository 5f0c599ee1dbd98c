//! `trim(string)`, `trim(string, characters)`: without white space, or the given characters, at
//! both ends. `TRIM(BOTH … FROM …)` is written with it.
//!
//! <https://trino.io/docs/current/functions/string.html#trim>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::code_points::is_whitespace;
use crate::functions::args::{Args, map1, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("trim").form(&[Param::Varchar], Returns::VARCHAR, white).form(
        &[Param::Varchar, Param::Varchar],
        Returns::VARCHAR,
        characters,
    )
}

fn white(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |text: &str| Ok(Some(text.trim_matches(is_whitespace))))
}

fn characters(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |text: &str, set: &str| Ok(Some(text.trim_matches(|one| set.contains(one)))))
}
