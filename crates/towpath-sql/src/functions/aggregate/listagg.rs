//! `listagg(value, separator [ON OVERFLOW …]) WITHIN GROUP (ORDER BY …)`: the values as one text.
//!
//! Trino: <https://trino.io/docs/current/functions/aggregate.html#listagg>.
//!
//! * NULL values are left out, NULL if there are no others;
//! * a text longer than [`LENGTH_MAX`] bytes is an error, or with `ON OVERFLOW TRUNCATE` ends in a filler,
//!   and the number of values left out if `WITH COUNT`.
//!
//! The binder calls `listagg(value, separator[, filler, with_count])`, the last three constant. Values
//! are gathered, distinct and in order, by DataFusion's `array_agg`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::functions_aggregate::array_agg::array_agg_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, Signature, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;

use super::definition::field;
use crate::functions::args::invalid;
use crate::functions::nested::common_type::is_string;

/// Longest text, in bytes, as in Trino.
const LENGTH_MAX: usize = 1_048_576;

/// The function.
pub(super) fn udaf() -> Arc<AggregateUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(ListAgg { gather: array_agg_udaf(), signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ListAgg {
    gather: Arc<AggregateUDF>,
    signature: Signature,
}

impl AggregateUDFImpl for ListAgg {
    fn name(&self) -> &str {
        "listagg"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let text = |one: &DataType| is_string(one) || one.is_null();
        match given {
            [value, rest @ ..]
                if text(value)
                    && matches!(rest.len(), 1 | 3)
                    && rest.iter().take(2).all(text)
                    && rest.get(2).is_none_or(|one| one == &DataType::Boolean) =>
            {
                let mut types = vec![DataType::Utf8View; given.len()];
                if let Some(with_count) = types.get_mut(3) {
                    *with_count = DataType::Boolean;
                }
                Ok(types)
            }
            _ => exec_err!(
                "Unexpected parameters for function listagg. Expected: listagg(varchar, varchar)"
            ),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let constant = |index: usize| -> Result<Option<ScalarValue>> {
            let Some(expr) = args.exprs.get(index) else { return Ok(None) };
            constant_of(expr, &args).map(Some)
        };
        let text = |scalar: Option<ScalarValue>| {
            scalar.and_then(|scalar| scalar.try_as_str().flatten().map(str::to_owned))
        };
        let separator = text(constant(1)?).unwrap_or_default();
        let filler = text(constant(2)?);
        let with_count = matches!(constant(3)?, Some(ScalarValue::Boolean(Some(true))));
        let value = Arc::clone(field(args.expr_fields, 0)?);
        let values = [value];
        let exprs = args.exprs.get(..1).unwrap_or_default();
        let inner = self.gather.accumulator(AccumulatorArgs {
            return_field: self.gather.return_field(&values)?,
            exprs,
            expr_fields: &values,
            ignore_nulls: true,
            ..args
        })?;
        let arguments = args.exprs.len();
        Ok(Box::new(Joined { inner, arguments, separator, filler, with_count }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let values = [Arc::clone(field(args.input_fields, 0)?)];
        let return_field = self.gather.return_field(&values)?;
        self.gather.state_fields(StateFieldsArgs { input_fields: &values, return_field, ..args })
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.gather.order_sensitivity()
    }

    fn with_beneficial_ordering(
        self: Arc<Self>,
        beneficial_ordering: bool,
    ) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        let ordered = self.gather.as_ref().clone().with_beneficial_ordering(beneficial_ordering)?;
        Ok(ordered.map(|gather| -> Arc<dyn AggregateUDFImpl> {
            Arc::new(ListAgg { gather: Arc::new(gather), signature: self.signature.clone() })
        }))
    }
}

fn constant_of(expr: &Arc<dyn PhysicalExpr>, args: &AccumulatorArgs<'_>) -> Result<ScalarValue> {
    let none = RecordBatch::new_empty(Arc::new(args.schema.clone()));
    match expr.evaluate(&none)? {
        ColumnarValue::Scalar(scalar) => Ok(scalar),
        ColumnarValue::Array(_) => exec_err!("the separator of listagg must be constant"),
    }
}

#[derive(Debug)]
struct Joined {
    inner: Box<dyn Accumulator>,
    /// Columns of arguments; those of the order come after them.
    arguments: usize,
    separator: String,
    filler: Option<String>,
    with_count: bool,
}

impl Joined {
    fn join(&self, values: &ArrayRef) -> Result<Option<String>> {
        let values = cast(values, &DataType::Utf8View)?;
        let texts: Vec<&str> = values.as_string_view().iter().flatten().collect();
        if texts.is_empty() {
            return Ok(None);
        }
        let mut out = String::new();
        for (index, text) in texts.iter().enumerate() {
            let separator = if index > 0 { self.separator.as_str() } else { "" };
            if out.len() + separator.len() + text.len() > LENGTH_MAX {
                let Some(filler) = &self.filler else {
                    return Err(invalid(format!(
                        "Concatenated string has the length in bytes larger than the maximum output length {LENGTH_MAX}"
                    )));
                };
                out.push_str(separator);
                out.push_str(filler);
                if self.with_count {
                    out.push_str(&format!("({})", texts.len() - index));
                }
                break;
            }
            out.push_str(separator);
            out.push_str(text);
        }
        Ok(Some(out))
    }
}

impl Accumulator for Joined {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some((first, _)) = values.split_first() else { return Ok(()) };
        let mut columns = vec![Arc::clone(first)];
        columns.extend(values.iter().skip(self.arguments).map(Arc::clone));
        self.inner.update_batch(&columns)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let gathered = self.inner.evaluate()?.to_array()?;
        let list = gathered.as_list::<i32>();
        if list.is_null(0) {
            return Ok(ScalarValue::Utf8View(None));
        }
        Ok(ScalarValue::Utf8View(self.join(&list.value(0))?))
    }

    fn size(&self) -> usize {
        self.inner.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }
}
