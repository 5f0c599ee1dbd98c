//! `width_bucket(x, bound1, bound2, n)`: the number of the bucket that `x` falls into, of `n` of one
//! width between the bounds; 0 below, `n + 1` above. `width_bucket(x, bins)`: how many of the sorted
//! `bins` are not above `x`.
//!
//! <https://trino.io/docs/current/functions/math.html#width_bucket>

use arrow::array::Array;
use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;

use crate::functions::args::{Args, collect, invalid, map4, out_of_range, primitives};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("width_bucket")
        .form(
            &[Param::Double, Param::Double, Param::Double, Param::Bigint],
            Returns::BIGINT,
            uniform,
        )
        .form(&[Param::Double, Param::DoubleArray], Returns::BIGINT, bins)
}

fn uniform(args: &Args<'_>) -> Result<ArrayRef> {
    map4(args, |x: f64, bound1: f64, bound2: f64, count: i64| {
        bucket(x, bound1, bound2, count).map(Some)
    })
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as in Trino")]
fn bucket(x: f64, bound1: f64, bound2: f64, count: i64) -> Result<i64> {
    if count <= 0 {
        return Err(invalid("bucketCount must be greater than 0"));
    }
    if x.is_nan() {
        return Err(invalid("operand must not be NaN"));
    }
    if !bound1.is_finite() {
        return Err(invalid("first bound must be finite"));
    }
    if !bound2.is_finite() {
        return Err(invalid("second bound must be finite"));
    }
    let (lower, upper) = (bound1.min(bound2), bound1.max(bound2));
    if upper <= lower {
        return Err(invalid("bounds cannot equal each other"));
    }
    let ascending = if x < lower {
        0
    } else if x >= upper {
        let Some(above) = count.checked_add(1) else {
            return Err(out_of_range(format!("Bucket for value {x} is out of range")));
        };
        above
    } else {
        (count as f64 * (x - lower) / (upper - lower) + 1.0) as i64
    };
    Ok(if bound1 > bound2 { count - ascending + 1 } else { ascending })
}

fn bins(args: &Args<'_>) -> Result<ArrayRef> {
    let operands = args.column::<f64>(0)?;
    let array = args.array(1)?;
    let Some(lists) = array.as_list_opt::<i32>() else { return Ok(args.nulls()) };
    collect(args.rows, |row| {
        let Some(x) = operands.get(row) else { return Ok(None) };
        if lists.is_null(row) {
            return Ok(None);
        }
        let bins = ColumnarValue::Array(lists.value(row));
        let bins_count = lists.value(row).len();
        let values = primitives::<Float64Type>(&bins)?;
        position(x, bins_count, |index| values.get(index).unwrap_or(0.0)).map(Some)
    })
}

fn position(x: f64, count: usize, bin: impl Fn(usize) -> f64) -> Result<i64> {
    if count == 0 {
        return Err(invalid("Bins cannot be an empty array"));
    }
    if x.is_nan() {
        return Err(invalid("Operand cannot be NaN"));
    }
    let (mut lower, mut upper) = (0, count);
    while lower < upper {
        if bin(lower) > bin(upper - 1) {
            return Err(invalid("Bin values are not sorted in ascending order"));
        }
        let middle = lower.midpoint(upper);
        if !bin(middle).is_finite() {
            return Err(invalid(format!("Bin value must be finite, got {}", bin(middle))));
        }
        if x < bin(middle) {
            upper = middle;
        } else {
            lower = middle + 1;
        }
    }
    Ok(i64::try_from(lower).unwrap_or(i64::MAX))
}
