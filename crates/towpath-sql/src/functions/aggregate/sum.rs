//! `sum(x)`: the sum; NULL values are left out, NULL if there is nothing else.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#sum>.
//!
//! * integers give a bigint, decimals a `decimal(38, s)`, and past their range is an error;
//! * reals give a real, doubles a double; intervals give their kind.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, DurationMillisecondType, FieldRef,
    Float64Type, Int64Type, IntervalUnit, IntervalYearMonthType, TimeUnit,
};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::definition::{AggregateFunction, column, field, returns_double, unnamed};
use crate::functions::args::out_of_range;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("sum")
        .delegate("double", match_float, returns_double, sum_udaf())
        .own_grouped(
            "bigint, decimal(p,s), real or interval",
            match_exact,
            returns,
            |fields| {
                Ok(vec![match returns(fields)?.data_type() {
                    DataType::Float32 => DataType::Float64,
                    other => other.clone(),
                }])
            },
            |args| {
                Ok(match args.return_field.data_type() {
                    DataType::Int64 => Box::new(Sum::<Int64Type>::new(args)),
                    DataType::Decimal128(..) => Box::new(Sum::<Decimal128Type>::new(args)),
                    DataType::Duration(_) => Box::new(Sum::<DurationMillisecondType>::new(args)),
                    DataType::Interval(_) => Box::new(Sum::<IntervalYearMonthType>::new(args)),
                    DataType::Float32 => Box::new(RealSum::default()),
                    other => return exec_err!("cannot sum {other}"),
                })
            },
            |args| match args.return_field.data_type() {
                DataType::Int64 => Some(Box::new(GroupSums::<Int64Type>::new(args))),
                DataType::Decimal128(..) => Some(Box::new(GroupSums::<Decimal128Type>::new(args))),
                _ => None,
            },
        )
}

fn match_float(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [DataType::Float64] => Some(vec![DataType::Float64]),
        _ => None,
    }
}

/// Matches one integer, as a bigint.
pub(super) fn match_bigint(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [one] if one.is_signed_integer() || one.is_null() => Some(vec![DataType::Int64]),
        _ => None,
    }
}

fn match_exact(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s)] => {
            Some(vec![DataType::Decimal128(*p, *s)])
        }
        [DataType::Float32] => Some(vec![DataType::Float32]),
        [DataType::Duration(_)] => Some(vec![DataType::Duration(TimeUnit::Millisecond)]),
        [one @ DataType::Interval(IntervalUnit::YearMonth)] => Some(vec![one.clone()]),
        _ => match_bigint(given),
    }
}

fn returns(fields: &[FieldRef]) -> Result<FieldRef> {
    Ok(unnamed(match field(fields, 0)?.data_type() {
        DataType::Decimal128(_, scale) => DataType::Decimal128(DECIMAL128_MAX_PRECISION, *scale),
        other => other.clone(),
    }))
}

/// A type whose sum can leave its range.
trait Summed: ArrowPrimitiveType + Debug + Send + Sync {
    fn plus(a: Self::Native, b: Self::Native) -> Option<Self::Native>;
    fn minus(a: Self::Native, b: Self::Native) -> Option<Self::Native>;
    fn overflow() -> DataFusionError;
}

macro_rules! summed {
    ($($type:ty: $message:literal),*) => {$(
        impl Summed for $type {
            fn plus(a: Self::Native, b: Self::Native) -> Option<Self::Native> {
                a.checked_add(b)
            }
            fn minus(a: Self::Native, b: Self::Native) -> Option<Self::Native> {
                a.checked_sub(b)
            }
            fn overflow() -> DataFusionError {
                out_of_range($message)
            }
        }
    )*};
}
summed!(Int64Type: "bigint addition overflow", DurationMillisecondType: "interval overflow",
    IntervalYearMonthType: "interval overflow");

/// One more than the largest value of a decimal of 38 digits.
const DECIMAL_END: i128 = 10_i128.pow(38);

