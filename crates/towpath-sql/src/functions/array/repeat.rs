//! `repeat(element, count)`: an array of the element, `count` times.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#repeat>.
//!
//! A count below 0 is an error, and so is one over 10,000. A NULL count gives NULL; a NULL
//! element is repeated.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs};

use crate::functions::args::{ARRAY_ELEMENTS_MAX, Args, Value, invalid};
use crate::functions::nested::lists::{Gather, list_of};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("repeat").form(
        &[Param::Any, Param::Integer],
        Returns::Field(returns),
        evaluate,
    )
}

fn returns(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let Some(element) = args.arg_fields.first() else {
        return exec_err!("expected an element");
    };
    Ok(Arc::new(Field::new("", list_of(element), true)))
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let constant = matches!(args.value(0)?, ColumnarValue::Scalar(_));
    let elements = match args.value(0)? {
        ColumnarValue::Scalar(scalar) => scalar.to_array()?,
        ColumnarValue::Array(array) => Arc::clone(array),
    };
    let counts = args.column::<i64>(1)?;
    let mut gather = Gather::new(args.rows);
    for row in 0..args.rows {
        let Some(count) = i64::get(&counts, row) else {
            gather.null_row();
            continue;
        };
        let Ok(count) = usize::try_from(count) else {
            return Err(invalid(
                "count argument of repeat function must be greater than or equal to 0",
            ));
        };
        if count > ARRAY_ELEMENTS_MAX {
            return Err(invalid(
                "count argument of repeat function must be less than or equal to 10000",
            ));
        }
        let at = if constant { 0 } else { row };
        (0..count).for_each(|_| gather.push(at));
        gather.close_row();
    }
    gather.finish(args.return_field.data_type(), &elements)
}
