//! Queries, set operations, select blocks and relations.

use super::Parser;
use crate::ast::{
    CommonTable, Expr, ExprKind, GroupBy, GroupElement, Ident, Join, JoinCondition, JoinKind,
    Limit, Query, QueryBody, Relation, RelationKind, RelationName, RowCount, Select, SelectItem,
    SetOperation, SetOperator, SortItem, TableAlias, With,
};
use crate::error::{ErrorKind, Result, SqlError};
use crate::lexer::{TokenKind, bare_relation_length};
use crate::limits::NESTING_MAX;

impl Parser<'_> {
    pub(super) fn query(&mut self) -> Result<Query> {
        self.nested(Parser::query_here)
    }

    fn query_here(&mut self) -> Result<Query> {
        let at = self.offset();
        let with = self.with()?;
        let body = self.set_operations()?;
        let order_by = self.order_by()?;
        let mut offset = None;
        if self.accept_word("OFFSET") {
            offset = Some(self.row_count()?);
            let _ = self.accept_word("ROWS") || self.accept_word("ROW");
        }
        let limit = self.limit()?;
        Ok(Query { with, body, order_by, offset, limit, at })
    }

    fn with(&mut self) -> Result<Option<With>> {
        if !self.accept_word("WITH") {
            return Ok(None);
        }
        let recursive = self.accept_word("RECURSIVE");
        let tables = self.comma_separated(|parser| {
            let name = parser.ident()?;
            let columns = if parser.at_symbol("(") { parser.ident_list()? } else { Vec::new() };
            parser.expect_word("AS")?;
            parser.expect_symbol("(")?;
            let query = parser.query()?;
            parser.expect_symbol(")")?;
            Ok(CommonTable { name, columns, query })
        })?;
        Ok(Some(With { recursive, tables }))
    }

    pub(super) fn order_by(&mut self) -> Result<Vec<SortItem>> {
        if !self.accept_words(&["ORDER", "BY"]) {
            return Ok(Vec::new());
        }
        self.comma_separated(|parser| {
            let expr = parser.expression()?;
            let descending = parser.accept_word("DESC");
            if !descending {
                parser.accept_word("ASC");
            }
            let mut nulls_first = false;
            if parser.accept_word("NULLS") {
                nulls_first = parser.accept_word("FIRST");
                if !nulls_first {
                    parser.expect_word("LAST")?;
                }
            }
            Ok(SortItem { expr, descending, nulls_first })
        })
    }

    fn row_count(&mut self) -> Result<RowCount> {
        let at = self.offset();
        if let Some(mark) = self.parameter() {
            return Ok(RowCount { rows: mark.rows(at, self.values)?, at });
        }
        let (rows, at) = self.integer("<integer>")?;
        Ok(RowCount { rows: usize::try_from(rows).unwrap_or(usize::MAX), at })
    }

    fn limit(&mut self) -> Result<Option<Limit>> {
        if self.accept_word("LIMIT") {
            if self.accept_word("ALL") {
                return Ok(Some(Limit::All));
            }
            return Ok(Some(Limit::Rows(self.row_count()?)));
        }
        let at = self.offset();
        if !self.accept_word("FETCH") {
            return Ok(None);
        }
        if !self.accept_word("FIRST") {
            self.expect_word("NEXT")?;
        }
        let is_count = matches!(self.peek(), TokenKind::Integer(_) | TokenKind::Symbol("?" | ":"));
        let count = if is_count { self.row_count()? } else { RowCount { rows: 1, at } };
        if count.rows == 0 {
            let message = "FETCH FIRST row count must be positive (actual value: 0)";
            return Err(SqlError::at(ErrorKind::InvalidArgument, count.at, message));
        }
        if !self.accept_word("ROWS") {
            self.expect_word("ROW")?;
        }
        if self.accept_word("ONLY") {
            return Ok(Some(Limit::Rows(count)));
        }
        self.expect_word("WITH")?;
        self.expect_word("TIES")?;
        Ok(Some(Limit::WithTies(count)))
    }

    /// `UNION` and `EXCEPT` bind alike and to the left; `INTERSECT` binds tighter.
    fn set_operations(&mut self) -> Result<QueryBody> {
        let mut left = self.intersections()?;
        let mut chain = 0;
        loop {
            let at = self.offset();
            let operator = match () {
                () if self.accept_word("UNION") => SetOperator::Union,
                () if self.accept_word("EXCEPT") => SetOperator::Except,
                () => return Ok(left),
            };
            chain += 1;
            let all = self.set_quantifier(chain)?;
            let right = self.intersections()?;
            left =
                QueryBody::SetOperation(Box::new(SetOperation { operator, all, left, right, at }));
        }
    }

    fn intersections(&mut self) -> Result<QueryBody> {
        let mut left = self.query_primary()?;
        let mut chain = 0;
        loop {
            let at = self.offset();
            if !self.accept_word("INTERSECT") {
                return Ok(left);
            }
            chain += 1;
            let all = self.set_quantifier(chain)?;
            let right = self.query_primary()?;
            let operator = SetOperator::Intersect;
            left =
                QueryBody::SetOperation(Box::new(SetOperation { operator, all, left, right, at }));
        }
    }

    /// Reads `ALL` or `DISTINCT`. A chain of operators nests to the left, so it counts as depth.
    fn set_quantifier(&mut self, chain: usize) -> Result<bool> {
        if self.depth + chain > NESTING_MAX {
            let message = format!("more than {NESTING_MAX} set operations in a row");
            return Err(SqlError::at(ErrorKind::LimitExceeded, self.offset(), message));
        }
        if self.accept_word("ALL") {
            return Ok(true);
        }
        self.accept_word("DISTINCT");
        Ok(false)
    }

    fn query_primary(&mut self) -> Result<QueryBody> {
        let at = self.offset();
        if self.at_word("SELECT") {
            return Ok(QueryBody::Select(Box::new(self.nested(Parser::select)?)));
        }
        if self.accept_word("VALUES") {
            return Ok(QueryBody::Values(self.comma_separated(Parser::values_row)?, at));
        }
        if self.accept_word("TABLE") {
            if self.at_symbol("(") {
                return Err(self.unsupported(at, "a table function"));
            }
            return Ok(QueryBody::Table(self.relation_name()?, at));
        }
        if self.accept_symbol("(") {
            let query = self.query()?;
            self.expect_symbol(")")?;
            return Ok(QueryBody::Nested(Box::new(query)));
        }
        Err(self.error("'(', 'SELECT', 'TABLE', 'VALUES', 'WITH'"))
    }

    /// `1`, `(1, 2)` and `ROW(1, 2)` are rows; `(1)` is a parenthesized value.
    fn values_row(&mut self) -> Result<Vec<Expr>> {
        let expr = self.expression()?;
        match expr.kind {
            ExprKind::Row(fields) => Ok(fields),
            _ => Ok(vec![expr]),
        }
    }

    fn select(&mut self) -> Result<Select> {
        let at = self.offset();
        self.expect_word("SELECT")?;
        let distinct = self.accept_word("DISTINCT");
        if !distinct {
            self.accept_word("ALL");
        }
        let items = self.comma_separated(Parser::select_item)?;
        let mut from = Vec::new();
        if self.accept_word("FROM") {
            from = self.comma_separated(Parser::relation)?;
        }
        let filter = if self.accept_word("WHERE") { Some(self.expression()?) } else { None };
        let group_by = self.group_by()?;
        let having = if self.accept_word("HAVING") { Some(self.expression()?) } else { None };
        let mut windows = Vec::new();
        if self.accept_word("WINDOW") {
            windows = self.comma_separated(|parser| {
                let name = parser.ident()?;
                parser.expect_word("AS")?;
                Ok((name, parser.window_spec()?))
            })?;
        }
        Ok(Select { distinct, items, from, filter, group_by, having, windows, at })
    }

    fn select_item(&mut self) -> Result<SelectItem> {
        let at = self.offset();
        if self.accept_symbol("*") {
            return Ok(SelectItem::All(at));
        }
        let expr = self.expression()?;
        if self.at_symbol(".") && self.symbol_at(1, "*") {
            self.next += 2;
            let aliases = if self.accept_word("AS") { self.ident_list()? } else { Vec::new() };
            return Ok(SelectItem::AllOf(expr, aliases));
        }
        if self.accept_word("AS") || (self.at_ident() && !self.at_clause()) {
            return Ok(SelectItem::Expr(expr, Some(self.ident()?)));
        }
        Ok(SelectItem::Expr(expr, None))
    }

    fn group_by(&mut self) -> Result<Option<GroupBy>> {
        if !self.accept_words(&["GROUP", "BY"]) {
            return Ok(None);
        }
        let distinct = self.accept_word("DISTINCT");
        if !distinct && self.at_word("ALL") && !self.symbol_at(1, ".") {
            self.next += 1;
        }
        let elements = self.comma_separated(Parser::group_element)?;
        Ok(Some(GroupBy { distinct, elements }))
    }

    fn group_element(&mut self) -> Result<GroupElement> {
        if self.accept_word("ROLLUP") {
            return Ok(GroupElement::Rollup(self.grouping_list()?));
        }
        if self.accept_word("CUBE") {
            return Ok(GroupElement::Cube(self.grouping_list()?));
        }
        if self.at_words(&["GROUPING", "SETS"]) {
            self.next += 2;
            self.expect_symbol("(")?;
            let sets = self.comma_separated(|parser| parser.nested(Parser::group_element))?;
            self.expect_symbol(")")?;
            return Ok(GroupElement::Sets(sets));
        }
        Ok(GroupElement::Simple(self.grouping_set()?))
    }

    fn grouping_list(&mut self) -> Result<Vec<Vec<Expr>>> {
        self.expect_symbol("(")?;
        if self.accept_symbol(")") {
            return Ok(Vec::new());
        }
        let sets = self.comma_separated(Parser::grouping_set)?;
        self.expect_symbol(")")?;
        Ok(sets)
    }

    /// `()`, `(a, b)` or one expression.
    fn grouping_set(&mut self) -> Result<Vec<Expr>> {
        if self.at_symbol("(") && self.symbol_at(1, ")") {
            self.next += 2;
            return Ok(Vec::new());
        }
        self.values_row()
    }

    pub(super) fn relation(&mut self) -> Result<Relation> {
        self.nested(Parser::joins)
    }

    fn joins(&mut self) -> Result<Relation> {
        let mut left = self.sampled_relation()?;
        let mut chain = 0;
        loop {
            let at = self.offset();
            let natural = self.at_word("NATURAL") && self.accept_word("NATURAL");
            let Some(kind) = self.join_kind()? else {
                return if natural { Err(self.error("'JOIN'")) } else { Ok(left) };
            };
            chain += 1;
            if self.depth + chain > NESTING_MAX {
                let message = format!("more than {NESTING_MAX} joins in a row");
                return Err(SqlError::at(ErrorKind::LimitExceeded, at, message));
            }
            let (right, condition) = if kind == JoinKind::Cross {
                (self.sampled_relation()?, JoinCondition::None)
            } else if natural {
                (self.sampled_relation()?, JoinCondition::Natural)
            } else {
                self.right_and_condition()?
            };
            let join = Join { kind, left, right, condition };
            left = Relation { kind: RelationKind::Join(Box::new(join)), alias: None, at };
        }
    }

    /// `a JOIN b JOIN c ON … ON …` nests to the right until the conditions come.
    fn right_and_condition(&mut self) -> Result<(Relation, JoinCondition)> {
        let at = self.offset();
        let mut right = self.sampled_relation()?;
        if !self.at_word("ON") && !self.at_word("USING") {
            right = self.nested(|parser| parser.joins_after(right, at))?;
        }
        if self.accept_word("ON") {
            return Ok((right, JoinCondition::On(self.expression()?)));
        }
        if self.accept_word("USING") {
            return Ok((right, JoinCondition::Using(self.ident_list()?)));
        }
        Err(self.error("'ON', 'USING'"))
    }

    fn joins_after(&mut self, left: Relation, at: usize) -> Result<Relation> {
        match self.join_kind()? {
            None => Err(self.error("'ON', 'USING'")),
            Some(JoinKind::Cross) => {
                let right = self.sampled_relation()?;
                let condition = JoinCondition::None;
                let join = Join { kind: JoinKind::Cross, left, right, condition };
                Ok(Relation { kind: RelationKind::Join(Box::new(join)), alias: None, at })
            }
            Some(kind) => {
                let (right, condition) = self.right_and_condition()?;
                let join = Join { kind, left, right, condition };
                Ok(Relation { kind: RelationKind::Join(Box::new(join)), alias: None, at })
            }
        }
    }

    fn join_kind(&mut self) -> Result<Option<JoinKind>> {
        if self.accept_words(&["CROSS", "JOIN"]) {
            return Ok(Some(JoinKind::Cross));
        }
        if self.accept_word("JOIN") || self.accept_words(&["INNER", "JOIN"]) {
            return Ok(Some(JoinKind::Inner));
        }
        for (word, kind) in
            [("LEFT", JoinKind::Left), ("RIGHT", JoinKind::Right), ("FULL", JoinKind::Full)]
        {
            if self.accept_word(word) {
                self.accept_word("OUTER");
                self.expect_word("JOIN")?;
                return Ok(Some(kind));
            }
        }
        Ok(None)
    }

    fn sampled_relation(&mut self) -> Result<Relation> {
        let relation = self.aliased_relation()?;
        let at = self.offset();
        if self.at_word("MATCH_RECOGNIZE") {
            return Err(self.unsupported(at, "MATCH_RECOGNIZE"));
        }
        if !self.accept_word("TABLESAMPLE") {
            return Ok(relation);
        }
        if !self.accept_word("BERNOULLI") {
            self.expect_word("SYSTEM")?;
        }
        self.expect_symbol("(")?;
        let percent = Box::new(self.expression()?);
        self.expect_symbol(")")?;
        let kind = RelationKind::Sample { relation: Box::new(relation), percent };
        Ok(Relation { kind, alias: None, at })
    }

    fn aliased_relation(&mut self) -> Result<Relation> {
        let at = self.offset();
        let kind = self.nested(Parser::relation_primary)?;
        let mut alias = None;
        let sampled = self.at_word("TABLESAMPLE") || self.at_word("MATCH_RECOGNIZE");
        if self.accept_word("AS") || (self.at_ident() && !sampled && !self.at_clause()) {
            let name = self.ident()?;
            let columns = if self.at_symbol("(") { self.ident_list()? } else { Vec::new() };
            alias = Some(TableAlias { name, columns });
        }
        Ok(Relation { kind, alias, at })
    }

    /// Whether a word that could be an alias goes on with the query instead.
    fn at_clause(&self) -> bool {
        ["OFFSET", "LIMIT", "FETCH", "WINDOW"].iter().any(|word| self.at_word(word))
            && self.clause_follows()
    }

    /// Tells `FROM t LIMIT 10` from a table whose alias is `limit`.
    fn clause_follows(&self) -> bool {
        match &self.token(1).kind {
            TokenKind::Integer(_) => true,
            TokenKind::Word(word) => {
                self.at_word("WINDOW")
                    || ["ALL", "FIRST", "NEXT"].iter().any(|next| word.eq_ignore_ascii_case(next))
            }
            TokenKind::Quoted(_) => self.at_word("WINDOW"),
            TokenKind::Symbol("?" | ":") => true,
            _ => false,
        }
    }

    fn relation_primary(&mut self) -> Result<RelationKind> {
        let at = self.offset();
        if self.accept_word("UNNEST") {
            self.expect_symbol("(")?;
            let arrays = self.comma_separated(Parser::expression)?;
            self.expect_symbol(")")?;
            let ordinality = self.accept_words(&["WITH", "ORDINALITY"]);
            return Ok(RelationKind::Unnest { arrays, ordinality });
        }
        if self.at_word("LATERAL") && self.symbol_at(1, "(") {
            self.next += 2;
            let query = self.query()?;
            self.expect_symbol(")")?;
            return Ok(RelationKind::Lateral(Box::new(query)));
        }
        for function in ["TABLE", "JSON_TABLE"] {
            if self.at_word(function) && self.symbol_at(1, "(") {
                return Err(self.unsupported(at, "a table function"));
            }
        }
        if self.at_symbol("(") {
            return self.parenthesized_relation();
        }
        Ok(RelationKind::Table(self.relation_name()?))
    }

    /// `(` opens a query or a join; which one shows only at what follows the inner parentheses.
    fn parenthesized_relation(&mut self) -> Result<RelationKind> {
        let (start, nodes, depth) = (self.next, self.nodes, self.depth);
        let opens = (0..).take_while(|ahead| self.symbol_at(*ahead, "(")).count();
        let is_query = ["SELECT", "WITH", "VALUES", "TABLE"].iter().any(|w| self.word_at(opens, w));
        self.next += 1;
        if is_query {
            let query = self.query();
            if opens == 1 || (query.is_ok() && self.at_symbol(")")) {
                let query = query?;
                self.expect_symbol(")")?;
                return Ok(RelationKind::Subquery(Box::new(query)));
            }
            (self.next, self.depth) = (start + 1, depth);
            // Nodes stay counted, so that trying both ways over and over is bounded.
            debug_assert!(self.nodes >= nodes);
        }
        let relation = self.relation()?;
        self.expect_symbol(")")?;
        Ok(RelationKind::Nested(Box::new(relation)))
    }

    /// A name as Trino has them, or one that only an event data store can have.
    pub(super) fn relation_name(&mut self) -> Result<RelationName> {
        let at = self.offset();
        if let Some(mark) = self.parameter() {
            let text = mark.relation(at, self.values)?;
            return Ok(RelationName { parts: vec![text.clone()], text });
        }
        let length = match self.peek() {
            TokenKind::Quoted(_) | TokenKind::End => 0,
            _ => bare_relation_length(self.rest()),
        };
        if length > 0 {
            let text = self.rest().get(..length).unwrap_or_default().to_owned();
            self.resume_at(at + length);
            if text.starts_with('$') {
                return Err(placeholder_error(&text, at));
            }
            return Ok(RelationName { parts: vec![text.clone()], text });
        }
        let mut parts = vec![self.ident()?];
        while self.at_symbol(".") {
            self.next += 1;
            parts.push(self.ident()?);
        }
        if self.at_symbol("(") && parts.len() == 1 {
            return Err(self.unsupported(at, "a table function"));
        }
        let parts: Vec<String> = parts.into_iter().map(|Ident { text, .. }| text).collect();
        Ok(RelationName { text: parts.join("."), parts })
    }
}

fn placeholder_error(text: &str, at: usize) -> SqlError {
    let message = format!("'{text}' is a placeholder, not a relation");
    let hint = format!("write the id or the name of an event data store in place of {text}");
    SqlError::at(ErrorKind::Syntax, at, message).with_hint(Some(hint))
}
