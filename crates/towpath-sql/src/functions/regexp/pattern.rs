//! Compiled patterns, and the walk over the matches of a text that Trino's functions share.
//!
//! After an empty match the search goes on one code point further, after any other where it ended,
//! so that `b*` matches `abc` four times: before `a`, `b`, after `b`, after `c`.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::OnceLock;

use datafusion::common::{DataFusionError, Result};
use fancy_regex::{Captures, Match, Regex, RegexBuilder};

use super::java_syntax::{Translation, translate};
use crate::functions::args::{Args, ErrorCode, Strings, error, invalid};

/// Longest pattern. Longer than any query the API takes; it bounds what compiling costs.
const PATTERN_BYTES_MAX: usize = 64 * 1024;

/// Steps back that one search may take, for the patterns that need any (look-around, back
/// references, possessive and atomic groups; others take linear time). At some ten nanoseconds a
/// step a search ends within milliseconds.
const BACKTRACK_STEPS_MAX: usize = 200_000;

/// Bytes a compiled pattern may take.
const COMPILED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Compiled patterns kept by each thread, so that a constant is not compiled for every batch.
const CACHED_PATTERNS_MAX: usize = 16;

thread_local! {
    static CACHE: RefCell<VecDeque<Arc<Pattern>>> = const { RefCell::new(VecDeque::new()) };
}

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    source: String,
    plain: Regex,
    /// For texts that end in a line feed: see [`Translation::before_line_feed`].
    before_line_feed: Option<(String, OnceLock<Regex>)>,
}

impl Pattern {
    /// Compiles `source`, or finds it among those compiled before.
    ///
    /// # Errors
    ///
    /// `INVALID_FUNCTION_ARGUMENT` if it is no pattern, or one too large.
    pub(super) fn of(source: &str) -> Result<Arc<Pattern>> {
        let known = CACHE.with_borrow(|cache| {
            cache.iter().find(|pattern| pattern.source == source).map(Arc::clone)
        });
        if let Some(pattern) = known {
            return Ok(pattern);
        }
        let pattern = Arc::new(Pattern::compile(source)?);
        CACHE.with_borrow_mut(|cache| {
            cache.truncate(CACHED_PATTERNS_MAX - 1);
            cache.push_front(Arc::clone(&pattern));
        });
        Ok(pattern)
    }

    fn compile(source: &str) -> Result<Pattern> {
        if source.len() > PATTERN_BYTES_MAX {
            return Err(invalid(format!("pattern is longer than {PATTERN_BYTES_MAX} bytes")));
        }
        let Translation { plain, before_line_feed } = translate(source)?;
        Ok(Pattern {
            source: source.to_owned(),
            plain: build(&plain)?,
            before_line_feed: before_line_feed.map(|text| (text, OnceLock::new())),
        })
    }

    fn for_text(&self, text: &str) -> Result<&Regex> {
        match &self.before_line_feed {
            Some((source, compiled)) if text.ends_with('\n') => match compiled.get() {
                Some(regex) => Ok(regex),
                None => {
                    let regex = build(source)?;
                    Ok(compiled.get_or_init(|| regex))
                }
            },
            _ => Ok(&self.plain),
        }
    }

    /// Whether the pattern matches anywhere in `text`.
    pub(super) fn is_match(&self, text: &str) -> Result<bool> {
        self.for_text(text)?.is_match(text).map_err(|cause| search_error(&cause))
    }

    /// The first match, with its groups.
    pub(super) fn captures<'t>(&self, text: &'t str) -> Result<Option<Captures<'t, str>>> {
        self.for_text(text)?.captures(text).map_err(|cause| search_error(&cause))
    }

    /// The first match.
    pub(super) fn find<'t>(&self, text: &'t str) -> Result<Option<Match<'t>>> {
        self.for_text(text)?.find(text).map_err(|cause| search_error(&cause))
    }

    /// Calls `f` for each match from byte `start` on, until it says to stop.
    pub(super) fn each_match<'t>(
        &self,
        text: &'t str,
        start: usize,
        mut f: impl FnMut(Match<'t>) -> Result<bool>,
    ) -> Result<()> {
        let regex = self.for_text(text)?;
        let mut next = start;
        while next <= text.len() {
            let Some(found) =
                regex.find_from_pos(text, next).map_err(|cause| search_error(&cause))?
            else {
                break;
            };
            next = next_start(text, found.start(), found.end());
            if !f(found)? {
                break;
            }
        }
        Ok(())
    }

    /// Calls `f` for each match with its groups.
    pub(super) fn each_captures<'t>(
        &self,
        text: &'t str,
        mut f: impl FnMut(&Captures<'t, str>) -> Result<()>,
    ) -> Result<()> {
        let regex = self.for_text(text)?;
        let mut next = 0;
        while next <= text.len() {
            let Some(found) =
                regex.captures_from_pos(text, next).map_err(|cause| search_error(&cause))?
            else {
                break;
            };
            let Some(whole) = found.get(0) else { break };
            next = next_start(text, whole.start(), whole.end());
            f(&found)?;
        }
        Ok(())
    }

    /// Number of groups, without the whole match.
    pub(super) fn groups(&self) -> usize {
        self.plain.captures_len().saturating_sub(1)
    }

    /// The number of the group of that name.
    pub(super) fn group_named(&self, name: &str) -> Option<usize> {
        self.plain.capture_names().position(|known| known == Some(name))
    }

    /// `group` as a number that [`Captures::get`] takes.
    ///
    /// # Errors
    ///
    /// Trino's, if the pattern has no such group.
    pub(super) fn check_group(&self, group: i64) -> Result<usize> {
        if group < 0 {
            return Err(invalid("Group cannot be negative"));
        }
        match usize::try_from(group) {
            Ok(index) if index <= self.groups() => Ok(index),
            _ => Err(invalid(format!(
                "Pattern has {} groups. Cannot access group {group}",
                self.groups()
            ))),
        }
    }
}

