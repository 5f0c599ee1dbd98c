//! `split_part(string, delimiter, index)`: part `index` of the parts between delimiters, counted
//! from 1; NULL past the last. With an empty delimiter every code point is a part.
//!
//! <https://trino.io/docs/current/functions/string.html#split_part>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, invalid, map3};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("split_part").form(
        &[Param::Varchar, Param::Varchar, Param::Bigint],
        Returns::VARCHAR,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map3(args, split_part)
}

fn split_part<'a>(text: &'a str, delimiter: &'a str, index: i64) -> Result<Option<&'a str>> {
    if index <= 0 {
        return Err(invalid("Index must be greater than zero"));
    }
    let Ok(skip) = usize::try_from(index - 1) else { return Ok(None) };
    if delimiter.is_empty() {
        return Ok(text
            .char_indices()
            .nth(skip)
            .and_then(|(begin, character)| text.get(begin..begin + character.len_utf8())));
    }
    Ok(text.split(delimiter).nth(skip))
}

#[cfg(test)]
mod tests {
    use super::split_part;

    #[test]
    fn parts_count_from_one() {
        let arn = "arn:aws:iam::123456789012:user/alice";
        assert_eq!(split_part(arn, ":", 5).unwrap(), Some("123456789012"));
        assert_eq!(split_part(arn, ":", 4).unwrap(), Some(""));
        assert_eq!(split_part(arn, ":", 7).unwrap(), None);
        assert_eq!(split_part("信念", "", 2).unwrap(), Some("念"));
        assert_eq!(split_part("", "", 1).unwrap(), None);
        assert_eq!(split_part("", ",", 1).unwrap(), Some(""));
        assert!(split_part("a", ",", 0).is_err());
    }
}
