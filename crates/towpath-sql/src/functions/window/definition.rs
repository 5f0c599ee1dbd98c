//! [`DelegatedWindow`]: a window function of DataFusion's under Trino's argument and result types.

use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::{SortOptions, cast};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{
    ExpressionArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs,
};
use datafusion::logical_expr::window_state::WindowAggState;
use datafusion::logical_expr::{
    LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;

use crate::functions::args::invalid;
use crate::functions::nested::common_type::common_type;

/// What a window function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WindowReturns {
    /// A bigint, where DataFusion gives an unsigned number.
    Bigint,
    Double,
    /// A value of the first argument's type.
    First,
}

/// A window function as its file describes it.
#[derive(Clone, Debug)]
pub(super) struct DelegatedWindow {
    /// The name users write.
    pub(super) name: &'static str,
    /// What errors print between the parentheses.
    pub(super) parameters: &'static str,
    /// The types the arguments are converted to, `None` if they do not fit.
    pub(super) matcher: fn(&[DataType]) -> Option<Vec<DataType>>,
    pub(super) returns: WindowReturns,
    /// The smallest value of the constant in the second (for `ntile` the first) argument, and what the
    /// error says.
    pub(super) least: Option<(usize, i64, &'static str)>,
    /// DataFusion's function.
    pub(super) inner: Arc<WindowUDF>,
}

impl DelegatedWindow {
    /// The function as DataFusion calls it.
    pub(super) fn into_udf(self) -> Arc<WindowUDF> {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(WindowUDF::new_from_impl(TrinoWindow { function: self, signature }))
    }
}

#[derive(Debug)]
struct TrinoWindow {
    function: DelegatedWindow,
    signature: Signature,
}

impl PartialEq for TrinoWindow {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for TrinoWindow {}

impl Hash for TrinoWindow {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl TrinoWindow {
    fn check_least(&self, exprs: &[Arc<dyn PhysicalExpr>]) -> Result<()> {
        let Some((index, least, message)) = self.function.least else { return Ok(()) };
        let Some(literal) = exprs.get(index).and_then(|expr| expr.downcast_ref::<Literal>()) else {
            return Ok(());
        };
        match literal.value().cast_to(&DataType::Int64)? {
            ScalarValue::Int64(Some(value)) if value < least => Err(invalid(message)),
            _ => Ok(()),
        }
    }
}

impl WindowUDFImpl for TrinoWindow {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn expressions(&self, args: ExpressionArgs<'_>) -> Vec<Arc<dyn PhysicalExpr>> {
        self.function.inner.expressions(args)
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match (self.function.matcher)(given) {
            Some(types) => Ok(types),
            None => {
                let (name, types) = (self.function.name, given.iter());
                let types: Vec<String> =
                    types.map(|one| crate::data_type::Type::of_arrow(one).to_string()).collect();
                plan_err!(
                    "Unexpected parameters ({}) for function {name}. Expected: {name}({})",
                    types.join(", "),
                    self.function.parameters
                )
            }
        }
    }

    fn partition_evaluator(
        &self,
        args: PartitionEvaluatorArgs<'_>,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        self.check_least(args.input_exprs())?;
        let inner = self.function.inner.partition_evaluator_factory(args)?;
        if self.function.returns == WindowReturns::Bigint {
            return Ok(Box::new(AsBigint { inner }));
        }
        Ok(inner)
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        let name = args.name().to_owned();
        match self.function.returns {
            WindowReturns::Bigint => Ok(Arc::new(Field::new(name, DataType::Int64, true))),
            WindowReturns::Double => Ok(Arc::new(Field::new(name, DataType::Float64, true))),
            WindowReturns::First => match args.get_input_field(0) {
                Some(first) => {
                    Ok(Arc::new(first.as_ref().clone().with_name(name).with_nullable(true)))
                }
                None => plan_err!("{} needs an argument", self.function.name),
            },
        }
    }

    fn sort_options(&self) -> Option<SortOptions> {
        self.function.inner.sort_options()
    }

    fn limit_effect(&self, args: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        self.function.inner.inner().limit_effect(args)
    }
}

/// Gives an evaluator's unsigned numbers as bigints.
#[derive(Debug)]
struct AsBigint {
    inner: Box<dyn PartitionEvaluator>,
}

fn bigints(numbers: &ArrayRef) -> Result<ArrayRef> {
    Ok(cast(numbers, &DataType::Int64)?)
}

impl PartitionEvaluator for AsBigint {
    fn memoize(&mut self, state: &mut WindowAggState) -> Result<()> {
        self.inner.memoize(state)
    }

    fn get_range(&self, index: usize, rows: usize) -> Result<Range<usize>> {
        self.inner.get_range(index, rows)
    }

    fn is_causal(&self) -> bool {
        self.inner.is_causal()
    }

    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        bigints(&self.inner.evaluate_all(values, rows)?)
    }

    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> Result<ScalarValue> {
        self.inner.evaluate(values, range)?.cast_to(&DataType::Int64)
    }

    fn evaluate_all_with_rank(&self, rows: usize, ranks: &[Range<usize>]) -> Result<ArrayRef> {
        bigints(&self.inner.evaluate_all_with_rank(rows, ranks)?)
    }

    fn supports_bounded_execution(&self) -> bool {
        self.inner.supports_bounded_execution()
    }

    fn uses_window_frame(&self) -> bool {
        self.inner.uses_window_frame()
    }

    fn include_rank(&self) -> bool {
        self.inner.include_rank()
    }
}

/// Matches no arguments.
pub(super) fn match_nothing(given: &[DataType]) -> Option<Vec<DataType>> {
    given.is_empty().then(Vec::new)
}

/// Matches one value of any type.
pub(super) fn match_value(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [one] => Some(vec![one.clone()]),
        _ => None,
    }
}

/// Matches a value, and an offset and a default if there are any.
pub(super) fn match_offset(given: &[DataType]) -> Option<Vec<DataType>> {
    let integer = |one: &DataType| one.is_signed_integer();
    match given {
        [value] => Some(vec![value.clone()]),
        [value, offset] if integer(offset) => Some(vec![value.clone(), DataType::Int64]),
        [value, offset, default] if integer(offset) => {
            let common = common_type(value, default)?;
            (common == *value || value.is_null())
                .then(|| vec![common.clone(), DataType::Int64, common])
        }
        _ => None,
    }
}

/// Matches a value and its place.
pub(super) fn match_nth(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [value, offset] if offset.is_signed_integer() => Some(vec![value.clone(), DataType::Int64]),
        _ => None,
    }
}

/// Matches a number of buckets.
pub(super) fn match_buckets(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [buckets] if buckets.is_signed_integer() => Some(vec![DataType::Int64]),
        _ => None,
    }
}