/// The pattern argument `index` of a call, row by row.
#[derive(Debug)]
pub(super) enum Patterns<'a> {
    Constant(Option<Arc<Pattern>>),
    Rows(Strings<'a>),
}

impl<'a> Patterns<'a> {
    /// Compiles a constant pattern at once.
    pub(super) fn of(args: &Args<'a>, index: usize) -> Result<Patterns<'a>> {
        match args.constant::<&str>(index)? {
            Some(source) => Ok(Patterns::Constant(source.map(Pattern::of).transpose()?)),
            None => Ok(Patterns::Rows(args.column::<&str>(index)?)),
        }
    }

    /// The pattern of a row, `None` for NULL.
    pub(super) fn get(&self, row: usize) -> Result<Option<Arc<Pattern>>> {
        match self {
            Patterns::Constant(pattern) => Ok(pattern.as_ref().map(Arc::clone)),
            Patterns::Rows(sources) => sources.get(row).map(Pattern::of).transpose(),
        }
    }
}

fn next_start(text: &str, begin: usize, end: usize) -> usize {
    if begin < end {
        return end;
    }
    end + text.get(end..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
}

fn build(source: &str) -> Result<Regex> {
    RegexBuilder::new(source)
        .backtrack_limit(BACKTRACK_STEPS_MAX)
        .delegate_size_limit(COMPILED_BYTES_MAX)
        .build()
        .map_err(|cause| invalid(format!("invalid regular expression: {cause}")))
}

/// A search that was given up. TRY does not hide it, as the answer is not known.
fn search_error(cause: &fancy_regex::Error) -> DataFusionError {
    error(
        ErrorCode::ExceededFunctionMemoryLimit,
        format!("regular expression was given up after {BACKTRACK_STEPS_MAX} steps: {cause}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::of(pattern).unwrap().is_match(text).unwrap()
    }

    #[test]
    fn java_syntax_is_understood() {
        assert!(matches(r"(?<=user/)\w+(?!\d)", "arn:aws:iam::1:user/alice"));
        assert!(matches(r"(\w)\1", "hello"));
        assert!(matches(r"(?<q>['x]).*\k<q>", "say 'hi'"));
        assert!(!matches(r"a*+a", "aaa"));
        assert!(!matches(r"(?>a|ab)c", "abc"));
        assert!(matches("a$", "a\n"));
        assert!(!matches(r"a\z", "a\n"));
        assert!(!matches("a$", "a\n\n"));
        assert!(matches(r"^\p{Lu}[\p{Alnum}&&[^Z]]+$", "GetObject"));
        assert!(matches("(?i)GETOBJECT", "getobject"));
        assert!(matches(r"a\Rb", "a\r\nb"));
        assert!(matches("[[a-c][x-z]]{2}", "ax"));
    }

    #[test]
    fn work_is_bounded() {
        let pattern = Pattern::of(r"^(a|aa)+(?<=b)$").unwrap();
        assert!(pattern.is_match(&"a".repeat(200)).is_err());
        assert!(Pattern::of(r"(\w{1000}){1000}").is_err());
        assert!(Pattern::of(&"(".repeat(10_000)).is_err());
        assert!(Pattern::of(&"x".repeat(100_000)).is_err());
    }

    #[test]
    fn empty_matches_are_found_everywhere() {
        let mut found = Vec::new();
        let pattern = Pattern::of("b*").unwrap();
        pattern
            .each_match("abc", 0, |one| {
                found.push((one.start(), one.end()));
                Ok(true)
            })
            .unwrap();
        assert_eq!(found, [(0, 0), (1, 2), (2, 2), (3, 3)]);
    }
}
