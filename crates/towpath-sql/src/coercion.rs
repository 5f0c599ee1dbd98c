//! Which types Trino converts without being asked, and the type two of them have in common.
//!
//! Implicit conversions never lose a value: integers widen, then become decimals, reals and
//! doubles; dates become timestamps, timestamps become zoned; `unknown` becomes anything.
//! <https://trino.io/docs/current/language/types.html>

use crate::data_type::{DECIMAL_PRECISION_MAX, RowField, Type};

/// Whether a value of `from` may stand where `to` is expected.
pub(crate) fn converts(from: &Type, to: &Type) -> bool {
    common(from, to).is_some_and(|common| same_family(&common, to))
}

/// Whether two types differ in their text length only, or not at all.
fn same_family(left: &Type, right: &Type) -> bool {
    match (left, right) {
        (Type::Varchar(_), Type::Varchar(_)) => true,
        (Type::Array(left), Type::Array(right)) => same_family(left, right),
        (Type::Map(lk, lv), Type::Map(rk, rv)) => same_family(lk, rk) && same_family(lv, rv),
        (Type::Row(left), Type::Row(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(l, r)| same_family(&l.data_type, &r.data_type))
        }
        (left, right) => left == right,
    }
}

/// Returns the narrowest type both convert to.
pub(crate) fn common(left: &Type, right: &Type) -> Option<Type> {
    if left == right {
        return Some(left.clone());
    }
    match (left, right) {
        (Type::Unknown, other) | (other, Type::Unknown) => Some(other.clone()),
        (Type::Varchar(left), Type::Varchar(right)) => {
            Some(Type::Varchar(left.zip(*right).map(|(left, right)| left.max(right))))
        }
        (Type::Char(left), Type::Char(right)) => Some(Type::Char(*left.max(right))),
        // Trino compares a varchar with a char as a char.
        (Type::Char(n), Type::Varchar(length)) | (Type::Varchar(length), Type::Char(n)) => {
            Some(length.map_or(Type::Char(*n), |length| Type::Char(length.max(*n))))
        }
        (Type::Array(left), Type::Array(right)) => {
            Some(Type::Array(Box::new(common(left, right)?)))
        }
        (Type::Map(left_key, left_value), Type::Map(right_key, right_value)) => Some(Type::Map(
            Box::new(common(left_key, right_key)?),
            Box::new(common(left_value, right_value)?),
        )),
        (Type::Row(left), Type::Row(right)) => common_row(left, right),
        (left, right) if left.is_numeric() && right.is_numeric() => common_number(left, right),
        (left, right) => common_time(left, right),
    }
}

fn common_row(left: &[RowField], right: &[RowField]) -> Option<Type> {
    if left.len() != right.len() {
        return None;
    }
    let fields = left.iter().zip(right).map(|(left, right)| {
        let data_type = common(&left.data_type, &right.data_type)?;
        let name = if left.name == right.name { left.name.clone() } else { None };
        Some(RowField { name, data_type })
    });
    Some(Type::Row(fields.collect::<Option<_>>()?))
}

fn common_number(left: &Type, right: &Type) -> Option<Type> {
    if *left == Type::Double || *right == Type::Double {
        return Some(Type::Double);
    }
    if *left == Type::Real || *right == Type::Real {
        return Some(Type::Real);
    }
    if left.is_integer() && right.is_integer() {
        let wider = left.integer_decimal()?.0 >= right.integer_decimal()?.0;
        return Some(if wider { left.clone() } else { right.clone() });
    }
    let ((left_p, left_s), (right_p, right_s)) =
        (left.integer_decimal()?, right.integer_decimal()?);
    let scale = left_s.max(right_s);
    let whole = (left_p - left_s).max(right_p - right_s);
    let precision = (whole + scale).min(DECIMAL_PRECISION_MAX);
    Some(Type::Decimal(precision, scale))
}

fn common_time(left: &Type, right: &Type) -> Option<Type> {
    match (left, right) {
        (Type::Time(left), Type::Time(right)) => Some(Type::Time(*left.max(right))),
        (Type::Timestamp(left), Type::Timestamp(right)) => Some(Type::Timestamp(*left.max(right))),
        (Type::TimestampTz(left), Type::TimestampTz(right) | Type::Timestamp(right))
        | (Type::Timestamp(left), Type::TimestampTz(right)) => {
            Some(Type::TimestampTz(*left.max(right)))
        }
        (Type::Date, other @ (Type::Timestamp(_) | Type::TimestampTz(_)))
        | (other @ (Type::Timestamp(_) | Type::TimestampTz(_)), Type::Date) => Some(other.clone()),
        _ => None,
    }
}

/// Returns the type all of `types` convert to; `Err` holds the first that does not fit with the
/// type of those before it.
pub(crate) fn common_of<'a>(
    types: impl IntoIterator<Item = &'a Type>,
) -> Result<Type, (Type, Type)> {
    let mut all = Type::Unknown;
    for one in types {
        all = common(&all, one).ok_or_else(|| (all.clone(), one.clone()))?;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_types_follow_trino() {
        let cases = [
            (Type::Integer, Type::BigInt, Some(Type::BigInt)),
            (Type::Integer, Type::Decimal(3, 1), Some(Type::Decimal(11, 1))),
            (Type::BigInt, Type::Real, Some(Type::Real)),
            (Type::Decimal(3, 1), Type::Double, Some(Type::Double)),
            (Type::Varchar(Some(1)), Type::VARCHAR, Some(Type::VARCHAR)),
            (Type::Date, Type::Timestamp(3), Some(Type::Timestamp(3))),
            (Type::Integer, Type::VARCHAR, None),
            (Type::Unknown, Type::Json, Some(Type::Json)),
        ];
        for (left, right, expected) in cases {
            assert_eq!(common(&left, &right), expected, "{left} and {right}");
            assert_eq!(common(&right, &left), expected, "{right} and {left}");
        }
    }

    #[test]
    fn conversions_only_widen() {
        assert!(converts(&Type::Integer, &Type::Double));
        assert!(!converts(&Type::BigInt, &Type::Integer));
        assert!(converts(&Type::Varchar(Some(9)), &Type::Varchar(Some(1))));
    }
}
