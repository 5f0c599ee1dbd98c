//! `regexp_position(string, pattern)`, `regexp_position(string, pattern, start)`,
//! `regexp_position(string, pattern, start, occurrence)`: the position, counted in code points from
//! 1, of that occurrence from `start` on; -1 if there is none. Integer.
//!
//! <https://trino.io/docs/current/functions/regexp.html#regexp_position>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::pattern::{Pattern, Patterns};
use crate::functions::args::{Args, collect, invalid};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("regexp_position")
        .form_optional(
            &[Param::Varchar, Param::Varchar, Param::Integer, Param::Integer],
            2,
            Returns::INTEGER,
            evaluate,
        )
        .form_optional(
            &[Param::Varchar, Param::Varchar, Param::Bigint, Param::Bigint],
            1,
            Returns::INTEGER,
            evaluate,
        )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (args.column::<&str>(0)?, Patterns::of(args, 1)?);
    let starts = if args.len() > 2 { Some(args.column::<i64>(2)?) } else { None };
    let occurrences = if args.len() > 3 { Some(args.column::<i64>(3)?) } else { None };
    collect(args.rows, |row| {
        let start = starts.as_ref().map_or(Some(1), |starts| starts.get(row));
        let occurrence = occurrences.as_ref().map_or(Some(1), |column| column.get(row));
        match (texts.get(row), patterns.get(row)?, start, occurrence) {
            (Some(text), Some(pattern), Some(start), Some(occurrence)) => {
                position(&pattern, text, start, occurrence).map(Some)
            }
            _ => Ok(None),
        }
    })
}

fn position(pattern: &Pattern, text: &str, start: i64, occurrence: i64) -> Result<i32> {
    if start < 1 {
        return Err(invalid("start position cannot be smaller than 1"));
    }
    if occurrence < 1 {
        return Err(invalid("occurrence cannot be smaller than 1"));
    }
    let skip = usize::try_from(start - 1).unwrap_or(usize::MAX);
    let Some((begin, _)) = text.char_indices().nth(skip) else { return Ok(-1) };
    let mut left = occurrence;
    let mut position = -1;
    pattern.each_match(text, begin, |found| {
        left -= 1;
        if left > 0 {
            return Ok(true);
        }
        let before = text.get(..found.start()).unwrap_or("").chars().count();
        position = i32::try_from(before + 1).unwrap_or(i32::MAX);
        Ok(false)
    })?;
    Ok(position)
}
