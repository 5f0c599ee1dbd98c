//! [`AggregateFunction`]: a Trino aggregate as a list of forms, made into an `AggregateUDF`.
//!
//! A form is computed by an accumulator of ours or by a function of DataFusion's with the same
//! meaning. Either can be used as a window function with any frame: an accumulator that cannot take
//! values back is run again over the rows of each frame ([`Replay`]).

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{Array, ArrayRef, AsArray, UInt64Array, new_empty_array};
use arrow::compute::{concat, take_arrays};
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature,
    StatisticsArgs, Volatility,
};
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr};

use crate::functions::nested::keys::one_zero;
use crate::functions::nested::lists::{item_field, list_of, list_of_values, relabeled, scalar_at};

/// The types the arguments are converted to, `None` if they do not fit.
pub(super) type Matcher = fn(&[DataType]) -> Option<Vec<DataType>>;

/// Makes an accumulator for a call.
pub(super) type MakeAccumulator = fn(&AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>>;

/// Makes an accumulator over groups for a call, `None` if it has none for these types.
pub(super) type MakeGroups = fn(&AccumulatorArgs<'_>) -> Option<Box<dyn GroupsAccumulator>>;

#[derive(Clone, Debug)]
struct Form {
    parameters: &'static str,
    matcher: Matcher,
    returns: fn(&[FieldRef]) -> Result<FieldRef>,
    work: Work,
}

#[derive(Clone, Debug)]
enum Work {
    /// DataFusion's function; its result is converted to what the form returns.
    Delegate(Arc<AggregateUDF>),
    Own {
        /// The types of the state, given the fields of the arguments.
        state: fn(&[FieldRef]) -> Result<Vec<DataType>>,
        accumulator: MakeAccumulator,
        groups: MakeGroups,
    },
}

/// An aggregate as its file describes it.
#[derive(Clone, Debug)]
pub(super) struct AggregateFunction {
    name: &'static str,
    aliases: Vec<String>,
    forms: Vec<Form>,
    /// `DISTINCT` together with `ORDER BY` is left to the delegate.
    orders_distinct: bool,
}

impl AggregateFunction {
    pub(super) fn new(name: &'static str) -> AggregateFunction {
        AggregateFunction { name, aliases: Vec::new(), forms: Vec::new(), orders_distinct: false }
    }

    /// Another name for the same function.
    pub(super) fn alias(mut self, alias: &str) -> AggregateFunction {
        self.aliases.push(alias.to_owned());
        self
    }

    /// Says that DataFusion's function takes `DISTINCT` and `ORDER BY` together.
    pub(super) fn orders_distinct(mut self) -> AggregateFunction {
        self.orders_distinct = true;
        self
    }

    /// If `DISTINCT` is done here, in front of the form's own accumulator.
    fn drops_duplicates(&self, is_distinct: bool, sort_items: usize) -> bool {
        is_distinct && !(self.orders_distinct && sort_items > 0)
    }

    /// Adds a form that DataFusion computes.
    pub(super) fn delegate(
        mut self,
        parameters: &'static str,
        matcher: Matcher,
        returns: fn(&[FieldRef]) -> Result<FieldRef>,
        function: Arc<AggregateUDF>,
    ) -> AggregateFunction {
        let work = Work::Delegate(function);
        self.forms.push(Form { parameters, matcher, returns, work });
        self
    }

    /// Adds a form of our own.
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of a form, which each file lists once"
    )]
    pub(super) fn own(
        self,
        parameters: &'static str,
        matcher: Matcher,
        returns: fn(&[FieldRef]) -> Result<FieldRef>,
        state: fn(&[FieldRef]) -> Result<Vec<DataType>>,
        accumulator: MakeAccumulator,
    ) -> AggregateFunction {
        self.own_grouped(parameters, matcher, returns, state, accumulator, |_| None)
    }

    /// Adds a form of our own that can also accumulate many groups at once.
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of a form, which each file lists once"
    )]
    pub(super) fn own_grouped(
        mut self,
        parameters: &'static str,
        matcher: Matcher,
        returns: fn(&[FieldRef]) -> Result<FieldRef>,
        state: fn(&[FieldRef]) -> Result<Vec<DataType>>,
        accumulator: MakeAccumulator,
        groups: MakeGroups,
    ) -> AggregateFunction {
        let work = Work::Own { state, accumulator, groups };
        self.forms.push(Form { parameters, matcher, returns, work });
        self
    }

    /// The function as DataFusion calls it.
    pub(super) fn into_udf(self) -> Arc<AggregateUDF> {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(AggregateUDF::new_from_impl(TrinoAggregate { function: self, signature }))
    }

    fn form(&self, given: &[DataType]) -> Result<(&Form, Vec<DataType>)> {
        let found = self.forms.iter().find_map(|form| Some((form, (form.matcher)(given)?)));
        match found {
            Some(found) => Ok(found),
            None => {
                let name = self.name;
                let types: Vec<String> = given
                    .iter()
                    .map(|one| crate::data_type::Type::of_arrow(one).to_string())
                    .collect();
                let known: Vec<String> =
                    self.forms.iter().map(|form| format!("{name}({})", form.parameters)).collect();
                plan_err!(
                    "Unexpected parameters ({}) for function {name}. Expected: {}",
                    types.join(", "),
                    known.join(", ")
                )
            }
        }
    }

    fn form_of_fields(&self, fields: &[FieldRef]) -> Result<&Form> {
        let types: Vec<DataType> = fields.iter().map(|field| field.data_type().clone()).collect();
        self.form(&types).map(|(form, _)| form)
    }
}

