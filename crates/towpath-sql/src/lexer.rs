//! Statement text → tokens, by the rules of Trino's lexer.
//!
//! A character that begins no token becomes [`TokenKind::Bad`] and is an error only if the parser
//! reaches it: an event data store's id such as `1f0c9b7e-…` is no sequence of Trino tokens, and
//! the parser reads it from the text itself wherever a relation may stand.

/// What a token is. Text of keywords and identifiers is kept as typed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    Word(String),
    Quoted(String),
    Text(String),
    UnicodeText(String),
    Binary(String),
    Integer(String),
    Decimal(String),
    Double(String),
    Symbol(&'static str),
    Bad(String),
    End,
}

/// A token and its bytes in the statement, `[start, end)`.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Longest first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 29] = [
    "->", "=>", "<>", "!=", "<=", ">=", "||", "::", "<", ">", "=", "+", "-", "*", "/", "%", "(",
    ")", "[", "]", ".", ",", ";", ":", "?", "{", "}", "|", "$",
];

/// Splits `sql` into tokens; the last one is [`TokenKind::End`].
pub(crate) fn tokenize(sql: &str) -> Vec<Token> {
    let mut lexer = Lexer { sql, at: 0 };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next_token();
        let ended = token.kind == TokenKind::End;
        tokens.push(token);
        if ended {
            return tokens;
        }
    }
}