impl Summed for Decimal128Type {
    fn plus(a: i128, b: i128) -> Option<i128> {
        a.checked_add(b).filter(|sum| sum.abs() < DECIMAL_END)
    }

    fn minus(a: i128, b: i128) -> Option<i128> {
        a.checked_sub(b).filter(|sum| sum.abs() < DECIMAL_END)
    }

    fn overflow() -> DataFusionError {
        out_of_range("Decimal overflow")
    }
}

#[derive(Debug)]
struct Sum<T: Summed> {
    sum: T::Native,
    /// How many values are in it; the sum of none is NULL.
    count: u64,
    data_type: DataType,
    kind: PhantomData<T>,
}

impl<T: Summed> Sum<T> {
    fn new(args: &AccumulatorArgs<'_>) -> Sum<T> {
        let data_type = args.return_field.data_type().clone();
        Sum { sum: T::Native::default(), count: 0, data_type, kind: PhantomData }
    }
}

impl<T: Summed> Accumulator for Sum<T> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in column(values, 0)?.as_primitive::<T>().iter().flatten() {
            self.sum = T::plus(self.sum, value).ok_or_else(T::overflow)?;
            self.count += 1;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sum = (self.count > 0).then_some(self.sum);
        ScalarValue::new_primitive::<T>(sum, &self.data_type)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in column(values, 0)?.as_primitive::<T>().iter().flatten() {
            self.sum = T::minus(self.sum, value).ok_or_else(T::overflow)?;
            self.count = self.count.saturating_sub(1);
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }
}

/// The sum of reals, which adds up as a double.
#[derive(Debug, Default)]
struct RealSum {
    sum: Option<f64>,
}

impl Accumulator for RealSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.merge_batch(&[cast(column(values, 0)?, &DataType::Float64)?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        #[expect(clippy::cast_possible_truncation, reason = "a real is asked for")]
        Ok(ScalarValue::Float32(self.sum.map(|sum| sum as f32)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Float64(self.sum)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for sum in column(states, 0)?.as_primitive::<Float64Type>().iter().flatten() {
            self.sum = Some(self.sum.unwrap_or(0.0) + sum);
        }
        Ok(())
    }
}

/// One sum for each group.
#[derive(Debug)]
struct GroupSums<T: Summed> {
    sums: Vec<Option<T::Native>>,
    data_type: DataType,
}

impl<T: Summed> GroupSums<T> {
    fn new(args: &AccumulatorArgs<'_>) -> GroupSums<T> {
        GroupSums { sums: Vec::new(), data_type: args.return_field.data_type().clone() }
    }
}

impl<T: Summed> GroupsAccumulator for GroupSums<T> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        groups_total: usize,
    ) -> Result<()> {
        self.sums.resize(groups_total, None);
        let values = column(values, 0)?.as_primitive::<T>();
        for (row, group) in groups.iter().enumerate() {
            let kept = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if kept
                && values.is_valid(row)
                && let Some(sum) = self.sums.get_mut(*group)
            {
                let value = values.value(row);
                *sum = Some(match *sum {
                    Some(before) => T::plus(before, value).ok_or_else(T::overflow)?,
                    None => value,
                });
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let sums: PrimitiveArray<T> =
            emit_to.take_needed(&mut self.sums).into_iter().collect::<PrimitiveArray<T>>();
        Ok(Arc::new(sums.with_data_type(self.data_type.clone())))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit_to)?])
    }

    fn merge_batch(
        &mut self,
        states: &[ArrayRef],
        groups: &[usize],
        groups_total: usize,
    ) -> Result<()> {
        self.update_batch(states, groups, None, groups_total)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let values = column(values, 0)?.as_primitive::<T>();
        let sums: PrimitiveArray<T> = values
            .iter()
            .enumerate()
            .map(|(row, value)| {
                let kept = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
                value.filter(|_| kept)
            })
            .collect();
        Ok(vec![Arc::new(sums.with_data_type(self.data_type.clone()))])
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<Option<T::Native>>()
    }
}
