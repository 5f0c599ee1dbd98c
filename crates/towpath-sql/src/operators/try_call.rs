//! `TRY(x)`: NULL where `x` fails on a value, division by zero, overflow, a bad cast or argument.
//!
//! The body is a lambda over the row. It is evaluated for the whole batch; only if that fails is
//! the batch halved until the failing rows stand alone.
//! <https://trino.io/docs/current/functions/conditional.html#try>

use std::sync::Arc;

use arrow::array::{ArrayRef, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature,
    HigherOrderUDFImpl, LambdaArgument, LambdaParametersProgress, ValueOrLambda, Volatility,
};

use crate::functions::args::FunctionError;

/// The higher-order function `$try(rows, row -> body)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct TryCall {
    signature: HigherOrderSignature,
}

impl TryCall {
    pub(super) fn new() -> TryCall {
        let arguments = vec![ValueOrLambda::Value(()), ValueOrLambda::Lambda(())];
        TryCall { signature: HigherOrderSignature::exact(arguments, Volatility::Immutable) }
    }
}

impl HigherOrderUDFImpl for TryCall {
    fn name(&self) -> &str {
        "$try"
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn coerce_value_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }

    fn lambda_parameters(
        &self,
        _step: usize,
        _fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        let row = Arc::new(Field::new("", DataType::Boolean, true));
        Ok(LambdaParametersProgress::Complete(vec![vec![row]]))
    }

    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs<'_>) -> Result<FieldRef> {
        match args.arg_fields {
            [_, ValueOrLambda::Lambda(body)] => {
                Ok(Arc::new(body.as_ref().clone().with_name("").with_nullable(true)))
            }
            _ => exec_err!("TRY takes one expression"),
        }
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let [_, ValueOrLambda::Lambda(body)] = args.args.as_slice() else {
            return exec_err!("TRY takes one expression");
        };
        let result = guarded(body, 0, args.number_rows, args.return_type())?;
        Ok(ColumnarValue::Array(result))
    }
}

/// Evaluates `body` for `rows` rows from `start`.
fn guarded(
    body: &LambdaArgument,
    start: usize,
    rows: usize,
    result: &DataType,
) -> Result<ArrayRef> {
    let flags = || -> Result<ArrayRef> { Ok(new_null_array(&DataType::Boolean, rows)) };
    let evaluated = body
        .evaluate(&[&flags], |captured| {
            Ok(captured.iter().map(|column| column.slice(start, rows)).collect())
        })
        .and_then(|value| value.into_array(rows));
    match evaluated {
        Ok(values) => Ok(values),
        Err(error) if !is_caught(&error) => Err(error),
        Err(_) if rows <= 1 => Ok(new_null_array(result, rows)),
        Err(_) => {
            let half = rows / 2;
            let first = guarded(body, start, half, result)?;
            let second = guarded(body, start + half, rows - half, result)?;
            Ok(concat(&[first.as_ref(), second.as_ref()])?)
        }
    }
}

/// Whether an error is about a value, and not about the engine or its limits.
pub(crate) fn is_caught(error: &DataFusionError) -> bool {
    match error.find_root() {
        DataFusionError::External(inner) => {
            inner.downcast_ref::<FunctionError>().is_none_or(|error| error.code.is_caught_by_try())
        }
        DataFusionError::ArrowError(..) | DataFusionError::Execution(_) => true,
        _ => false,
    }
}
