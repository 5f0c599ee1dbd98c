//! Expressions, by Trino's precedence: `OR`, `AND`, `NOT`, one predicate, `||`, `+ -`, `* / %`,
//! sign, `AT TIME ZONE`, and the postfix forms `a[1]` and `a.b`.

use super::{Parser, is_reserved};
use crate::ast::{Arithmetic, Call, Comparison, Expr, ExprKind, Ident, TrimSide};
use crate::data_type::Type;
use crate::error::{ErrorKind, Result, SqlError};
use crate::lexer::{TokenKind, uuid_length};
use crate::limits::NESTING_MAX;
use crate::operators::interval;

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Result<Expr> {
        self.nested(Parser::or)
    }

    fn boxed(&mut self) -> Result<Box<Expr>> {
        self.expression().map(Box::new)
    }

    fn or(&mut self) -> Result<Expr> {
        let at = self.offset();
        let mut terms = vec![self.and()?];
        while self.accept_word("OR") {
            terms.push(self.and()?);
        }
        Ok(joined(terms, at, ExprKind::Or))
    }

    fn and(&mut self) -> Result<Expr> {
        let at = self.offset();
        let mut terms = vec![self.not()?];
        while self.accept_word("AND") {
            terms.push(self.not()?);
        }
        Ok(joined(terms, at, ExprKind::And))
    }

    fn not(&mut self) -> Result<Expr> {
        let at = self.offset();
        if self.accept_word("NOT") {
            let value = self.nested(Parser::not)?;
            return Ok(Expr { kind: ExprKind::Not(Box::new(value)), at });
        }
        self.predicate()
    }

    fn predicate(&mut self) -> Result<Expr> {
        let value = self.value()?;
        if let Some(comparison) = self.comparison_symbol() {
            return self.comparison(value, comparison);
        }
        let at = self.offset();
        if self.accept_word("IS") {
            return self.is_predicate(value, at);
        }
        let negated = self.at_word("NOT")
            && ["BETWEEN", "IN", "LIKE"].iter().any(|word| self.word_at(1, word))
            && self.accept_word("NOT");
        let value_at = value.at;
        let value = Box::new(value);
        let kind = match () {
            () if self.accept_word("BETWEEN") => {
                let low = Box::new(self.value()?);
                self.expect_word("AND")?;
                let high = Box::new(self.value()?);
                ExprKind::Between { value, low, high, negated }
            }
            () if self.accept_word("IN") => self.in_predicate(value, negated)?,
            () if self.accept_word("LIKE") => {
                let pattern = Box::new(self.value()?);
                let mut escape = None;
                if self.accept_word("ESCAPE") {
                    escape = Some(Box::new(self.value()?));
                }
                ExprKind::Like { value, pattern, escape, negated }
            }
            () => return Ok(*value),
        };
        Ok(Expr { kind, at: value_at })
    }

    fn comparison_symbol(&self) -> Option<Comparison> {
        let TokenKind::Symbol(symbol) = self.peek() else { return None };
        match *symbol {
            "=" => Some(Comparison::Equal),
            "<>" | "!=" => Some(Comparison::NotEqual),
            "<" => Some(Comparison::Less),
            "<=" => Some(Comparison::LessOrEqual),
            ">" => Some(Comparison::Greater),
            ">=" => Some(Comparison::GreaterOrEqual),
            _ => None,
        }
    }

    fn comparison(&mut self, left: Expr, comparison: Comparison) -> Result<Expr> {
        let at = self.offset();
        self.next += 1;
        let quantifier = ["ALL", "SOME", "ANY"].into_iter().find(|word| self.at_word(word));
        if let Some(word) = quantifier
            && self.symbol_at(1, "(")
            && (self.word_at(2, "SELECT")
                || self.word_at(2, "VALUES")
                || self.word_at(2, "WITH")
                || self.word_at(2, "TABLE")
                || self.symbol_at(2, "("))
        {
            self.next += 2;
            let query = Box::new(self.query()?);
            self.expect_symbol(")")?;
            let (value, all) = (Box::new(left), word == "ALL");
            return Ok(Expr { kind: ExprKind::Quantified { comparison, all, value, query }, at });
        }
        let right = Box::new(self.value()?);
        Ok(Expr { kind: ExprKind::Compare(comparison, Box::new(left), right), at })
    }

    fn is_predicate(&mut self, value: Expr, _at: usize) -> Result<Expr> {
        let at = value.at;
        let negated = self.accept_word("NOT");
        if self.accept_word("NULL") {
            return Ok(Expr { kind: ExprKind::IsNull { value: Box::new(value), negated }, at });
        }
        if self.accept_words(&["DISTINCT", "FROM"]) {
            let right = Box::new(self.value()?);
            let left = Box::new(value);
            return Ok(Expr { kind: ExprKind::IsDistinct { left, right, negated }, at });
        }
        Err(self.error("'DISTINCT', 'NULL'"))
    }

    fn in_predicate(&mut self, value: Box<Expr>, negated: bool) -> Result<ExprKind> {
        self.expect_symbol("(")?;
        if self.at_query() {
            let start = (self.next, self.depth);
            let query = self.query();
            if query.is_ok() && self.at_symbol(")") {
                self.next += 1;
                return Ok(ExprKind::InQuery { value, query: Box::new(query?), negated });
            }
            // `IN ((SELECT 1), 2)`: a list whose first member is a subquery.
            if !self.sql_at(start.0, "(") {
                query?;
                return Err(self.error("')'"));
            }
            (self.next, self.depth) = start;
        }
        let list = self.comma_separated(Parser::expression)?;
        self.expect_symbol(")")?;
        Ok(ExprKind::InList { value, list, negated })
    }

    fn sql_at(&self, token: usize, symbol: &str) -> bool {
        matches!(self.tokens.get(token).map(|t| &t.kind), Some(TokenKind::Symbol(found)) if *found == symbol)
    }

    /// Whether a query begins here, after any number of opening parentheses.
    fn at_query(&self) -> bool {
        let opens = (0..).take_while(|ahead| self.symbol_at(*ahead, "(")).count();
        ["SELECT", "WITH", "VALUES"].iter().any(|word| self.word_at(opens, word))
            || (self.word_at(opens, "TABLE") && self.ident_at(opens + 1))
    }

    /// `||` binds loosest of the value operators.
    pub(super) fn value_operand(&mut self) -> Result<Expr> {
        self.value()
    }

    fn value(&mut self) -> Result<Expr> {
        self.left_associative(Parser::additive, |symbol| {
            (symbol == "||").then_some(BinaryOperator::Concat)
        })
    }

    fn additive(&mut self) -> Result<Expr> {
        self.left_associative(Parser::multiplicative, |symbol| match symbol {
            "+" => Some(BinaryOperator::Arithmetic(Arithmetic::Add)),
            "-" => Some(BinaryOperator::Arithmetic(Arithmetic::Subtract)),
            _ => None,
        })
    }

    fn multiplicative(&mut self) -> Result<Expr> {
        self.left_associative(Parser::signed, |symbol| match symbol {
            "*" => Some(BinaryOperator::Arithmetic(Arithmetic::Multiply)),
            "/" => Some(BinaryOperator::Arithmetic(Arithmetic::Divide)),
            "%" => Some(BinaryOperator::Arithmetic(Arithmetic::Modulus)),
            _ => None,
        })
    }

    fn left_associative(
        &mut self,
        operand: fn(&mut Self) -> Result<Expr>,
        operator: fn(&str) -> Option<BinaryOperator>,
    ) -> Result<Expr> {
        let mut left = operand(self)?;
        let mut chain = 0;
        loop {
            let TokenKind::Symbol(symbol) = self.peek() else { return Ok(left) };
            let Some(operator) = operator(symbol) else { return Ok(left) };
            let at = self.offset();
            self.next += 1;
            chain += 1;
            // The tree leans left, one level for each operator.
            if self.depth + chain > NESTING_MAX {
                let message = format!("more than {NESTING_MAX} operators in a row");
                return Err(SqlError::at(ErrorKind::LimitExceeded, at, message));
            }
            let right = Box::new(operand(self)?);
            let kind = match operator {
                BinaryOperator::Concat => ExprKind::Concat(Box::new(left), right),
                BinaryOperator::Arithmetic(operator) => {
                    ExprKind::Arithmetic(operator, Box::new(left), right)
                }
            };
            left = Expr { kind, at };
        }
    }

    fn signed(&mut self) -> Result<Expr> {
        let at = self.offset();
        if self.accept_symbol("-") {
            let value = self.nested(Parser::signed)?;
            return Ok(Expr { kind: ExprKind::Negate(Box::new(value)), at });
        }
        if self.accept_symbol("+") {
            let value = self.nested(Parser::signed)?;
            return Ok(Expr { kind: ExprKind::Plus(Box::new(value)), at });
        }
        let mut value = self.postfix()?;
        while self.at_words(&["AT", "TIME", "ZONE"]) {
            let at = self.offset();
            self.next += 3;
            let zone = Box::new(self.nested(Parser::postfix)?);
            value = Expr { kind: ExprKind::AtTimeZone(Box::new(value), zone), at };
        }
        Ok(value)
    }

    fn postfix(&mut self) -> Result<Expr> {
        let mut value = self.primary()?;
        let mut chain = 0;
        loop {
            let at = value.at;
            let kind = if self.accept_symbol("[") {
                let index = self.boxed()?;
                self.expect_symbol("]")?;
                ExprKind::Subscript(Box::new(value), index)
            } else if self.at_symbol(".") && !self.symbol_at(1, "*") {
                self.next += 1;
                ExprKind::Field(Box::new(value), self.field_name()?)
            } else {
                return Ok(value);
            };
            chain += 1;
            if self.depth + chain > NESTING_MAX {
                let message = format!("more than {NESTING_MAX} field accesses in a row");
                return Err(SqlError::at(ErrorKind::LimitExceeded, at, message));
            }
            value = Expr { kind, at };
        }
    }

    fn field_name(&mut self) -> Result<Ident> {
        self.ident()
    }

    fn primary(&mut self) -> Result<Expr> {
        let at = self.offset();
        if self.rest().starts_with(|c: char| c.is_ascii_hexdigit()) && self.at_qualifying_uuid() {
            let text = self.rest().get(..uuid_length(self.rest())).unwrap_or_default().to_owned();
            self.resume_at(at + text.len());
            return Ok(Expr { kind: ExprKind::Name(Ident { text, at }), at });
        }
        let kind = match self.peek().clone() {
            TokenKind::Integer(digits) => self.literal(ExprKind::Integer(digits)),
            TokenKind::Decimal(digits) => self.literal(ExprKind::Decimal(digits)),
            TokenKind::Double(digits) => {
                let value = digits.parse().map_err(|_| self.error("<number>"))?;
                self.literal(ExprKind::Double(value))
            }
            TokenKind::Text(text) => self.literal(ExprKind::Text(text)),
            TokenKind::UnicodeText(text) => self.unicode_text(&text)?,
            TokenKind::Binary(text) => {
                let bytes = hex_bytes(&text).ok_or_else(|| {
                    let message = "Binary literal must be an even number of hexadecimal digits";
                    SqlError::at(ErrorKind::Syntax, at, message)
                })?;
                self.literal(ExprKind::Binary(bytes))
            }
            TokenKind::Symbol("(") => return self.parenthesized(),
            TokenKind::Symbol("?" | ":") => match self.parameter() {
                Some(mark) => mark.literal(self.values),
                None => return Err(self.error("<expression>")),
            },
            TokenKind::Word(word) => self.word_expression(&word)?,
            TokenKind::Quoted(_) => self.name_or_call()?,
            _ => return Err(self.error("<expression>")),
        };
        Ok(Expr { kind, at })
    }

    fn literal(&mut self, kind: ExprKind) -> ExprKind {
        self.next += 1;
        kind
    }

    /// `1f0c9b7e-….eventname`: a store's id that qualifies a column.
    fn at_qualifying_uuid(&self) -> bool {
        let length = uuid_length(self.rest());
        length > 0 && self.rest().get(length..).is_some_and(|rest| rest.starts_with('.'))
    }

    /// `(a)`, `(a, b)`, `(SELECT …)`, `(x, y) -> …`.
    fn parenthesized(&mut self) -> Result<Expr> {
        let at = self.offset();
        if let Some(params) = self.lambda_parameters()? {
            let body = self.boxed()?;
            return Ok(Expr { kind: ExprKind::Lambda { params, body }, at });
        }
        self.next += 1;
        if self.at_query() {
            let start = (self.next, self.depth);
            let query = self.query();
            if query.is_ok() && self.at_symbol(")") {
                self.next += 1;
                return Ok(Expr { kind: ExprKind::Subquery(Box::new(query?)), at });
            }
            // `((SELECT 1) + 1)`: parentheses around an expression that begins with a subquery.
            if !self.sql_at(start.0, "(") {
                query?;
                return Err(self.error("')'"));
            }
            (self.next, self.depth) = start;
        }
        let mut items = self.comma_separated(Parser::expression)?;
        self.expect_symbol(")")?;
        match items.len() {
            1 => Ok(items.remove(0)),
            _ => Ok(Expr { kind: ExprKind::Row(items), at }),
        }
    }

    /// Reads `(x, y) ->` or `() ->` if that is what stands here.
    fn lambda_parameters(&mut self) -> Result<Option<Vec<Ident>>> {
        let mut ahead = 1;
        while self.ident_at(ahead) {
            ahead += if self.symbol_at(ahead + 1, ",") { 2 } else { 1 };
        }
        if !self.symbol_at(ahead, ")") || !self.symbol_at(ahead + 1, "->") {
            return Ok(None);
        }
        self.next += 1;
        let params =
            if self.at_symbol(")") { Vec::new() } else { self.comma_separated(Parser::ident)? };
        self.expect_symbol(")")?;
        self.expect_symbol("->")?;
        Ok(Some(params))
    }

    /// Syntax that begins with a keyword; any other word is a name.
    fn word_expression(&mut self, word: &str) -> Result<ExprKind> {
        let upper = word.to_ascii_uppercase();
        match upper.as_str() {
            "NULL" => Ok(self.literal(ExprKind::Null)),
            "TRUE" => Ok(self.literal(ExprKind::Boolean(true))),
            "FALSE" => Ok(self.literal(ExprKind::Boolean(false))),
            "CASE" => self.case(),
            "CAST" => self.cast(false),
            "TRY_CAST" if self.symbol_at(1, "(") => self.cast(true),
            "EXISTS" => {
                self.next += 1;
                self.expect_symbol("(")?;
                let query = self.query()?;
                self.expect_symbol(")")?;
                Ok(ExprKind::Exists(Box::new(query)))
            }
            "ROW" if self.symbol_at(1, "(") => {
                self.next += 2;
                let fields = self.comma_separated(Parser::row_item)?;
                self.expect_symbol(")")?;
                Ok(ExprKind::Row(fields))
            }
            "ARRAY" if self.symbol_at(1, "[") => self.array(),
            "INTERVAL" => self.interval_or_name(),
            "CURRENT_DATE" | "CURRENT_TIME" | "CURRENT_TIMESTAMP" | "LOCALTIME"
            | "LOCALTIMESTAMP" => self.now(&upper),
            "CURRENT_USER" | "CURRENT_CATALOG" | "CURRENT_SCHEMA" | "CURRENT_PATH" => {
                self.next += 1;
                Ok(ExprKind::Call(Box::new(Call::plain(&upper, Vec::new()))))
            }
            "EXTRACT" => self.extract(),
            "SUBSTRING" if self.symbol_at(1, "(") => self.substring(),
            "POSITION" if self.symbol_at(1, "(") => self.position(),
            "TRIM" => self.trim(),
            "NORMALIZE" => self.normalize(),
            "GROUPING" => self.grouping(),
            "LISTAGG" => self.listagg(),
            "JSON_EXISTS" | "JSON_VALUE" | "JSON_QUERY" | "JSON_OBJECT" | "JSON_ARRAY" => {
                self.json_call(&upper)
            }
            _ => self.typed_literal_or_name(),
        }
    }

    /// `ROW(1 AS a)` of newer Trino names its fields; the names are accepted by `CAST` only here.
    fn row_item(&mut self) -> Result<Expr> {
        self.expression()
    }

    fn array(&mut self) -> Result<ExprKind> {
        self.next += 2;
        if self.accept_symbol("]") {
            return Ok(ExprKind::Array(Vec::new()));
        }
        let items = self.comma_separated(Parser::expression)?;
        self.expect_symbol("]")?;
        Ok(ExprKind::Array(items))
    }

    fn case(&mut self) -> Result<ExprKind> {
        self.next += 1;
        let operand = if self.at_word("WHEN") { None } else { Some(self.boxed()?) };
        let mut whens = Vec::new();
        while self.accept_word("WHEN") {
            let condition = self.expression()?;
            self.expect_word("THEN")?;
            whens.push((condition, self.expression()?));
        }
        if whens.is_empty() {
            return Err(self.error("'WHEN'"));
        }
        let otherwise = if self.accept_word("ELSE") { Some(self.boxed()?) } else { None };
        self.expect_word("END")?;
        Ok(ExprKind::Case { operand, whens, otherwise })
    }

    fn cast(&mut self, safe: bool) -> Result<ExprKind> {
        self.next += 1;
        self.expect_symbol("(")?;
        let value = self.boxed()?;
        self.expect_word("AS")?;
        let target = self.type_name()?;
        self.expect_symbol(")")?;
        Ok(ExprKind::Cast { value, target, safe })
    }

    /// `INTERVAL` is no reserved word: alone it is a column.
    fn interval_or_name(&mut self) -> Result<ExprKind> {
        let signed = self.symbol_at(1, "-") || self.symbol_at(1, "+");
        let value = self.token(1 + usize::from(signed));
        let TokenKind::Text(text) = value.kind.clone() else { return self.name_or_call() };
        let negative = self.symbol_at(1, "-");
        let at = value.start;
        self.next += 2 + usize::from(signed);
        let from = self.interval_field()?;
        let to = if self.accept_word("TO") { Some(self.interval_field()?) } else { None };
        let (months, milliseconds) = interval::parse_literal(&text, negative, &from, to.as_deref())
            .map_err(|message| SqlError::at(ErrorKind::InvalidArgument, at, message))?;
        Ok(ExprKind::Interval { months, milliseconds })
    }

    fn interval_field(&mut self) -> Result<String> {
        let field = match self.peek() {
            TokenKind::Word(word) => word.to_ascii_uppercase(),
            _ => String::new(),
        };
        let singular = field.strip_suffix('S').unwrap_or(&field).to_owned();
        let known = ["YEAR", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"];
        if !known.contains(&singular.as_str()) {
            return Err(self.error("'DAY', 'HOUR', 'MINUTE', 'MONTH', 'SECOND', 'WEEK', 'YEAR'"));
        }
        self.next += 1;
        Ok(singular)
    }

    fn now(&mut self, word: &str) -> Result<ExprKind> {
        self.next += 1;
        let mut args = Vec::new();
        if word != "CURRENT_DATE" && self.at_symbol("(") {
            self.next += 1;
            let at = self.offset();
            let (precision, _) = self.integer("<integer>")?;
            self.expect_symbol(")")?;
            args.push(Expr { kind: ExprKind::Integer(precision.to_string()), at });
        }
        Ok(ExprKind::Call(Box::new(Call::plain(word, args))))
    }

    /// `DATE '…'`, `DECIMAL '…'`, `TIMESTAMP '…'`, `VARCHAR '…'`, `DOUBLE PRECISION '…'` …
    fn typed_literal_or_name(&mut self) -> Result<ExprKind> {
        let next_is_text = |ahead: usize| matches!(self.token(ahead).kind, TokenKind::Text(_));
        let precision = self.at_words(&["DOUBLE", "PRECISION"]) && next_is_text(2);
        if !next_is_text(1) && !precision {
            return self.name_or_call();
        }
        let at = self.offset();
        let target = match self.type_name()? {
            // The precision of a literal is that of its text.
            Type::Decimal(..) => Type::Decimal(0, 0),
            target => target,
        };
        let TokenKind::Text(text) = self.advance() else {
            return Err(SqlError::at(
                ErrorKind::Syntax,
                at,
                "mismatched input. Expecting: <string>",
            ));
        };
        Ok(ExprKind::Typed(target, text))
    }

    fn name_or_call(&mut self) -> Result<ExprKind> {
        if let TokenKind::Word(word) = self.peek()
            && is_reserved(word)
        {
            return Err(self.error("<expression>"));
        }
        if self.symbol_at(1, "->") {
            let params = vec![self.ident()?];
            self.expect_symbol("->")?;
            let body = self.boxed()?;
            return Ok(ExprKind::Lambda { params, body });
        }
        if self.symbol_at(1, "(") {
            return self.call();
        }
        Ok(ExprKind::Name(self.ident()?))
    }

    /// `U&'\00e9'`, with `UESCAPE` naming another escape character.
    fn unicode_text(&mut self, text: &str) -> Result<ExprKind> {
        let at = self.offset();
        self.next += 1;
        let mut escape = '\\';
        if self.accept_word("UESCAPE") {
            let TokenKind::Text(given) = self.advance() else {
                return Err(SqlError::at(
                    ErrorKind::Syntax,
                    at,
                    "Expecting: a string after UESCAPE",
                ));
            };
            let mut characters = given.chars();
            escape = match (characters.next(), characters.next()) {
                (Some(character), None) => character,
                _ => {
                    return Err(SqlError::at(
                        ErrorKind::Syntax,
                        at,
                        "Invalid Unicode escape character",
                    ));
                }
            };
        }
        decode_unicode(text, escape)
            .map(ExprKind::Text)
            .map_err(|message| SqlError::at(ErrorKind::Syntax, at, message))
    }

    pub(super) fn trim(&mut self) -> Result<ExprKind> {
        self.next += 1;
        self.expect_symbol("(")?;
        let mut side = None;
        for (word, named) in [
            ("BOTH", TrimSide::Both),
            ("LEADING", TrimSide::Leading),
            ("TRAILING", TrimSide::Trailing),
        ] {
            // `trim(both)` trims a column of that name.
            if side.is_none()
                && self.at_word(word)
                && !self.symbol_at(1, ")")
                && !self.symbol_at(1, ",")
            {
                self.next += 1;
                side = Some(named);
            }
        }
        let named = side.is_some();
        let side = side.unwrap_or(TrimSide::Both);
        if named && self.accept_word("FROM") {
            let value = self.boxed()?;
            self.expect_symbol(")")?;
            return Ok(ExprKind::Trim { side, characters: None, value });
        }
        let first = self.boxed()?;
        let (characters, value) = if self.accept_word("FROM") {
            (Some(first), self.boxed()?)
        } else if self.accept_symbol(",") {
            (Some(self.boxed()?), first)
        } else {
            (None, first)
        };
        self.expect_symbol(")")?;
        Ok(ExprKind::Trim { side, characters, value })
    }
}

#[derive(Clone, Copy)]
enum BinaryOperator {
    Concat,
    Arithmetic(Arithmetic),
}

fn joined(mut terms: Vec<Expr>, at: usize, wrap: fn(Vec<Expr>) -> ExprKind) -> Expr {
    match terms.len() {
        1 => terms.remove(0),
        _ => Expr { kind: wrap(terms), at },
    }
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|character| !character.is_whitespace())
        .map(|character| character.to_digit(16))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| {
        pairs.iter().filter_map(|[high, low]| u8::try_from(high * 16 + low).ok()).collect()
    })
}

fn decode_unicode(text: &str, escape: char) -> Result<String, &'static str> {
    let mut decoded = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character != escape {
            decoded.push(character);
            continue;
        }
        if characters.next_if_eq(&escape).is_some() {
            decoded.push(escape);
            continue;
        }
        let digits = if characters.next_if_eq(&'+').is_some() { 6 } else { 4 };
        let mut code = 0;
        for _ in 0..digits {
            let digit = characters.next().and_then(|c| c.to_digit(16));
            code = code * 16 + digit.ok_or("Incomplete escape sequence")?;
        }
        decoded.push(char::from_u32(code).ok_or("Invalid escaped character")?);
    }
    Ok(decoded)
}
