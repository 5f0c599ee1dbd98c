//! Tokens → syntax tree: a recursive-descent parser of Trino's query grammar.
//!
//! Only what Trino's `SELECT` grammar has can be parsed, so nothing that writes, calls a table
//! function or reads a file can be smuggled past it. Statements Trino has and this engine does
//! not run are named in the error.

mod call;
mod expression;
mod query;
mod type_name;

pub(crate) use type_name::parse_type;

use crate::ast::{Ident, Query};
use crate::error::{ErrorKind, Result, SqlError};
use crate::lexer::{Token, TokenKind, tokenize};
use crate::limits::{NESTING_MAX, NODES_MAX, STATEMENT_BYTES_MAX};
use crate::parameters::{Mark, Marks, ParameterValue, ParameterValues};

/// Words that name nothing unless quoted (Trino's reserved keywords).
const RESERVED: [&str; 75] = [
    "ALTER",
    "AND",
    "AS",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CONSTRAINT",
    "CREATE",
    "CROSS",
    "CUBE",
    "CURRENT_CATALOG",
    "CURRENT_DATE",
    "CURRENT_PATH",
    "CURRENT_ROLE",
    "CURRENT_SCHEMA",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "DEALLOCATE",
    "DELETE",
    "DESCRIBE",
    "DISTINCT",
    "DROP",
    "ELSE",
    "END",
    "ESCAPE",
    "EXCEPT",
    "EXISTS",
    "EXTRACT",
    "FALSE",
    "FOR",
    "FROM",
    "FULL",
    "GROUP",
    "GROUPING",
    "HAVING",
    "IN",
    "INNER",
    "INSERT",
    "INTERSECT",
    "INTO",
    "IS",
    "JOIN",
    "JSON_ARRAY",
    "JSON_EXISTS",
    "JSON_OBJECT",
    "JSON_QUERY",
    "JSON_TABLE",
    "JSON_VALUE",
    "LEFT",
    "LIKE",
    "LISTAGG",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "NATURAL",
    "NORMALIZE",
    "NOT",
    "NULL",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "PREPARE",
    "RECURSIVE",
    "RIGHT",
    "ROLLUP",
    "SELECT",
    "TABLE",
    "THEN",
    "TRIM",
    "TRUE",
    "UESCAPE",
    "UNION",
    "UNNEST",
];
const RESERVED_LAST: [&str; 5] = ["USING", "VALUES", "WHEN", "WHERE", "WITH"];

/// Words that mean something where they stand and are names elsewhere.
const UNRESERVED: [&str; 56] = [
    "ALL",
    "ANY",
    "ARRAY",
    "ASC",
    "AT",
    "BERNOULLI",
    "BOTH",
    "CURRENT",
    "DATE",
    "DAY",
    "DESC",
    "EXPLAIN",
    "FETCH",
    "FILTER",
    "FIRST",
    "FOLLOWING",
    "GROUPS",
    "HOUR",
    "IF",
    "IGNORE",
    "INTERVAL",
    "JSON",
    "LAST",
    "LATERAL",
    "LEADING",
    "LIMIT",
    "MAP",
    "MINUTE",
    "MONTH",
    "NEXT",
    "NULLS",
    "OFFSET",
    "ONLY",
    "ORDINALITY",
    "OVER",
    "PARTITION",
    "PRECEDING",
    "RANGE",
    "RESPECT",
    "ROW",
    "ROWS",
    "SECOND",
    "SETS",
    "SOME",
    "SYSTEM",
    "TABLESAMPLE",
    "TIES",
    "TIME",
    "TIMESTAMP",
    "TRAILING",
    "UNBOUNDED",
    "WINDOW",
    "WITHIN",
    "WITHOUT",
    "YEAR",
    "ZONE",
];

/// The keywords of queries, sorted.
pub(crate) fn keyword_list() -> Vec<&'static str> {
    let mut words: Vec<&str> = RESERVED
        .iter()
        .chain(&RESERVED_LAST)
        .chain(&UNRESERVED)
        .copied()
        .filter(|word| !OTHER_STATEMENTS.contains(word))
        .collect();
    words.sort_unstable();
    words
}