struct Lexer<'a> {
    sql: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.sql.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|character| !keep(character)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn next_token(&mut self) -> Token {
        if let Err(start) = self.skip_blank() {
            self.at = self.sql.len();
            let kind = TokenKind::Bad("unterminated comment".to_owned());
            return Token { kind, start, end: self.at };
        }
        let start = self.at;
        let kind = self.kind();
        Token { kind, start, end: self.at }
    }

    /// Skips spaces and comments; an unterminated comment is returned by its start.
    fn skip_blank(&mut self) -> Result<(), usize> {
        loop {
            self.take_while(|character| character.is_whitespace() || character == '\u{feff}');
            if self.rest().starts_with("--") {
                self.take_while(|character| character != '\n' && character != '\r');
            } else if self.rest().starts_with("/*") {
                let length = self.rest().find("*/").ok_or(self.at)?;
                self.at += length + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn kind(&mut self) -> TokenKind {
        let Some(first) = self.peek() else { return TokenKind::End };
        match first {
            '\'' => self.quoted('\'', TokenKind::Text),
            '"' => self.quoted('"', TokenKind::Quoted),
            '`' => self.back_quoted(),
            '0'..='9' => self.number(),
            '.' if self.rest().chars().nth(1).is_some_and(|c| c.is_ascii_digit()) => self.number(),
            _ if is_word_start(first) => self.word(),
            _ => self.symbol(first),
        }
    }

    fn quoted(&mut self, quote: char, wrap: fn(String) -> TokenKind) -> TokenKind {
        self.at += 1;
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|character| character != quote));
            if self.peek().is_none() {
                let what = if quote == '"' { "quoted identifier" } else { "string literal" };
                return TokenKind::Bad(format!("unterminated {what}"));
            }
            self.at += 1;
            if self.peek() != Some(quote) {
                return wrap(text);
            }
            self.at += 1;
            text.push(quote);
        }
    }

    fn back_quoted(&mut self) -> TokenKind {
        let quoted = self.quoted('`', TokenKind::Quoted);
        if let TokenKind::Bad(_) = quoted {
            return quoted;
        }
        TokenKind::Bad(
            "backquoted identifiers are not supported; use double quotes to quote identifiers"
                .to_owned(),
        )
    }

    fn word(&mut self) -> TokenKind {
        let rest = self.rest();
        let mut ahead = rest.chars();
        match (ahead.next(), ahead.next(), ahead.next()) {
            (Some('x' | 'X'), Some('\''), _) => {
                self.at += 1;
                return self.quoted('\'', TokenKind::Binary);
            }
            (Some('u' | 'U'), Some('&'), Some('\'')) => {
                self.at += 2;
                return self.quoted('\'', TokenKind::UnicodeText);
            }
            _ => {}
        }
        TokenKind::Word(self.take_while(is_word_part).to_owned())
    }

    fn number(&mut self) -> TokenKind {
        let start = self.at;
        if let Some(kind) = self.radix_number() {
            return kind;
        }
        let digits = |character: char| character.is_ascii_digit() || character == '_';
        self.take_while(digits);
        let mut wrap: fn(String) -> TokenKind = TokenKind::Integer;
        if self.peek() == Some('.') {
            self.at += 1;
            self.take_while(digits);
            wrap = TokenKind::Decimal;
        }
        if self.exponent() {
            wrap = TokenKind::Double;
        }
        if self.peek().is_some_and(is_word_start) {
            self.take_while(is_word_part);
            return TokenKind::Bad(
                "identifiers must not start with a digit; surround the identifier with double quotes"
                    .to_owned(),
            );
        }
        wrap(self.sql.get(start..self.at).unwrap_or_default().replace('_', ""))
    }

    fn radix_number(&mut self) -> Option<TokenKind> {
        let rest = self.rest();
        let radix = match rest.get(..2)?.to_ascii_lowercase().as_str() {
            "0x" => 16,
            "0o" => 8,
            "0b" => 2,
            _ => return None,
        };
        let digits = rest.get(2..)?;
        let length = digits.find(|c: char| !is_word_part(c)).unwrap_or(digits.len());
        let text = digits.get(..length)?.replace('_', "");
        let value = i128::from_str_radix(&text, radix).ok()?;
        self.at += 2 + length;
        Some(TokenKind::Integer(value.to_string()))
    }

    /// Takes an exponent if one stands here.
    fn exponent(&mut self) -> bool {
        let rest = self.rest();
        let Some(after) = rest.strip_prefix(['e', 'E']) else { return false };
        let digits = after.strip_prefix(['+', '-']).unwrap_or(after);
        if !digits.starts_with(|character: char| character.is_ascii_digit()) {
            return false;
        }
        self.at += rest.len() - digits.len();
        self.take_while(|character| character.is_ascii_digit());
        true
    }

    fn symbol(&mut self, first: char) -> TokenKind {
        match SYMBOLS.iter().find(|symbol| self.rest().starts_with(**symbol)) {
            Some(symbol) => {
                self.at += symbol.len();
                TokenKind::Symbol(symbol)
            }
            None => {
                self.at += first.len_utf8();
                TokenKind::Bad(format!("mismatched input '{first}'"))
            }
        }
    }
}

fn is_word_start(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_'
}

fn is_word_part(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == '@'
}

/// Returns the length of the unquoted relation name that `text` begins with, when it is one that
/// Trino's own tokens cannot spell: an event data store id, a name with hyphens, an ARN, or a
/// placeholder such as `$EDS_ID`. Zero otherwise.
pub(crate) fn bare_relation_length(text: &str) -> usize {
    if text.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("arn:")) {
        return run_length(text, |c| is_word_part(c) || matches!(c, ':' | '/' | '-' | '.'));
    }
    if text.starts_with('$') {
        return 1 + run_length(text.get(1..).unwrap_or_default(), |c| {
            is_word_part(c) || matches!(c, '{' | '}')
        });
    }
    let length = run_length(text, |c| is_word_part(c) || c == '-');
    let name = text.get(..length).unwrap_or_default();
    // `a--b` is a name and a comment; a trailing hyphen belongs to nothing.
    let name = name.split("--").next().unwrap_or_default().trim_end_matches('-');
    let odd = name.contains('-') || name.starts_with(|c: char| c.is_ascii_digit());
    if odd && !name.starts_with('-') { name.len() } else { 0 }
}

