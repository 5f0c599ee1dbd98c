//! [`ScalarFunction`]: a Trino function as a list of forms, made into a `ScalarUDF`.
//!
//! A form says which parameters it takes ([`Param`]), what it returns ([`Returns`]) and how it is
//! evaluated. Several files may give forms of one name (`reverse` of a varchar and of an array):
//! the registry joins them. The form with the cheapest implicit conversions is taken, the first of
//! equals; conversions are those Trino makes without being asked, and no others.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::args::{Args, ErrorCode, error};
use super::nested::lists::scalar_at;
use super::type_name::type_name;

/// A parameter of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Param {
    /// Any type, as it is.
    Any,
    /// Any string type, as it is. JSON and char are strings too.
    Varchar,
    /// Any binary type, as it is.
    Varbinary,
    Boolean,
    /// tinyint, smallint, integer or bigint, as it is.
    AnyInteger,
    Tinyint,
    Smallint,
    Integer,
    Bigint,
    /// A decimal, as it is; integers become decimals.
    Decimal,
    Real,
    Double,
    Date,
    /// A time, as microseconds.
    Time,
    /// A timestamp without zone, of any precision; dates become timestamps.
    Timestamp,
    /// A timestamp with time zone, of any precision; timestamps and dates are taken as UTC.
    TimestampTz,
    /// Year to month.
    IntervalYear,
    /// Day to second.
    IntervalDay,
    /// Sixteen bytes: uuid, ipaddress.
    Fixed16,
    /// An array, as it is.
    Array,
    /// array(double).
    DoubleArray,
    /// array(varchar).
    VarcharArray,
}

impl Param {
    /// The type an argument of `given` is converted to and what that costs, or `None`.
    fn accept(self, given: &DataType) -> Option<(DataType, u32)> {
        if let DataType::Dictionary(_, values) = given {
            return self.accept(values).map(|(to, cost)| (to, cost + 1));
        }
        if let DataType::RunEndEncoded(_, values) = given {
            return self.accept(values.data_type()).map(|(to, cost)| (to, cost + 1));
        }
        if given == &DataType::Null {
            return Some((self.default_type(), 0));
        }
        let keep = || Some((given.clone(), 0));
        match self {
            Param::Any => keep(),
            Param::Varchar => is_string(given).then(keep)?,
            Param::Varbinary => is_binary(given).then(keep)?,
            Param::Boolean => (given == &DataType::Boolean).then(keep)?,
            Param::AnyInteger => match integer_rank(given)? {
                (_, true) => keep(),
                _ => Some((DataType::Int64, 1)),
            },
            Param::Tinyint | Param::Smallint | Param::Integer | Param::Bigint => {
                self.accept_integer(given)
            }
            Param::Decimal => accept_decimal(given),
            Param::Real => self.accept_float(given, DataType::Float32, 5),
            Param::Double => self.accept_float(given, DataType::Float64, 6),
            Param::DoubleArray | Param::VarcharArray => self.accept_array_of(given),
            Param::Array => match given {
                DataType::List(_) => keep(),
                DataType::LargeList(element)
                | DataType::FixedSizeList(element, _)
                | DataType::ListView(element)
                | DataType::LargeListView(element) => {
                    Some((DataType::List(Arc::clone(element)), 1))
                }
                _ => None,
            },
            Param::Fixed16 => (given == &DataType::FixedSizeBinary(16)).then(keep)?,
            _ => self.accept_temporal(given),
        }
    }

    fn accept_integer(self, given: &DataType) -> Option<(DataType, u32)> {
        let to = self.default_type();
        let (from_rank, _) = integer_rank(given)?;
        let (to_rank, _) = integer_rank(&to)?;
        to_rank.checked_sub(from_rank).map(|cost| (to, cost))
    }

