//! Calls: arguments, `DISTINCT`, `FILTER`, `OVER`, and the functions with a grammar of their own.

use super::Parser;
use crate::ast::{
    Call, Expr, ExprKind, Frame, FrameBound, FrameUnits, JsonCall, JsonDefault, JsonFunction,
    JsonItem, JsonPath, Window, WindowSpec,
};
use crate::data_type::Type;
use crate::error::{ErrorKind, Result, SqlError};
use crate::lexer::TokenKind;

impl Parser<'_> {
    pub(super) fn call(&mut self) -> Result<ExprKind> {
        let mut call = Call::plain(&self.ident()?.text, Vec::new());
        self.expect_symbol("(")?;
        if self.at_symbol("*") && self.symbol_at(1, ")") {
            self.next += 1;
            call.star = true;
        } else if !self.at_symbol(")") && !self.at_words(&["ORDER", "BY"]) {
            call.distinct = self.accept_word("DISTINCT");
            if !call.distinct && self.at_word("ALL") && !self.symbol_at(1, ".") {
                self.next += 1;
            }
            call.args = self.comma_separated(Parser::expression)?;
        }
        call.order_by = self.order_by()?;
        self.expect_symbol(")")?;
        self.call_clauses(&mut call)?;
        Ok(ExprKind::Call(Box::new(call)))
    }

    fn call_clauses(&mut self, call: &mut Call) -> Result<()> {
        if self.at_words(&["WITHIN", "GROUP"]) {
            let at = self.offset();
            return Err(self.unsupported(at, &format!("WITHIN GROUP on {}", call.name)));
        }
        if self.at_word("FILTER") && self.symbol_at(1, "(") {
            self.next += 2;
            self.expect_word("WHERE")?;
            call.filter = Some(self.expression()?);
            self.expect_symbol(")")?;
        }
        let treated = self.at_words(&["IGNORE", "NULLS"]) || self.at_words(&["RESPECT", "NULLS"]);
        if treated {
            call.ignore_nulls = self.at_word("IGNORE");
            self.next += 2;
        }
        let over = self.at_word("OVER") && (self.symbol_at(1, "(") || self.ident_at(1));
        if over {
            self.next += 1;
            call.over = Some(if self.at_symbol("(") {
                Window::Spec(Box::new(self.window_spec()?))
            } else {
                Window::Named(self.ident()?)
            });
        } else if treated {
            return Err(self.error("'OVER'"));
        }
        Ok(())
    }

    pub(super) fn window_spec(&mut self) -> Result<WindowSpec> {
        self.expect_symbol("(")?;
        let starts_clause = self.at_words(&["PARTITION", "BY"])
            || ["ROWS", "RANGE", "GROUPS"].iter().any(|word| self.at_word(word));
        let base = if self.at_ident() && !starts_clause { Some(self.ident()?) } else { None };
        let mut partition_by = Vec::new();
        if self.accept_words(&["PARTITION", "BY"]) {
            partition_by = self.comma_separated(Parser::expression)?;
        }
        let order_by = self.order_by()?;
        let frame = self.frame()?;
        self.expect_symbol(")")?;
        Ok(WindowSpec { base, partition_by, order_by, frame })
    }

    fn frame(&mut self) -> Result<Option<Frame>> {
        let at = self.offset();
        let units = match () {
            () if self.accept_word("ROWS") => FrameUnits::Rows,
            () if self.accept_word("RANGE") => FrameUnits::Range,
            () if self.accept_word("GROUPS") => FrameUnits::Groups,
            () => return Ok(None),
        };
        if self.accept_word("BETWEEN") {
            let start = self.frame_bound()?;
            self.expect_word("AND")?;
            let end = Some(self.frame_bound()?);
            return Ok(Some(Frame { units, start, end, at }));
        }
        Ok(Some(Frame { units, start: self.frame_bound()?, end: None, at }))
    }

    fn frame_bound(&mut self) -> Result<FrameBound> {
        if self.accept_words(&["UNBOUNDED", "PRECEDING"]) {
            return Ok(FrameBound::UnboundedPreceding);
        }
        if self.accept_words(&["UNBOUNDED", "FOLLOWING"]) {
            return Ok(FrameBound::UnboundedFollowing);
        }
        if self.accept_words(&["CURRENT", "ROW"]) {
            return Ok(FrameBound::CurrentRow);
        }
        let distance = self.expression()?;
        if self.accept_word("PRECEDING") {
            return Ok(FrameBound::Preceding(distance));
        }
        self.expect_word("FOLLOWING")?;
        Ok(FrameBound::Following(distance))
    }

    /// `EXTRACT(YEAR FROM x)` means `year(x)`.
    pub(super) fn extract(&mut self) -> Result<ExprKind> {
        self.next += 1;
        self.expect_symbol("(")?;
        let field = self.ident()?;
        let known = [
            "year",
            "quarter",
            "month",
            "week",
            "day",
            "day_of_month",
            "day_of_week",
            "dow",
            "day_of_year",
            "doy",
            "year_of_week",
            "yow",
            "hour",
            "minute",
            "second",
            "timezone_hour",
            "timezone_minute",
        ];
        if !known.contains(&field.key().as_str()) {
            let message = format!("Invalid EXTRACT field: {}", field.text);
            return Err(SqlError::at(ErrorKind::Syntax, field.at, message));
        }
        self.expect_word("FROM")?;
        let value = self.expression()?;
        self.expect_symbol(")")?;
        Ok(ExprKind::Call(Box::new(Call::plain(&field.text, vec![value]))))
    }

    /// `SUBSTRING(x FROM a FOR b)` and `substring(x, a, b)`.
    pub(super) fn substring(&mut self) -> Result<ExprKind> {
        self.next += 2;
        let mut args = vec![self.expression()?];
        if self.accept_word("FROM") {
            args.push(self.expression()?);
            if self.accept_word("FOR") {
                args.push(self.expression()?);
            }
        } else {
            while self.accept_symbol(",") {
                args.push(self.expression()?);
            }
        }
        self.expect_symbol(")")?;
        Ok(ExprKind::Call(Box::new(Call::plain("substring", args))))
    }

    /// `POSITION(a IN b)` means `strpos(b, a)`.
    pub(super) fn position(&mut self) -> Result<ExprKind> {
        self.next += 2;
        // A full expression would take the IN for itself.
        let needle = self.nested(Parser::value_operand)?;
        self.expect_word("IN")?;
        let haystack = self.nested(Parser::value_operand)?;
        self.expect_symbol(")")?;
        Ok(ExprKind::Call(Box::new(Call::plain("strpos", vec![haystack, needle]))))
    }

    pub(super) fn normalize(&mut self) -> Result<ExprKind> {
        self.next += 1;
        self.expect_symbol("(")?;
        let mut args = vec![self.expression()?];
        if self.accept_symbol(",") {
            let at = self.offset();
            let form = self.ident()?;
            if !["nfc", "nfd", "nfkc", "nfkd"].contains(&form.key().as_str()) {
                return Err(SqlError::at(
                    ErrorKind::Syntax,
                    at,
                    "Expecting: 'NFC', 'NFD', 'NFKC', 'NFKD'",
                ));
            }
            args.push(Expr { kind: ExprKind::Text(form.text.to_ascii_uppercase()), at });
        }
        self.expect_symbol(")")?;
        Ok(ExprKind::Call(Box::new(Call::plain("normalize", args))))
    }

    pub(super) fn grouping(&mut self) -> Result<ExprKind> {
        self.next += 1;
        self.expect_symbol("(")?;
        let columns = self.comma_separated(Parser::expression)?;
        self.expect_symbol(")")?;
        Ok(ExprKind::Grouping(columns))
    }

    /// `LISTAGG(x, sep ON OVERFLOW …) WITHIN GROUP (ORDER BY …)`.
    pub(super) fn listagg(&mut self) -> Result<ExprKind> {
        self.next += 1;
        self.expect_symbol("(")?;
        let distinct = self.accept_word("DISTINCT");
        let value = self.expression()?;
        let at = self.offset();
        let text = |text: &str| Expr { kind: ExprKind::Text(text.to_owned()), at };
        let separator = if self.accept_symbol(",") { self.expression()? } else { text("") };
        let mut args = vec![value, separator];
        if self.accept_words(&["ON", "OVERFLOW"]) && !self.accept_word("ERROR") {
            self.expect_word("TRUNCATE")?;
            let filler = match self.peek() {
                TokenKind::Text(_) => self.expression()?,
                _ => text("..."),
            };
            let with_count = self.accept_word("WITH");
            if !with_count {
                self.expect_word("WITHOUT")?;
            }
            self.expect_word("COUNT")?;
            args.extend([filler, Expr { kind: ExprKind::Boolean(with_count), at }]);
        }
        self.expect_symbol(")")?;
        self.expect_word("WITHIN")?;
        self.expect_word("GROUP")?;
        self.expect_symbol("(")?;
        let order_by = self.order_by()?;
        self.expect_symbol(")")?;
        let mut call = Call { distinct, order_by, ..Call::plain("listagg", args) };
        self.call_clauses(&mut call)?;
        Ok(ExprKind::Call(Box::new(call)))
    }

    pub(super) fn json_call(&mut self, name: &str) -> Result<ExprKind> {
        self.next += 1;
        self.expect_symbol("(")?;
        let (function, returning) = match name {
            "JSON_EXISTS" => (self.json_exists()?, None),
            "JSON_VALUE" => self.json_value()?,
            "JSON_QUERY" => self.json_query()?,
            "JSON_OBJECT" => self.json_object()?,
            _ => self.json_array()?,
        };
        self.expect_symbol(")")?;
        Ok(ExprKind::Json(Box::new(JsonCall { function, returning })))
    }

    fn json_path(&mut self) -> Result<JsonPath> {
        let input = self.expression()?;
        self.format_json()?;
        let encoded = self.tokens.get(self.next.wrapping_sub(1)).is_some_and(
            |token| matches!(&token.kind, TokenKind::Word(word) if word.eq_ignore_ascii_case("UTF8")),
        );
        self.expect_symbol(",")?;
        let path = self.expression()?;
        if self.accept_word("AS") {
            self.ident()?;
        }
        let mut passing = Vec::new();
        if self.accept_word("PASSING") {
            passing = self.comma_separated(|parser| {
                let value = parser.json_item()?;
                parser.expect_word("AS")?;
                Ok((parser.ident()?, value))
            })?;
        }
        Ok(JsonPath { input, encoded, path, passing })
    }

    fn format_json(&mut self) -> Result<bool> {
        if !self.accept_words(&["FORMAT", "JSON"]) {
            return Ok(false);
        }
        if self.accept_word("ENCODING") && !self.accept_word("UTF8") {
            let at = self.offset();
            return Err(self.unsupported(at, "a JSON encoding other than UTF8"));
        }
        Ok(true)
    }

    fn returning(&mut self) -> Result<Option<Type>> {
        if !self.accept_word("RETURNING") {
            return Ok(None);
        }
        let returned = self.type_name()?;
        self.format_json()?;
        Ok(Some(returned))
    }

    fn json_exists(&mut self) -> Result<JsonFunction> {
        let target = self.json_path()?;
        let mut on_error = "FALSE";
        for word in ["TRUE", "FALSE", "UNKNOWN", "ERROR"] {
            if self.accept_words(&[word, "ON", "ERROR"]) {
                on_error = word;
            }
        }
        Ok(JsonFunction::Exists { target, on_error })
    }

    fn json_value(&mut self) -> Result<(JsonFunction, Option<Type>)> {
        let target = self.json_path()?;
        let returning = self.returning()?;
        let (mut on_empty, mut on_error) = (JsonDefault::Null, JsonDefault::Null);
        loop {
            let behaviour = match () {
                () if self.accept_word("NULL") => JsonDefault::Null,
                () if self.accept_word("ERROR") => JsonDefault::Error,
                () if self.accept_word("DEFAULT") => JsonDefault::Default(self.expression()?),
                () => break,
            };
            if self.accept_words(&["ON", "EMPTY"]) {
                on_empty = behaviour;
            } else {
                self.expect_word("ON")?;
                self.expect_word("ERROR")?;
                on_error = behaviour;
            }
        }
        Ok((JsonFunction::Value { target, on_empty, on_error }, returning))
    }

    fn json_query(&mut self) -> Result<(JsonFunction, Option<Type>)> {
        let target = self.json_path()?;
        let returning = self.returning()?;
        let wrapper = self.json_wrapper()?;
        let mut quotes = "KEEP";
        for word in ["KEEP", "OMIT"] {
            if self.accept_words(&[word, "QUOTES"]) {
                quotes = word;
                self.accept_words(&["ON", "SCALAR", "STRING"]);
            }
        }
        let (mut on_empty, mut on_error) = ("NULL", "NULL");
        loop {
            let behaviour = match () {
                () if self.accept_word("NULL") => "NULL",
                () if self.accept_word("ERROR") => "ERROR",
                () if self.accept_words(&["EMPTY", "ARRAY"]) => "EMPTY ARRAY",
                () if self.accept_words(&["EMPTY", "OBJECT"]) => "EMPTY OBJECT",
                () => break,
            };
            if self.accept_words(&["ON", "EMPTY"]) {
                on_empty = behaviour;
            } else {
                self.expect_word("ON")?;
                self.expect_word("ERROR")?;
                on_error = behaviour;
            }
        }
        Ok((JsonFunction::Query { target, wrapper, quotes, on_empty, on_error }, returning))
    }

    fn json_wrapper(&mut self) -> Result<&'static str> {
        if self.accept_word("WITHOUT") {
            self.accept_word("ARRAY");
            self.expect_word("WRAPPER")?;
            return Ok("WITHOUT");
        }
        if !self.accept_word("WITH") {
            return Ok("WITHOUT");
        }
        let conditional = self.accept_word("CONDITIONAL");
        if !conditional {
            self.accept_word("UNCONDITIONAL");
        }
        self.accept_word("ARRAY");
        self.expect_word("WRAPPER")?;
        Ok(if conditional { "CONDITIONAL" } else { "UNCONDITIONAL" })
    }

    fn json_item(&mut self) -> Result<JsonItem> {
        let value = self.expression()?;
        Ok(JsonItem { value, format_json: self.format_json()? })
    }

    /// `NULL ON NULL` or `ABSENT ON NULL`; `default` when neither is written.
    fn null_on_null(&mut self, default: bool) -> bool {
        if self.accept_words(&["NULL", "ON", "NULL"]) {
            return true;
        }
        !self.accept_words(&["ABSENT", "ON", "NULL"]) && default
    }

    fn json_object(&mut self) -> Result<(JsonFunction, Option<Type>)> {
        let mut members = Vec::new();
        let clause = self.at_symbol(")")
            || self.at_words(&["NULL", "ON"])
            || self.at_words(&["ABSENT", "ON"])
            || self.at_words(&["RETURNING"]);
        if !clause {
            members = self.comma_separated(Parser::json_member)?;
        }
        let null_on_null = self.null_on_null(true);
        let mut unique_keys = false;
        if self.accept_words(&["WITH", "UNIQUE"]) {
            unique_keys = true;
            self.accept_word("KEYS");
        } else if self.accept_words(&["WITHOUT", "UNIQUE"]) {
            self.accept_word("KEYS");
        }
        let returning = self.returning()?;
        Ok((JsonFunction::Object { members, null_on_null, unique_keys }, returning))
    }

    fn json_member(&mut self) -> Result<(Expr, JsonItem)> {
        // `KEY 'a' VALUE 1`, unless the word is a column called key.
        let keyed = self.at_word("KEY") && !self.symbol_at(1, ":") && !self.word_at(1, "VALUE");
        if keyed {
            self.next += 1;
        }
        let key = self.expression()?;
        if !self.accept_symbol(":") {
            self.expect_word("VALUE")?;
        }
        Ok((key, self.json_item()?))
    }

    fn json_array(&mut self) -> Result<(JsonFunction, Option<Type>)> {
        let mut elements = Vec::new();
        let clause = self.at_symbol(")")
            || self.at_words(&["NULL", "ON"])
            || self.at_words(&["ABSENT", "ON"])
            || self.at_words(&["RETURNING"]);
        if !clause {
            elements = self.comma_separated(Parser::json_item)?;
        }
        let null_on_null = self.null_on_null(false);
        let returning = self.returning()?;
        Ok((JsonFunction::Array { elements, null_on_null }, returning))
    }
}
