//! What the binder's expressions are made of where DataFusion's own operators mean something else:
//! arithmetic that fails on overflow, casts, `TRY`, rows, unnesting, quantified comparisons.
//!
//! All are functions whose names begin with `$`, which no statement can spell; being functions
//! they are found by name when a plan is decoded elsewhere.

mod arithmetic;
pub(crate) mod cast;
mod compare;
mod construct;
pub(crate) mod interval;
pub(crate) mod like_pattern;
mod quantified;
pub(crate) mod recursion;
mod temporal;
mod try_call;
mod unnest_rows;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, exec_err, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderUDF, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, TypeSignature, Volatility,
};

/// The scalar operators.
pub(crate) fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    let mut operators = arithmetic::operators();
    operators.extend(cast::operators());
    operators.extend(construct::operators());
    operators.push(compare::operator());
    operators.push(like_pattern::operator());
    operators.push(quantified::operator());
    operators.push(unnest_rows::operator());
    operators.into_iter().map(|operator| Arc::new(ScalarUDF::new_from_impl(operator))).collect()
}

/// The operators over lambdas.
pub(crate) fn higher_order_functions() -> Vec<Arc<HigherOrderUDF>> {
    vec![Arc::new(HigherOrderUDF::new_from_impl(try_call::TryCall::new()))]
}

type Returns = fn(&ReturnFieldArgs<'_>) -> Result<FieldRef>;
type Evaluate = fn(&ScalarFunctionArgs) -> Result<ColumnarValue>;

/// A scalar operator: a name, what it returns and how.
#[derive(Debug)]
pub(crate) struct Operator {
    name: &'static str,
    signature: Signature,
    returns: Returns,
    evaluate: Evaluate,
}

impl Operator {
    fn new(name: &'static str, returns: Returns, evaluate: Evaluate) -> Operator {
        let any = TypeSignature::OneOf(vec![TypeSignature::VariadicAny, TypeSignature::Nullary]);
        let signature = Signature::new(any, Volatility::Immutable);
        Operator { name, signature, returns, evaluate }
    }
}

impl PartialEq for Operator {
    fn eq(&self, other: &Operator) -> bool {
        self.name == other.name
    }
}

impl Eq for Operator {}

impl Hash for Operator {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Operator {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("the type of {} depends on its arguments' fields", self.name)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        (self.returns)(&args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        (self.evaluate)(&args)
    }
}

/// The text of constant argument `index`.
fn constant_text(args: &ReturnFieldArgs<'_>, index: usize) -> Result<String> {
    use datafusion::common::ScalarValue::{LargeUtf8, Utf8, Utf8View};
    match args.scalar_arguments.get(index) {
        Some(Some(Utf8(Some(text)) | Utf8View(Some(text)) | LargeUtf8(Some(text)))) => {
            Ok(text.clone())
        }
        _ => exec_err!("argument {index} must be a constant text"),
    }
}

/// The text of constant argument `index` while evaluating.
fn evaluated_text(args: &ScalarFunctionArgs, index: usize) -> Result<&str> {
    use datafusion::common::ScalarValue::{LargeUtf8, Utf8, Utf8View};
    match args.args.get(index) {
        Some(ColumnarValue::Scalar(
            Utf8(Some(text)) | Utf8View(Some(text)) | LargeUtf8(Some(text)),
        )) => Ok(text),
        _ => exec_err!("argument {index} must be a constant text"),
    }
}

/// Evaluates over arrays; constants alone give a constant.
fn over_arrays(
    args: &ScalarFunctionArgs,
    evaluate: impl FnOnce(&[arrow::array::ArrayRef]) -> Result<arrow::array::ArrayRef>,
) -> Result<ColumnarValue> {
    let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
    let rows = if constant { 1 } else { args.number_rows };
    let arrays = args.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<Vec<_>>>()?;
    let result = evaluate(&arrays)?;
    if constant {
        let scalar = datafusion::common::ScalarValue::try_from_array(&result, 0)?;
        return Ok(ColumnarValue::Scalar(scalar));
    }
    Ok(ColumnarValue::Array(result))
}

/// A nullable field of the type of argument `index`.
fn same_field(args: &ReturnFieldArgs<'_>, index: usize) -> Result<FieldRef> {
    match args.arg_fields.get(index) {
        Some(field) => Ok(Arc::new(field.as_ref().clone().with_name("").with_nullable(true))),
        None => exec_err!("argument {index} is missing"),
    }
}

/// A nullable boolean.
fn boolean_field() -> FieldRef {
    Arc::new(crate::data_type::Type::Boolean.to_field(""))
}
