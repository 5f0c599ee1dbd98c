//! `+ - * / %` and sign with Trino's overflow errors, for integers, decimals, dates and intervals.
//!
//! Reals and doubles use DataFusion's own operators, which never fail.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, DurationMillisecondType, Field, FieldRef,
    Int8Type, Int16Type, Int32Type, Int64Type, IntervalUnit, IntervalYearMonthType, TimeUnit, i256,
};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs};

use super::{Operator, over_arrays, same_field, temporal};
use crate::data_type::{DECIMAL_PRECISION_MAX, Type};
use crate::functions::args::{division_by_zero, out_of_range};

pub(super) fn operators() -> Vec<Operator> {
    vec![
        Operator::new("$add", |args| returns(args, Op::Add), |args| evaluate(args, Op::Add)),
        Operator::new(
            "$subtract",
            |args| returns(args, Op::Subtract),
            |args| evaluate(args, Op::Subtract),
        ),
        Operator::new(
            "$multiply",
            |args| returns(args, Op::Multiply),
            |args| evaluate(args, Op::Multiply),
        ),
        Operator::new(
            "$divide",
            |args| returns(args, Op::Divide),
            |args| evaluate(args, Op::Divide),
        ),
        Operator::new(
            "$modulus",
            |args| returns(args, Op::Modulus),
            |args| evaluate(args, Op::Modulus),
        ),
        Operator::new("$negate", |args| same_field(args, 0), negate),
    ]
}

/// An operation of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulus,
}

impl Op {
    fn noun(self) -> &'static str {
        match self {
            Op::Add => "addition",
            Op::Subtract => "subtraction",
            Op::Multiply => "multiplication",
            Op::Divide => "division",
            Op::Modulus => "modulus",
        }
    }

    fn symbol(self) -> char {
        match self {
            Op::Add => '+',
            Op::Subtract => '-',
            Op::Multiply => '*',
            Op::Divide => '/',
            Op::Modulus => '%',
        }
    }
}

fn returns(args: &ReturnFieldArgs<'_>, op: Op) -> Result<FieldRef> {
    let [left, right] = args.arg_fields else {
        return exec_err!("{} takes two operands", op.noun());
    };
    let data_type = match (left.data_type(), right.data_type()) {
        (DataType::Decimal128(p1, s1), DataType::Decimal128(p2, s2)) => {
            let (p, s) = decimal_type(op, (*p1, s1.cast_unsigned()), (*p2, s2.cast_unsigned()));
            DataType::Decimal128(p, s.cast_signed())
        }
        (left, right) if left == right && left.is_integer() => left.clone(),
        (left, right) => temporal::result_type(op, left, right)?,
    };
    Ok(Arc::new(Field::new("", data_type, true)))
}

/// Precision and scale as Trino computes them.
fn decimal_type(op: Op, (p1, s1): (u8, u8), (p2, s2): (u8, u8)) -> (u8, u8) {
    let scale = s1.max(s2);
    let (precision, scale) = match op {
        Op::Add | Op::Subtract => ((p1 - s1).max(p2 - s2) + scale + 1, scale),
        Op::Multiply => (p1.saturating_add(p2), s1.saturating_add(s2)),
        Op::Divide => (p1 + s2 + s2.saturating_sub(s1), scale),
        Op::Modulus => ((p1 - s1).min(p2 - s2) + scale, scale),
    };
    let precision = precision.clamp(1, DECIMAL_PRECISION_MAX);
    (precision, scale.min(precision))
}

fn evaluate(args: &ScalarFunctionArgs, op: Op) -> Result<ColumnarValue> {
    let result = args.return_field.data_type().clone();
    over_arrays(args, |arrays| {
        let [left, right] = arrays else {
            return exec_err!("{} takes two operands", op.noun());
        };
        match (left.data_type(), right.data_type()) {
            (DataType::Int8, DataType::Int8) => integers::<Int8Type>(left, right, op),
            (DataType::Int16, DataType::Int16) => integers::<Int16Type>(left, right, op),
            (DataType::Int32, DataType::Int32) => integers::<Int32Type>(left, right, op),
            (DataType::Int64, DataType::Int64) => integers::<Int64Type>(left, right, op),
            (DataType::Decimal128(..), DataType::Decimal128(..)) => {
                decimals(left, right, op, &result)
            }
            _ => temporal::evaluate(op, left, right, &result),
        }
    })
}

fn integers<T>(left: &ArrayRef, right: &ArrayRef, op: Op) -> Result<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: Into<i64> + TryFrom<i64>,
{
    let name = Type::of_arrow(&T::DATA_TYPE);
    let (left, right) = (left.as_primitive::<T>(), right.as_primitive::<T>());
    let values = zipped::<T, T, T>(left, right, |a, b| {
        let (a, b): (i64, i64) = (a.into(), b.into());
        if b == 0 && matches!(op, Op::Divide | Op::Modulus) {
            return Err(division_by_zero());
        }
        let value = match op {
            Op::Add => a.checked_add(b),
            Op::Subtract => a.checked_sub(b),
            Op::Multiply => a.checked_mul(b),
            Op::Divide => a.checked_div(b),
            Op::Modulus => Some(a.wrapping_rem(b)),
        };
        value.and_then(|value| T::Native::try_from(value).ok()).ok_or_else(|| {
            out_of_range(format!("{name} {} overflow: {a} {} {b}", op.noun(), op.symbol()))
        })
    })?;
    Ok(Arc::new(values))
}

