//! What `JSON_EXISTS`, `JSON_QUERY` and `JSON_VALUE` share: the input, the path and the values
//! passed to it.
//!
//! The binder turns their clauses into arguments. All begin with the input text and the path; all
//! end with two arguments for each value of `PASSING`: its name and the value. A value with
//! `FORMAT JSON` is of type JSON, by way of `$json_input`, which does not look at the text: whether
//! it is JSON is found out here, where `ON ERROR` applies.

use arrow::array::{Array, ArrayRef, AsArray};
use datafusion::common::{Result, exec_err};

use super::json_text::Json;
use super::sql_json_path::SqlJsonPath;
use super::sql_json_path_eval::{PathError, evaluate};
use crate::functions::args::{Args, Strings, Value};
use crate::functions::json_cast::to_json;

/// Why a row has no sequence of items; what happens then is up to the `ON ERROR` clause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// The input or a value passed with `FORMAT JSON` is not JSON.
    #[error("conversion to JSON failed: ")]
    Conversion,
    /// The path failed.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The items are not what the function returns.
    #[error("{0}")]
    Output(String),
}

/// The prepared arguments of a call.
#[derive(Debug)]
pub(super) struct Call<'a> {
    inputs: Strings<'a>,
    path: SqlJsonPath,
    /// Names and values, the latter as JSON text.
    passed: Vec<(&'a str, ArrayRef)>,
}

impl<'a> Call<'a> {
    /// Reads the input, the path, and the passed values from argument `first_passed` on.
    ///
    /// # Errors
    ///
    /// If the path is not a constant or does not parse.
    pub(super) fn of(args: &Args<'a>, first_passed: usize) -> Result<Call<'a>> {
        let Some(Some(path)) = args.constant::<&str>(1)? else {
            return exec_err!("JSON path must be a constant string");
        };
        let path = SqlJsonPath::parse(path)?;
        let mut passed = Vec::new();
        for index in (first_passed..args.len()).step_by(2) {
            let Some(Some(name)) = args.constant::<&str>(index)? else {
                return exec_err!("JSON path parameters must be named by constants");
            };
            passed.push((name, json_column(args, index + 1)?));
        }
        Ok(Call { inputs: args.column::<&str>(0)?, path, passed })
    }

    /// Evaluates the path on `row` and gives the items to `f`; `None` if the input is NULL.
    pub(super) fn with_items<R>(
        &self,
        row: usize,
        f: impl FnOnce(Result<Vec<Json<'_>>, Failure>) -> Result<Option<R>>,
    ) -> Result<Option<R>> {
        let Some(input) = <&str>::get(&self.inputs, row) else {
            return Ok(None);
        };
        let mut variables = Vec::with_capacity(self.passed.len());
        for (name, column) in &self.passed {
            match text_at(column, row).map(Json::parse).transpose() {
                Ok(value) => variables.push((*name, value.filter(|value| *value != Json::Null))),
                Err(_) => return f(Err(Failure::Conversion)),
            }
        }
        match Json::parse(input) {
            Ok(input) => f(evaluate(&self.path, &input, &variables).map_err(Failure::from)),
            Err(_) => f(Err(Failure::Conversion)),
        }
    }
}

/// Argument `index` as JSON text.
pub(super) fn json_column(args: &Args<'_>, index: usize) -> Result<ArrayRef> {
    match args.fields.get(index) {
        Some(field) => to_json(&args.array(index)?, field),
        None => exec_err!("argument {index} is missing"),
    }
}

/// The text at `row` of a column that [`json_column`] made.
pub(super) fn text_at(column: &ArrayRef, row: usize) -> Option<&str> {
    let texts = column.as_string_view();
    texts.is_valid(row).then(|| texts.value(row))
}

/// True if the arguments from `first` on come in pairs.
pub(super) fn in_pairs(given: usize, first: usize) -> bool {
    given.checked_sub(first).is_some_and(|passed| passed.is_multiple_of(2))
}
