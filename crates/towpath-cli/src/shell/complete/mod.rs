//! What Tab offers, by where the cursor stands.
//!
//! | after | is offered |
//! |---|---|
//! | `.` or `\` at the start | commands of the shell, then what they take |
//! | `FROM`, `JOIN` | stores |
//! | `userIdentity.` | the fields of the row |
//! | `element_at(requestParameters, '`, `requestParameters['` | the keys seen in the store |
//! | anything else | columns of the stores that are named, functions, keywords |

use std::collections::BTreeSet;

use super::command::COMMANDS;
use super::keywords::{is_keyword, keywords};
use super::scan::{Kind, Token, is_word, tokens};
use super::vocabulary::{Column, Vocabulary};
use crate::output::Format;

/// Stores whose columns are offered while none is named yet. Most have the same columns.
const STORES_GUESSED_MAX: usize = 2;

/// Something to insert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Completion {
    /// Byte at which it begins.
    pub(super) start: usize,
    /// What may stand from there to the cursor, best first.
    pub(super) words: Vec<String>,
}

/// What there is to complete with. The real one asks the lake.
pub(super) trait Words {
    fn stores(&self) -> Vec<String>;
    fn columns(&self, store: &str) -> Vec<Column>;
    fn keys(&self, store: &str, column: &str) -> Vec<String>;
}

impl Words for Vocabulary {
    fn stores(&self) -> Vec<String> {
        Vocabulary::stores(self)
    }

    fn columns(&self, store: &str) -> Vec<Column> {
        Vocabulary::columns(self, store)
    }

    fn keys(&self, store: &str, column: &str) -> Vec<String> {
        Vocabulary::keys(self, store, column)
    }
}

/// What fits at byte `at` of `text`, where `functions` can be called.
pub(super) fn complete(
    text: &str,
    at: usize,
    words: &dyn Words,
    functions: &[String],
) -> Completion {
    let before = text.get(..at).unwrap_or(text);
    let trimmed = before.trim_start();
    if trimmed.starts_with(['.', '\\']) && !trimmed.contains('\n') {
        return command(before, words);
    }
    let scanned = tokens(before);
    let (last, earlier) = match scanned.split_last() {
        Some((last, earlier)) if last.is_open => (*last, earlier),
        _ => return name(text, before, words, functions),
    };
    match last.kind {
        Kind::Text => key(text, at, last, earlier, words),
        _ => Completion { start: at, words: Vec::new() },
    }
}

/// A command of the shell, or what it takes.
fn command(before: &str, words: &dyn Words) -> Completion {
    let indent = before.len() - before.trim_start().len();
    let line = before.trim_start();
    let Some((name, argument)) = line.split_once(char::is_whitespace) else {
        let all = COMMANDS.iter().flat_map(|command| command.names).map(|name| (*name).to_owned());
        return Completion { start: indent, words: matching(all, line) };
    };
    let argument = argument.trim_start();
    let start = before.len() - argument.len();
    let candidates = match name {
        ".schema" | "\\d" => words.stores(),
        ".mode" | ".format" => Format::text_names(),
        ".timing" | "\\timing" | ".pager" => vec!["on".to_owned(), "off".to_owned()],
        _ => Vec::new(),
    };
    Completion { start, words: matching(candidates, argument) }
}

