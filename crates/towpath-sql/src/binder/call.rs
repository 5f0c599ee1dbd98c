//! Function calls: the functions that are syntax in truth, then scalar, higher-order, aggregate
//! and window functions by name.

use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{
    AggregateFunction, Cast, HigherOrderFunction, Lambda, LambdaVariable, NullTreatment,
    ScalarFunction,
};
use datafusion::logical_expr::type_coercion::functions::{
    UDFCoercionExt, fields_with_udf, value_fields_with_higher_order_udf,
};
use datafusion::logical_expr::{
    AggregateUDF, Expr as DfExpr, HigherOrderReturnFieldArgs, HigherOrderUDF,
    LambdaParametersProgress, ReturnFieldArgs, ScalarUDF, ValueOrLambda,
};

use super::expression::{ExprBinder, LambdaParam};
use super::{Bound, literal, mismatch, named, semantic};
use crate::ast::{Call, Expr, ExprKind, Ident};
use crate::data_type::{Type, precision_unit};
use crate::error::{ErrorKind, Result, SqlError};
use crate::functions::settled;

/// Most rounds of telling a higher-order function what its lambdas yield. `reduce` needs two.
const LAMBDA_ROUNDS_MAX: usize = 8;

/// `reduce_agg(x, initial, step, join)` as `reduce` over `array_agg`: DataFusion has no aggregate
/// over lambdas. NULL values are left out; the states of one array need no joining.
fn reduce_of(call: &Call, at: usize) -> Result<Call> {
    let is_lambda = |arg: &Expr, count: usize| matches!(&arg.kind, ExprKind::Lambda { params, .. } if params.len() == count);
    let [value, initial, step, join] = call.args.as_slice() else {
        return Err(mismatch(at, "reduce_agg takes a value, an initial state and two lambdas"));
    };
    if !is_lambda(step, 2) || !is_lambda(join, 2) {
        return Err(mismatch(at, "reduce_agg takes two lambdas of two arguments"));
    }
    let is_there = ExprKind::IsNull { value: Box::new(value.clone()), negated: true };
    let is_there = Expr { kind: is_there, at };
    let filter = match &call.filter {
        Some(filter) => Expr { kind: ExprKind::And(vec![filter.clone(), is_there]), at },
        None => is_there,
    };
    let array = Call {
        name: "array_agg".to_owned(),
        args: vec![value.clone()],
        filter: Some(filter),
        ..call.clone()
    };
    let state = Ident { text: "state".to_owned(), at };
    let body = Box::new(Expr { kind: ExprKind::Name(state.clone()), at });
    let finish = Expr { kind: ExprKind::Lambda { params: vec![state], body }, at };
    let array = Expr { kind: ExprKind::Call(Box::new(array)), at };
    Ok(Call::plain("reduce", vec![array, initial.clone(), step.clone(), finish]))
}

