//! The relations a statement names, found before binding so that they can be opened together, and
//! what it names of their columns.

use std::collections::HashSet;

use crate::ast::{
    Call, Expr, ExprKind, FrameBound, GroupElement, JoinCondition, JsonDefault, JsonFunction,
    JsonPath, Query, QueryBody, Relation, RelationKind, RelationName, Select, SelectItem, SortItem,
    Window, WindowSpec,
};
use crate::named::Named;

/// What a query names.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Each relation that is not a common table expression in force where it stands, once, with
    /// the place of its first use.
    pub(crate) relations: Vec<(RelationName, usize)>,
    /// Of all relations together.
    pub(crate) columns: Named,
}

/// Returns what `query` names.
pub(crate) fn names(query: &Query) -> Names {
    let mut finder = Finder::default();
    finder.query(query);
    finder.found
}

#[derive(Default)]
struct Finder {
    found: Names,
    seen: HashSet<RelationName>,
    ctes: Vec<String>,
}

impl Finder {
    fn name(&mut self, name: &RelationName, at: usize) {
        let key = name.text.to_lowercase();
        let is_cte = name.parts.len() == 1 && self.ctes.contains(&key);
        if !is_cte && self.seen.insert(name.clone()) {
            self.found.relations.push((name.clone(), at));
        }
    }

    fn query(&mut self, query: &Query) {
        let known = self.ctes.len();
        if let Some(with) = &query.with {
            for table in &with.tables {
                if with.recursive {
                    self.ctes.push(table.name.key());
                }
                self.query(&table.query);
                self.ctes.push(table.name.key());
            }
        }
        self.body(&query.body);
        self.sort_items(&query.order_by);
        self.ctes.truncate(known);
    }

    fn body(&mut self, body: &QueryBody) {
        match body {
            QueryBody::Select(select) => self.select(select),
            QueryBody::SetOperation(operation) => {
                self.body(&operation.left);
                self.body(&operation.right);
            }
            QueryBody::Values(rows, _) => rows.iter().flatten().for_each(|value| self.expr(value)),
            QueryBody::Table(name, at) => {
                self.found.columns.add_all();
                self.name(name, *at);
            }
            QueryBody::Nested(query) => self.query(query),
        }
    }

    fn select(&mut self, select: &Select) {
        for item in &select.items {
            match item {
                SelectItem::Expr(expr, _) => self.expr(expr),
                SelectItem::AllOf(expr, _) => {
                    self.found.columns.add_all();
                    self.expr(expr);
                }
                SelectItem::All(_) => self.found.columns.add_all(),
            }
        }
        select.from.iter().for_each(|relation| self.relation(relation));
        select.filter.iter().for_each(|expr| self.expr(expr));
        if let Some(group_by) = &select.group_by {
            group_by.elements.iter().for_each(|element| self.group(element));
        }
        select.having.iter().for_each(|expr| self.expr(expr));
        select.windows.iter().for_each(|(_, window)| self.window(window));
    }

    fn group(&mut self, element: &GroupElement) {
        match element {
            GroupElement::Simple(exprs) => exprs.iter().for_each(|expr| self.expr(expr)),
            GroupElement::Rollup(sets) | GroupElement::Cube(sets) => {
                sets.iter().flatten().for_each(|expr| self.expr(expr));
            }
            GroupElement::Sets(elements) => elements.iter().for_each(|one| self.group(one)),
        }
    }

    fn relation(&mut self, relation: &Relation) {
        // `t(a, b)` counts the columns and gives them other names. Those of an array are its own.
        let is_array = matches!(relation.kind, RelationKind::Unnest { .. });
        if !is_array && relation.alias.as_ref().is_some_and(|alias| !alias.columns.is_empty()) {
            self.found.columns.add_all();
        }
        match &relation.kind {
            RelationKind::Table(name) => self.name(name, relation.at),
            RelationKind::Subquery(query) | RelationKind::Lateral(query) => self.query(query),
            RelationKind::Unnest { arrays, .. } => arrays.iter().for_each(|expr| self.expr(expr)),
            RelationKind::Sample { relation, percent } => {
                self.relation(relation);
                self.expr(percent);
            }
            RelationKind::Join(join) => {
                self.relation(&join.left);
                self.relation(&join.right);
                match &join.condition {
                    JoinCondition::On(condition) => self.expr(condition),
                    JoinCondition::Using(_) | JoinCondition::Natural => {
                        self.found.columns.add_all();
                    }
                    JoinCondition::None => {}
                }
            }
            RelationKind::Nested(inner) => self.relation(inner),
        }
    }

    fn sort_items(&mut self, items: &[SortItem]) {
        items.iter().for_each(|item| self.expr(&item.expr));
    }

