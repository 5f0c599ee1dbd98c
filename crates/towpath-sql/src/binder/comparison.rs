//! Comparisons, `BETWEEN`, `IN`, `LIKE`, `IS NULL`, `IS DISTINCT FROM`.
//!
//! The Lake compares timestamps and dates with strings, which Trino itself refuses; a constant
//! string becomes a timestamp constant while planning, so that the predicate reaches the scan as a
//! plain comparison with the column.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{Cast, InList, Like};
use datafusion::logical_expr::{Expr as DfExpr, Operator, binary_expr};

use super::expression::{ExprBinder, balanced};
use super::{Bound, literal, mismatch};
use crate::ast::{Comparison, Expr, ExprKind};
use crate::coercion;
use crate::data_type::Type;
use crate::error::{ErrorKind, Result, SqlError};
use crate::operators::{cast, like_pattern};

impl ExprBinder<'_> {
    pub(super) fn predicate(&mut self, expr: &Expr) -> Result<Bound> {
        let at = expr.at;
        match &expr.kind {
            ExprKind::Compare(comparison, left, right) => {
                let (left, right) = (self.bind(left)?, self.bind(right)?);
                self.compare(*comparison, left, right, at)
            }
            ExprKind::IsNull { value, negated } => {
                let value = Box::new(self.bind(value)?.expr);
                let expr = if *negated { DfExpr::IsNotNull(value) } else { DfExpr::IsNull(value) };
                Ok(Bound::new(expr, Type::Boolean))
            }
            ExprKind::IsDistinct { left, right, negated } => {
                let (left, right) = (self.bind(left)?, self.bind(right)?);
                self.is_distinct(left, right, *negated, at)
            }
            ExprKind::Between { value, low, high, negated } => {
                let value = self.bind(value)?;
                let (low, high) = (self.bind(low)?, self.bind(high)?);
                self.between([value, low, high], *negated, at)
            }
            ExprKind::InList { value, list, negated } => self.in_list(value, list, *negated),
            ExprKind::InQuery { value, query, negated } => self.in_query(value, query, *negated),
            ExprKind::Quantified { comparison, all, value, query } => {
                self.quantified((*comparison, *all), value, query, at)
            }
            ExprKind::Like { value, pattern, escape, negated } => {
                self.like(value, pattern, escape.as_deref(), *negated)
            }
            _ => Err(SqlError::at(ErrorKind::Unsupported, at, "expression is not supported")),
        }
    }

    pub(super) fn compare(
        &self,
        comparison: Comparison,
        left: Bound,
        right: Bound,
        at: usize,
    ) -> Result<Bound> {
        let (left, right) = self.comparable(comparison.symbol(), left, right, at)?;
        let ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        if ordered && !is_orderable(&left.data_type) {
            let message = format!(
                "Cannot apply operator: {} {} {}",
                left.data_type,
                comparison.symbol(),
                right.data_type
            );
            return Err(mismatch(at, message));
        }
        if is_float(&left.data_type) && comparison == Comparison::Equal {
            let joins = |side: &Bound| !side.expr.column_refs().is_empty();
            if joins(&left) && joins(&right) {
                return Ok(self.equal_floats(left, right));
            }
        }
        if left.data_type.is_nested() || is_float(&left.data_type) {
            let symbol = Bound::text(comparison.symbol());
            let args = vec![symbol.expr, left.expr, right.expr];
            return Ok(self.planner.internal("$compare", args, Type::Boolean));
        }
        Ok(Bound::new(binary_expr(left.expr, operator(comparison), right.expr), Type::Boolean))
    }

    /// `a = b` of two columns of doubles in a form that can be joined by: zeros are made one by
    /// adding zero, and a NaN is refused on one side.
    fn equal_floats(&self, left: Bound, right: Bound) -> Bound {
        let zero = match left.data_type {
            Type::Real => ScalarValue::Float32(Some(0.0)),
            _ => ScalarValue::Float64(Some(0.0)),
        };
        let zero = DfExpr::Literal(zero, None);
        let one_zero = |expr: DfExpr| binary_expr(expr, Operator::Plus, zero.clone());
        let symbol = Bound::text(Comparison::Equal.symbol());
        let args = vec![symbol.expr, left.expr.clone(), left.expr.clone()];
        let is_number = self.planner.internal("$compare", args, Type::Boolean).expr;
        let equal = binary_expr(one_zero(left.expr), Operator::Eq, one_zero(right.expr));
        Bound::new(equal.and(is_number), Type::Boolean)
    }

    pub(super) fn equals(&self, left: Bound, right: Bound, at: usize) -> Result<Bound> {
        self.compare(Comparison::Equal, left, right, at)
    }

    /// Brings both sides to one type.
    fn comparable(
        &self,
        symbol: &str,
        left: Bound,
        right: Bound,
        at: usize,
    ) -> Result<(Bound, Bound)> {
        let (left, right) = self.kindly(left, right, at)?;
        let (lt, rt) = (left.data_type.clone(), right.data_type.clone());
        let Some(common) = coercion::common(&lt, &rt) else {
            let message = format!("Cannot apply operator: {lt} {symbol} {rt}");
            return Err(mismatch(at, message));
        };
        // The session's zone is UTC, so a zoned constant can meet a column without zone halfway,
        // and the column stays bare for the scan.
        let common = match (&lt, &rt) {
            (Type::Timestamp(p), Type::TimestampTz(q))
            | (Type::TimestampTz(p), Type::Timestamp(q)) => {
                let precision = *p.max(q);
                return Ok(match (left.scalar().is_some(), right.scalar().is_some()) {
                    (true, false) => self.towards(left, right, precision, false),
                    (false, true) => self.towards(right, left, precision, true),
                    _ => (self.unzoned(left, precision), self.unzoned(right, precision)),
                });
            }
            (Type::Varchar(_), Type::Varchar(_)) => return Ok(self.same_text(left, right)),
            _ => common,
        };
        Ok((self.planner.coerce(left, &common), self.planner.coerce(right, &common)))
    }

    /// Gives a constant moment the zone, or the lack of one, of what it meets.
    fn towards(&self, constant: Bound, other: Bound, precision: u8, last: bool) -> (Bound, Bound) {
        let constant = match other.data_type {
            Type::TimestampTz(_) => self.planner.coerce(constant, &Type::TimestampTz(precision)),
            _ => self.unzoned(constant, precision),
        };
        if last { (other, constant) } else { (constant, other) }
    }

    fn unzoned(&self, value: Bound, precision: u8) -> Bound {
        let target = Type::Timestamp(precision);
        if value.field.data_type() == &target.to_arrow() {
            return value;
        }
        if let Some(scalar) = value.scalar()
            && let Ok(scalar) = scalar.cast_to(&target.to_arrow())
        {
            return literal::constant(scalar, target);
        }
        let cast = Cast::new(Box::new(value.expr), target.to_arrow());
        Bound::new(DfExpr::Cast(cast), target)
    }

    /// Gives a text constant the Arrow type of the column it meets.
    fn same_text(&self, left: Bound, right: Bound) -> (Bound, Bound) {
        let adapt = |constant: Bound, other: &Bound| match constant.scalar() {
            Some(scalar) if other.scalar().is_none() => {
                match scalar.cast_to(other.field.data_type()) {
                    Ok(scalar) => literal::constant(scalar, constant.data_type),
                    Err(_) => constant,
                }
            }
            _ => constant,
        };
        let left = adapt(left, &right);
        let right = adapt(right, &left);
        (left, right)
    }

    /// The Lake's own conversions: strings against dates, timestamps and booleans.
    fn kindly(&self, left: Bound, right: Bound, at: usize) -> Result<(Bound, Bound)> {
        if left.data_type.is_text() {
            let left = self.kind_side(left, &right, at)?;
            return Ok((left, right));
        }
        if right.data_type.is_text() {
            let right = self.kind_side(right, &left, at)?;
            return Ok((left, right));
        }
        Ok((left, right))
    }

    fn kind_side(&self, text: Bound, other: &Bound, at: usize) -> Result<Bound> {
        let target = match &other.data_type {
            Type::Timestamp(p) | Type::TimestampTz(p) => Type::Timestamp(*p),
            Type::Date => Type::Date,
            Type::Boolean => {
                // A text that is no boolean equals neither.
                return Ok(self.planner.cast_call(text, &Type::Boolean, true));
            }
            _ => return Ok(text),
        };
        let Some(constant) = text.text_value() else {
            let target = if target == Type::Date { target } else { Type::Timestamp(9) };
            let args = vec![text.expr, Bound::text(target.to_string()).expr];
            return Ok(self.planner.internal("$moment", args, target));
        };
        let scalar = cast::parse_moment(constant, &target)
            .map_err(|message| SqlError::at(ErrorKind::InvalidArgument, at, message))?;
        let data_type = Type::of_arrow(&scalar.data_type());
        Ok(literal::constant(scalar, data_type))
    }

    fn is_distinct(&self, left: Bound, right: Bound, negated: bool, at: usize) -> Result<Bound> {
        let (left, right) = self.comparable("IS DISTINCT FROM", left, right, at)?;
        if left.data_type.is_nested() || is_float(&left.data_type) {
            let symbol =
                Bound::text(if negated { "IS NOT DISTINCT FROM" } else { "IS DISTINCT FROM" });
            let args = vec![symbol.expr, left.expr, right.expr];
            return Ok(self.planner.internal("$compare", args, Type::Boolean));
        }
        let operator = if negated { Operator::IsNotDistinctFrom } else { Operator::IsDistinctFrom };
        Ok(Bound::new(binary_expr(left.expr, operator, right.expr), Type::Boolean))
    }

    fn between(&self, operands: [Bound; 3], negated: bool, at: usize) -> Result<Bound> {
        let [value, low, high] = operands;
        let fault = |error: SqlError, value: &Type, low: &Type, high: &Type| match error.kind() {
            ErrorKind::TypeMismatch => {
                mismatch(at, format!("Cannot check if {value} is BETWEEN {low} and {high}"))
            }
            _ => error,
        };
        let types = (value.data_type.clone(), low.data_type.clone(), high.data_type.clone());
        let above = self
            .compare(Comparison::GreaterOrEqual, value.clone(), low, at)
            .map_err(|error| fault(error, &types.0, &types.1, &types.2))?;
        let below = self
            .compare(Comparison::LessOrEqual, value, high, at)
            .map_err(|error| fault(error, &types.0, &types.1, &types.2))?;
        let inside = above.expr.and(below.expr);
        let expr = if negated { DfExpr::Not(Box::new(inside)) } else { inside };
        Ok(Bound::new(expr, Type::Boolean))
    }

    fn in_list(&mut self, value: &Expr, list: &[Expr], negated: bool) -> Result<Bound> {
        let bound = self.bind(value)?;
        let mut members = Vec::with_capacity(list.len());
        let mut types = vec![bound.data_type.clone()];
        for member in list {
            let candidate = self.bind(member)?;
            let (_, candidate) = self.kindly(bound.clone(), candidate, member.at)?;
            types.push(candidate.data_type.clone());
            members.push(candidate);
        }
        let Ok(common) = coercion::common_of(&types) else {
            let message =
                "IN value and list items must be the same type or coercible to a common type";
            let list: Vec<String> = types.iter().map(ToString::to_string).collect();
            return Err(mismatch(value.at, format!("{message}: {}", list.join(", "))));
        };
        let special = common.is_nested() || is_float(&common);
        if special || matches!(common, Type::TimestampTz(_)) || bound.scalar().is_some() {
            return self.any_of(&bound, members, negated, value.at);
        }
        let texts = matches!(common, Type::Varchar(_));
        let members = members
            .into_iter()
            .map(|member| match texts {
                true => self.same_text(bound.clone(), member).1.expr,
                false => self.planner.coerce(member, &common).expr,
            })
            .collect();
        let expr = if texts { bound } else { self.planner.coerce(bound, &common) }.expr;
        let list = InList::new(Box::new(expr), members, negated);
        Ok(Bound::new(DfExpr::InList(list), Type::Boolean))
    }

    /// `IN` as a chain of comparisons, for types DataFusion's own `IN` does not compare as Trino.
    fn any_of(
        &self,
        value: &Bound,
        members: Vec<Bound>,
        negated: bool,
        at: usize,
    ) -> Result<Bound> {
        let terms = members
            .into_iter()
            .map(|member| self.equals(value.clone(), member, at).map(|term| term.expr))
            .collect::<Result<Vec<_>>>()?;
        let any = balanced(terms, DfExpr::or);
        let expr = if negated { DfExpr::Not(Box::new(any)) } else { any };
        Ok(Bound::new(expr, Type::Boolean))
    }

    /// Trino's `LIKE` has no escape character unless one is given; Arrow's always has `\`.
    fn like(
        &mut self,
        value: &Expr,
        pattern: &Expr,
        escape: Option<&Expr>,
        negated: bool,
    ) -> Result<Bound> {
        let bound = self.text_operand(value, "Left side of LIKE expression")?;
        let pattern_bound = self.text_operand(pattern, "Pattern for LIKE expression")?;
        let escape_bound = match escape {
            Some(escape) => Some(self.text_operand(escape, "Escape for LIKE expression")?),
            None => None,
        };
        let escape_text = escape_bound.as_ref().map(|escape| escape.text_value());
        let constant = pattern_bound.text_value().filter(|_| escape_text != Some(None));
        let pattern = match constant {
            Some(text) => {
                let translated =
                    like_pattern::translate(text, escape_text.flatten()).map_err(|message| {
                        SqlError::at(ErrorKind::InvalidArgument, pattern.at, message)
                    })?;
                Bound::new(self.pattern_literal(translated, &bound), Type::VARCHAR)
            }
            None => {
                let mut args = vec![pattern_bound.expr];
                args.extend(escape_bound.map(|escape| escape.expr));
                self.planner.internal("$like_pattern", args, Type::VARCHAR)
            }
        };
        let like = Like::new(negated, Box::new(bound.expr), Box::new(pattern.expr), None, false);
        Ok(Bound::new(DfExpr::Like(like), Type::Boolean))
    }

    fn pattern_literal(&self, pattern: String, value: &Bound) -> DfExpr {
        let scalar = ScalarValue::Utf8View(Some(pattern));
        let same = scalar.cast_to(value.field.data_type());
        DfExpr::Literal(same.unwrap_or(scalar), None)
    }

    fn text_operand(&mut self, expr: &Expr, what: &str) -> Result<Bound> {
        let bound = self.bind(expr)?;
        match &bound.data_type {
            Type::Unknown => Ok(self.planner.coerce(bound, &Type::VARCHAR)),
            data_type if data_type.is_text() => Ok(bound),
            other => {
                let message = format!("{what} must evaluate to a varchar (actual: {other})");
                Err(mismatch(expr.at, message))
            }
        }
    }
}

pub(super) fn operator(comparison: Comparison) -> Operator {
    match comparison {
        Comparison::Equal => Operator::Eq,
        Comparison::NotEqual => Operator::NotEq,
        Comparison::Less => Operator::Lt,
        Comparison::LessOrEqual => Operator::LtEq,
        Comparison::Greater => Operator::Gt,
        Comparison::GreaterOrEqual => Operator::GtEq,
    }
}

/// The types that have NaN and two zeros.
fn is_float(data_type: &Type) -> bool {
    matches!(data_type, Type::Double | Type::Real)
}

/// Maps, JSON and sketches have no order.
pub(super) fn is_orderable(data_type: &Type) -> bool {
    match data_type {
        Type::Map(..) | Type::Json | Type::HyperLogLog | Type::Other(_) => false,
        Type::Array(item) => is_orderable(item),
        Type::Row(fields) => fields.iter().all(|field| is_orderable(&field.data_type)),
        _ => true,
    }
}