/// Returns 36 if `text` begins with an event data store id and no longer word.
pub(crate) fn uuid_length(text: &str) -> usize {
    const LENGTH: usize = 36;
    let Some(head) = text.get(..LENGTH) else { return 0 };
    let shaped = head.char_indices().all(|(at, character)| match at {
        8 | 13 | 18 | 23 => character == '-',
        _ => character.is_ascii_hexdigit(),
    });
    let ends = !text.get(LENGTH..).unwrap_or_default().starts_with(is_word_part);
    if shaped && ends { LENGTH } else { 0 }
}

fn run_length(text: &str, keep: impl Fn(char) -> bool) -> usize {
    text.find(|character| !keep(character)).unwrap_or(text.len())
}

/// A statement cut from a longer text, and where it began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementText {
    /// The statement, without the `;` that ended it.
    pub text: String,
    /// Whether a `;` ended it. The last statement of a text may still be being typed.
    pub terminated: bool,
    /// Byte offset of its first character in the whole text.
    pub offset: usize,
}

/// Cuts `text` at every `;` that stands outside strings, quoted names and comments.
///
/// Statements of blanks and comments only are left out, unless a `;` is missing and a comment or
/// string is still open: then the rest is returned as one unterminated statement.
pub fn split_statements(text: &str) -> Vec<StatementText> {
    let mut statements = Vec::new();
    let (mut start, mut seen) = (0, false);
    for token in tokenize(text) {
        match token.kind {
            TokenKind::Symbol(";") | TokenKind::End => {
                let terminated = token.kind != TokenKind::End;
                if seen {
                    let body = text.get(start..token.start).unwrap_or_default();
                    let offset = start + (body.len() - body.trim_start().len());
                    statements.push(StatementText {
                        text: body.trim().to_owned(),
                        terminated,
                        offset,
                    });
                }
                (start, seen) = (token.end, false);
            }
            _ => seen = true,
        }
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relation_names_no_token_can_spell_are_measured() {
        let id = "1f0c9b7e-5d3a-4c0e-9b1e-2a7d6c4e8f10";
        assert_eq!(bare_relation_length(&format!("{id} WHERE a-b > 1")), 36);
        assert_eq!(bare_relation_length("my-store--comment"), 8);
        assert_eq!(bare_relation_length("mystore"), 0);
        assert_eq!(bare_relation_length("$EDS_ID where"), 7);
        assert_eq!(bare_relation_length("arn:aws:cloudtrail:x:1:eventdatastore/a-b) x"), 41);
        assert_eq!(uuid_length(&format!("{id}.eventname")), 36);
        assert_eq!(uuid_length(&format!("{id}0")), 0);
    }

    #[test]
    fn statements_end_outside_strings_and_comments_only() {
        let parts = split_statements("SELECT ';' -- a;b\n; /* ; */ ; SELECT \"x;\" ");
        let texts: Vec<_> =
            parts.iter().map(|part| (part.text.as_str(), part.terminated)).collect();
        assert_eq!(texts, [("SELECT ';' -- a;b", true), ("SELECT \"x;\"", false)]);
    }

    #[test]
    fn numbers_keep_their_kind() {
        let kinds: Vec<_> =
            tokenize("1 1.5 .5 1e3 0xFF 1_000 9b").into_iter().map(|t| t.kind).collect();
        assert_eq!(kinds[0], TokenKind::Integer("1".into()));
        assert_eq!(kinds[1], TokenKind::Decimal("1.5".into()));
        assert_eq!(kinds[2], TokenKind::Decimal(".5".into()));
        assert_eq!(kinds[3], TokenKind::Double("1e3".into()));
        assert_eq!(kinds[4], TokenKind::Integer("255".into()));
        assert_eq!(kinds[5], TokenKind::Integer("1000".into()));
        assert!(matches!(kinds[6], TokenKind::Bad(_)));
    }
}