/// [`AggregateFunction`] as DataFusion sees it. Names are unique in the registry.
#[derive(Debug)]
struct TrinoAggregate {
    function: AggregateFunction,
    signature: Signature,
}

impl PartialEq for TrinoAggregate {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for TrinoAggregate {}

impl Hash for TrinoAggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl TrinoAggregate {
    /// The function that computes the first form, if DataFusion does.
    fn first_delegate(&self) -> Option<&Arc<AggregateUDF>> {
        match self.function.forms.first() {
            Some(Form { work: Work::Delegate(function), .. }) => Some(function),
            _ => None,
        }
    }
}

impl AggregateUDFImpl for TrinoAggregate {
    fn name(&self) -> &str {
        self.function.name
    }

    fn aliases(&self) -> &[String] {
        &self.function.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.function.form(given).map(|(_, types)| types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let fields: Vec<FieldRef> =
            types.iter().map(|one| Arc::new(Field::new("", one.clone(), true))).collect();
        Ok(self.return_field(&fields)?.data_type().clone())
    }

    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        let returned = (self.function.form_of_fields(fields)?.returns)(fields)?;
        Ok(Arc::new(returned.as_ref().clone().with_name(self.function.name)))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if self.function.drops_duplicates(args.is_distinct, args.order_bys.len()) {
            let fields = args.expr_fields.to_vec();
            let inner = self.accumulator(AccumulatorArgs { is_distinct: false, ..args })?;
            return Ok(Box::new(Distinct::new(inner, fields)?));
        }
        let form = self.function.form_of_fields(args.expr_fields)?;
        match &form.work {
            Work::Own { accumulator, .. } => accumulator(&args),
            Work::Delegate(function) => {
                let to = Arc::clone(&args.return_field);
                let inner = function.accumulator(delegate_args(function, args)?)?;
                Ok(converted(inner, &to))
            }
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        if self.function.drops_duplicates(args.is_distinct, args.ordering_fields.len()) {
            let lists = args.input_fields.iter().enumerate().map(|(index, field)| {
                let name = format_state_name(args.name, &format!("distinct{index}"));
                Arc::new(Field::new(name, list_of(field), true))
            });
            return Ok(lists.collect());
        }
        let form = self.function.form_of_fields(args.input_fields)?;
        match &form.work {
            Work::Own { state, .. } => {
                let types = state(args.input_fields)?.into_iter().enumerate();
                let field = |(index, data_type): (usize, DataType)| {
                    let name = format_state_name(args.name, &format!("state{index}"));
                    Arc::new(Field::new(name, data_type, true))
                };
                Ok(types.map(field).collect())
            }
            Work::Delegate(function) => {
                let return_field = function.return_field(args.input_fields)?;
                function.state_fields(StateFieldsArgs { return_field, ..args })
            }
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        if self.function.drops_duplicates(args.is_distinct, args.order_bys.len()) {
            return false;
        }
        let Ok(form) = self.function.form_of_fields(args.expr_fields) else { return false };
        match &form.work {
            Work::Own { groups, .. } => groups(&args).is_some(),
            Work::Delegate(function) => {
                function
                    .return_field(args.expr_fields)
                    .is_ok_and(|inner| inner.data_type() == args.return_field.data_type())
                    && function.groups_accumulator_supported(args)
            }
        }
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        match &self.function.form_of_fields(args.expr_fields)?.work {
            Work::Delegate(function) => function.create_groups_accumulator(args),
            Work::Own { groups, .. } => match groups(&args) {
                Some(groups) => Ok(groups),
                None => plan_err!("{} does not accumulate groups", self.function.name),
            },
        }
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        let owned = OwnedArgs::of(&args);
        let form = self.function.form_of_fields(args.expr_fields)?;
        if let Work::Delegate(function) = &form.work
            && !args.is_distinct
        {
            let to = Arc::clone(&args.return_field);
            let inner = function.create_sliding_accumulator(delegate_args(function, args)?)?;
            if inner.supports_retract_batch() {
                return Ok(converted(inner, &to));
            }
        }
        Ok(Box::new(Replay {
            function: self.function.clone(),
            args: owned,
            batches: VecDeque::new(),
        }))
    }

    fn with_beneficial_ordering(
        self: Arc<Self>,
        beneficial_ordering: bool,
    ) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        let Some(inner) = self.first_delegate() else { return Ok(None) };
        let Some(ordered) = inner.as_ref().clone().with_beneficial_ordering(beneficial_ordering)?
        else {
            return Ok(None);
        };
        let mut function = self.function.clone();
        if let Some(form) = function.forms.first_mut() {
            form.work = Work::Delegate(Arc::new(ordered));
        }
        Ok(Some(Arc::new(TrinoAggregate { function, signature: self.signature.clone() })))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        match self.first_delegate() {
            Some(inner) => inner.order_sensitivity(),
            None => AggregateOrderSensitivity::Insensitive,
        }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        match self.first_delegate().map(|inner| inner.reverse_udf()) {
            Some(ReversedUDAF::Identical) | None => ReversedUDAF::Identical,
            // Another function would lose our name and types.
            Some(_) => ReversedUDAF::NotSupported,
        }
    }

    fn value_from_stats(&self, args: &StatisticsArgs<'_>) -> Option<ScalarValue> {
        match args.exprs {
            [_] => self.first_delegate()?.value_from_stats(args),
            _ => None,
        }
    }
}

/// The arguments as DataFusion's function expects them: with the result it would give itself.
fn delegate_args<'a>(
    function: &AggregateUDF,
    args: AccumulatorArgs<'a>,
) -> Result<AccumulatorArgs<'a>> {
    let mut args = args;
    args.return_field = function.return_field(args.expr_fields)?;
    Ok(args)
}