    fn accept_float(self, given: &DataType, to: DataType, rank: u32) -> Option<(DataType, u32)> {
        let from_rank = match given {
            DataType::Float64 if self == Param::Double => rank,
            DataType::Float32 => 5,
            DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..) => 4,
            other => integer_rank(other)?.0,
        };
        rank.checked_sub(from_rank).map(|cost| (to, cost))
    }

    fn accept_temporal(self, given: &DataType) -> Option<(DataType, u32)> {
        let same = Some((given.clone(), 0));
        match (self, given) {
            (Param::Date, DataType::Date32)
            | (Param::Timestamp, DataType::Timestamp(_, None))
            | (Param::TimestampTz, DataType::Timestamp(_, Some(_)))
            | (
                Param::IntervalYear,
                DataType::Interval(arrow::datatypes::IntervalUnit::YearMonth),
            )
            | (
                Param::IntervalDay,
                DataType::Duration(_)
                | DataType::Interval(
                    arrow::datatypes::IntervalUnit::DayTime
                    | arrow::datatypes::IntervalUnit::MonthDayNano,
                ),
            ) => same,
            (Param::Date, DataType::Date64) => Some((DataType::Date32, 0)),
            (Param::Time, DataType::Time32(_) | DataType::Time64(_)) => same,
            (Param::Timestamp, DataType::Date32) => {
                Some((DataType::Timestamp(TimeUnit::Millisecond, None), 1))
            }
            (Param::TimestampTz, DataType::Date32) => {
                Some((DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())), 2))
            }
            (Param::TimestampTz, DataType::Timestamp(unit, None)) => {
                Some((DataType::Timestamp(*unit, Some("UTC".into())), 1))
            }
            _ => None,
        }
    }

    fn accept_array_of(self, given: &DataType) -> Option<(DataType, u32)> {
        let (DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _)
        | DataType::ListView(element)
        | DataType::LargeListView(element)) = given
        else {
            return None;
        };
        let inner = if self == Param::DoubleArray { Param::Double } else { Param::Varchar };
        let (to, cost) = inner.accept(element.data_type())?;
        if matches!(given, DataType::List(_)) && &to == element.data_type() {
            return Some((given.clone(), cost));
        }
        Some((super::args::array_type(to), cost))
    }

    /// The type a bare NULL becomes.
    fn default_type(self) -> DataType {
        match self {
            Param::Any => DataType::Null,
            Param::Varchar => DataType::Utf8View,
            Param::Varbinary => DataType::Binary,
            Param::Boolean => DataType::Boolean,
            Param::Tinyint => DataType::Int8,
            Param::Smallint => DataType::Int16,
            Param::Integer => DataType::Int32,
            Param::AnyInteger | Param::Bigint => DataType::Int64,
            Param::Decimal => DataType::Decimal128(38, 0),
            Param::Real => DataType::Float32,
            Param::Double => DataType::Float64,
            Param::Date => DataType::Date32,
            Param::Time => DataType::Time64(TimeUnit::Microsecond),
            Param::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, None),
            Param::TimestampTz => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            Param::IntervalYear => DataType::Interval(arrow::datatypes::IntervalUnit::YearMonth),
            Param::IntervalDay => DataType::Duration(TimeUnit::Millisecond),
            Param::Fixed16 => DataType::FixedSizeBinary(16),
            Param::Array => super::args::array_type(DataType::Null),
            Param::DoubleArray => super::args::array_type(DataType::Float64),
            Param::VarcharArray => super::args::array_type(DataType::Utf8View),
        }
    }

    /// Trino's name for it in an error.
    fn name(self) -> &'static str {
        match self {
            Param::Any => "T",
            Param::Varchar => "varchar",
            Param::Varbinary => "varbinary",
            Param::Boolean => "boolean",
            Param::Tinyint => "tinyint",
            Param::Smallint => "smallint",
            Param::Integer => "integer",
            Param::AnyInteger | Param::Bigint => "bigint",
            Param::Decimal => "decimal(p,s)",
            Param::Real => "real",
            Param::Double => "double",
            Param::Date => "date",
            Param::Time => "time(p)",
            Param::Timestamp => "timestamp(p)",
            Param::TimestampTz => "timestamp(p) with time zone",
            Param::IntervalYear => "interval year to month",
            Param::IntervalDay => "interval day to second",
            Param::Fixed16 => "ipaddress",
            Param::Array => "array(E)",
            Param::DoubleArray => "array(double)",
            Param::VarcharArray => "array(varchar)",
        }
    }
}