    fn window(&mut self, window: &WindowSpec) {
        window.partition_by.iter().for_each(|expr| self.expr(expr));
        self.sort_items(&window.order_by);
        if let Some(frame) = &window.frame {
            for bound in std::iter::once(&frame.start).chain(&frame.end) {
                if let FrameBound::Preceding(expr) | FrameBound::Following(expr) = bound {
                    self.expr(expr);
                }
            }
        }
    }

    fn exprs<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        exprs.into_iter().for_each(|expr| self.expr(expr));
    }

    fn boxed<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Box<Expr>>) {
        exprs.into_iter().for_each(|expr| self.expr(expr));
    }

    fn expr(&mut self, expr: &Expr) {
        if let Some(path) = dotted(expr) {
            self.found.columns.add(&path);
            return;
        }
        match &expr.kind {
            ExprKind::Null
            | ExprKind::Parameter
            | ExprKind::Boolean(_)
            | ExprKind::Integer(_)
            | ExprKind::Decimal(_)
            | ExprKind::Double(_)
            | ExprKind::Text(_)
            | ExprKind::Binary(_)
            | ExprKind::Typed(..)
            | ExprKind::Interval { .. }
            | ExprKind::Name(_) => {}
            ExprKind::Field(value, _)
            | ExprKind::Negate(value)
            | ExprKind::Plus(value)
            | ExprKind::Not(value)
            | ExprKind::IsNull { value, .. }
            | ExprKind::Cast { value, .. }
            | ExprKind::Lambda { body: value, .. } => self.expr(value),
            ExprKind::Subscript(left, right)
            | ExprKind::Arithmetic(_, left, right)
            | ExprKind::Concat(left, right)
            | ExprKind::Compare(_, left, right)
            | ExprKind::IsDistinct { left, right, .. }
            | ExprKind::AtTimeZone(left, right) => self.boxed([left, right]),
            ExprKind::And(all)
            | ExprKind::Or(all)
            | ExprKind::Row(all)
            | ExprKind::Array(all)
            | ExprKind::Grouping(all) => self.exprs(all),
            ExprKind::Between { value, low, high, .. } => self.boxed([value, low, high]),
            ExprKind::InList { value, list, .. } => {
                self.expr(value);
                self.exprs(list);
            }
            ExprKind::InQuery { value, query, .. } | ExprKind::Quantified { value, query, .. } => {
                self.expr(value);
                self.query(query);
            }
            ExprKind::Like { value, pattern, escape, .. } => {
                self.boxed([value, pattern].into_iter().chain(escape));
            }
            ExprKind::Exists(query) | ExprKind::Subquery(query) => self.query(query),
            ExprKind::Case { operand, whens, otherwise } => {
                self.boxed(operand.iter().chain(otherwise));
                whens.iter().for_each(|(when, then)| self.exprs([when, then]));
            }
            ExprKind::Call(call) => self.call(call),
            ExprKind::Trim { characters, value, .. } => {
                self.boxed(characters.iter().chain([value]));
            }
            ExprKind::Json(call) => self.json(&call.function),
        }
    }

    fn call(&mut self, call: &Call) {
        self.exprs(call.args.iter().chain(&call.filter));
        self.sort_items(&call.order_by);
        if let Some(Window::Spec(window)) = &call.over {
            self.window(window);
        }
    }

    fn json(&mut self, function: &JsonFunction) {
        match function {
            JsonFunction::Exists { target, .. } | JsonFunction::Query { target, .. } => {
                self.json_path(target);
            }
            JsonFunction::Value { target, on_empty, on_error } => {
                self.json_path(target);
                for behaviour in [on_empty, on_error] {
                    if let JsonDefault::Default(expr) = behaviour {
                        self.expr(expr);
                    }
                }
            }
            JsonFunction::Object { members, .. } => {
                members.iter().for_each(|(key, item)| self.exprs([key, &item.value]));
            }
            JsonFunction::Array { elements, .. } => {
                self.exprs(elements.iter().map(|item| &item.value));
            }
        }
    }

    fn json_path(&mut self, target: &JsonPath) {
        self.exprs([&target.input, &target.path]);
        self.exprs(target.passing.iter().map(|(_, item)| &item.value));
    }
}

/// The parts of a dotted name, in lower case.
fn dotted(expr: &Expr) -> Option<Vec<String>> {
    match &expr.kind {
        ExprKind::Name(name) => Some(vec![name.key()]),
        ExprKind::Field(inner, name) => {
            let mut parts = dotted(inner)?;
            parts.push(name.key());
            Some(parts)
        }
        _ => None,
    }
}