fn converted(inner: Box<dyn Accumulator>, to: &FieldRef) -> Box<dyn Accumulator> {
    Box::new(Converted { inner, to: to.data_type().clone() })
}

/// An accumulator of DataFusion's whose result takes the type we return.
#[derive(Debug)]
struct Converted {
    inner: Box<dyn Accumulator>,
    to: DataType,
}

impl Accumulator for Converted {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.update_batch(values)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let value = self.inner.evaluate()?;
        if value.data_type() == self.to {
            return Ok(value);
        }
        scalar_at(&relabeled(value.to_array()?, &self.to)?, 0)
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

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }
}

/// Hands each different row of arguments on once, in the order in which they were first seen.
///
/// Its state is the rows themselves, as one list for each argument.
#[derive(Debug)]
struct Distinct {
    inner: Box<dyn Accumulator>,
    fields: Vec<FieldRef>,
    converter: RowConverter,
    seen: HashSet<OwnedRow>,
    kept: Vec<Vec<ArrayRef>>,
    bytes: usize,
}

impl Distinct {
    fn new(inner: Box<dyn Accumulator>, fields: Vec<FieldRef>) -> Result<Distinct> {
        let sort = fields.iter().map(|field| SortField::new(field.data_type().clone())).collect();
        let converter = RowConverter::new(sort)?;
        Ok(Distinct { inner, fields, converter, seen: HashSet::new(), kept: Vec::new(), bytes: 0 })
    }

