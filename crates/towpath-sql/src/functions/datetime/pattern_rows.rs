//! The pattern argument of a call, compiled once if it is constant.

use datafusion::common::Result;

use super::date_pattern::DatePattern;
use crate::functions::args::{Args, Strings, invalid};

/// Longest pattern. Longer than any date could be written.
const PATTERN_BYTES_MAX: usize = 4 * 1024;

/// What turns the text of a pattern into one.
pub(super) type Compile = fn(&str) -> Result<DatePattern>;

/// The patterns of a call, row by row.
#[derive(Debug)]
pub(super) enum PatternRows<'a> {
    Constant(Option<DatePattern>),
    Rows(Strings<'a>, Compile),
}

impl<'a> PatternRows<'a> {
    /// Reads argument `index` with `compile`.
    pub(super) fn of(args: &Args<'a>, index: usize, compile: Compile) -> Result<PatternRows<'a>> {
        match args.constant::<&str>(index)? {
            Some(text) => {
                Ok(PatternRows::Constant(text.map(|text| checked(text, compile)).transpose()?))
            }
            None => Ok(PatternRows::Rows(args.column::<&str>(index)?, compile)),
        }
    }

    /// Calls `f` with the pattern of a row; NULL for NULL.
    pub(super) fn with<R>(
        &self,
        row: usize,
        f: impl FnOnce(&DatePattern) -> Result<R>,
    ) -> Result<Option<R>> {
        match self {
            PatternRows::Constant(pattern) => pattern.as_ref().map(f).transpose(),
            PatternRows::Rows(texts, compile) => match texts.get(row) {
                Some(text) => f(&checked(text, *compile)?).map(Some),
                None => Ok(None),
            },
        }
    }
}

/// Compiles a pattern of bounded length.
pub(super) fn checked(text: &str, compile: Compile) -> Result<DatePattern> {
    if text.len() > PATTERN_BYTES_MAX {
        return Err(invalid(format!(
            "date format string is longer than {PATTERN_BYTES_MAX} bytes"
        )));
    }
    compile(text)
}