/// First words of statements that Trino has and a reader of events does not need.
const OTHER_STATEMENTS: [&str; 27] = [
    "ALTER",
    "ANALYZE",
    "CALL",
    "COMMENT",
    "COMMIT",
    "CREATE",
    "DEALLOCATE",
    "DELETE",
    "DENY",
    "DESC",
    "DESCRIBE",
    "DROP",
    "EXECUTE",
    "EXPLAIN",
    "GRANT",
    "INSERT",
    "MERGE",
    "PREPARE",
    "REFRESH",
    "RESET",
    "REVOKE",
    "ROLLBACK",
    "SET",
    "SHOW",
    "START",
    "TRUNCATE",
    "UPDATE",
];

pub(crate) fn is_reserved(word: &str) -> bool {
    RESERVED.iter().chain(&RESERVED_LAST).any(|reserved| word.eq_ignore_ascii_case(reserved))
}

/// What a statement asks for.
#[derive(Clone, Debug)]
pub(crate) struct ParsedStatement {
    pub(crate) query: Query,
    pub(crate) explain: Option<ExplainKind>,
    pub(crate) marks: Marks,
}

/// Which `EXPLAIN` was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExplainKind {
    /// `EXPLAIN`: show the plan.
    Plan,
    /// `EXPLAIN (FORMAT JSON)`: show the plan as JSON.
    PlanJson,
    /// `EXPLAIN (TYPE VALIDATE)`: say whether the statement can be planned.
    Validate,
    /// `EXPLAIN ANALYZE`: run the query and show the plan with what it cost.
    Analyze,
}

/// Parses exactly one statement, with at most one `;` after it. Parameters become the literals of
/// `values`, or stay open without them.
pub(crate) fn parse_statement(
    sql: &str,
    values: Option<&ParameterValues>,
) -> Result<ParsedStatement> {
    if sql.len() > STATEMENT_BYTES_MAX {
        let message = format!("statement is longer than {STATEMENT_BYTES_MAX} bytes");
        return Err(SqlError::new(ErrorKind::LimitExceeded, message));
    }
    let mut parser = Parser::new(sql, values);
    let explain = parser.explain()?;
    parser.refuse_other_statements()?;
    let query = parser.query()?;
    parser.accept_symbol(";");
    if parser.at_symbol(";") {
        return Err(parser.error("<EOF>"));
    }
    if *parser.peek() != TokenKind::End {
        return Err(parser.error("<EOF>"));
    }
    Ok(ParsedStatement { query, explain, marks: parser.marks })
}

pub(crate) struct Parser<'a> {
    sql: &'a str,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    nodes: usize,
    values: Option<&'a ParameterValues>,
    /// The parameters met so far.
    marks: Marks,
    /// Which tokens are a `?`, in order: the parser may come by a token more than once.
    question_marks: Vec<usize>,
}

