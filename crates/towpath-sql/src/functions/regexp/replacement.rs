//! The replacement of `regexp_replace`: text with `$1`, `${name}` and `\` escapes.

use datafusion::common::Result;
use fancy_regex::Captures;

use super::pattern::Pattern;
use crate::functions::args::{check_bytes, invalid};

/// A piece of a replacement.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(usize),
}

/// A replacement, taken apart for a pattern.
#[derive(Debug)]
pub(super) struct Replacement(Vec<Piece>);

impl Replacement {
    /// Takes `text` apart. Of the digits after `$`, as many are taken as make a group there is.
    ///
    /// # Errors
    ///
    /// Trino's, for a group the pattern has not, and for `$` or `\` with nothing after it.
    pub(super) fn of(text: &str, pattern: &Pattern) -> Result<Replacement> {
        let illegal = || invalid(format!("Illegal replacement sequence: {text}"));
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            match character {
                '$' => {
                    let group = match rest.next() {
                        Some('{') => {
                            let after = rest.as_str();
                            let (name, left) = after.split_once('}').unwrap_or((after, ""));
                            rest = left.chars();
                            named(name, pattern)?
                        }
                        Some(digit) => {
                            let first = digit.to_digit(10).ok_or_else(illegal)?;
                            let (group, used) = numbered(first, rest.as_str(), pattern)?;
                            rest = rest.as_str().get(used..).unwrap_or("").chars();
                            group
                        }
                        None => return Err(illegal()),
                    };
                    pieces.push(Piece::Text(std::mem::take(&mut literal)));
                    pieces.push(Piece::Group(group));
                }
                '\\' => literal.push(rest.next().ok_or_else(illegal)?),
                _ => literal.push(character),
            }
        }
        pieces.push(Piece::Text(literal));
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        Ok(Replacement(pieces))
    }

    /// Appends what the replacement makes of a match.
    pub(super) fn append(&self, captures: &Captures<'_, str>, out: &mut String) -> Result<()> {
        for piece in &self.0 {
            let part = match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Group(group) => captures.get(*group).map_or("", |found| found.as_str()),
            };
            check_bytes(out.len() + part.len())?;
            out.push_str(part);
        }
        Ok(())
    }
}

fn named(name: &str, pattern: &Pattern) -> Result<usize> {
    pattern
        .group_named(name)
        .ok_or_else(|| invalid(format!("Illegal replacement sequence: unknown group {{ {name} }}")))
}

/// The group that the digit `first` and those that follow name, and how many follow.
fn numbered(first: u32, after: &str, pattern: &Pattern) -> Result<(usize, usize)> {
    let mut group = usize::try_from(first).unwrap_or(usize::MAX);
    if group > pattern.groups() {
        return Err(invalid(format!("Illegal replacement sequence: unknown group {group}")));
    }
    let mut used = 0;
    for digit in after.chars().map_while(|one| one.to_digit(10)) {
        let longer =
            group.saturating_mul(10).saturating_add(usize::try_from(digit).unwrap_or(usize::MAX));
        if longer > pattern.groups() {
            break;
        }
        group = longer;
        used += 1;
    }
    Ok((group, used))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_numbered_or_named() {
        let pattern = Pattern::of(r"(?<first>\d)(\d)").unwrap();
        let Replacement(pieces) = Replacement::of(r"a$12\$${first}$0", &pattern).unwrap();
        let text = |text: &str| Piece::Text(text.to_owned());
        assert_eq!(
            pieces,
            [text("a"), Piece::Group(1), text("2$"), Piece::Group(1), Piece::Group(0)]
        );
        for broken in ["$", "\\", "$a", "$3", "${other}"] {
            assert!(Replacement::of(broken, &pattern).is_err(), "{broken}");
        }
    }
}