    /// Columns of order may come after those of the arguments; without an order they do not.
    fn add(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values: Vec<ArrayRef> = values.iter().take(self.fields.len()).map(Arc::clone).collect();
        let same: Vec<ArrayRef> = values.iter().map(|one| one_zero(Arc::clone(one))).collect();
        let rows = self.converter.convert_columns(&same)?;
        let mut fresh: Vec<u64> = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let owned = row.owned();
            let bytes = owned.as_ref().len() + size_of::<OwnedRow>();
            if self.seen.insert(owned) {
                self.bytes += bytes;
                fresh.push(index as u64);
            }
        }
        if fresh.is_empty() {
            return Ok(());
        }
        let fresh = take_arrays(&values, &UInt64Array::from(fresh), None)?;
        self.bytes += fresh.iter().map(Array::get_array_memory_size).sum::<usize>();
        self.inner.update_batch(&fresh)?;
        self.kept.push(fresh);
        Ok(())
    }
}

impl Accumulator for Distinct {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(values)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.inner.evaluate()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size() + self.bytes
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut lists = Vec::with_capacity(self.fields.len());
        for (index, field) in self.fields.iter().enumerate() {
            let parts: Vec<&dyn Array> =
                self.kept.iter().filter_map(|kept| kept.get(index).map(AsRef::as_ref)).collect();
            let values =
                if parts.is_empty() { new_empty_array(field.data_type()) } else { concat(&parts)? };
            let mut nulls = NullBufferBuilder::new(1);
            nulls.append_non_null();
            let list = list_of(field);
            let list = list_of_values(item_field(&list)?, &[values.len()], values, nulls)?;
            lists.push(scalar_at(&list, 0)?);
        }
        Ok(lists)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for row in 0..states.first().map_or(0, Array::len) {
            let mut values = Vec::with_capacity(states.len());
            for (state, field) in states.iter().zip(&self.fields) {
                values.push(relabeled(state.as_list::<i32>().value(row), field.data_type())?);
            }
            self.add(&values)?;
        }
        Ok(())
    }
}

/// [`AccumulatorArgs`] that can be kept.
#[derive(Clone)]
pub(super) struct OwnedArgs {
    return_field: FieldRef,
    schema: Schema,
    ignore_nulls: bool,
    order_bys: Vec<PhysicalSortExpr>,
    is_reversed: bool,
    name: String,
    is_distinct: bool,
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    expr_fields: Vec<FieldRef>,
}

impl fmt::Debug for OwnedArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedArgs").field("name", &self.name).finish_non_exhaustive()
    }
}

impl OwnedArgs {
    fn of(args: &AccumulatorArgs<'_>) -> OwnedArgs {
        OwnedArgs {
            return_field: Arc::clone(&args.return_field),
            schema: args.schema.clone(),
            ignore_nulls: args.ignore_nulls,
            order_bys: args.order_bys.to_vec(),
            is_reversed: args.is_reversed,
            name: args.name.to_owned(),
            is_distinct: args.is_distinct,
            exprs: args.exprs.to_vec(),
            expr_fields: args.expr_fields.to_vec(),
        }
    }

    fn borrow(&self) -> AccumulatorArgs<'_> {
        AccumulatorArgs {
            return_field: Arc::clone(&self.return_field),
            schema: &self.schema,
            ignore_nulls: self.ignore_nulls,
            order_bys: &self.order_bys,
            is_reversed: self.is_reversed,
            name: &self.name,
            is_distinct: self.is_distinct,
            exprs: &self.exprs,
            expr_fields: &self.expr_fields,
        }
    }
}

/// An aggregate over a moving frame: keeps the frame's rows and computes each result from them.
#[derive(Debug)]
struct Replay {
    function: AggregateFunction,
    args: OwnedArgs,
    batches: VecDeque<Vec<ArrayRef>>,
}