impl<'a> Parser<'a> {
    fn new(sql: &'a str, values: Option<&'a ParameterValues>) -> Parser<'a> {
        let mut tokens = tokenize(sql);
        let (mut marks, mut question_marks) = (Marks::default(), Vec::new());
        for (index, token) in tokens.iter_mut().enumerate() {
            let quoted = matches!(&token.kind, TokenKind::Text(text) if text == "?");
            marks.quoted += usize::from(quoted);
            let is_mark = quoted && values.is_some_and(|values| values.quoted_marks);
            if !is_mark && token.kind != TokenKind::Symbol("?") {
                continue;
            }
            let number = question_marks.len();
            question_marks.push(index);
            if is_mark {
                // A text stays a string literal, so that `TIMESTAMP '?'` is one.
                let value = values.and_then(|values| values.positional.get(number));
                token.kind = match value {
                    Some(ParameterValue::Varchar(text)) => TokenKind::Text(text.clone()),
                    _ => TokenKind::Symbol("?"),
                };
                marks.by_offset.insert(token.start, Mark::Positional(number));
            }
        }
        Parser { sql, tokens, next: 0, depth: 0, nodes: 0, values, marks, question_marks }
    }

    /// Reads `?` or `:name`. A `:` that means something else never begins an operand.
    fn parameter(&mut self) -> Option<Mark> {
        let at = self.offset();
        let mark = if self.at_symbol("?") {
            let number = self.question_marks.binary_search(&self.next).ok()?;
            self.next += 1;
            Mark::Positional(number)
        } else if self.at_symbol(":")
            && self.token(1).start == self.token(0).end
            && let TokenKind::Word(name) = &self.token(1).kind
        {
            let name = name.clone();
            self.next += 2;
            Mark::Named(name)
        } else {
            return None;
        };
        self.marks.by_offset.insert(at, mark.clone());
        Some(mark)
    }

    fn explain(&mut self) -> Result<Option<ExplainKind>> {
        if !self.accept_word("EXPLAIN") {
            return Ok(None);
        }
        if self.accept_word("ANALYZE") {
            self.accept_word("VERBOSE");
            return Ok(Some(ExplainKind::Analyze));
        }
        if self.at_symbol("(") && (self.word_at(1, "TYPE") || self.word_at(1, "FORMAT")) {
            return self.explain_options().map(Some);
        }
        Ok(Some(ExplainKind::Plan))
    }

    /// `(TYPE t, FORMAT f)`, either or both. A plan of one machine is the same, logical or
    /// distributed.
    fn explain_options(&mut self) -> Result<ExplainKind> {
        self.expect_symbol("(")?;
        let (mut validate, mut json) = (false, false);
        loop {
            let option = self.ident()?;
            let value = self.ident()?;
            let wanted = value.text.to_ascii_uppercase();
            match (option.text.to_ascii_uppercase().as_str(), wanted.as_str()) {
                ("TYPE", "LOGICAL" | "DISTRIBUTED") => validate = false,
                ("TYPE", "VALIDATE") => validate = true,
                ("FORMAT", "TEXT") => json = false,
                ("FORMAT", "JSON") => json = true,
                ("TYPE" | "FORMAT", other) => {
                    let message = format!("EXPLAIN does not offer {} {other}", option.text);
                    let error = SqlError::at(ErrorKind::Unsupported, value.at, message);
                    return Err(error.with_hint(Some(
                        "TYPE is LOGICAL, DISTRIBUTED or VALIDATE; FORMAT is TEXT or JSON".into(),
                    )));
                }
                _ => return Err(self.error("'FORMAT', 'TYPE'")),
            }
            if !self.accept_symbol(",") {
                break;
            }
        }
        self.expect_symbol(")")?;
        Ok(match (validate, json) {
            (true, _) => ExplainKind::Validate,
            (false, true) => ExplainKind::PlanJson,
            (false, false) => ExplainKind::Plan,
        })
    }

    fn refuse_other_statements(&self) -> Result<()> {
        let TokenKind::Word(word) = self.peek() else { return Ok(()) };
        let upper = word.to_ascii_uppercase();
        if !OTHER_STATEMENTS.contains(&upper.as_str()) {
            return Ok(());
        }
        let message = format!("{upper} statements are not supported: only queries can be run");
        Err(SqlError::at(ErrorKind::Unsupported, self.offset(), message))
    }

    fn token(&self, ahead: usize) -> &Token {
        let at = (self.next + ahead).min(self.tokens.len() - 1);
        &self.tokens[at]
    }

    fn peek(&self) -> &TokenKind {
        &self.token(0).kind
    }

    /// Byte at which the next token starts.
    fn offset(&self) -> usize {
        self.token(0).start
    }

    fn advance(&mut self) -> TokenKind {
        let kind = self.peek().clone();
        if self.next + 1 < self.tokens.len() {
            self.next += 1;
        }
        kind
    }

    /// Continues after byte `end`, whatever tokens the text before it was cut into.
    fn resume_at(&mut self, end: usize) {
        while self.offset() < end && *self.peek() != TokenKind::End {
            self.next += 1;
        }
    }

    fn rest(&self) -> &'a str {
        self.sql.get(self.offset()..).unwrap_or_default()
    }

    fn word_at(&self, ahead: usize, keyword: &str) -> bool {
        matches!(&self.token(ahead).kind, TokenKind::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn at_word(&self, keyword: &str) -> bool {
        self.word_at(0, keyword)
    }

    fn at_words(&self, keywords: &[&str]) -> bool {
        keywords.iter().enumerate().all(|(ahead, keyword)| self.word_at(ahead, keyword))
    }

    fn accept_word(&mut self, keyword: &str) -> bool {
        self.accept_words(&[keyword])
    }

    fn accept_words(&mut self, keywords: &[&str]) -> bool {
        let here = self.at_words(keywords);
        if here {
            self.next += keywords.len();
        }
        here
    }

    fn expect_word(&mut self, keyword: &str) -> Result<()> {
        if self.accept_word(keyword) { Ok(()) } else { Err(self.error(&format!("'{keyword}'"))) }
    }

    fn symbol_at(&self, ahead: usize, symbol: &str) -> bool {
        matches!(&self.token(ahead).kind, TokenKind::Symbol(found) if *found == symbol)
    }

    fn at_symbol(&self, symbol: &str) -> bool {
        self.symbol_at(0, symbol)
    }

    fn accept_symbol(&mut self, symbol: &str) -> bool {
        let here = self.at_symbol(symbol);
        if here {
            self.next += 1;
        }
        here
    }

    fn expect_symbol(&mut self, symbol: &str) -> Result<()> {
        if self.accept_symbol(symbol) { Ok(()) } else { Err(self.error(&format!("'{symbol}'"))) }
    }

    /// The error for a next token that fits nowhere, as Trino words it.
    fn error(&self, expecting: &str) -> SqlError {
        let token = self.token(0);
        let message = match &token.kind {
            TokenKind::Bad(message) => message.clone(),
            TokenKind::End => format!("mismatched input '<EOF>'. Expecting: {expecting}"),
            _ => {
                let text = self.sql.get(token.start..token.end).unwrap_or_default();
                format!("mismatched input '{text}'. Expecting: {expecting}")
            }
        };
        SqlError::at(ErrorKind::Syntax, token.start, message)
    }

    fn unsupported(&self, at: usize, what: &str) -> SqlError {
        SqlError::at(ErrorKind::Unsupported, at, format!("{what} is not supported"))
    }

    fn at_ident(&self) -> bool {
        self.ident_at(0)
    }

    fn ident_at(&self, ahead: usize) -> bool {
        match &self.token(ahead).kind {
            TokenKind::Word(word) => !is_reserved(word),
            TokenKind::Quoted(_) => true,
            _ => false,
        }
    }

    fn ident(&mut self) -> Result<Ident> {
        let at = self.offset();
        match self.peek() {
            TokenKind::Quoted(text) if text.is_empty() => Err(SqlError::at(
                ErrorKind::Syntax,
                at,
                "Zero-length delimited identifier not allowed",
            )),
            TokenKind::Word(text) if is_reserved(text) => Err(self.error("<identifier>")),
            TokenKind::Word(text) | TokenKind::Quoted(text) => {
                let text = text.clone();
                self.next += 1;
                Ok(Ident { text, at })
            }
            _ => Err(self.error("<identifier>")),
        }
    }

    fn ident_list(&mut self) -> Result<Vec<Ident>> {
        self.expect_symbol("(")?;
        let names = self.comma_separated(Parser::ident)?;
        self.expect_symbol(")")?;
        Ok(names)
    }

    fn comma_separated<T>(
        &mut self,
        mut item: impl FnMut(&mut Parser<'a>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.accept_symbol(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Runs `parse` one level deeper.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Parser<'a>) -> Result<T>) -> Result<T> {
        self.count_node()?;
        self.depth += 1;
        if self.depth > NESTING_MAX {
            let message = format!("statement is nested deeper than {NESTING_MAX} levels");
            return Err(SqlError::at(ErrorKind::LimitExceeded, self.offset(), message));
        }
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn count_node(&mut self) -> Result<()> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let message = format!("statement has more than {NODES_MAX} parts");
            return Err(SqlError::at(ErrorKind::LimitExceeded, self.offset(), message));
        }
        Ok(())
    }

    fn integer(&mut self, expecting: &str) -> Result<(u64, usize)> {
        let at = self.offset();
        let TokenKind::Integer(digits) = self.peek() else { return Err(self.error(expecting)) };
        let Ok(value) = digits.parse::<u64>() else {
            let message = format!("Invalid numeric literal: {digits}");
            return Err(SqlError::at(ErrorKind::InvalidArgument, at, message));
        };
        self.next += 1;
        Ok((value, at))
    }
}
