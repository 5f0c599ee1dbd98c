//! The words of a statement that is still being typed, for colours and completion.
//!
//! What is typed is mostly no statement yet, so this only tells words, texts and comments apart;
//! whether they make sense is for the library to say.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword, or the name of something.
    Word,
    Number,
    /// `'text'`.
    Text,
    /// `"name"`.
    Quoted,
    Comment,
    /// One character of anything else.
    Symbol,
    Space,
}

/// A part of what is typed. All tokens together are the whole text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// Whether it was begun and not ended: a text without its last quote.
    pub(super) is_open: bool,
}

/// The tokens of `text`.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(token) = next(rest) {
        rest = rest.get(token.text.len()..).unwrap_or_default();
        tokens.push(token);
    }
    tokens
}

fn next(text: &str) -> Option<Token<'_>> {
    let first = text.chars().next()?;
    let (kind, length, is_open) = if first.is_whitespace() {
        (Kind::Space, run(text, char::is_whitespace), false)
    } else if is_word(first) && !first.is_ascii_digit() {
        (Kind::Word, run(text, is_word), false)
    } else if first.is_ascii_digit() {
        (Kind::Number, run(text, |c| is_word(c) || c == '.'), false)
    } else if first == '\'' || first == '"' {
        let kind = if first == '"' { Kind::Quoted } else { Kind::Text };
        let (length, is_open) = quoted(text, first);
        (kind, length, is_open)
    } else if text.starts_with("--") {
        let end = text.find('\n');
        (Kind::Comment, end.unwrap_or(text.len()), end.is_none())
    } else if text.starts_with("/*") {
        let end = text.get(2..).and_then(|inside| inside.find("*/"));
        (Kind::Comment, end.map_or(text.len(), |end| end + 4), end.is_none())
    } else {
        (Kind::Symbol, first.len_utf8(), false)
    };
    Some(Token { kind, text: text.get(..length)?, is_open })
}

/// Whether `c` can be part of a name or keyword.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '@')
}

/// Bytes of the characters at the start of `text` for which `is_in` holds.
fn run(text: &str, is_in: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is_in(c)).unwrap_or(text.len())
}

/// Bytes of the quoted text at the start, and whether its end is missing. A doubled quote is part
/// of it.
fn quoted(text: &str, quote: char) -> (usize, bool) {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c != quote {
            continue;
        }
        if characters.next_if(|(_, next)| *next == quote).is_none() {
            return (at + c.len_utf8(), false);
        }
    }
    (text.len(), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_in_a_token() {
        for text in [
            "SELECT userIdentity.arn, 'it''s', \"a\"\"b\" FROM my-store -- end",
            "/* open",
            "/*",
            "-",
            "'é",
            "'''",
            "1e5..2 é日本 \u{1b}[2J",
            "",
        ] {
            let all: String = tokens(text).iter().map(|token| token.text).collect();
            assert_eq!(all, text);
        }
    }

    #[test]
    fn kinds_are_told_apart() {
        let kinds: Vec<(Kind, &str, bool)> = tokens("a.b=1.5 /*c*/'x''y'\"z\"--e\n'open")
            .iter()
            .filter(|token| token.kind != Kind::Space)
            .map(|token| (token.kind, token.text, token.is_open))
            .collect();
        assert_eq!(
            kinds,
            [
                (Kind::Word, "a", false),
                (Kind::Symbol, ".", false),
                (Kind::Word, "b", false),
                (Kind::Symbol, "=", false),
                (Kind::Number, "1.5", false),
                (Kind::Comment, "/*c*/", false),
                (Kind::Text, "'x''y'", false),
                (Kind::Quoted, "\"z\"", false),
                (Kind::Comment, "--e", false),
                (Kind::Text, "'open", true),
            ]
        );
    }
}
