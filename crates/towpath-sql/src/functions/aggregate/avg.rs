//! `avg(x)`: the average; NULL values are left out, NULL if there is nothing else.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#avg>.
//!
//! Integers and doubles give a double, reals a real, decimals a decimal of their own type (rounded
//! half away from zero), intervals an interval.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, DurationMillisecondType, Float64Type,
    Int64Type, TimeUnit,
};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::logical_expr::Accumulator;

use super::definition::{AggregateFunction, column, returns_double, returns_first};
use crate::functions::args::out_of_range;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("avg").delegate("double", match_double, returns_double, avg_udaf()).own(
        "decimal(p,s), real or interval",
        match_other,
        returns_first,
        |_| {
            let sum = DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0);
            Ok(vec![sum, DataType::Float64, DataType::Int64])
        },
        |args| {
            let data_type = args.return_field.data_type().clone();
            Ok(Box::new(Average { data_type, sum: 0, float_sum: 0.0, count: 0 }))
        },
    )
}

fn match_double(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [one] if one.is_signed_integer() || matches!(one, DataType::Float64 | DataType::Null) => {
            Some(vec![DataType::Float64])
        }
        _ => None,
    }
}

fn match_other(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s)] => {
            Some(vec![DataType::Decimal128(*p, *s)])
        }
        [DataType::Float32] => Some(vec![DataType::Float32]),
        [DataType::Duration(_)] => Some(vec![DataType::Duration(TimeUnit::Millisecond)]),
        _ => None,
    }
}

/// Exact types add up in `sum`, reals in `float_sum`.
#[derive(Debug)]
struct Average {
    data_type: DataType,
    sum: i128,
    float_sum: f64,
    count: i64,
}

impl Average {
    fn add(&mut self, values: &ArrayRef, sign: i128) -> Result<()> {
        match values.data_type() {
            DataType::Decimal128(..) => {
                for value in values.as_primitive::<Decimal128Type>().iter().flatten() {
                    self.add_exact(value, sign)?;
                }
            }
            DataType::Duration(_) => {
                for value in values.as_primitive::<DurationMillisecondType>().iter().flatten() {
                    self.add_exact(i128::from(value), sign)?;
                }
            }
            _ => {
                let doubles = arrow::compute::cast(values, &DataType::Float64)?;
                let doubles = doubles.as_primitive::<Float64Type>();
                let total: f64 = doubles.iter().flatten().sum();
                let count = i64::try_from(doubles.len() - doubles.null_count()).unwrap_or(i64::MAX);
                self.float_sum += if sign < 0 { -total } else { total };
                self.count += if sign < 0 { -count } else { count };
            }
        }
        Ok(())
    }

    fn add_exact(&mut self, value: i128, sign: i128) -> Result<()> {
        let sum = value.checked_mul(sign).and_then(|value| self.sum.checked_add(value));
        self.sum = sum.ok_or_else(|| out_of_range("Decimal overflow"))?;
        self.count += if sign < 0 { -1 } else { 1 };
        Ok(())
    }
}

/// Divides, rounding half away from zero.
fn divide(sum: i128, count: i128) -> i128 {
    let (quotient, rest) = (sum / count, sum % count);
    if rest.abs() * 2 >= count { quotient + sum.signum() } else { quotient }
}

impl Accumulator for Average {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(column(values, 0)?, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.count == 0 {
            return ScalarValue::try_new_null(&self.data_type);
        }
        let exact = || divide(self.sum, i128::from(self.count));
        Ok(match &self.data_type {
            DataType::Decimal128(p, s) => ScalarValue::Decimal128(Some(exact()), *p, *s),
            DataType::Duration(_) => ScalarValue::DurationMillisecond(i64::try_from(exact()).ok()),
            DataType::Float32 => {
                #[expect(clippy::cast_precision_loss, reason = "a count has no 53 bits")]
                let average = self.float_sum / self.count as f64;
                #[expect(clippy::cast_possible_truncation, reason = "a real is asked for")]
                ScalarValue::Float32(Some(average as f32))
            }
            other => return exec_err!("cannot average {other}"),
        })
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![
            ScalarValue::Decimal128(Some(self.sum), DECIMAL128_MAX_PRECISION, 0),
            ScalarValue::Float64(Some(self.float_sum)),
            ScalarValue::Int64(Some(self.count)),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let sums = column(states, 0)?.as_primitive::<Decimal128Type>();
        let float_sums = column(states, 1)?.as_primitive::<Float64Type>();
        let counts = column(states, 2)?.as_primitive::<Int64Type>();
        for row in (0..counts.len()).filter(|row| counts.is_valid(*row)) {
            let sum = self.sum.checked_add(sums.value(row));
            self.sum = sum.ok_or_else(|| out_of_range("Decimal overflow"))?;
            self.float_sum += float_sums.value(row);
            self.count += counts.value(row);
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(column(values, 0)?, -1)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }
}
