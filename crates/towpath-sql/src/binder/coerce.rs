//! Implicit conversions, made explicit.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::metadata::FieldMetadata;
use datafusion::logical_expr::Expr as DfExpr;
use datafusion::logical_expr::expr::{Cast, ScalarFunction};

use super::{Bound, Planner};
use crate::data_type::Type;
use crate::error::{ErrorKind, Result, SqlError};

impl Planner<'_> {
    /// Makes `value` the type that two or more values have in common. The caller has checked that
    /// it converts.
    pub(super) fn coerce(&self, value: Bound, to: &Type) -> Bound {
        let target = to.to_field("");
        if let (Type::TimestampTz(_), Type::TimestampTz(_)) = (&value.data_type, to) {
            return rezoned(value, to);
        }
        if let Type::Char(_) = to
            && value.data_type != *to
        {
            return self.cast_call(value, to, false);
        }
        if value.field.data_type() == target.data_type()
            && value.data_type.extension() == to.extension()
        {
            return Bound { data_type: widened(&value.data_type, to), ..value };
        }
        if let Some(scalar) = value.scalar()
            && let Some(scalar) = coerced_scalar(scalar, &value.data_type, to)
        {
            let metadata = FieldMetadata::from(&target);
            let metadata = (!metadata.is_empty()).then_some(metadata);
            return Bound::new(DfExpr::Literal(scalar, metadata), to.clone());
        }
        if native(&value.data_type, to) {
            let cast = Cast::new_from_field(Box::new(value.expr), Arc::new(target));
            return Bound::new(DfExpr::Cast(cast), to.clone());
        }
        self.cast_call(value, to, false)
    }

    /// Casts by Trino's rules, at run time.
    pub(super) fn cast_call(&self, value: Bound, to: &Type, safe: bool) -> Bound {
        let name = if safe { "$try_cast" } else { "$cast" };
        let from = Bound::text(value.data_type.to_string());
        let target = Bound::text(to.to_string());
        let args = vec![value.expr, target.expr, from.expr];
        let function = self.functions.internal(name);
        Bound::new(DfExpr::ScalarFunction(ScalarFunction::new_udf(function, args)), to.clone())
    }

    /// Calls an internal function of [`crate::operators`] that yields `to`.
    pub(super) fn internal(&self, name: &str, args: Vec<DfExpr>, to: Type) -> Bound {
        let function = self.functions.internal(name);
        Bound::new(DfExpr::ScalarFunction(ScalarFunction::new_udf(function, args)), to)
    }

    /// Coerces all of `values` to the type they have in common.
    pub(super) fn unify(
        &self,
        values: Vec<Bound>,
        fault: impl FnOnce(&Type, &Type) -> SqlError,
    ) -> Result<(Vec<Bound>, Type)> {
        let all = crate::coercion::common_of(values.iter().map(|value| &value.data_type))
            .map_err(|(before, after)| fault(&before, &after))?;
        let values = values.into_iter().map(|value| self.coerce(value, &all)).collect();
        Ok((values, all))
    }

    /// Coerces a condition to boolean.
    pub(super) fn condition(&self, value: Bound, at: usize, what: &str) -> Result<Bound> {
        match value.data_type {
            Type::Boolean => Ok(value),
            Type::Unknown => Ok(self.coerce(value, &Type::Boolean)),
            other => {
                let message = format!("{what} must evaluate to a boolean: actual type {other}");
                Err(SqlError::at(ErrorKind::TypeMismatch, at, message))
            }
        }
    }
}

/// Changes the precision of a zoned timestamp and keeps the zone its Arrow type names.
fn rezoned(value: Bound, to: &Type) -> Bound {
    let (DataType::Timestamp(unit, _), DataType::Timestamp(given, zone)) =
        (to.to_arrow(), value.field.data_type())
    else {
        return value;
    };
    if unit == *given {
        return Bound { data_type: to.clone(), ..value };
    }
    let target = DataType::Timestamp(unit, zone.clone());
    let field = Arc::new(to.to_field("").with_data_type(target.clone()));
    let scalar = value.scalar().and_then(|scalar| scalar.cast_to(&target).ok());
    let expr = match scalar {
        Some(scalar) => DfExpr::Literal(scalar, None),
        None => DfExpr::Cast(Cast::new(Box::new(value.expr), target)),
    };
    Bound { expr, field, data_type: to.clone() }
}

/// The type a value has after being widened without a conversion.
fn widened(from: &Type, to: &Type) -> Type {
    if *from == Type::Unknown { from.clone() } else { to.clone() }
}

/// Converts a constant while planning.
fn coerced_scalar(scalar: &ScalarValue, from: &Type, to: &Type) -> Option<ScalarValue> {
    let target = to.to_arrow();
    if scalar.is_null() {
        return ScalarValue::try_from(&target).ok();
    }
    if native(from, to) { scalar.cast_to(&target).ok() } else { None }
}

/// Whether Arrow's own cast means what Trino's implicit conversion means.
fn native(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Unknown, to) => !to.is_nested() || !matches!(to.to_arrow(), DataType::Map(..)),
        (Type::Varchar(_) | Type::Char(_), Type::Varchar(_)) => true,
        (Type::Decimal(..), Type::Decimal(..) | Type::Double | Type::Real) => true,
        (Type::Real, Type::Double) => true,
        (from, to) if from.is_integer() => to.is_numeric(),
        (Type::Date, Type::Timestamp(_) | Type::TimestampTz(_)) => true,
        (Type::Timestamp(_), Type::Timestamp(_) | Type::TimestampTz(_)) => true,
        (Type::TimestampTz(_), Type::TimestampTz(_)) => true,
        (Type::Time(_), Type::Time(_)) => true,
        (from, to) => from == to && !from.is_nested(),
    }
}
