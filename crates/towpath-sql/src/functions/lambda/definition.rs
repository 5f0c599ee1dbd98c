//! [`LambdaFunction`]: a function that takes lambdas, made into a `HigherOrderUDF`, and what its
//! file needs to run them.

use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{Array, ArrayRef, BooleanArray, UInt64Array, new_empty_array};
use arrow::compute::{take, take_arrays};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature,
    HigherOrderUDF, HigherOrderUDFImpl, LambdaArgument, LambdaParametersProgress, ValueOrLambda,
    Volatility,
};

use crate::functions::nested::lists::{Lists, item_field, item_of, scalar_at};
use crate::functions::nested::maps::{Maps, expect_entry_fields};

/// The fields of the arguments while planning: of a lambda what it yields, if that is known yet.
pub(super) type GivenFields = [ValueOrLambda<FieldRef, Option<FieldRef>>];

/// The fields of the arguments: of a lambda what it yields.
pub(super) type ArgFields = [ValueOrLambda<FieldRef, FieldRef>];

/// A function that takes lambdas, as its file describes it.
#[derive(Clone, Debug)]
pub(super) struct LambdaFunction {
    /// The name users write.
    pub(super) name: &'static str,
    /// What errors print between the parentheses.
    pub(super) parameters: &'static str,
    /// The types that the values (not the lambdas) are converted to, `None` if they do not fit.
    pub(super) matcher: fn(&[DataType]) -> Option<Vec<DataType>>,
    /// What the parameters of the lambdas are.
    pub(super) lambda_parameters: fn(&GivenFields) -> Result<LambdaParametersProgress>,
    /// What the function returns.
    pub(super) returns: fn(&ArgFields) -> Result<FieldRef>,
    /// Computes one batch.
    pub(super) evaluate: fn(&LambdaCall) -> Result<ArrayRef>,
}

impl LambdaFunction {
    /// The function as DataFusion calls it.
    pub(super) fn into_udf(self) -> Arc<HigherOrderUDF> {
        let signature = HigherOrderSignature::user_defined(Volatility::Immutable);
        Arc::new(HigherOrderUDF::new_from_impl(TrinoLambdaFunction { function: self, signature }))
    }
}

#[derive(Debug)]
struct TrinoLambdaFunction {
    function: LambdaFunction,
    signature: HigherOrderSignature,
}

impl PartialEq for TrinoLambdaFunction {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for TrinoLambdaFunction {}

impl Hash for TrinoLambdaFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl HigherOrderUDFImpl for TrinoLambdaFunction {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn coerce_value_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match (self.function.matcher)(given) {
            Some(types) => Ok(types),
            None => {
                let types: Vec<String> = given.iter().map(type_text).collect();
                let name = self.function.name;
                plan_err!(
                    "Unexpected parameters ({}) for function {name}. Expected: {name}({})",
                    types.join(", "),
                    self.function.parameters
                )
            }
        }
    }

    fn lambda_parameters(
        &self,
        _: usize,
        fields: &GivenFields,
    ) -> Result<LambdaParametersProgress> {
        (self.function.lambda_parameters)(fields)
    }

    fn coerce_values_for_lambdas(
        &self,
        _: &[ValueOrLambda<DataType, DataType>],
    ) -> Result<Option<Vec<DataType>>> {
        Ok(None)
    }

    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs<'_>) -> Result<FieldRef> {
        (self.function.returns)(args.arg_fields)
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let call = LambdaCall { args };
        let result = (self.function.evaluate)(&call)?;
        debug_assert_eq!(result.len(), rows);
        if rows == 1 {
            // Constant folding makes a constant of it, and must not lose its type.
            return Ok(ColumnarValue::Scalar(scalar_at(&result, 0)?));
        }
        Ok(ColumnarValue::Array(result))
    }
}

fn type_text(data_type: &DataType) -> String {
    crate::data_type::Type::of_arrow(data_type).to_string()
}

/// One batch of a call.
#[derive(Debug)]
pub(super) struct LambdaCall {
    args: HigherOrderFunctionArgs,
}

