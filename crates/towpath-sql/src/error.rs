//! Errors as Trino words them, with a position in the statement.

use std::error::Error as StdError;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use datafusion::common::DataFusionError;

/// The result of planning.
pub type Result<T, E = SqlError> = std::result::Result<T, E>;

/// A place in a statement, counted from 1 as Trino does; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in that line, from 1, in characters.
    pub column: usize,
}

impl Position {
    /// Returns where byte `offset` of `sql` is. An offset past the end is the end.
    pub(crate) fn of(sql: &str, offset: usize) -> Position {
        let mut position = Position { line: 1, column: 1 };
        for (at, character) in sql.char_indices() {
            if at >= offset {
                break;
            }
            if character == '\n' {
                position = Position { line: position.line + 1, column: 1 };
            } else {
                position.column += 1;
            }
        }
        position
    }
}

/// What kind of mistake a statement has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not grammatical Trino SQL.
    Syntax,
    /// The statement is grammatical, but this engine does not run it.
    Unsupported,
    /// A column or row field does not exist.
    ColumnNotFound,
    /// A relation does not exist.
    RelationNotFound,
    /// A function does not exist, or not for these argument types.
    FunctionNotFound,
    /// Types do not fit an operator, a function or a clause.
    TypeMismatch,
    /// A name could mean several columns.
    AmbiguousName,
    /// A literal or constant argument has a value outside its domain.
    InvalidArgument,
    /// A parameter has no value, a value has no parameter, or a value does not fit where it goes.
    InvalidParameter,
    /// Any other rule of the language is broken, such as grouping.
    Semantic,
    /// A limit of [`crate::limits`] was reached.
    LimitExceeded,
    /// A relation exists but could not be opened; the cause says why.
    Storage,
    /// [`crate::Interrupt`] was due while the statement was planned.
    Interrupted,
}

/// Why a statement cannot be planned.
///
/// Displays as Trino prints it: `line 1:8: Column 'evntName' cannot be resolved`.
#[derive(Clone, Debug)]
pub struct SqlError {
    kind: ErrorKind,
    message: String,
    offset: Option<usize>,
    position: Option<Position>,
    hint: Option<String>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl SqlError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> SqlError {
        let (message, offset, position, hint, source) = (message.into(), None, None, None, None);
        SqlError { kind, message, offset, position, hint, source }
    }

    pub(crate) fn at(kind: ErrorKind, offset: usize, message: impl Into<String>) -> SqlError {
        SqlError { offset: Some(offset), ..SqlError::new(kind, message) }
    }

    /// Turns an error of DataFusion met while planning at `offset` into one of ours.
    pub(crate) fn engine(offset: usize, error: &DataFusionError) -> SqlError {
        SqlError::at(ErrorKind::Semantic, offset, trino_text(error))
    }

    pub(crate) fn with_hint(mut self, hint: Option<String>) -> SqlError {
        if hint.is_some() {
            self.hint = hint;
        }
        self
    }

    pub(crate) fn with_source(mut self, source: Arc<dyn StdError + Send + Sync>) -> SqlError {
        self.source = Some(source);
        self
    }

    /// Resolves the byte offset against the statement. Called once, at the top.
    pub(crate) fn located(mut self, sql: &str) -> SqlError {
        if self.position.is_none() {
            self.position = self.offset.map(|offset| Position::of(sql, offset));
        }
        self
    }

    /// Returns what kind of mistake this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns where in the statement the mistake is, if it has a place.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// Returns the text without the position.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns what to try instead, such as the nearest name.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Draws the line of `sql` that the error is in, with a caret below the place.
    ///
    /// Empty when the error has no position or `sql` is not the statement it came from.
    pub fn render_caret(&self, sql: &str) -> String {
        let Some(position) = self.position else { return String::new() };
        let Some(line) = sql.lines().nth(position.line - 1) else { return String::new() };
        let mut drawing = String::new();
        // Tabs are kept in the margin so that the caret stands below its character.
        let margin: String = line
            .chars()
            .take(position.column - 1)
            .map(|character| if character == '\t' { '\t' } else { ' ' })
            .collect();
        let _ = write!(drawing, "{line}\n{margin}^");
        drawing
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Position { line, column }) = self.position {
            write!(f, "line {line}:{column}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl StdError for SqlError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn StdError + 'static))
    }
}

/// Returns the text of a DataFusion error without the prefixes DataFusion adds, which is what a
/// Trino user expects to read.
pub fn trino_text(error: &DataFusionError) -> String {
    match error {
        DataFusionError::Plan(text)
        | DataFusionError::Execution(text)
        | DataFusionError::NotImplemented(text)
        | DataFusionError::Configuration(text)
        | DataFusionError::Internal(text) => first_paragraph(text),
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => {
            trino_text(inner)
        }
        DataFusionError::Shared(inner) => trino_text(inner),
        DataFusionError::Collection(all) => all.first().map(trino_text).unwrap_or_default(),
        DataFusionError::ArrowError(inner, _) => arrow_text(&inner.to_string()),
        DataFusionError::External(inner) => inner.to_string(),
        other => first_paragraph(&other.strip_backtrace()),
    }
}

fn arrow_text(text: &str) -> String {
    if text == "Divide by zero error" { "Division by zero".to_owned() } else { text.to_owned() }
}

fn first_paragraph(text: &str) -> String {
    text.split("\n\nbacktrace:").next().unwrap_or_default().to_owned()
}

/// Returns the name in `names` nearest to `wanted`, when it is near enough to be a slip.
pub(crate) fn nearest<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    let slips_max = (wanted.chars().count() / 3).clamp(1, 3);
    names
        .into_iter()
        .map(|name| (edit_distance(&wanted, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= slips_max)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Levenshtein distance; both names are short by construction of the lexer and the schemas.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = i;
        let mut previous = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(&right) {
            let substituted = diagonal + usize::from(a != *b);
            diagonal = *cell;
            previous = substituted.min(previous + 1).min(diagonal + 1);
            *cell = previous;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caret_stands_below_the_character() {
        let error = SqlError::at(ErrorKind::Syntax, 8, "bad").located("SELECT\n\té x");
        assert_eq!(error.position(), Some(Position { line: 2, column: 2 }));
        assert_eq!(error.render_caret("SELECT\n\té x"), "\té x\n\t^");
    }

    #[test]
    fn nearest_name_is_found_for_slips_only() {
        assert_eq!(nearest("evntName", ["eventid", "eventname"]), Some("eventname"));
        assert_eq!(nearest("nosuch", ["eventid", "eventname"]), None);
    }
}