impl ExprBinder<'_> {
    pub(super) fn call(&mut self, call: &Call, at: usize) -> Result<Bound> {
        let name = call.name.to_lowercase();
        if let Some(bound) = self.syntax_call(&name, call, at)? {
            return Ok(bound);
        }
        if name == "reduce_agg" {
            let reduce = reduce_of(call, at)?;
            return self.call(&reduce, at);
        }
        let has_lambda = call.args.iter().any(|arg| matches!(arg.kind, ExprKind::Lambda { .. }));
        if call.over.is_some() {
            return self.window_call(&name, call, at);
        }
        if has_lambda || self.planner.functions.only_higher_order(&name) {
            let Some(function) = self.planner.functions.higher_order(&name) else {
                return Err(self.unknown_function(&name, call, at));
            };
            self.refuse_aggregate_clauses(&name, call, at)?;
            return self.higher_order(function, &call.args, at);
        }
        if let Some(function) = self.planner.functions.scalar(&name) {
            self.refuse_aggregate_clauses(&name, call, at)?;
            let args = self.bind_all(&call.args)?;
            return self.scalar_call(function, args, at);
        }
        if let Some(function) = self.planner.functions.aggregate(&name) {
            return self.aggregate_call(function, call, at);
        }
        if self.planner.functions.window(&name).is_some() {
            let message = format!("Window function {name} requires an OVER clause");
            return Err(semantic(at, message));
        }
        Err(self.unknown_function(&name, call, at))
    }

    /// Calls that are syntax: their arguments are not all evaluated, or not evaluated as values.
    fn syntax_call(&mut self, name: &str, call: &Call, at: usize) -> Result<Option<Bound>> {
        let plain = call.over.is_none() && call.filter.is_none() && !call.distinct && !call.star;
        if !plain {
            return Ok(None);
        }
        Ok(Some(match (name, call.args.as_slice()) {
            ("if", [condition, then]) => self.if_call(condition, then, None, at)?,
            ("if", [condition, then, otherwise]) => {
                self.if_call(condition, then, Some(otherwise), at)?
            }
            ("if", _) => return Err(semantic(at, "Invalid number of arguments for 'if' function")),
            ("coalesce", [_, _, ..]) => self.coalesce(&call.args, at)?,
            ("coalesce", _) => {
                let message = "The 'coalesce' function must have at least two arguments";
                return Err(semantic(at, message));
            }
            ("nullif", [left, right]) => self.nullif(left, right, at)?,
            ("try", [value]) => self.try_call(value, at)?,
            ("typeof", [value]) => {
                let bound = self.bind(value)?;
                Bound { data_type: Type::VARCHAR, ..Bound::text(bound.data_type.to_string()) }
            }
            ("count", []) => self.count_star(call, at)?,
            (
                "current_timestamp" | "now" | "localtimestamp" | "current_date" | "current_time"
                | "localtime" | "current_timezone",
                args,
            ) => self.now_call(name, args, at)?,
            _ => return Ok(None),
        }))
    }

    fn now_call(&mut self, name: &str, args: &[Expr], at: usize) -> Result<Bound> {
        let precision = match args {
            [] => None,
            [Expr { kind: ExprKind::Integer(digits), .. }] => digits.parse().ok(),
            _ => return Err(mismatch(at, format!("{name} takes no arguments"))),
        };
        self.planner
            .now_literal(name, precision)
            .ok_or_else(|| semantic(at, format!("{name} is out of range")))
    }

    fn if_call(
        &mut self,
        condition: &Expr,
        then: &Expr,
        otherwise: Option<&Expr>,
        at: usize,
    ) -> Result<Bound> {
        let bound = self.bind(condition)?;
        let bound = self.planner.condition(bound, condition.at, "IF condition")?;
        let mut results = vec![self.bind(then)?];
        if let Some(otherwise) = otherwise {
            results.push(self.bind(otherwise)?);
        }
        self.case_of(vec![bound], results, otherwise.is_some(), at)
    }

    /// `coalesce` as `CASE`, so that later arguments are evaluated only where they are needed.
    fn coalesce(&mut self, args: &[Expr], at: usize) -> Result<Bound> {
        let bound = self.bind_all(args)?;
        let conditions = bound
            .iter()
            .take(bound.len() - 1)
            .map(|value| {
                let expr = DfExpr::IsNotNull(Box::new(value.expr.clone()));
                Bound::new(expr, Type::Boolean)
            })
            .collect();
        self.case_of(conditions, bound, true, at)
    }

    fn nullif(&mut self, left: &Expr, right: &Expr, at: usize) -> Result<Bound> {
        let left = self.bind(left)?;
        let right = self.bind(right)?;
        let equal = self.equals(left.clone(), right, at)?;
        self.case_of(vec![equal], vec![literal::null(), left], true, at)
    }

    /// `TRY(x)`: a higher-order function over the body, which runs it again row by row on error.
    fn try_call(&mut self, value: &Expr, at: usize) -> Result<Bound> {
        let bound = self.bind(value)?;
        let Some(function) = self.planner.functions.higher_order("$try") else {
            return Err(semantic(at, "TRY is not available"));
        };
        let param = "$row".to_owned();
        let lambda = DfExpr::Lambda(Lambda::new(vec![param], bound.expr.clone()));
        // The argument says how many rows there are when the body has no columns.
        let rows = DfExpr::Literal(ScalarValue::Boolean(Some(true)), None);
        let call = HigherOrderFunction::new(function, vec![rows, lambda]);
        Ok(Bound { expr: DfExpr::HigherOrderFunction(call), ..bound })
    }

    pub(super) fn bind_all(&mut self, args: &[Expr]) -> Result<Vec<Bound>> {
        args.iter().map(|arg| self.bind(arg)).collect()
    }

    /// Calls a scalar function of the registry by name on expressions of the syntax tree.
    pub(super) fn named_call(&mut self, name: &str, args: &[Expr], at: usize) -> Result<Bound> {
        let args = self.bind_all(args)?;
        self.function(name, args, at)
    }

    pub(super) fn function(&self, name: &str, args: Vec<Bound>, at: usize) -> Result<Bound> {
        let Some(function) = self.planner.functions.scalar(name) else {
            let message = format!("Function '{name}' not registered");
            return Err(SqlError::at(ErrorKind::FunctionNotFound, at, message));
        };
        self.scalar_call(function, args, at)
    }

    /// Calls a scalar function on bound arguments.
    pub(super) fn scalar_call(
        &self,
        function: Arc<ScalarUDF>,
        args: Vec<Bound>,
        at: usize,
    ) -> Result<Bound> {
        let args = self.coerced(function.as_ref(), args, at)?;
        let fields: Vec<FieldRef> = args.iter().map(|arg| Arc::clone(&arg.field)).collect();
        let scalars: Vec<Option<&ScalarValue>> = args.iter().map(Bound::scalar).collect();
        let returned = function
            .return_field_from_args(ReturnFieldArgs {
                arg_fields: &fields,
                scalar_arguments: &scalars,
            })
            .map_err(|error| SqlError::engine(at, &error))?;
        let data_type = precise(function.name(), &args, Type::of_field(&returned));
        let function = settled(function, &fields, &returned);
        let exprs = args.into_iter().map(|arg| arg.expr).collect();
        let expr = DfExpr::ScalarFunction(ScalarFunction::new_udf(function, exprs));
        Ok(Bound { expr, field: returned, data_type })
    }

    /// Converts arguments to what the function's signature asks for, where Trino would.
    pub(super) fn coerced<F: UDFCoercionExt>(
        &self,
        function: &F,
        args: Vec<Bound>,
        at: usize,
    ) -> Result<Vec<Bound>> {
        let given: Vec<FieldRef> = args.iter().map(|arg| Arc::clone(&arg.field)).collect();
        let types: Vec<String> = args.iter().map(|arg| arg.data_type.to_string()).collect();
        let wanted = fields_with_udf(&given, function).map_err(|error| {
            let text = crate::error::trino_text(&error);
            let name = function.name();
            // DataFusion's words list Arrow types; Trino's text of our own functions is kept.
            let message =
                if text.starts_with("Unexpected parameters") || !text.contains("signature") {
                    text
                } else {
                    format!("Unexpected parameters ({}) for function {name}", types.join(", "))
                };
            SqlError::at(ErrorKind::FunctionNotFound, at, message)
        })?;
        args.into_iter()
            .zip(wanted)
            .map(|(arg, wanted)| {
                self.argument(arg, &wanted).ok_or_else(|| {
                    let message = format!(
                        "Unexpected parameters ({}) for function {}",
                        types.join(", "),
                        function.name()
                    );
                    SqlError::at(ErrorKind::FunctionNotFound, at, message)
                })
            })
            .collect()
    }

    /// Converts one argument, or refuses as Trino would.
    fn argument(&self, arg: Bound, wanted: &Field) -> Option<Bound> {
        if arg.field.data_type() == wanted.data_type() {
            return Some(arg);
        }
        let target = Type::of_field(&wanted.clone().with_metadata(arg.field.metadata().clone()));
        let same = Type::of_arrow(arg.field.data_type()) == Type::of_arrow(wanted.data_type());
        if !same && !crate::coercion::converts(&arg.data_type, &target) {
            return None;
        }
        if arg.data_type == Type::Unknown {
            return Some(self.planner.coerce(arg, &target));
        }
        let fits = arg.scalar().and_then(|scalar| scalar.cast_to(wanted.data_type()).ok());
        if let Some(scalar) = fits {
            return Some(literal::constant(scalar, target));
        }
        let field = named(&wanted.clone().with_metadata(arg.field.metadata().clone()), "");
        let cast = Cast::new_from_field(Box::new(arg.expr), Arc::clone(&field));
        Some(Bound { expr: DfExpr::Cast(cast), field, data_type: target })
    }

    fn higher_order(
        &mut self,
        function: Arc<HigherOrderUDF>,
        args: &[Expr],
        at: usize,
    ) -> Result<Bound> {
        let engine = |error| SqlError::engine(at, &error);
        let mut bound: Vec<ValueOrLambda<Bound, Option<Bound>>> = Vec::with_capacity(args.len());
        for arg in args {
            bound.push(match &arg.kind {
                ExprKind::Lambda { .. } => ValueOrLambda::Lambda(None),
                _ => ValueOrLambda::Value(self.bind(arg)?),
            });
        }
        let fields = lambda_fields(&bound);
        let wanted = value_fields_with_higher_order_udf(&fields, &function).map_err(engine)?;
        self.convert_values(&mut bound, &wanted);
        let mut params: Vec<Vec<String>> = vec![Vec::new(); args.len()];
        for round in 0..LAMBDA_ROUNDS_MAX {
            let fields = lambda_fields(&bound);
            let (given, complete) =
                match function.lambda_parameters(round, &fields).map_err(engine)? {
                    LambdaParametersProgress::Partial(given) => (given, false),
                    LambdaParametersProgress::Complete(given) => {
                        (given.into_iter().map(Some).collect(), true)
                    }
                };
            self.bind_lambdas(args, &mut bound, &mut params, given)?;
            if complete {
                return self.higher_order_of(function, &bound, params, at);
            }
        }
        Err(semantic(at, format!("Types of the lambdas of {} do not settle", function.name())))
    }

    fn convert_values(
        &self,
        bound: &mut [ValueOrLambda<Bound, Option<Bound>>],
        wanted: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) {
        for (arg, wanted) in bound.iter_mut().zip(wanted) {
            if let (ValueOrLambda::Value(value), ValueOrLambda::Value(wanted)) = (arg, wanted)
                && let Some(converted) = self.argument(value.clone(), wanted)
            {
                *value = converted;
            }
        }
    }

    fn bind_lambdas(
        &mut self,
        args: &[Expr],
        bound: &mut [ValueOrLambda<Bound, Option<Bound>>],
        names: &mut [Vec<String>],
        given: Vec<Option<Vec<FieldRef>>>,
    ) -> Result<()> {
        let mut given = given.into_iter();
        for (index, arg) in args.iter().enumerate() {
            let ExprKind::Lambda { params, body } = &arg.kind else { continue };
            let Some(Some(fields)) = given.next() else { continue };
            if params.len() > fields.len() {
                let message = format!(
                    "Expected a lambda that takes {} argument(s) but got {}",
                    fields.len(),
                    params.len()
                );
                return Err(mismatch(arg.at, message));
            }
            let (unique, lambda) = self.lambda(params, body, &fields)?;
            if let (Some(name), Some(slot)) = (names.get_mut(index), bound.get_mut(index)) {
                *name = unique;
                *slot = ValueOrLambda::Lambda(Some(lambda));
            }
        }
        Ok(())
    }

    fn lambda(
        &mut self,
        params: &[Ident],
        body: &Expr,
        fields: &[FieldRef],
    ) -> Result<(Vec<String>, Bound)> {
        let known = self.lambdas.len();
        let mut unique = Vec::with_capacity(params.len());
        for (param, field) in params.iter().zip(fields) {
            // By depth, so that the same lambda written twice is the same expression.
            let name = format!("{}${}", param.key(), self.lambdas.len());
            let field = named(field, &name);
            let data_type = Type::of_field(&field);
            let variable = LambdaVariable::new(name.clone(), Some(field));
            self.lambdas.push(LambdaParam { key: param.key(), variable, data_type });
            unique.push(name);
        }
        let bound = self.bind(body);
        self.lambdas.truncate(known);
        Ok((unique, bound?))
    }

    fn higher_order_of(
        &self,
        function: Arc<HigherOrderUDF>,
        bound: &[ValueOrLambda<Bound, Option<Bound>>],
        params: Vec<Vec<String>>,
        at: usize,
    ) -> Result<Bound> {
        let mut fields = Vec::with_capacity(bound.len());
        let mut exprs = Vec::with_capacity(bound.len());
        for (arg, params) in bound.iter().zip(params) {
            match arg {
                ValueOrLambda::Value(value) => {
                    fields.push(ValueOrLambda::Value(Arc::clone(&value.field)));
                    exprs.push(value.expr.clone());
                }
                ValueOrLambda::Lambda(Some(body)) => {
                    fields.push(ValueOrLambda::Lambda(Arc::clone(&body.field)));
                    exprs.push(DfExpr::Lambda(Lambda::new(params, body.expr.clone())));
                }
                ValueOrLambda::Lambda(None) => {
                    let message = format!("Unexpected lambda for function {}", function.name());
                    return Err(mismatch(at, message));
                }
            }
        }
        let scalars: Vec<Option<&ScalarValue>> = bound
            .iter()
            .map(|arg| match arg {
                ValueOrLambda::Value(value) => value.scalar(),
                ValueOrLambda::Lambda(_) => None,
            })
            .collect();
        let returned = function
            .return_field_from_args(HigherOrderReturnFieldArgs {
                arg_fields: &fields,
                scalar_arguments: &scalars,
            })
            .map_err(|error| SqlError::engine(at, &error))?;
        let call = HigherOrderFunction::new(function, exprs);
        Ok(Bound::of_field(DfExpr::HigherOrderFunction(call), returned))
    }

    fn count_star(&self, _call: &Call, at: usize) -> Result<Bound> {
        let Some(function) = self.planner.functions.aggregate("count") else {
            return Err(semantic(at, "count is not available"));
        };
        let one = Bound::new(DfExpr::Literal(ScalarValue::Int64(Some(1)), None), Type::BigInt);
        self.aggregate_of(function, vec![one], &Call::plain("count", Vec::new()), at)
    }

    fn aggregate_call(
        &mut self,
        function: Arc<AggregateUDF>,
        call: &Call,
        at: usize,
    ) -> Result<Bound> {
        let args = self.aggregate_args(call, at)?;
        self.aggregate_of(function, args, call, at)
    }

    /// `count(*)` counts ones.
    pub(super) fn aggregate_args(&mut self, call: &Call, at: usize) -> Result<Vec<Bound>> {
        if !call.star {
            return self.bind_all(&call.args);
        }
        if !call.name.eq_ignore_ascii_case("count") {
            let message = format!("Function '{}' does not take *", call.name);
            return Err(semantic(at, message));
        }
        Ok(vec![Bound::new(DfExpr::Literal(ScalarValue::Int64(Some(1)), None), Type::BigInt)])
    }

    /// Clones of `self` bind the clauses, since the arguments are already bound.
    fn aggregate_of(
        &self,
        function: Arc<AggregateUDF>,
        args: Vec<Bound>,
        call: &Call,
        at: usize,
    ) -> Result<Bound> {
        let args = self.coerced(function.as_ref(), args, at)?;
        let fields: Vec<FieldRef> = args.iter().map(|arg| Arc::clone(&arg.field)).collect();
        let returned =
            function.return_field(&fields).map_err(|error| SqlError::engine(at, &error))?;
        let mut inner = ExprBinder { lambdas: self.lambdas.clone(), ..*self };
        let filter = match &call.filter {
            Some(filter) => {
                let bound = inner.bind(filter)?;
                let bound = self.planner.condition(bound, filter.at, "FILTER clause")?;
                Some(Box::new(bound.expr))
            }
            None => None,
        };
        let order_by = inner.sort_items(&call.order_by)?;
        let nulls = call.ignore_nulls.then_some(NullTreatment::IgnoreNulls);
        let exprs = args.into_iter().map(|arg| arg.expr).collect();
        let aggregate =
            AggregateFunction::new_udf(function, exprs, call.distinct, filter, order_by, nulls);
        Ok(Bound::of_field(DfExpr::AggregateFunction(aggregate), returned))
    }

    fn refuse_aggregate_clauses(&self, name: &str, call: &Call, at: usize) -> Result<()> {
        let clause = match call {
            Call { distinct: true, .. } => "DISTINCT",
            Call { filter: Some(_), .. } => "FILTER",
            Call { star: true, .. } => "*",
            Call { order_by, .. } if !order_by.is_empty() => "ORDER BY",
            _ => return Ok(()),
        };
        Err(semantic(
            at,
            format!("{clause} is not supported for non-aggregation function '{name}'"),
        ))
    }

    fn unknown_function(&mut self, name: &str, _call: &Call, at: usize) -> SqlError {
        let near = crate::error::nearest(name, self.planner.functions.names());
        let hint = near.map(|near| format!("did you mean '{near}'?"));
        let message = format!("Function '{name}' not registered");
        SqlError::at(ErrorKind::FunctionNotFound, at, message).with_hint(hint)
    }
}

