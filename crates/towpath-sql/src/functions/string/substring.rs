//! `substring(string, start)`, `substring(string, start, length)`, also called `substr`: the part
//! from code point `start` on. Positions count from 1, negative ones from the end; a start of 0, or
//! one before the first code point, gives the empty string. `substr` of a varbinary counts bytes.
//!
//! <https://trino.io/docs/current/functions/string.html#substring>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::code_points::{byte_offset, count};
use crate::functions::args::{Args, map2, map3};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("substring")
        .alias("substr")
        .form(&[Param::Varchar, Param::Bigint], Returns::VARCHAR, from_start)
        .form(&[Param::Varchar, Param::Bigint, Param::Bigint], Returns::VARCHAR, from_start_for)
        .form(&[Param::Varbinary, Param::Bigint], Returns::VARBINARY, bytes_from)
        .form(&[Param::Varbinary, Param::Bigint, Param::Bigint], Returns::VARBINARY, bytes_from_for)
}

fn from_start(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |text: &str, start: i64| Ok(Some(substring(text, start, i64::MAX))))
}

fn from_start_for(args: &Args<'_>) -> Result<ArrayRef> {
    map3(args, |text: &str, start: i64, length: i64| Ok(Some(substring(text, start, length))))
}

fn bytes_from(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |bytes: &[u8], start: i64| Ok(Some(subslice(bytes, start, i64::MAX))))
}

fn bytes_from_for(args: &Args<'_>) -> Result<ArrayRef> {
    map3(args, |bytes: &[u8], start: i64, length: i64| Ok(Some(subslice(bytes, start, length))))
}

fn substring(text: &str, start: i64, length: i64) -> &str {
    let Some((skip, take)) = range(start, length, || count(text)) else { return "" };
    let Some(rest) = byte_offset(text, skip).and_then(|begin| text.get(begin..)) else { return "" };
    match byte_offset(rest, take) {
        Some(end) => rest.get(..end).unwrap_or(rest),
        None => rest,
    }
}

fn subslice(bytes: &[u8], start: i64, length: i64) -> &[u8] {
    let Some((skip, take)) = range(start, length, || bytes.len()) else { return &[] };
    let rest = bytes.get(skip..).unwrap_or(&[]);
    rest.get(..take).unwrap_or(rest)
}

/// How many units to skip and how many to take, `None` for nothing.
fn range(start: i64, length: i64, total: impl Fn() -> usize) -> Option<(usize, usize)> {
    if start == 0 || length <= 0 {
        return None;
    }
    let take = usize::try_from(length).unwrap_or(usize::MAX);
    let skip = if start > 0 {
        usize::try_from(start - 1).ok()?
    } else {
        total().checked_sub(usize::try_from(start.unsigned_abs()).ok()?)?
    };
    Some((skip, take))
}

#[cfg(test)]
mod tests {
    use super::{subslice, substring};

    #[test]
    fn positions_count_from_one_or_from_the_end() {
        assert_eq!(substring("Quadratically", 5, 6), "ratica");
        assert_eq!(substring("Quadratically", -3, i64::MAX), "lly");
        assert_eq!(substring("Quadratically", -14, i64::MAX), "");
        assert_eq!(substring("Quadratically", 50, 10), "");
        assert_eq!(substring("Quadratically", 0, 1), "");
        assert_eq!(substring("Quadratically", i64::MIN, i64::MAX), "");
        assert_eq!(substring("信念,爱,希望", 4, 1), "爱");
        assert_eq!(substring("信念,爱,希望", -2, 9), "希望");
    }

    #[test]
    fn bytes_are_counted_in_binaries() {
        assert_eq!(subslice(b"Quadratically", 5, 2), b"ra");
        assert_eq!(subslice(b"abc", -4, 2), b"");
        assert_eq!(subslice(b"abc", 3, i64::MAX), b"c");
    }
}