/// Applies `compute` to each pair of values that are not NULL.
pub(super) fn zipped<L, R, O>(
    left: &PrimitiveArray<L>,
    right: &PrimitiveArray<R>,
    mut compute: impl FnMut(L::Native, R::Native) -> Result<O::Native>,
) -> Result<PrimitiveArray<O>>
where
    L: ArrowPrimitiveType,
    R: ArrowPrimitiveType,
    O: ArrowPrimitiveType,
{
    let mut values = PrimitiveArray::<O>::builder(left.len());
    for (a, b) in left.iter().zip(right.iter()) {
        match a.zip(b) {
            Some((a, b)) => values.append_value(compute(a, b)?),
            None => values.append_null(),
        }
    }
    Ok(values.finish())
}

fn decimals(left: &ArrayRef, right: &ArrayRef, op: Op, result: &DataType) -> Result<ArrayRef> {
    let (l, r) = (left.as_primitive::<Decimal128Type>(), right.as_primitive::<Decimal128Type>());
    let DataType::Decimal128(precision, scale) = result else {
        return exec_err!("decimal {} must yield a decimal", op.noun());
    };
    let (ls, rs, s) = (l.scale().into(), r.scale().into(), i32::from(*scale));
    let limit = power(i32::from(DECIMAL_PRECISION_MAX));
    let values = zipped::<_, _, Decimal128Type>(l, r, |a, b| {
        let (a, b) = (i256::from_i128(a), i256::from_i128(b));
        let value = decimal(op, (a, ls), (b, rs), s)?;
        let fits = value.filter(|value| *value < limit && value.wrapping_neg() < limit);
        fits.and_then(i256::to_i128).ok_or_else(|| out_of_range("Decimal overflow"))
    })?;
    Ok(Arc::new(values.with_precision_and_scale(*precision, *scale)?))
}

/// One decimal operation on unscaled values; `None` past 256 bits.
fn decimal(op: Op, (a, ls): (i256, i32), (b, rs): (i256, i32), scale: i32) -> Result<Option<i256>> {
    let zero = i256::ZERO;
    if b == zero && matches!(op, Op::Divide | Op::Modulus) {
        return Err(division_by_zero());
    }
    let common = ls.max(rs);
    let both = a.checked_mul(power(common - ls)).zip(b.checked_mul(power(common - rs)));
    Ok(match op {
        Op::Add => both.and_then(|(a, b)| a.checked_add(b)),
        Op::Subtract => both.and_then(|(a, b)| a.checked_sub(b)),
        Op::Multiply => a.checked_mul(b),
        Op::Modulus => both.and_then(|(a, b)| a.checked_rem(b)),
        Op::Divide => a.checked_mul(power(scale - ls + rs)).map(|a| {
            let (quotient, rest) = (a.wrapping_div(b), a.wrapping_rem(b));
            let magnitude = |value: i256| if value < zero { value.wrapping_neg() } else { value };
            let up = magnitude(rest).wrapping_mul(i256::from_i128(2)) >= magnitude(b);
            let step = if (a < zero) == (b < zero) { i256::ONE } else { i256::MINUS_ONE };
            if up { quotient.wrapping_add(step) } else { quotient }
        }),
    })
}

fn power(exponent: i32) -> i256 {
    let exponent = u32::try_from(exponent.clamp(0, 76)).unwrap_or(0);
    i256::from_i128(10).wrapping_pow(exponent)
}

fn negate(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    over_arrays(args, |arrays| {
        let [value] = arrays else { return exec_err!("negation takes one operand") };
        match value.data_type() {
            DataType::Int8 => negated::<Int8Type>(value),
            DataType::Int16 => negated::<Int16Type>(value),
            DataType::Int32 => negated::<Int32Type>(value),
            DataType::Int64 => negated::<Int64Type>(value),
            DataType::Decimal128(p, s) => {
                let values = value.as_primitive::<Decimal128Type>().unary(|v: i128| -v);
                let values: PrimitiveArray<Decimal128Type> = values;
                Ok(Arc::new(values.with_precision_and_scale(*p, *s)?))
            }
            DataType::Duration(TimeUnit::Millisecond) => {
                let values: PrimitiveArray<DurationMillisecondType> =
                    value.as_primitive::<DurationMillisecondType>().unary(i64::wrapping_neg);
                Ok(Arc::new(values))
            }
            DataType::Interval(IntervalUnit::YearMonth) => {
                let values: PrimitiveArray<IntervalYearMonthType> =
                    value.as_primitive::<IntervalYearMonthType>().unary(i32::wrapping_neg);
                Ok(Arc::new(values))
            }
            other => exec_err!("cannot negate {other}"),
        }
    })
}

fn negated<T>(value: &ArrayRef) -> Result<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: Into<i64> + TryFrom<i64>,
{
    let name = Type::of_arrow(&T::DATA_TYPE);
    let array = value.as_primitive::<T>();
    let values = zipped::<T, T, T>(array, array, |value, _| {
        let value: i64 = value.into();
        let negated = value.checked_neg().and_then(|value| T::Native::try_from(value).ok());
        negated.ok_or_else(|| out_of_range(format!("{name} negation overflow: {value}")))
    })?;
    Ok(Arc::new(values))
}