fn lambda_fields(
    bound: &[ValueOrLambda<Bound, Option<Bound>>],
) -> Vec<ValueOrLambda<FieldRef, Option<FieldRef>>> {
    bound
        .iter()
        .map(|arg| match arg {
            ValueOrLambda::Value(value) => ValueOrLambda::Value(Arc::clone(&value.field)),
            ValueOrLambda::Lambda(body) => {
                ValueOrLambda::Lambda(body.as_ref().map(|body| Arc::clone(&body.field)))
            }
        })
        .collect()
}

/// Functions of time that yield the precision of the moment they are given: Arrow knows seconds,
/// milliseconds, microseconds and nanoseconds only, so `timestamp(2)` is kept here.
fn precise(name: &str, args: &[Bound], returned: Type) -> Type {
    let moment = match name {
        "date_trunc" => 1,
        "date_add" => 2,
        "at_timezone" | "with_timezone" => 0,
        _ => return returned,
    };
    let precision = match args.get(moment).map(|arg| &arg.data_type) {
        Some(Type::Time(p) | Type::Timestamp(p) | Type::TimestampTz(p)) => *p,
        _ => return returned,
    };
    match returned {
        Type::Time(_) => Type::Time(precision),
        Type::Timestamp(p) if precision_unit(p) == precision_unit(precision) => {
            Type::Timestamp(precision)
        }
        Type::TimestampTz(p) if precision_unit(p) == precision_unit(precision) => {
            Type::TimestampTz(precision)
        }
        other => other,
    }
}
