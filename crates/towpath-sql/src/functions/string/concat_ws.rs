//! `concat_ws(separator, string1, ..., stringN)`, `concat_ws(separator, array(varchar))`: all that
//! are not NULL, joined with the separator between them; NULL only if the separator is.
//!
//! <https://trino.io/docs/current/functions/string.html#concat_ws>

use arrow::array::Array;
use arrow::array::ArrayRef;
use arrow::array::AsArray;
use datafusion::common::Result;

use crate::functions::args::{Args, Strings, check_bytes, collect};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("concat_ws")
        .form_variadic(&[Param::Varchar, Param::Varchar], 2, Returns::VARCHAR, strings)
        .form(&[Param::Varchar, Param::VarcharArray], Returns::VARCHAR, array)
}

fn strings(args: &Args<'_>) -> Result<ArrayRef> {
    let separators = args.column::<&str>(0)?;
    let columns =
        (1..args.len()).map(|index| args.column::<&str>(index)).collect::<Result<Vec<_>>>()?;
    collect(args.rows, |row| {
        let Some(separator) = separators.get(row) else { return Ok(None) };
        join(separator, columns.iter().map(|column| column.get(row))).map(Some)
    })
}

fn array(args: &Args<'_>) -> Result<ArrayRef> {
    let separators = args.column::<&str>(0)?;
    let array = args.array(1)?;
    let Some(lists) = array.as_list_opt::<i32>() else { return Ok(args.nulls()) };
    collect(args.rows, |row| {
        let Some(separator) = separators.get(row) else { return Ok(None) };
        if lists.is_null(row) {
            return Ok(None);
        }
        let items = lists.value(row);
        let strings = Strings::of_array(items.as_ref())?;
        join(separator, (0..items.len()).map(|item| strings.get(item))).map(Some)
    })
}

fn join<'a>(separator: &str, parts: impl Iterator<Item = Option<&'a str>>) -> Result<String> {
    let mut joined = String::new();
    let mut first = true;
    for part in parts.flatten() {
        check_bytes(joined.len() + separator.len() + part.len())?;
        if !first {
            joined.push_str(separator);
        }
        first = false;
        joined.push_str(part);
    }
    Ok(joined)
}