impl LambdaCall {
    /// Rows of the batch.
    pub(super) fn rows(&self) -> usize {
        self.args.number_rows
    }

    /// What the planner was told the call returns.
    pub(super) fn return_type(&self) -> &DataType {
        self.args.return_field.data_type()
    }

    /// Argument `index` as a column.
    pub(super) fn value(&self, index: usize) -> Result<ArrayRef> {
        match self.args.args.get(index) {
            Some(ValueOrLambda::Value(value)) => value.to_array(self.rows()),
            _ => exec_err!("argument {index} must be a value"),
        }
    }

    /// Argument `index` as arrays.
    pub(super) fn lists(&self, index: usize) -> Result<Lists> {
        Lists::of_array(&self.value(index)?)
    }

    /// Argument `index` as maps.
    pub(super) fn maps(&self, index: usize) -> Result<Maps> {
        Maps::of_array(&self.value(index)?)
    }

    /// The number of arguments.
    pub(super) fn len(&self) -> usize {
        self.args.args.len()
    }

    /// The type that the lambda in argument `index` yields.
    pub(super) fn lambda_type(&self, index: usize) -> Result<&DataType> {
        match self.args.arg_fields.get(index) {
            Some(ValueOrLambda::Lambda(field)) => Ok(field.data_type()),
            _ => exec_err!("argument {index} must be a lambda"),
        }
    }

    /// Runs the lambda in argument `index` on columns of parameters, all of one length.
    ///
    /// `rows` says for each of their rows which row of the batch it belongs to: that is where the
    /// lambda finds the columns it uses from outside.
    pub(super) fn run(
        &self,
        index: usize,
        parameters: &[ArrayRef],
        rows: &UInt64Array,
    ) -> Result<ArrayRef> {
        let Some(ValueOrLambda::Lambda(lambda)) = self.args.args.get(index) else {
            return exec_err!("argument {index} must be a lambda");
        };
        if rows.is_empty() {
            // A lambda that errs on nothing must not: `transform(ARRAY[], x -> 1 / 0)`.
            return Ok(new_empty_array(self.lambda_type(index)?));
        }
        run_lambda(lambda, parameters, rows)
    }

    /// [`LambdaCall::run`] for a lambda that yields a boolean.
    pub(super) fn run_predicate(
        &self,
        index: usize,
        parameters: &[ArrayRef],
        rows: &UInt64Array,
    ) -> Result<BooleanArray> {
        let result = self.run(index, parameters, rows)?;
        if result.data_type() == &DataType::Null {
            return Ok(BooleanArray::new_null(result.len()));
        }
        match result.as_any().downcast_ref::<BooleanArray>() {
            Some(booleans) => Ok(booleans.clone()),
            None => exec_err!("the lambda must yield a boolean, not {}", result.data_type()),
        }
    }
}

fn run_lambda(
    lambda: &LambdaArgument,
    parameters: &[ArrayRef],
    rows: &UInt64Array,
) -> Result<ArrayRef> {
    let closures: Vec<Box<dyn Fn() -> Result<ArrayRef>>> = parameters
        .iter()
        .map(|column| {
            let column = Arc::clone(column);
            Box::new(move || Ok(Arc::clone(&column))) as Box<dyn Fn() -> Result<ArrayRef>>
        })
        .collect();
    let borrowed: Vec<&dyn Fn() -> Result<ArrayRef>> = closures.iter().map(AsRef::as_ref).collect();
    let result = lambda.evaluate(&borrowed, |captures| Ok(take_arrays(captures, rows, None)?))?;
    result.into_array(rows.len())
}

/// The elements of a column of arrays or maps, one after the other, without any of NULL ones.
#[derive(Debug)]
pub(super) struct Elements {
    /// Where each element stands in the column's values.
    pub(super) positions: UInt64Array,
    /// Which row each element belongs to.
    pub(super) rows: UInt64Array,
    /// How many elements each row has.
    pub(super) lengths: Vec<usize>,
    nulls: Vec<bool>,
}

