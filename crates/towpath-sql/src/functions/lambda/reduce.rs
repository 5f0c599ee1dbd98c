//! `reduce(array, initial, (state, x) -> state, state -> result)`: folds an array.
//!
//! Trino: <https://trino.io/docs/current/functions/lambda.html#reduce>.
//!
//! * the state has the type that the initial value and the first lambda have in common, which the
//!   lambda must yield: `0` becomes a bigint if bigints are added to it;
//! * a NULL array gives NULL; NULL elements reach the lambda.
//!
//! All arrays of a batch take a step at a time together, so a batch costs as many lambda calls as
//! its longest array has elements.

use std::cmp::Reverse;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt64Array};
use arrow::compute::{cast, concat, take};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{LambdaParametersProgress, ValueOrLambda};

use super::definition::{
    ArgFields, GivenFields, LambdaCall, LambdaFunction, item_parameter, lambda_field, parameter,
};
use crate::data_type::Type;
use crate::functions::nested::common_type::common_type;
use crate::functions::nested::lists::{Lists, item_of, relabeled};

pub(super) fn function() -> LambdaFunction {
    LambdaFunction {
        name: "reduce",
        parameters: "array(T), S, function(S, T, S), function(S, R)",
        matcher: |given| match given {
            [array, initial] => Some(vec![item_of(array)?.1, initial.clone()]),
            _ => None,
        },
        lambda_parameters,
        returns,
        evaluate,
    }
}

fn lambda_parameters(fields: &GivenFields) -> Result<LambdaParametersProgress> {
    let [
        ValueOrLambda::Value(_),
        ValueOrLambda::Value(initial),
        ValueOrLambda::Lambda(step),
        ValueOrLambda::Lambda(finish),
    ] = fields
    else {
        return plan_err!("reduce takes an array, an initial state and two lambdas");
    };
    let item = item_parameter(fields, 0)?;
    let Some(step) = step else {
        return Ok(LambdaParametersProgress::Partial(vec![
            Some(vec![parameter(initial), item]),
            None,
        ]));
    };
    let state = parameter(step);
    if finish.is_some() {
        return Ok(LambdaParametersProgress::Complete(vec![
            vec![Arc::clone(&state), item],
            vec![state],
        ]));
    }
    let common = common_type(initial.data_type(), step.data_type());
    match common {
        // The state of the next try is what the lambda yielded; it must then yield it again.
        Some(common) if Type::of_arrow(&common) == Type::of_arrow(step.data_type()) => {
            Ok(LambdaParametersProgress::Complete(vec![
                vec![Arc::clone(&state), item],
                vec![state],
            ]))
        }
        _ => plan_err!(
            "Unexpected parameters for function reduce: the state is {}, and the lambda yields {}",
            Type::of_field(initial),
            Type::of_field(step)
        ),
    }
}

fn returns(fields: &ArgFields) -> Result<FieldRef> {
    Ok(parameter(lambda_field(fields, 3)?))
}

fn evaluate(call: &LambdaCall) -> Result<ArrayRef> {
    let lists = call.lists(0)?;
    let mut order: Vec<usize> =
        (0..call.rows()).filter(|row| lists.range(*row).is_some()).collect();
    order.sort_by_key(|row| Reverse(length(&lists, *row)));
    let owners: UInt64Array = order.iter().map(|row| *row as u64).collect::<Vec<u64>>().into();
    let initial = take(call.value(1)?.as_ref(), &owners, None)?;
    let initial = state_of(&initial, call.lambda_type(2)?)?;
    let states = fold(call, &lists, &order, initial)?;
    let results = call.run(3, &[states], &owners)?;
    spread(&results, &order, call.rows(), call.return_type())
}

fn length(lists: &Lists, row: usize) -> usize {
    lists.range(row).map_or(0, |range| range.len())
}

/// The initial value as the type of the state.
fn state_of(initial: &ArrayRef, state_type: &DataType) -> Result<ArrayRef> {
    match relabeled(Arc::clone(initial), state_type) {
        Ok(same) => Ok(same),
        Err(_) => Ok(cast(initial, state_type)?),
    }
}

/// The last states of the rows in `order`, longest array first, so that the rows still in work are
/// always a prefix.
fn fold(call: &LambdaCall, lists: &Lists, order: &[usize], initial: ArrayRef) -> Result<ArrayRef> {
    let mut states = initial;
    let mut finished: Vec<ArrayRef> = Vec::new();
    for step in 0.. {
        let active = order.partition_point(|row| length(lists, *row) > step);
        if active < states.len() {
            finished.push(states.slice(active, states.len() - active));
            states = states.slice(0, active);
        }
        if active == 0 {
            break;
        }
        let rows = order.iter().take(active);
        let owners: UInt64Array = rows.clone().map(|row| *row as u64).collect::<Vec<u64>>().into();
        let positions: Vec<u64> = rows
            .filter_map(|row| lists.range(*row).map(|range| (range.start + step) as u64))
            .collect();
        let items = take(lists.values().as_ref(), &UInt64Array::from(positions), None)?;
        let next = call.run(2, &[Arc::clone(&states), items], &owners)?;
        states = state_of(&next, states.data_type())?;
    }
    finished.reverse();
    let borrowed: Vec<&dyn Array> = finished.iter().map(AsRef::as_ref).collect();
    if borrowed.is_empty() { Ok(states) } else { Ok(concat(&borrowed)?) }
}

/// Puts results, which stand in `order`, back to their rows; other rows are NULL.
fn spread(
    results: &ArrayRef,
    order: &[usize],
    rows: usize,
    data_type: &DataType,
) -> Result<ArrayRef> {
    let mut positions: Vec<Option<u64>> = vec![None; rows];
    for (at, row) in order.iter().enumerate() {
        match positions.get_mut(*row) {
            Some(position) => *position = Some(at as u64),
            None => return exec_err!("row {row} is out of range"),
        }
    }
    relabeled(take(results.as_ref(), &UInt64Array::from(positions), None)?, data_type)
}
