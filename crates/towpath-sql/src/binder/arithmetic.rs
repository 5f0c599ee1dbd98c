//! `+ - * / %`, sign and `||`, with Trino's result types.
//!
//! <https://trino.io/docs/current/functions/decimal.html>

use arrow::datatypes::TimeUnit;
use datafusion::logical_expr::{Expr as DfExpr, Operator, binary_expr};

use super::expression::ExprBinder;
use super::{Bound, literal, mismatch};
use crate::ast::{Arithmetic, Expr, ExprKind};
use crate::coercion;
use crate::data_type::{DECIMAL_PRECISION_MAX, Type, precision_unit};
use crate::error::Result;

impl ExprBinder<'_> {
    pub(super) fn negate(&mut self, value: &Expr, at: usize) -> Result<Bound> {
        // The smallest bigint has no positive twin, so the sign belongs to the literal.
        match &value.kind {
            ExprKind::Integer(digits) => return literal::integer(digits, true, at),
            ExprKind::Decimal(text) => return literal::decimal(&format!("-{text}"), at),
            ExprKind::Double(value) => return Ok(literal::double(-value)),
            _ => {}
        }
        let bound = self.bind(value)?;
        let data_type = bound.data_type.clone();
        match data_type {
            Type::Real | Type::Double => {
                Ok(Bound::new(DfExpr::Negative(Box::new(bound.expr)), data_type))
            }
            Type::Unknown => Ok(bound),
            Type::IntervalDayToSecond | Type::IntervalYearToMonth | Type::Decimal(..) => {
                Ok(self.planner.internal("$negate", vec![bound.expr], data_type))
            }
            _ if data_type.is_integer() => {
                Ok(self.planner.internal("$negate", vec![bound.expr], data_type))
            }
            other => Err(mismatch(at, format!("Cannot negate {other}"))),
        }
    }

    pub(super) fn plus(&mut self, value: &Expr, at: usize) -> Result<Bound> {
        let bound = self.bind(value)?;
        let signed = bound.data_type.is_numeric()
            || matches!(
                bound.data_type,
                Type::IntervalDayToSecond | Type::IntervalYearToMonth | Type::Unknown
            );
        if signed {
            return Ok(bound);
        }
        let message = format!("Unary '+' operator cannot by applied to {} type", bound.data_type);
        Err(mismatch(at, message))
    }

    pub(super) fn arithmetic(
        &mut self,
        operator: Arithmetic,
        left: &Expr,
        right: &Expr,
        at: usize,
    ) -> Result<Bound> {
        let left = self.bind(left)?;
        let right = self.bind(right)?;
        self.arithmetic_of(operator, left, right, at)
    }

    pub(super) fn arithmetic_of(
        &self,
        operator: Arithmetic,
        left: Bound,
        right: Bound,
        at: usize,
    ) -> Result<Bound> {
        let (left, right) = self.typed_nulls(left, right);
        let (lt, rt) = (left.data_type.clone(), right.data_type.clone());
        if lt.is_numeric() && rt.is_numeric() {
            return Ok(self.numeric(operator, left, right));
        }
        let Some(result) = temporal_result(operator, &lt, &rt) else {
            let message = format!("Cannot apply operator: {lt} {} {rt}", operator.symbol());
            return Err(mismatch(at, message));
        };
        Ok(self.planner.internal(function(operator), vec![left.expr, right.expr], result))
    }

    /// Gives an untyped NULL the type of the other side.
    fn typed_nulls(&self, left: Bound, right: Bound) -> (Bound, Bound) {
        match (&left.data_type, &right.data_type) {
            (Type::Unknown, Type::Unknown) => {
                let bigint = Type::BigInt;
                (self.planner.coerce(left, &bigint), self.planner.coerce(right, &bigint))
            }
            (Type::Unknown, other) => {
                let other = other.clone();
                (self.planner.coerce(left, &other), right)
            }
            (other, Type::Unknown) => {
                let other = other.clone();
                (left, self.planner.coerce(right, &other))
            }
            _ => (left, right),
        }
    }

    fn numeric(&self, operator: Arithmetic, left: Bound, right: Bound) -> Bound {
        let common = coercion::common(&left.data_type, &right.data_type).unwrap_or(Type::Double);
        if matches!(common, Type::Real | Type::Double) {
            let left = self.planner.coerce(left, &common);
            let right = self.planner.coerce(right, &common);
            let native = match operator {
                Arithmetic::Add => Operator::Plus,
                Arithmetic::Subtract => Operator::Minus,
                Arithmetic::Multiply => Operator::Multiply,
                Arithmetic::Divide => Operator::Divide,
                Arithmetic::Modulus => Operator::Modulo,
            };
            return Bound::new(binary_expr(left.expr, native, right.expr), common);
        }
        if common.is_integer() {
            let left = self.planner.coerce(left, &common);
            let right = self.planner.coerce(right, &common);
            return self.planner.internal(function(operator), vec![left.expr, right.expr], common);
        }
        let (l, r) = (decimal_form(&left.data_type), decimal_form(&right.data_type));
        let result = decimal_result(operator, l, r);
        let left = self.planner.coerce(left, &Type::Decimal(l.0, l.1));
        let right = self.planner.coerce(right, &Type::Decimal(r.0, r.1));
        self.planner.internal(function(operator), vec![left.expr, right.expr], result)
    }

    /// `||` of texts, binaries, arrays, and an array with an element. A chain becomes one call.
    pub(super) fn concat(&mut self, expr: &Expr) -> Result<Bound> {
        let mut operands = Vec::new();
        let mut rest = expr;
        let mut at = expr.at;
        while let ExprKind::Concat(left, right) = &rest.kind {
            operands.push(right.as_ref());
            at = rest.at;
            rest = left;
        }
        operands.push(rest);
        operands.reverse();
        let bound =
            operands.iter().map(|operand| self.bind(operand)).collect::<Result<Vec<_>>>()?;
        let textual = |data_type: &Type| data_type.is_text() || *data_type == Type::Unknown;
        if bound.iter().all(|operand| textual(&operand.data_type)) {
            let bound = bound.into_iter().map(|operand| match operand.data_type {
                Type::Unknown => self.planner.coerce(operand, &Type::VARCHAR),
                _ => operand,
            });
            return self.function("concat", bound.collect(), at);
        }
        let mut whole: Option<Bound> = None;
        for operand in bound {
            whole = Some(match whole {
                None => operand,
                Some(left) => self.concat_pair(left, operand, at)?,
            });
        }
        whole.ok_or_else(|| mismatch(at, "nothing to concatenate"))
    }

    fn concat_pair(&self, left: Bound, right: Bound, at: usize) -> Result<Bound> {
        let (lt, rt) = (left.data_type.clone(), right.data_type.clone());
        let array_of = |item: &Type| Type::Array(Box::new(item.clone()));
        let common = match (&lt, &rt) {
            (Type::Array(item), other) if !matches!(other, Type::Array(_) | Type::Unknown) => {
                coercion::common(item, other).map(|item| (array_of(&item), item))
            }
            (other, Type::Array(item)) if !matches!(other, Type::Array(_) | Type::Unknown) => {
                coercion::common(item, other).map(|item| (array_of(&item), item))
            }
            _ => coercion::common(&lt, &rt).map(|all| (all.clone(), all)),
        };
        // An array may itself be the item of the other side.
        let common = common.or_else(|| match (&lt, &rt) {
            (item, Type::Array(inner)) if coercion::converts(item, inner) => {
                Some((rt.clone(), inner.as_ref().clone()))
            }
            (Type::Array(inner), item) if coercion::converts(item, inner) => {
                Some((lt.clone(), inner.as_ref().clone()))
            }
            _ => None,
        });
        let valid = common.filter(|(all, _)| matches!(all, Type::Array(_) | Type::Varbinary));
        let Some((whole, item)) = valid else {
            let message = format!(
                "Unexpected parameters ({lt}, {rt}) for function concat. Expected: concat(varchar), concat(array(E), array(E)), concat(varbinary)"
            );
            return Err(mismatch(at, message));
        };
        let form = |value: Bound| {
            let is_item =
                matches!(whole, Type::Array(_)) && !coercion::converts(&value.data_type, &whole);
            self.planner.coerce(value, if is_item { &item } else { &whole })
        };
        self.function("concat", vec![form(left), form(right)], at)
    }
}

