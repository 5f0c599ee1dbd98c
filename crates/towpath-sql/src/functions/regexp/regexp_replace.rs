//! `regexp_replace(string, pattern)`: every match removed. `regexp_replace(string, pattern,
//! replacement)`: every match replaced; `$1` and `${name}` stand for groups, `\` makes the next
//! character an ordinary one. `regexp_replace(string, pattern, groups -> text)`: replaced by what
//! the lambda makes of the array of groups; NULL if it gives NULL.
//!
//! <https://trino.io/docs/current/functions/regexp.html#regexp_replace>

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::UInt64Array;
use arrow::array::{ArrayRef, ListBuilder, StringViewBuilder};
use arrow::compute::take_arrays;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, Volatility};
use datafusion::logical_expr::{
    HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature, HigherOrderUDF,
    HigherOrderUDFImpl, LambdaParametersProgress, ValueOrLambda,
};

use super::pattern::{Pattern, Patterns};
use super::replacement::Replacement;
use crate::functions::Registry;
use crate::functions::args::{
    Args, ErrorCode, StringOutput, Strings, VIEW_BYTES, add_bytes, array_type, check_bytes,
    collect, error,
};
use crate::functions::scalar::{Param, Returns, ScalarFunction};
use crate::functions::type_name::type_name;

/// Most matches the lambda form replaces in one batch: all of them are given to the lambda at once.
const LAMBDA_MATCHES_MAX: usize = 1_000_000;

/// Adds both forms; the planner takes the second for calls with a lambda.
pub(super) fn register(registry: &mut Registry) {
    registry.scalar(scalar());
    registry.higher_order(Arc::new(HigherOrderUDF::new_from_impl(WithLambda::new())));
}

fn scalar() -> ScalarFunction {
    ScalarFunction::new("regexp_replace")
        .form(&[Param::Varchar, Param::Varchar], Returns::VARCHAR, remove)
        .form(&[Param::Varchar, Param::Varchar, Param::Varchar], Returns::VARCHAR, replace)
}

fn remove(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (args.column::<&str>(0)?, Patterns::of(args, 1)?);
    collect(args.rows, |row| {
        let (Some(text), Some(pattern)) = (texts.get(row), patterns.get(row)?) else {
            return Ok(None);
        };
        let mut kept = String::new();
        let mut last_end = 0;
        pattern.each_match(text, 0, |found| {
            kept.push_str(text.get(last_end..found.start()).unwrap_or(""));
            last_end = found.end();
            Ok(true)
        })?;
        if last_end == 0 && kept.is_empty() {
            return Ok(Some(Cow::Borrowed(text)));
        }
        kept.push_str(text.get(last_end..).unwrap_or(""));
        Ok(Some(Cow::Owned(kept)))
    })
}

fn replace(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (args.column::<&str>(0)?, Patterns::of(args, 1)?);
    let replacements = args.column::<&str>(2)?;
    let constant = match (&patterns, args.constant::<&str>(2)?) {
        (Patterns::Constant(Some(pattern)), Some(Some(text))) => {
            Some(Replacement::of(text, pattern)?)
        }
        _ => None,
    };
    collect(args.rows, |row| {
        let (Some(text), Some(pattern), Some(with)) =
            (texts.get(row), patterns.get(row)?, replacements.get(row))
        else {
            return Ok(None);
        };
        match &constant {
            Some(replacement) => replace_all(&pattern, text, replacement).map(Some),
            None => replace_all(&pattern, text, &Replacement::of(with, &pattern)?).map(Some),
        }
    })
}

fn replace_all<'t>(pattern: &Pattern, text: &'t str, with: &Replacement) -> Result<Cow<'t, str>> {
    let mut replaced = String::new();
    let mut last_end = None;
    pattern.each_captures(text, |captures| {
        let Some(whole) = captures.get(0) else { return Ok(()) };
        let between = text.get(last_end.unwrap_or(0)..whole.start()).unwrap_or("");
        check_bytes(replaced.len() + between.len())?;
        replaced.push_str(between);
        last_end = Some(whole.end());
        with.append(captures, &mut replaced)
    })?;
    let Some(last_end) = last_end else { return Ok(Cow::Borrowed(text)) };
    replaced.push_str(text.get(last_end..).unwrap_or(""));
    Ok(Cow::Owned(replaced))
}

/// The form with a lambda.
#[derive(Debug, PartialEq, Eq, Hash)]
struct WithLambda {
    signature: HigherOrderSignature,
}

impl WithLambda {
    fn new() -> WithLambda {
        let params =
            vec![ValueOrLambda::Value(()), ValueOrLambda::Value(()), ValueOrLambda::Lambda(())];
        WithLambda { signature: HigherOrderSignature::exact(params, Volatility::Immutable) }
    }
}

impl HigherOrderUDFImpl for WithLambda {
    fn name(&self) -> &str {
        "regexp_replace"
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn coerce_value_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        types
            .iter()
            .map(|data_type| match data_type {
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(data_type.clone()),
                DataType::Null => Ok(DataType::Utf8View),
                other => Err(not_varchar(other)),
            })
            .collect()
    }

