//! Binding of expressions other than calls, comparisons and subqueries.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Column, Location, ScalarValue, Span, Spans};
use datafusion::functions::core::get_field;
use datafusion::logical_expr::Expr as DfExpr;
use datafusion::logical_expr::expr::{Case, LambdaVariable, ScalarFunction};

use super::aggregate::{is_fallible, masked};
use super::scope::{Scope, ScopeColumn};
use super::{Bound, Env, Planner, literal, mismatch, named, semantic};
use crate::ast::{Expr, ExprKind, Ident, TrimSide, WindowSpec};
use crate::data_type::{RowField, Type};
use crate::error::{ErrorKind, Result, SqlError};
use crate::limits::TYPE_PARTS_MAX;
use crate::operators::cast;

/// A lambda parameter in scope.
#[derive(Clone, Debug)]
pub(super) struct LambdaParam {
    pub(super) key: String,
    pub(super) variable: LambdaVariable,
    pub(super) data_type: Type,
}

/// Binds expressions against one scope.
pub(super) struct ExprBinder<'a> {
    pub(super) planner: &'a Planner<'a>,
    pub(super) env: Env<'a>,
    pub(super) scope: &'a Scope,
    /// Names that stand for expressions already bound: aliases of the select list, seen by
    /// `ORDER BY` before the columns.
    pub(super) aliases: &'a [(String, Bound)],
    /// Whether a column beats an alias of the same name (`GROUP BY`, `HAVING`: a kindness).
    pub(super) columns_first: bool,
    pub(super) lambdas: Vec<LambdaParam>,
    /// `WINDOW w AS (…)`.
    pub(super) windows: &'a [(Ident, WindowSpec)],
}