fn function(operator: Arithmetic) -> &'static str {
    match operator {
        Arithmetic::Add => "$add",
        Arithmetic::Subtract => "$subtract",
        Arithmetic::Multiply => "$multiply",
        Arithmetic::Divide => "$divide",
        Arithmetic::Modulus => "$modulus",
    }
}

fn decimal_form(data_type: &Type) -> (u8, u8) {
    data_type.integer_decimal().unwrap_or((DECIMAL_PRECISION_MAX, 0))
}

/// Precision and scale of a decimal operation, as in Trino's operators.
fn decimal_result(operator: Arithmetic, (p1, s1): (u8, u8), (p2, s2): (u8, u8)) -> Type {
    let scale = s1.max(s2);
    let (precision, scale) = match operator {
        Arithmetic::Add | Arithmetic::Subtract => ((p1 - s1).max(p2 - s2) + scale + 1, scale),
        Arithmetic::Multiply => (p1.saturating_add(p2), s1.saturating_add(s2)),
        Arithmetic::Divide => (p1 + s2 + s2.saturating_sub(s1), scale),
        Arithmetic::Modulus => ((p1 - s1).min(p2 - s2) + scale, scale),
    };
    let precision = precision.clamp(1, DECIMAL_PRECISION_MAX);
    Type::Decimal(precision, scale.min(precision))
}

