//! `strpos(string, substring)`, `strpos(string, substring, instance)`: the position, counted from 1,
//! of the first or the given occurrence; a negative instance counts from the end. 0 if there is
//! none, 1 for the empty substring. `POSITION(substring IN string)` is written with it.
//!
//! <https://trino.io/docs/current/functions/string.html#strpos>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::code_points::count;
use crate::functions::args::{Args, invalid, map2, map3};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("strpos")
        .form(&[Param::Varchar, Param::Varchar], Returns::BIGINT, first)
        .form(&[Param::Varchar, Param::Varchar, Param::Bigint], Returns::BIGINT, nth)
}

fn first(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |text: &str, part: &str| strpos(text, part, 1))
}

fn nth(args: &Args<'_>) -> Result<ArrayRef> {
    map3(args, strpos)
}

fn strpos(text: &str, part: &str, instance: i64) -> Result<Option<i64>> {
    if instance == 0 {
        return Err(invalid("'instance' must be a positive or negative number."));
    }
    if part.is_empty() {
        return Ok(Some(1));
    }
    let offset = if instance > 0 {
        from_start(text, part, instance)
    } else {
        from_end(text, part, instance)
    };
    let before = offset.and_then(|offset| text.get(..offset));
    Ok(Some(before.map_or(0, |before| i64::try_from(count(before) + 1).unwrap_or(i64::MAX))))
}

/// The byte offset of an occurrence counted from the start. Occurrences may overlap.
fn from_start(text: &str, part: &str, instance: i64) -> Option<usize> {
    let mut begin = 0;
    let mut left = instance;
    loop {
        let found = begin + text.get(begin..)?.find(part)?;
        left -= 1;
        if left == 0 {
            return Some(found);
        }
        begin = found + text.get(found..)?.chars().next()?.len_utf8();
    }
}

/// The byte offset of an occurrence counted from the end. Occurrences may overlap.
fn from_end(text: &str, part: &str, instance: i64) -> Option<usize> {
    let last = part.chars().next_back()?.len_utf8();
    let mut end = text.len();
    let mut left = instance;
    loop {
        let found = text.get(..end)?.rfind(part)?;
        left += 1;
        if left == 0 {
            return Some(found);
        }
        // The next one to the left ends at least one code point before this one does.
        end = found + part.len() - last;
    }
}

#[cfg(test)]
mod tests {
    use super::strpos;

    #[test]
    fn occurrences_count_from_either_end() {
        assert_eq!(strpos("foobar", "obar", 1).unwrap(), Some(3));
        assert_eq!(strpos("high higher highest", "ig", 3).unwrap(), Some(14));
        assert_eq!(strpos("high higher highest", "ig", -1).unwrap(), Some(14));
        assert_eq!(strpos("high higher highest", "ig", -4).unwrap(), Some(0));
        assert_eq!(strpos("aaaa", "aa", 3).unwrap(), Some(3));
        assert_eq!(strpos("aaaa", "aa", -3).unwrap(), Some(1));
        assert_eq!(strpos("信念,爱,希望", "爱", 1).unwrap(), Some(4));
        assert_eq!(strpos("", "x", -1).unwrap(), Some(0));
        assert!(strpos("", "", 0).is_err());
    }
}
