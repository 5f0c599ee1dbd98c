//! Text that is safe to show to a person.
//!
//! Events hold text that strangers chose: a user agent may carry terminal escape sequences, and a
//! file name a line break. What is shown for reading is escaped here; formats for machines keep
//! the exact text.

use std::borrow::Cow;

/// Whether showing `c` would do something other than draw it: control characters move the cursor
/// or restyle the terminal, and the directional ones reorder the text around them.
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// `text` on one line: line breaks, tabs and control characters are shown as escapes, `\n`.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    escape(text, is_unsafe)
}

/// `text` with its line breaks, everything else that is not to be drawn as escapes.
pub(crate) fn many_lines(text: &str) -> Cow<'_, str> {
    escape(text, |c| c != '\n' && is_unsafe(c))
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_move_the_cursor_is_shown_as_an_escape() {
        assert_eq!(one_line("curl\u{1b}[2J\r\n\tx\u{202e}"), "curl\\u{1b}[2J\\r\\n\\tx\\u{202e}");
        assert_eq!(many_lines("a\nb\u{7}"), "a\nb\\u{7}");
    }

    #[test]
    fn ordinary_text_of_any_language_is_left_alone() {
        assert!(matches!(one_line("バケット ünï \\n"), Cow::Borrowed(_)));
    }
}
