//! `$like_pattern(pattern, escape)`: Trino's `LIKE` pattern in the form Arrow reads, where `\` is
//! always the escape character.
//!
//! <https://trino.io/docs/current/functions/comparison.html#like>

use std::sync::Arc;

use arrow::array::{Array, StringViewBuilder};
use datafusion::common::Result;

use super::{Operator, over_arrays};
use crate::data_type::Type;
use crate::functions::args::{Strings, invalid};

/// Rewrites a pattern.
pub(crate) fn translate(pattern: &str, escape: Option<&str>) -> Result<String, String> {
    let escape = match escape {
        None | Some("") => None,
        Some(text) => {
            let mut characters = text.chars();
            match (characters.next(), characters.next()) {
                (escape, None) => escape,
                _ => return Err("Escape string must be a single character".to_owned()),
            }
        }
    };
    let mut translated = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if Some(character) == escape {
            match characters.next() {
                Some(next @ ('%' | '_')) => translated.extend(['\\', next]),
                Some(next) if Some(next) == escape => push_plain(&mut translated, next),
                _ => {
                    return Err("Escape character must be followed by '%', '_' or the escape \
                                character itself"
                        .to_owned());
                }
            }
        } else {
            match character {
                '%' | '_' => translated.push(character),
                other => push_plain(&mut translated, other),
            }
        }
    }
    Ok(translated)
}

/// A character that stands for itself. A wildcard gets here only as an escape character.
fn push_plain(translated: &mut String, character: char) {
    if matches!(character, '\\' | '%' | '_') {
        translated.push('\\');
    }
    translated.push(character);
}

pub(super) fn operator() -> Operator {
    Operator::new(
        "$like_pattern",
        |_| Ok(Arc::new(Type::VARCHAR.to_field(""))),
        |args| {
            over_arrays(args, |arrays| {
                let mut patterns = StringViewBuilder::new();
                let Some(pattern) = arrays.first() else { return Ok(Arc::new(patterns.finish())) };
                let texts = Strings::of_array(pattern.as_ref())?;
                let escapes = arrays.get(1).map(|e| Strings::of_array(e.as_ref())).transpose()?;
                for row in 0..pattern.len() {
                    let escape = escapes.as_ref().map(|escapes| escapes.get(row));
                    match (texts.get(row), escape) {
                        (Some(text), None) => {
                            patterns.append_value(translate(text, None).map_err(invalid)?);
                        }
                        (Some(text), Some(Some(escape))) => {
                            patterns.append_value(translate(text, Some(escape)).map_err(invalid)?);
                        }
                        _ => patterns.append_null(),
                    }
                }
                Ok(Arc::new(patterns.finish()))
            })
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backslash_is_plain_unless_it_is_the_escape() {
        assert_eq!(translate(r"a\_b", None).unwrap(), r"a\\_b");
        assert_eq!(translate("a#_b##", Some("#")).unwrap(), r"a\_b#");
        assert_eq!(translate(r"\%\\", Some("\\")).unwrap(), r"\%\\");
        assert!(translate("#a", Some("#")).is_err());
        assert!(translate("a", Some("##")).is_err());
    }
}