fn is_string(given: &DataType) -> bool {
    matches!(given, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_binary(given: &DataType) -> bool {
    matches!(given, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
}

/// Where an integer type stands in Trino's line of conversions, and whether Trino has it. (Window
/// functions of DataFusion give unsigned numbers; they count as bigint.)
fn integer_rank(given: &DataType) -> Option<(u32, bool)> {
    match given {
        DataType::Int8 => Some((0, true)),
        DataType::Int16 => Some((1, true)),
        DataType::Int32 => Some((2, true)),
        DataType::Int64 => Some((3, true)),
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => {
            Some((3, false))
        }
        _ => None,
    }
}

fn accept_decimal(given: &DataType) -> Option<(DataType, u32)> {
    match given {
        DataType::Decimal128(..) => Some((given.clone(), 0)),
        DataType::Decimal32(p, s) | DataType::Decimal64(p, s) => {
            Some((DataType::Decimal128(*p, *s), 0))
        }
        DataType::Int8 => Some((DataType::Decimal128(3, 0), 4)),
        DataType::Int16 => Some((DataType::Decimal128(5, 0), 3)),
        DataType::Int32 => Some((DataType::Decimal128(10, 0), 2)),
        DataType::Int64 => Some((DataType::Decimal128(19, 0), 1)),
        _ => None,
    }
}

/// What a form returns.
#[derive(Clone, Debug)]
pub(crate) enum Returns {
    /// Always this type.
    Type(DataType),
    /// The field of an argument: its type and its extension type.
    Same(usize),
    /// Worked out from the fields and constants of the arguments.
    Field(fn(&ReturnFieldArgs<'_>) -> Result<FieldRef>),
}

impl Returns {
    pub(crate) const VARCHAR: Returns = Returns::Type(DataType::Utf8View);
    pub(crate) const VARBINARY: Returns = Returns::Type(DataType::Binary);
    pub(crate) const BOOLEAN: Returns = Returns::Type(DataType::Boolean);
    pub(crate) const INTEGER: Returns = Returns::Type(DataType::Int32);
    pub(crate) const BIGINT: Returns = Returns::Type(DataType::Int64);
    pub(crate) const REAL: Returns = Returns::Type(DataType::Float32);
    pub(crate) const DOUBLE: Returns = Returns::Type(DataType::Float64);
    pub(crate) const DATE: Returns = Returns::Type(DataType::Date32);

    fn field(&self, name: &str, args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
        match self {
            Returns::Type(data_type) => Ok(Arc::new(Field::new(name, data_type.clone(), true))),
            Returns::Same(index) => match args.arg_fields.get(*index) {
                Some(field) => Ok(Arc::new(field.as_ref().clone().with_nullable(true))),
                None => Err(error(ErrorCode::TypeMismatch, format!("{name} needs arguments"))),
            },
            Returns::Field(of) => of(args),
        }
    }
}

/// Decides by itself which arguments a form takes: the converted types, `None` if it does not fit.
pub(crate) type Matcher = fn(&[DataType]) -> Option<Vec<DataType>>;

/// How the arguments of a form are matched.
#[derive(Clone, Copy, Debug)]
enum Params {
    /// One parameter for each argument; the last `optional` ones may be left out.
    Fixed { params: &'static [Param], optional: usize },
    /// `params`, the last of them any number of times, but at least `least` arguments in all.
    Variadic { params: &'static [Param], least: usize },
    /// The form decides; `text` is what errors call it.
    Matched { text: &'static str, matcher: Matcher },
}

impl Params {
    fn accept(self, given: &[DataType]) -> Option<(Vec<DataType>, u32)> {
        let (params, least, most) = match self {
            Params::Fixed { params, optional } => {
                (params, params.len().saturating_sub(optional), params.len())
            }
            Params::Variadic { params, least } => (params, least, usize::MAX),
            Params::Matched { matcher, .. } => return matcher(given).map(|types| (types, 0)),
        };
        if given.len() < least || given.len() > most {
            return None;
        }
        let mut types = Vec::with_capacity(given.len());
        let mut cost = 0;
        for (index, data_type) in given.iter().enumerate() {
            let param = params.get(index).or(params.last())?;
            let (to, one) = param.accept(data_type)?;
            types.push(to);
            cost += one;
        }
        Some((types, cost))
    }

    fn text(self, name: &str) -> String {
        let (params, dots) = match self {
            Params::Fixed { params, .. } => (params, ""),
            Params::Variadic { params, .. } => (params, ", ..."),
            Params::Matched { text, .. } => return format!("{name}({text})"),
        };
        let names: Vec<&str> = params.iter().map(|param| param.name()).collect();
        format!("{name}({}{dots})", names.join(", "))
    }
}

/// Computes a form for one batch.
pub(crate) type Evaluate = fn(&Args<'_>) -> Result<ArrayRef>;

#[derive(Clone, Debug)]
struct Form {
    params: Params,
    returns: Returns,
    evaluate: Evaluate,
}

/// Rewrites a call while the plan is made; the arguments come back if it has nothing to say.
pub(crate) type Simplify = fn(Vec<Expr>, &SimplifyContext) -> Result<ExprSimplifyResult>;

/// The span of an argument for which a call gives a constant, if there is one.
pub(crate) type Preimage = fn(&[Expr], &ScalarValue, &SimplifyContext) -> Result<PreimageResult>;

/// A scalar function as its files describe it. Two of one name become one in the registry.
#[derive(Clone, Debug)]
pub(crate) struct ScalarFunction {
    name: &'static str,
    aliases: Vec<String>,
    forms: Vec<Form>,
    volatility: Volatility,
    simplify: Option<Simplify>,
    preimage: Option<Preimage>,
}

impl ScalarFunction {
    /// A function with no forms yet.
    pub(crate) fn new(name: &'static str) -> ScalarFunction {
        ScalarFunction {
            name,
            aliases: Vec::new(),
            forms: Vec::new(),
            volatility: Volatility::Immutable,
            simplify: None,
            preimage: None,
        }
    }

    /// Adds a form with exactly `params`.
    pub(crate) fn form(
        self,
        params: &'static [Param],
        returns: Returns,
        evaluate: Evaluate,
    ) -> ScalarFunction {
        self.form_optional(params, 0, returns, evaluate)
    }

    /// Adds a form whose last `optional` parameters may be left out.
    pub(crate) fn form_optional(
        mut self,
        params: &'static [Param],
        optional: usize,
        returns: Returns,
        evaluate: Evaluate,
    ) -> ScalarFunction {
        let params = Params::Fixed { params, optional };
        self.forms.push(Form { params, returns, evaluate });
        self
    }

    /// Adds a form whose last parameter repeats; it takes at least `least` arguments.
    pub(crate) fn form_variadic(
        mut self,
        params: &'static [Param],
        least: usize,
        returns: Returns,
        evaluate: Evaluate,
    ) -> ScalarFunction {
        let params = Params::Variadic { params, least };
        self.forms.push(Form { params, returns, evaluate });
        self
    }

    /// Adds a form that decides by itself which arguments it takes; errors call it `name(text)`.
    pub(crate) fn form_matched(
        mut self,
        text: &'static str,
        matcher: Matcher,
        returns: Returns,
        evaluate: Evaluate,
    ) -> ScalarFunction {
        let params = Params::Matched { text, matcher };
        self.forms.push(Form { params, returns, evaluate });
        self
    }

    /// Another name for the same function.
    pub(crate) fn alias(mut self, alias: &str) -> ScalarFunction {
        self.aliases.push(alias.to_owned());
        self
    }

    /// Says that each call gives another result (`Volatile`) or one per query (`Stable`).
    pub(crate) fn volatility(mut self, volatility: Volatility) -> ScalarFunction {
        self.volatility = volatility;
        self
    }

    /// Gives a rewrite to apply while the plan is made.
    pub(crate) fn simplify_with(mut self, simplify: Simplify) -> ScalarFunction {
        self.simplify = Some(simplify);
        self
    }

    /// Gives the spans that comparisons of a call with a constant stand for.
    pub(crate) fn preimage_with(mut self, preimage: Preimage) -> ScalarFunction {
        self.preimage = Some(preimage);
        self
    }

    /// The name users write.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Takes over the forms of another function of this name.
    pub(crate) fn join(&mut self, other: ScalarFunction) {
        self.aliases.extend(other.aliases);
        self.forms.extend(other.forms);
        self.simplify = self.simplify.or(other.simplify);
        self.preimage = self.preimage.or(other.preimage);
    }

    /// The function as DataFusion calls it.
    pub(crate) fn into_udf(self) -> ScalarUDF {
        let signature = Signature::user_defined(self.volatility);
        let function = Arc::new(self);
        ScalarUDF::new_from_impl(TrinoFunction { function, signature, settled: None })
    }

    fn choose(&self, given: &[DataType]) -> Option<(&Form, Vec<DataType>)> {
        let mut best: Option<(&Form, Vec<DataType>, u32)> = None;
        for form in &self.forms {
            let Some((types, cost)) = form.params.accept(given) else {
                continue;
            };
            if best.as_ref().is_none_or(|(_, _, lowest)| cost < *lowest) {
                best = Some((form, types, cost));
            }
        }
        best.map(|(form, types, _)| (form, types))
    }

    fn mismatch(&self, fields: &[FieldRef]) -> datafusion::common::DataFusionError {
        let given: Vec<String> = fields.iter().map(|field| type_name(field)).collect();
        let known: Vec<String> =
            self.forms.iter().map(|form| form.params.text(self.name)).collect();
        error(
            ErrorCode::TypeMismatch,
            format!(
                "Unexpected parameters ({}) for function {}. Expected: {}",
                given.join(", "),
                self.name,
                known.join(", ")
            ),
        )
    }
}

/// Returns `udf` with its type settled as `returned`, if the type depends on which arguments are
/// constants.
///
/// The optimizer makes constants of arguments that were none when the statement was bound: without
/// this, the zone of `from_iso8601_timestamp(concat('2024-01-01T00', '+02:00'))` would change under
/// the expressions built upon it.
pub(crate) fn settled(
    udf: Arc<ScalarUDF>,
    args: &[FieldRef],
    returned: &FieldRef,
) -> Arc<ScalarUDF> {
    let Some(trino) = udf.inner().downcast_ref::<TrinoFunction>() else { return udf };
    let types: Vec<DataType> = args.iter().map(|field| field.data_type().clone()).collect();
    let depends = trino
        .function
        .choose(&types)
        .is_some_and(|(form, _)| matches!(form.returns, Returns::Field(_)));
    if !depends {
        return udf;
    }
    Arc::new(ScalarUDF::new_from_impl(TrinoFunction {
        function: Arc::clone(&trino.function),
        signature: trino.signature.clone(),
        settled: Some(Arc::clone(returned)),
    }))
}

/// [`ScalarFunction`] as DataFusion sees it. Names are unique in the registry, so equality and hash
/// go by name, and by the settled type.
#[derive(Debug)]
struct TrinoFunction {
    function: Arc<ScalarFunction>,
    signature: Signature,
    settled: Option<FieldRef>,
}

impl PartialEq for TrinoFunction {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name && self.settled == other.settled
    }
}

impl Eq for TrinoFunction {}

impl Hash for TrinoFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for TrinoFunction {
    fn name(&self) -> &str {
        self.function.name
    }

    fn aliases(&self) -> &[String] {
        &self.function.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let fields: Vec<FieldRef> =
            types.iter().map(|one| Arc::new(Field::new("", one.clone(), true))).collect();
        let scalars: Vec<Option<&ScalarValue>> = vec![None; fields.len()];
        let args = ReturnFieldArgs { arg_fields: &fields, scalar_arguments: &scalars };
        Ok(self.return_field_from_args(args)?.data_type().clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        if let Some(settled) = &self.settled {
            return Ok(Arc::clone(settled));
        }
        let types: Vec<DataType> =
            args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        match self.function.choose(&types) {
            Some((form, _)) => form.returns.field(self.function.name, &args),
            None => Err(self.function.mismatch(args.arg_fields)),
        }
    }

    /// Arguments that fit no form come back as they are: `return_field_from_args` then names them
    /// by their Trino types, which are not known here.
    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(self.function.choose(given).map_or_else(|| given.to_vec(), |(_, types)| types))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let types: Vec<DataType> = args.args.iter().map(ColumnarValue::data_type).collect();
        let Some((form, _)) = self.function.choose(&types) else {
            return Err(self.function.mismatch(&args.arg_fields));
        };
        let constant = self.function.volatility != Volatility::Volatile
            && args.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let result = (form.evaluate)(&Args {
            columns: &args.args,
            fields: &args.arg_fields,
            return_field: &args.return_field,
            rows,
        })?;
        if constant {
            return Ok(ColumnarValue::Scalar(scalar_at(&result, 0)?));
        }
        Ok(ColumnarValue::Array(result))
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        match self.function.simplify {
            Some(simplify) => simplify(args, info),
            None => Ok(ExprSimplifyResult::Original(args)),
        }
    }

    fn preimage(
        &self,
        args: &[Expr],
        result: &Expr,
        info: &SimplifyContext,
    ) -> Result<PreimageResult> {
        match (self.function.preimage, result) {
            (Some(preimage), Expr::Literal(result, _)) => preimage(args, result, info),
            _ => Ok(PreimageResult::None),
        }
    }
}
