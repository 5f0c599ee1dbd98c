//! `upper(string)`: every code point in upper case by its simple, one-to-one mapping; `ß` stays.
//!
//! <https://trino.io/docs/current/functions/string.html#upper>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("upper").form(&[Param::Varchar], Returns::VARCHAR, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |text: &str| Ok(Some(upper(text))))
}

fn upper(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_uppercase() } else { text.chars().map(upper_char).collect() }
}

/// The upper-case form of one code point, itself where Unicode has only a longer one.
fn upper_char(character: char) -> char {
    let mut mapped = character.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::upper;

    #[test]
    fn code_points_without_a_simple_form_stay() {
        assert_eq!(upper("Straße é"), "STRAßE É");
        assert_eq!(upper("Hello World"), "HELLO WORLD");
    }
}