impl<'a> ExprBinder<'a> {
    pub(super) fn new(planner: &'a Planner<'a>, env: Env<'a>, scope: &'a Scope) -> ExprBinder<'a> {
        ExprBinder {
            planner,
            env,
            scope,
            aliases: &[],
            columns_first: false,
            lambdas: Vec::new(),
            windows: &[],
        }
    }

    pub(super) fn bind(&mut self, expr: &Expr) -> Result<Bound> {
        self.planner.step(expr.at)?;
        let bound = self.bind_kind(expr)?;
        // These make a type of others, so that one used twice doubles at every step.
        let builds = matches!(expr.kind, ExprKind::Row(_) | ExprKind::Call(_));
        if builds && bound.data_type.parts() > TYPE_PARTS_MAX {
            let message = format!("the type of an expression has more than {TYPE_PARTS_MAX} parts");
            return Err(SqlError::at(ErrorKind::LimitExceeded, expr.at, message));
        }
        Ok(bound)
    }

    fn bind_kind(&mut self, expr: &Expr) -> Result<Bound> {
        let at = expr.at;
        match &expr.kind {
            ExprKind::Null => Ok(literal::null()),
            ExprKind::Parameter => {
                let message = "a parameter has no value here";
                Err(SqlError::at(ErrorKind::InvalidParameter, at, message))
            }
            ExprKind::Boolean(value) => Ok(literal::boolean(*value)),
            ExprKind::Integer(digits) => literal::integer(digits, false, at),
            ExprKind::Decimal(text) => literal::decimal(text, at),
            ExprKind::Double(value) => Ok(literal::double(*value)),
            ExprKind::Text(text) => Ok(Bound::text(text)),
            ExprKind::Binary(bytes) => Ok(literal::binary(bytes)),
            ExprKind::Typed(Type::Json, text) => {
                self.function("json_parse", vec![Bound::text(text)], at)
            }
            ExprKind::Typed(target, text) => self.planner.typed_literal(target, text, at),
            ExprKind::Interval { months, milliseconds } => {
                Ok(literal::interval(*months, *milliseconds))
            }
            ExprKind::Name(_) | ExprKind::Field(..) => self.dotted(expr),
            ExprKind::Subscript(value, index) => self.subscript(value, index),
            ExprKind::Negate(value) => self.negate(value, at),
            ExprKind::Plus(value) => self.plus(value, at),
            ExprKind::Arithmetic(operator, left, right) => {
                self.arithmetic(*operator, left, right, at)
            }
            ExprKind::Concat(..) => self.concat(expr),
            ExprKind::And(terms) => self.logical(terms, DfExpr::and, "AND"),
            ExprKind::Or(terms) => self.logical(terms, DfExpr::or, "OR"),
            ExprKind::Not(value) => {
                let bound = self.bind(value)?;
                let bound =
                    self.planner.condition(bound, value.at, "Value of logical NOT expression")?;
                Ok(Bound::new(DfExpr::Not(Box::new(bound.expr)), Type::Boolean))
            }
            ExprKind::Case { .. } => self.case(expr),
            ExprKind::Cast { value, target, safe } => self.cast(value, target, *safe, at),
            ExprKind::Call(call) => self.call(call, at),
            ExprKind::Lambda { .. } => {
                Err(mismatch(at, "Lambda expression should always be used inside a function"))
            }
            ExprKind::Row(fields) => self.row(fields),
            ExprKind::Array(items) => self.array(items),
            ExprKind::AtTimeZone(value, zone) => {
                let args = [value.as_ref().clone(), zone.as_ref().clone()];
                self.named_call("at_timezone", &args, at)
            }
            ExprKind::Trim { side, characters, value } => {
                let name = match side {
                    TrimSide::Both => "trim",
                    TrimSide::Leading => "ltrim",
                    TrimSide::Trailing => "rtrim",
                };
                let mut args = vec![value.as_ref().clone()];
                args.extend(characters.as_deref().cloned());
                self.named_call(name, &args, at)
            }
            ExprKind::Grouping(columns) => self.grouping(columns, at),
            ExprKind::Json(call) => self.json(call, at),
            ExprKind::Exists(query) => self.exists(query, at),
            ExprKind::Subquery(query) => self.scalar_subquery(query, at),
            _ => self.predicate(expr),
        }
    }

    /// `a`, `a.b`, `t.a.b`: a column, then row fields; or a field of any other expression.
    fn dotted(&mut self, expr: &Expr) -> Result<Bound> {
        let mut parts = Vec::new();
        let mut base = expr;
        while let ExprKind::Field(inner, name) = &base.kind {
            parts.push(name.clone());
            base = inner;
        }
        let ExprKind::Name(first) = &base.kind else {
            let ExprKind::Field(inner, name) = &expr.kind else {
                return Err(semantic(expr.at, "expected a row field"));
            };
            let value = self.bind(inner)?;
            return self.field(value, name, expr.at);
        };
        parts.push(first.clone());
        parts.reverse();
        let (mut value, used) = self.resolve(&parts)?;
        for name in parts.iter().skip(used) {
            value = self.field(value, name, expr.at)?;
        }
        Ok(value)
    }

    /// Finds what a dotted name begins with, and how many parts that took.
    fn resolve(&mut self, parts: &[Ident]) -> Result<(Bound, usize)> {
        if let Some(first) = parts.first() {
            let key = first.key();
            if let Some(param) = self.lambdas.iter().rev().find(|param| param.key == key) {
                let expr = DfExpr::LambdaVariable(param.variable.clone());
                let field = param.variable.field.clone();
                let field = field.unwrap_or_else(|| Arc::new(param.data_type.to_field("")));
                return Ok((Bound { expr, field, data_type: param.data_type.clone() }, 1));
            }
            if !self.columns_first
                && let Some(found) = self.alias(&key, first.at)?
            {
                return Ok((found, 1));
            }
        }
        if let Some(found) = self.scope.find(parts)? {
            let at = parts.first().map_or(0, |part| part.at);
            return Ok((column_of(found.column, at), found.parts_used));
        }
        if let Some(first) = parts.first()
            && let Some(found) = self.alias(&first.key(), first.at)?
        {
            return Ok((found, 1));
        }
        let mut outer = self.env.outer;
        while let Some(scope) = outer {
            if let Some(found) = scope.scope.find(parts)? {
                let field = named(&found.column.field, &found.column.column.name);
                let expr =
                    DfExpr::OuterReferenceColumn(Arc::clone(&field), found.column.column.clone());
                let data_type = found.column.data_type.clone();
                return Ok((Bound { expr, field, data_type }, found.parts_used));
            }
            outer = scope.next;
        }
        Err(self.not_found(parts))
    }

    fn alias(&self, key: &str, at: usize) -> Result<Option<Bound>> {
        let mut found = self.aliases.iter().filter(|(alias, _)| alias == key);
        let first = found.next().map(|(_, bound)| bound.clone());
        if let (Some(first), Some((_, second))) = (&first, found.next())
            && first.expr != second.expr
        {
            let message = format!("Column '{key}' is ambiguous");
            return Err(SqlError::at(ErrorKind::AmbiguousName, at, message));
        }
        Ok(first)
    }

    fn not_found(&self, parts: &[Ident]) -> SqlError {
        let whole: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
        let message = format!("Column '{}' cannot be resolved", whole.join("."));
        let at = parts.first().map_or(0, |part| part.at);
        let wanted = parts.last().map_or("", |part| part.text.as_str());
        let first = parts.first().map_or("", |part| part.text.as_str());
        let near = self.scope.nearest(wanted).or_else(|| self.scope.nearest(first));
        let hint = near.map(|near| format!("did you mean '{near}'?"));
        SqlError::at(ErrorKind::ColumnNotFound, at, message).with_hint(hint)
    }

    /// Row field access by name.
    fn field(&self, value: Bound, name: &Ident, at: usize) -> Result<Bound> {
        let key = name.key();
        let Type::Row(fields) = &value.data_type else {
            let message = format!("Expression {} is not of type ROW", self.label(&value));
            return Err(mismatch(at, message));
        };
        let mut matching = fields.iter().enumerate().filter(|(_, field)| {
            field.name.as_deref().is_some_and(|field| field.to_lowercase() == key)
        });
        let Some((index, found)) = matching.next() else {
            let names = fields.iter().filter_map(|field| field.name.as_deref());
            let hint = crate::error::nearest(&name.text, names)
                .map(|near| format!("did you mean '{near}'?"));
            let message =
                format!("Column '{}.{}' cannot be resolved", self.label(&value), name.text);
            return Err(SqlError::at(ErrorKind::ColumnNotFound, at, message).with_hint(hint));
        };
        if matching.next().is_some() {
            let message = format!("Ambiguous row field reference: {}", name.text);
            return Err(SqlError::at(ErrorKind::AmbiguousName, at, message));
        }
        let found = found.clone();
        Ok(row_field(value, index, &found))
    }

    /// What an error calls an expression.
    fn label(&self, value: &Bound) -> String {
        match &value.expr {
            DfExpr::Column(column) => {
                let known = self.scope.columns.iter().find(|known| known.column == *column);
                known.map_or_else(|| column.name.clone(), |known| known.heading.clone())
            }
            _ => "expression".to_owned(),
        }
    }

    fn subscript(&mut self, value: &Expr, index: &Expr) -> Result<Bound> {
        let base = self.bind(value)?;
        let key = self.bind(index)?;
        match base.data_type.clone() {
            Type::Array(item) => {
                if !crate::coercion::converts(&key.data_type, &Type::BigInt) {
                    return Err(self.bad_subscript(&base.data_type, &key.data_type, index.at));
                }
                let key = self.planner.coerce(key, &Type::BigInt);
                let function = self.planner.functions.internal("$subscript");
                self.scalar_call(function, vec![base, key], index.at)
                    .map(|found| Bound { data_type: *item, ..found })
            }
            Type::Map(key_type, item) => {
                if !crate::coercion::converts(&key.data_type, &key_type) {
                    return Err(self.bad_subscript(&base.data_type, &key.data_type, index.at));
                }
                let key = self.planner.coerce(key, &key_type);
                let function = self.planner.functions.internal("$subscript");
                self.scalar_call(function, vec![base, key], index.at)
                    .map(|found| Bound { data_type: *item, ..found })
            }
            Type::Row(fields) => {
                let Some(ScalarValue::Int32(Some(number))) = key.scalar() else {
                    let message = "Subscript expression on ROW requires a constant index";
                    return Err(semantic(index.at, message));
                };
                if *number <= 0 {
                    let message = "Invalid subscript index: ROW indices start at 1";
                    return Err(semantic(index.at, format!("{message}: {number}")));
                }
                let position = usize::try_from(*number - 1).unwrap_or(usize::MAX);
                let Some(field) = fields.get(position) else {
                    let count = fields.len();
                    let message =
                        format!("Subscript index out of bounds: {number}, max value is {count}");
                    return Err(semantic(index.at, message));
                };
                Ok(row_field(base, position, field))
            }
            other => Err(self.bad_subscript(&other, &key.data_type, index.at)),
        }
    }

    fn bad_subscript(&self, base: &Type, index: &Type, at: usize) -> SqlError {
        mismatch(at, format!("Cannot use {index} for subscript of {base}"))
    }

    /// Joins the terms as a balanced tree, so that a thousand of them nest ten deep.
    ///
    /// Terms are evaluated from the left: what can fail does not see the rows on which the terms
    /// before it have decided.
    fn logical(
        &mut self,
        terms: &[Expr],
        join: fn(DfExpr, DfExpr) -> DfExpr,
        name: &str,
    ) -> Result<Bound> {
        let mut bound: Vec<DfExpr> = Vec::with_capacity(terms.len());
        for term in terms {
            let value = self.bind(term)?;
            let what = format!("Logical expression term of {name}");
            let value = self.planner.condition(value, term.at, &what)?.expr;
            if bound.is_empty() || !is_fallible(&value) {
                bound.push(value);
                continue;
            }
            let before = Box::new(balanced(bound.clone(), join));
            let open = match name {
                "OR" => DfExpr::IsNotTrue(before),
                _ => DfExpr::IsNotFalse(before),
            };
            bound.push(masked(value, &open).map_err(|error| SqlError::engine(term.at, &error))?);
        }
        Ok(Bound::new(balanced(bound, join), Type::Boolean))
    }

    fn case(&mut self, expr: &Expr) -> Result<Bound> {
        let ExprKind::Case { operand, whens, otherwise } = &expr.kind else {
            return Err(semantic(expr.at, "expected CASE"));
        };
        let operand = operand.as_deref().map(|operand| self.bind(operand)).transpose()?;
        let mut conditions = Vec::new();
        let mut results = Vec::new();
        for (when, then) in whens {
            let when_bound = self.bind(when)?;
            conditions.push(match &operand {
                Some(operand) => self.equals(operand.clone(), when_bound, when.at)?,
                None => self.planner.condition(when_bound, when.at, "CASE WHEN clause")?,
            });
            results.push(self.bind(then)?);
        }
        let has_else = otherwise.is_some();
        if let Some(otherwise) = otherwise {
            results.push(self.bind(otherwise)?);
        }
        self.case_of(conditions, results, has_else, expr.at)
    }

    /// Builds a `CASE` from bound parts; the last result is the `ELSE` if `has_else`.
    pub(super) fn case_of(
        &self,
        conditions: Vec<Bound>,
        results: Vec<Bound>,
        has_else: bool,
        at: usize,
    ) -> Result<Bound> {
        let (mut results, all) = self.planner.unify(results, |before, after| {
            mismatch(at, format!("All CASE results must be the same type or coercible to a common type. Cannot find common type between {before} and {after}"))
        })?;
        let fields: Vec<_> = results.iter().map(|result| Arc::clone(&result.field)).collect();
        let otherwise = if has_else { results.pop() } else { None };
        let when_then_expr = conditions
            .into_iter()
            .zip(results)
            .map(|(when, then)| (Box::new(when.expr), Box::new(then.expr)))
            .collect();
        let case =
            Case::new(None, when_then_expr, otherwise.map(|otherwise| Box::new(otherwise.expr)));
        // Branches of one Trino type may differ in Arrow (Utf8 and Utf8View): DataFusion decides.
        let one = fields
            .first()
            .filter(|first| fields.iter().all(|f| f.data_type() == first.data_type()));
        let field = one.cloned().unwrap_or_else(|| Arc::new(all.to_field("")));
        Ok(Bound { expr: DfExpr::Case(case), field, data_type: all })
    }

    fn cast(&mut self, value: &Expr, target: &Type, safe: bool, at: usize) -> Result<Bound> {
        let bound = self.bind(value)?;
        if bound.data_type == *target {
            return Ok(bound);
        }
        if !cast::is_castable(&bound.data_type, target) {
            let message = format!("Cannot cast {} to {target}", bound.data_type);
            return Err(mismatch(at, message));
        }
        if bound.data_type == Type::Unknown || cast::is_lossless(&bound.data_type, target) {
            return Ok(self.planner.coerce(bound, target));
        }
        Ok(self.planner.cast_call(bound, target, safe))
    }

    fn row(&mut self, fields: &[Expr]) -> Result<Bound> {
        let bound = fields.iter().map(|field| self.bind(field)).collect::<Result<Vec<_>>>()?;
        self.row_of(bound)
    }

    pub(super) fn row_of(&self, fields: Vec<Bound>) -> Result<Bound> {
        let types = fields.iter().map(|f| RowField::unnamed(f.data_type.clone())).collect();
        let function = self.planner.functions.internal("$row");
        let made = self.scalar_call(function, fields, 0)?;
        Ok(Bound { data_type: Type::Row(types), ..made })
    }

    fn array(&mut self, items: &[Expr]) -> Result<Bound> {
        let bound = items.iter().map(|item| self.bind(item)).collect::<Result<Vec<_>>>()?;
        let at = items.first().map_or(0, |item| item.at);
        let (bound, all) = self.planner.unify(bound, |before, after| {
            mismatch(at, format!("All ARRAY elements must be the same type or coercible to a common type. Cannot find common type between {before} and {after}, all types (without duplicates): [{before}, {after}]"))
        })?;
        let function = self.planner.functions.internal("$array");
        let made = self.scalar_call(function, bound, at)?;
        Ok(Bound { data_type: Type::Array(Box::new(all)), ..made })
    }
}