impl Replay {
    fn fresh(&self) -> Result<Box<dyn Accumulator>> {
        let signature = Signature::user_defined(Volatility::Immutable);
        let aggregate = TrinoAggregate { function: self.function.clone(), signature };
        aggregate.accumulator(self.args.borrow())
    }
}

impl Accumulator for Replay {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.batches.push_back(values.to_vec());
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut fresh = self.fresh()?;
        if let Some(first) = self.batches.front() {
            let mut columns = Vec::with_capacity(first.len());
            for index in 0..first.len() {
                let parts: Vec<&dyn Array> = self
                    .batches
                    .iter()
                    .filter_map(|batch| batch.get(index).map(AsRef::as_ref))
                    .collect();
                columns.push(concat(&parts)?);
            }
            self.batches = VecDeque::from([columns.clone()]);
            fresh.update_batch(&columns)?;
        }
        fresh.evaluate()
    }

    fn size(&self) -> usize {
        let bytes = |batch: &Vec<ArrayRef>| -> usize {
            batch.iter().map(Array::get_array_memory_size).sum()
        };
        size_of_val(self) + self.batches.iter().map(bytes).sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        plan_err!("an aggregate over a window has no state to hand on")
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> Result<()> {
        plan_err!("an aggregate over a window merges no states")
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let mut left = values.first().map_or(0, Array::len);
        while left > 0 {
            let Some(batch) = self.batches.pop_front() else { break };
            let length = batch.first().map_or(0, Array::len);
            if length > left {
                let rest = batch.iter().map(|column| column.slice(left, length - left)).collect();
                self.batches.push_front(rest);
                break;
            }
            left -= length;
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }
}

/// A nullable field without a name.
pub(super) fn unnamed(data_type: DataType) -> FieldRef {
    Arc::new(Field::new("", data_type, true))
}

/// `returns` of an aggregate that gives a double.
pub(super) fn returns_double(_: &[FieldRef]) -> Result<FieldRef> {
    Ok(unnamed(DataType::Float64))
}

/// `returns` of an aggregate that gives a bigint.
pub(super) fn returns_bigint(_: &[FieldRef]) -> Result<FieldRef> {
    Ok(unnamed(DataType::Int64))
}

/// `returns` of an aggregate that gives a boolean.
pub(super) fn returns_boolean(_: &[FieldRef]) -> Result<FieldRef> {
    Ok(unnamed(DataType::Boolean))
}

/// `returns` of an aggregate that gives a value of its first argument's type.
pub(super) fn returns_first(fields: &[FieldRef]) -> Result<FieldRef> {
    Ok(field(fields, 0)?.as_ref().clone().with_nullable(true).into())
}

/// The field of argument `index`.
pub(super) fn field(fields: &[FieldRef], index: usize) -> Result<&FieldRef> {
    match fields.get(index) {
        Some(field) => Ok(field),
        None => plan_err!("argument {index} is missing"),
    }
}

/// The column of argument or state `index`.
pub(super) fn column(values: &[ArrayRef], index: usize) -> Result<&ArrayRef> {
    match values.get(index) {
        Some(column) => Ok(column),
        None => plan_err!("column {index} is missing"),
    }
}

/// True for types that become doubles without being asked.
pub(super) fn is_number(data_type: &DataType) -> bool {
    data_type.is_signed_integer()
        || data_type.is_decimal()
        || matches!(data_type, DataType::Float32 | DataType::Float64 | DataType::Null)
}

/// Matches one number, as a double.
pub(super) fn match_double(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [one] if is_number(one) => Some(vec![DataType::Float64]),
        _ => None,
    }
}

/// Matches two numbers, as doubles.
pub(super) fn match_two_doubles(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [a, b] if is_number(a) && is_number(b) => Some(vec![DataType::Float64; 2]),
        _ => None,
    }
}

/// Matches one boolean.
pub(super) fn match_boolean(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [DataType::Boolean | DataType::Null] => Some(vec![DataType::Boolean]),
        _ => None,
    }
}

/// Matches one value of any type.
pub(super) fn match_any(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [one] => Some(vec![one.clone()]),
        _ => None,
    }
}