impl Elements {
    /// Lays out the elements that `range` gives for each row.
    pub(super) fn of(rows: usize, range: impl Fn(usize) -> Option<Range<usize>>) -> Elements {
        let (mut positions, mut owners) = (Vec::new(), Vec::new());
        let mut lengths = Vec::with_capacity(rows);
        let mut nulls = Vec::with_capacity(rows);
        for row in 0..rows {
            let range = range(row);
            nulls.push(range.is_none());
            let range = range.unwrap_or_default();
            lengths.push(range.len());
            owners.extend(std::iter::repeat_n(row as u64, range.len()));
            positions.extend(range.map(|at| at as u64));
        }
        Elements { positions: positions.into(), rows: owners.into(), lengths, nulls }
    }

    /// The elements' values out of the column's `values`.
    pub(super) fn take(&self, values: &ArrayRef) -> Result<ArrayRef> {
        Ok(take(values.as_ref(), &self.positions, None)?)
    }

    /// If each row is NULL, in the form that builders take.
    pub(super) fn nulls(&self) -> NullBufferBuilder {
        let mut builder = NullBufferBuilder::new(self.nulls.len());
        self.nulls.iter().for_each(|null| builder.append(!null));
        builder
    }

    /// For each row the range of its elements, `None` if it is NULL.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Option<Range<usize>>> {
        let mut start = 0;
        self.lengths.iter().zip(&self.nulls).map(move |(length, null)| {
            let range = start..start + length;
            start += length;
            (!null).then_some(range)
        })
    }
}

/// A lambda's parameters may always be NULL.
pub(super) fn parameter(field: &FieldRef) -> FieldRef {
    Arc::new(field.as_ref().clone().with_nullable(true))
}

/// The field of the elements of the array in argument `index`.
pub(super) fn item_parameter(fields: &GivenFields, index: usize) -> Result<FieldRef> {
    match fields.get(index) {
        Some(ValueOrLambda::Value(list)) => Ok(parameter(item_field(list.data_type())?)),
        _ => plan_err!("argument {index} must be an array"),
    }
}

/// The fields of the keys and values of the map in argument `index`.
pub(super) fn entry_parameters(fields: &GivenFields, index: usize) -> Result<(FieldRef, FieldRef)> {
    match fields.get(index) {
        Some(ValueOrLambda::Value(map)) => {
            let (key, value) = expect_entry_fields(map.data_type())?;
            Ok((parameter(key), parameter(value)))
        }
        _ => plan_err!("argument {index} must be a map"),
    }
}

/// `lambda_parameters` of functions of an array and a lambda on its elements.
pub(super) fn one_item(fields: &GivenFields) -> Result<LambdaParametersProgress> {
    Ok(LambdaParametersProgress::Complete(vec![vec![item_parameter(fields, 0)?]]))
}

/// `lambda_parameters` of functions of a map and a lambda on its keys and values.
pub(super) fn one_entry(fields: &GivenFields) -> Result<LambdaParametersProgress> {
    let (key, value) = entry_parameters(fields, 0)?;
    Ok(LambdaParametersProgress::Complete(vec![vec![key, value]]))
}

/// The field of the value in argument `index`.
pub(super) fn value_field(fields: &ArgFields, index: usize) -> Result<&FieldRef> {
    match fields.get(index) {
        Some(ValueOrLambda::Value(field)) => Ok(field),
        _ => plan_err!("argument {index} must be a value"),
    }
}

/// The field of what the lambda in argument `index` yields.
pub(super) fn lambda_field(fields: &ArgFields, index: usize) -> Result<&FieldRef> {
    match fields.get(index) {
        Some(ValueOrLambda::Lambda(field)) => Ok(field),
        _ => plan_err!("argument {index} must be a lambda"),
    }
}

/// `returns` of functions that give a value of their first argument's type.
pub(super) fn same_as_first(fields: &ArgFields) -> Result<FieldRef> {
    Ok(parameter(value_field(fields, 0)?))
}

/// Matches one array.
pub(super) fn match_array(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [one] => item_of(one).map(|(_, list)| vec![list]),
        _ => None,
    }
}
