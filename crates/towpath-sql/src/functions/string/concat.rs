//! `concat(string1, ..., stringN)`: all of them joined, NULL if any is NULL; what `||` means. The
//! same for varbinary.
//!
//! <https://trino.io/docs/current/functions/string.html#concat>

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::ReturnFieldArgs;

use crate::functions::args::{Args, check_bytes, collect, invalid};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("concat")
        .form_variadic(&[Param::Varchar], 1, Returns::Field(text_field), text)
        .form_variadic(&[Param::Varbinary], 1, Returns::Field(bytes_field), bytes)
}

fn text_field(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    field(args, DataType::Utf8View)
}

fn bytes_field(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    field(args, DataType::Binary)
}

fn field(args: &ReturnFieldArgs<'_>, data_type: DataType) -> Result<FieldRef> {
    if args.arg_fields.len() < 2 {
        return Err(invalid("There must be two or more concatenation arguments"));
    }
    Ok(Arc::new(Field::new("concat", data_type, true)))
}

fn text(args: &Args<'_>) -> Result<ArrayRef> {
    let columns =
        (0..args.len()).map(|index| args.column::<&str>(index)).collect::<Result<Vec<_>>>()?;
    collect(args.rows, |row| {
        let mut joined = String::new();
        for column in &columns {
            let Some(part) = column.get(row) else { return Ok(None) };
            check_bytes(joined.len() + part.len())?;
            joined.push_str(part);
        }
        Ok(Some(joined))
    })
}

fn bytes(args: &Args<'_>) -> Result<ArrayRef> {
    let columns =
        (0..args.len()).map(|index| args.column::<&[u8]>(index)).collect::<Result<Vec<_>>>()?;
    collect(args.rows, |row| {
        let mut joined = Vec::new();
        for column in &columns {
            let Some(part) = column.get(row) else { return Ok(None) };
            check_bytes(joined.len() + part.len())?;
            joined.extend_from_slice(part);
        }
        Ok(Some(joined))
    })
}
