//! `replace(string, search)`, `replace(string, search, replacement)`: every `search` removed or
//! replaced. An empty `search` is found before every code point and at the end.
//!
//! <https://trino.io/docs/current/functions/string.html#replace>

use std::borrow::Cow;

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, check_bytes, map2, map3};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("replace")
        .form(&[Param::Varchar, Param::Varchar], Returns::VARCHAR, remove)
        .form(&[Param::Varchar, Param::Varchar, Param::Varchar], Returns::VARCHAR, evaluate)
}

fn remove(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |text: &str, search: &str| replace(text, search, ""))
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map3(args, replace)
}

fn replace<'a>(text: &'a str, search: &str, with: &str) -> Result<Option<Cow<'a, str>>> {
    if !search.is_empty() && !text.contains(search) {
        return Ok(Some(Cow::Borrowed(text)));
    }
    if with.len() > search.len() {
        let growth = text.matches(search).count().saturating_mul(with.len() - search.len());
        check_bytes(text.len().saturating_add(growth))?;
    }
    Ok(Some(Cow::Owned(text.replace(search, with))))
}

#[cfg(test)]
mod tests {
    use super::replace;

    #[test]
    fn growth_is_bounded_before_it_is_built() {
        assert_eq!(replace("a.b.c", ".", "—").unwrap().unwrap(), "a—b—c");
        assert_eq!(replace("ab", "", "-").unwrap().unwrap(), "-a-b-");
        assert_eq!(replace("ab", "", "").unwrap().unwrap(), "ab");
        let long = "x".repeat(100_000);
        assert!(replace(&long, "x", &long).is_err());
    }
}