/// The key of a map, inside its quotes.
fn key(
    text: &str,
    at: usize,
    last: Token<'_>,
    earlier: &[Token<'_>],
    words: &dyn Words,
) -> Completion {
    let start = at + 1 - last.text.len();
    let typed = last.text.trim_start_matches('\'');
    let before: Vec<&str> = significant(earlier).map(|token| token.text).collect();
    let column = match before.as_slice() {
        [.., column, "["] => column,
        [.., function, "(", column, ","] if function.eq_ignore_ascii_case("element_at") => column,
        [.., function, "(", _, ".", column, ","] if function.eq_ignore_ascii_case("element_at") => {
            column
        }
        _ => return Completion { start: at, words: Vec::new() },
    };
    let is_closed = text.get(at..).is_some_and(|after| after.starts_with('\''));
    let column = column.trim_matches('"');
    let found = stores_of(text, words).into_iter().flat_map(|store| words.keys(&store, column));
    let unique: Vec<String> = first_of_each(found);
    let keys = matching(unique, typed).into_iter().map(|key| {
        let key = key.replace('\'', "''");
        if is_closed { key } else { format!("{key}'") }
    });
    Completion { start, words: keys.collect() }
}

/// A store, a column, a field, a function or a keyword.
fn name(text: &str, before: &str, words: &dyn Words, functions: &[String]) -> Completion {
    let scanned = tokens(before);
    if let Some(completion) = store(before, &scanned, words) {
        return completion;
    }
    let typed = before.rsplit(|c| !is_word(c)).next().unwrap_or_default();
    let start = before.len() - typed.len();
    let path = path_before(&scanned, typed);
    let columns = columns_of(text, words);
    if !path.is_empty() {
        let fields = fields_at(text, &columns, &path);
        return Completion { start, words: matching(fields, typed) };
    }
    let names = columns.into_iter().map(|column| column.name);
    let mut found = matching(names, typed);
    if !typed.is_empty() {
        let calls = functions.iter().map(|name| format!("{name}("));
        found.extend(matching(calls, typed));
        found.extend(keywords(typed));
    }
    Completion { start, words: found }
}

/// The name of a store, if that is what stands after `FROM` or `JOIN`.
fn store(before: &str, scanned: &[Token<'_>], words: &dyn Words) -> Option<Completion> {
    // A store's name may have hyphens and dots, which are no parts of words elsewhere.
    let typed =
        before.rsplit(|c: char| !is_word(c) && !matches!(c, '-' | '.')).next().unwrap_or_default();
    let start = before.len() - typed.len();
    let mut end = 0;
    let is_before = |token: &&Token<'_>| {
        end += token.text.len();
        end <= start
    };
    let count = scanned.iter().take_while(is_before).count();
    let previous = significant(scanned.get(..count)?).last()?;
    let is_after = ["FROM", "JOIN"].iter().any(|word| previous.text.eq_ignore_ascii_case(word));
    (is_after && previous.kind == Kind::Word)
        .then(|| Completion { start, words: matching(words.stores(), typed) })
}

/// The names joined by dots in front of the word `typed`, outermost first.
fn path_before(scanned: &[Token<'_>], typed: &str) -> Vec<String> {
    let mut tokens: Vec<&Token<'_>> = scanned.iter().collect();
    if !typed.is_empty() {
        tokens.pop();
    }
    let mut path = Vec::new();
    while let [.., name, dot] = tokens.as_slice() {
        let is_name = matches!(name.kind, Kind::Word | Kind::Quoted);
        if dot.text != "." || !is_name {
            break;
        }
        path.insert(0, name.text.trim_matches('"').to_owned());
        tokens.truncate(tokens.len() - 2);
    }
    path
}

/// The names of the fields at `path`, which may begin with a store or an alias of one.
fn fields_at(text: &str, columns: &[Column], path: &[String]) -> Vec<String> {
    let Some((first, rest)) = path.split_first() else { return Vec::new() };
    let names = |columns: &[Column]| columns.iter().map(|column| column.name.clone()).collect();
    let find = |columns: &[Column], name: &str| {
        columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)).cloned()
    };
    let mut current = match find(columns, first) {
        Some(column) => column.fields,
        None if is_alias(text, first) => columns.to_vec(),
        None => return Vec::new(),
    };
    for name in rest {
        current = find(&current, name).map(|column| column.fields).unwrap_or_default();
    }
    names(&current)
}

/// Whether `name` stands right after the name of a store, or after `AS`, or is a store itself.
fn is_alias(text: &str, name: &str) -> bool {
    let scanned = tokens(text);
    let words: Vec<&Token<'_>> = significant(&scanned).collect();
    words.windows(2).any(|pair| {
        let [previous, word] = pair else { return false };
        word.text.eq_ignore_ascii_case(name)
            && (!is_keyword(previous.text) && previous.kind == Kind::Word
                || ["AS", "FROM", "JOIN"].iter().any(|k| previous.text.eq_ignore_ascii_case(k)))
    })
}

/// The columns of the stores in the statement, each name once.
fn columns_of(text: &str, words: &dyn Words) -> Vec<Column> {
    let mut seen = BTreeSet::new();
    stores_of(text, words)
        .iter()
        .flat_map(|store| words.columns(store))
        .filter(|column| seen.insert(column.name.to_ascii_lowercase()))
        .collect()
}

/// The stores that the statement names; if it names none yet, the first ones of the lake.
fn stores_of(text: &str, words: &dyn Words) -> Vec<String> {
    let stores = words.stores();
    let lower = text.to_ascii_lowercase();
    let named: Vec<String> = stores
        .iter()
        .filter(|store| {
            let store = store.to_ascii_lowercase();
            let mut places = lower.match_indices(&store);
            places.any(|(at, _)| is_whole_name(&lower, at, at + store.len()))
        })
        .cloned()
        .collect();
    if named.is_empty() { stores.into_iter().take(STORES_GUESSED_MAX).collect() } else { named }
}

/// Whether no name goes on before `start` or after `end`.
fn is_whole_name(text: &str, start: usize, end: usize) -> bool {
    let goes_on = |c: char| is_word(c) || c == '-';
    let before = text.get(..start).and_then(|before| before.chars().next_back());
    let after = text.get(end..).and_then(|after| after.chars().next());
    !before.is_some_and(goes_on) && !after.is_some_and(goes_on)
}

fn significant<'a>(tokens: &'a [Token<'a>]) -> impl DoubleEndedIterator<Item = &'a Token<'a>> {
    tokens.iter().filter(|token| !matches!(token.kind, Kind::Space | Kind::Comment))
}

/// Those of `candidates` that begin with `typed`, whatever its case.
fn matching(candidates: impl IntoIterator<Item = String>, typed: &str) -> Vec<String> {
    let typed = typed.to_lowercase();
    candidates.into_iter().filter(|word| word.to_lowercase().starts_with(&typed)).collect()
}

fn first_of_each(words: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    words.into_iter().filter(|word| seen.insert(word.clone())).collect()
}

#[cfg(test)]
mod tests;