/// The result of arithmetic with dates, times and intervals.
fn temporal_result(operator: Arithmetic, left: &Type, right: &Type) -> Option<Type> {
    use Type::{Date, IntervalDayToSecond as Day, IntervalYearToMonth as Year};
    let moment = |data_type: &Type| {
        matches!(data_type, Date | Type::Time(_) | Type::Timestamp(_) | Type::TimestampTz(_))
    };
    match operator {
        Arithmetic::Add => match (left, right) {
            (Day, Day) => Some(Day),
            (Year, Year) => Some(Year),
            (Type::Time(_), Year) | (Year, Type::Time(_)) => None,
            (moved, Day | Year) | (Day | Year, moved) if moment(moved) => {
                Some(at_least_millis(moved, left, right))
            }
            _ => None,
        },
        Arithmetic::Subtract => match (left, right) {
            (Day, Day) => Some(Day),
            (Year, Year) => Some(Year),
            (Type::Time(_), Year) => None,
            (moved, Day | Year) if moment(moved) => Some(at_least_millis(moved, left, right)),
            (Date, Date) | (Type::Time(_), Type::Time(_)) => Some(Day),
            (
                Date | Type::Timestamp(_) | Type::TimestampTz(_),
                Date | Type::Timestamp(_) | Type::TimestampTz(_),
            ) => Some(Day),
            _ => None,
        },
        Arithmetic::Multiply => match (left, right) {
            (interval @ (Day | Year), number) | (number, interval @ (Day | Year))
                if number.is_numeric() =>
            {
                Some(interval.clone())
            }
            _ => None,
        },
        Arithmetic::Divide => match (left, right) {
            (Day | Year, number) if number.is_numeric() => Some(left.clone()),
            _ => None,
        },
        Arithmetic::Modulus => None,
    }
}

/// A timestamp of seconds gains milliseconds when an interval that has them is added.
fn at_least_millis(moved: &Type, left: &Type, right: &Type) -> Type {
    let by_day = [left, right].contains(&&Type::IntervalDayToSecond);
    let coarse = |precision: u8| by_day && precision_unit(precision) == TimeUnit::Second;
    match moved {
        Type::Timestamp(p) if coarse(*p) => Type::Timestamp(3),
        Type::TimestampTz(p) if coarse(*p) => Type::TimestampTz(3),
        other => other.clone(),
    }
}
