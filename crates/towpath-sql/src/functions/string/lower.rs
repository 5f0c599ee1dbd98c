//! `lower(string)`: every code point in lower case by its simple, one-to-one mapping.
//!
//! <https://trino.io/docs/current/functions/string.html#lower>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("lower").form(&[Param::Varchar], Returns::VARCHAR, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |text: &str| Ok(Some(lower(text))))
}

fn lower(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().map(lower_char).collect() }
}

/// The lower-case form of one code point. The only one that Unicode's full mapping makes longer is
/// the capital I with dot, whose simple form is the plain i.
fn lower_char(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}

#[cfg(test)]
mod tests {
    use super::lower;

    #[test]
    fn each_code_point_is_mapped_to_one() {
        assert_eq!(lower("GetObject"), "getobject");
        assert_eq!(lower("ÄÖÜ ΣΑΣ İ"), "äöü σασ i");
    }
}