/// A column as an expression that remembers where it was written.
pub(super) fn column_of(column: &ScopeColumn, at: usize) -> Bound {
    let mut reference: Column = column.column.clone();
    reference.spans = spans_at(at);
    Bound {
        expr: DfExpr::Column(reference),
        field: Arc::clone(&column.field),
        data_type: column.data_type.clone(),
    }
}

/// Keeps a byte offset in DataFusion's spans, which are not part of an expression's identity.
fn spans_at(at: usize) -> Spans {
    let here = Location { line: 0, column: u64::try_from(at).unwrap_or(u64::MAX) };
    let mut spans = Spans::new();
    spans.add_span(Span::new(here, here));
    spans
}

/// The byte offset [`column_of`] kept.
pub(super) fn offset_of(column: &Column) -> Option<usize> {
    usize::try_from(column.spans.first()?.start.column).ok()
}

/// Field `index` of a row value.
pub(super) fn row_field(value: Bound, index: usize, field: &RowField) -> Bound {
    let name = match value.field.data_type() {
        DataType::Struct(fields) => fields.get(index).cloned(),
        _ => None,
    };
    let name = name.unwrap_or_else(|| Arc::new(field.data_type.to_field(field.arrow_name(index))));
    let key = DfExpr::Literal(ScalarValue::Utf8(Some(name.name().clone())), None);
    let expr = DfExpr::ScalarFunction(ScalarFunction::new_udf(get_field(), vec![value.expr, key]));
    Bound { expr, field: name, data_type: field.data_type.clone() }
}

pub(super) fn balanced(mut terms: Vec<DfExpr>, join: fn(DfExpr, DfExpr) -> DfExpr) -> DfExpr {
    while terms.len() > 1 {
        let mut halves = Vec::with_capacity(terms.len().div_ceil(2));
        let mut rest = terms.into_iter();
        while let Some(left) = rest.next() {
            halves.push(match rest.next() {
                Some(right) => join(left, right),
                None => left,
            });
        }
        terms = halves;
    }
    terms.pop().unwrap_or_else(|| DfExpr::Literal(ScalarValue::Boolean(Some(true)), None))
}