    fn lambda_parameters(
        &self,
        _step: usize,
        _fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        let groups = Field::new("groups", array_type(DataType::Utf8View), true);
        Ok(LambdaParametersProgress::Complete(vec![vec![Arc::new(groups)]]))
    }

    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs<'_>) -> Result<FieldRef> {
        if let Some(ValueOrLambda::Lambda(result)) = args.arg_fields.get(2) {
            self.coerce_value_types(std::slice::from_ref(result.data_type()))?;
        }
        Ok(Arc::new(Field::new("regexp_replace", DataType::Utf8View, true)))
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let [
            ValueOrLambda::Value(text),
            ValueOrLambda::Value(pattern),
            ValueOrLambda::Lambda(lambda),
        ] = args.args.as_slice()
        else {
            return exec_err!("regexp_replace needs a string, a pattern and a lambda");
        };
        let columns = [text.clone(), pattern.clone()];
        let values = Args {
            columns: &columns,
            fields: &[],
            return_field: &args.return_field,
            rows: args.number_rows,
        };
        let found = Found::search(&values)?;
        let groups: ArrayRef = Arc::clone(&found.groups);
        let made = lambda
            .evaluate(&[&|| Ok(Arc::clone(&groups))], |captured| {
                Ok(take_arrays(captured, &found.rows, None)?)
            })?
            .into_array(found.groups.len())?;
        found.assemble(&values, &Strings::of_array(made.as_ref())?).map(ColumnarValue::Array)
    }
}

fn not_varchar(given: &DataType) -> DataFusionError {
    let given = type_name(&Field::new("", given.clone(), true));
    error(
        ErrorCode::TypeMismatch,
        format!(
            "Unexpected parameters ({given}) for function regexp_replace. \
             Expected: regexp_replace(varchar, varchar, function(array(varchar), varchar))"
        ),
    )
}

/// All matches in all texts of a batch.
struct Found {
    /// The groups of each match.
    groups: ArrayRef,
    /// The row each match is in.
    rows: UInt64Array,
    /// Where each match begins and ends in its text.
    spans: Vec<(usize, usize)>,
    /// How many matches there are up to the end of each row; `None` for NULL.
    ends: Vec<Option<usize>>,
}

impl Found {
    fn search(args: &Args<'_>) -> Result<Found> {
        let (texts, patterns) = (args.column::<&str>(0)?, Patterns::of(args, 1)?);
        let mut groups = ListBuilder::new(StringViewBuilder::new());
        let mut rows = Vec::new();
        let mut spans = Vec::new();
        let mut bytes = 0;
        let mut ends = Vec::with_capacity(args.rows);
        for row in 0..args.rows {
            let (Some(text), Some(pattern)) = (texts.get(row), patterns.get(row)?) else {
                ends.push(None);
                continue;
            };
            pattern.each_captures(text, |captures| {
                if spans.len() >= LAMBDA_MATCHES_MAX {
                    return Err(error(
                        ErrorCode::ExceededFunctionMemoryLimit,
                        format!("regexp_replace found more than {LAMBDA_MATCHES_MAX} matches"),
                    ));
                }
                for group in 1..=pattern.groups() {
                    let part = captures.get(group).map(|found| found.as_str());
                    bytes = add_bytes(bytes, part.map_or(0, str::len) + VIEW_BYTES)?;
                    groups.values().append_option(part);
                }
                groups.append(true);
                rows.push(u64::try_from(row).unwrap_or(u64::MAX));
                spans.extend(captures.get(0).map(|whole| (whole.start(), whole.end())));
                Ok(())
            })?;
            ends.push(Some(spans.len()));
        }
        Ok(Found { groups: Arc::new(groups.finish()), rows: rows.into(), spans, ends })
    }

    /// The texts with each match replaced by what was made of it.
    fn assemble(&self, args: &Args<'_>, made: &Strings<'_>) -> Result<ArrayRef> {
        let texts = args.column::<&str>(0)?;
        let mut output = StringOutput::new(args.rows);
        let mut next = 0;
        for (row, end) in self.ends.iter().enumerate() {
            let (Some(text), Some(end)) = (texts.get(row), *end) else {
                output.append(None)?;
                continue;
            };
            let replaced = self.replace_row(text, next..end, made)?;
            output.append(replaced.as_deref())?;
            next = end;
        }
        Ok(output.finish())
    }

    fn replace_row(
        &self,
        text: &str,
        matches: std::ops::Range<usize>,
        made: &Strings<'_>,
    ) -> Result<Option<String>> {
        let mut replaced = String::new();
        let mut last_end = 0;
        for index in matches {
            let (begin, end) = self.spans.get(index).copied().unwrap_or((last_end, last_end));
            let Some(with) = made.get(index) else { return Ok(None) };
            check_bytes(replaced.len() + text.len() + with.len())?;
            replaced.push_str(text.get(last_end..begin).unwrap_or(""));
            replaced.push_str(with);
            last_end = end;
        }
        replaced.push_str(text.get(last_end..).unwrap_or(""));
        Ok(Some(replaced))
    }
}
