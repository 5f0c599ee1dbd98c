//! `format(format, args...)`: the arguments written by a format string of Java's `Formatter`, such as
//! `%03d`, `%,.2f`, `%2$s` or `%1$tY`.
//!
//! Arrays, maps and rows have no text form here and are refused; cast them to JSON first.
//!
//! <https://trino.io/docs/current/functions/conversion.html#format>

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Decimal128Type, Field};
use datafusion::common::Result;

use super::format_spec::{Piece, bad_format, parse};
use super::format_value::{FormatValue, Moment, write};
use crate::functions::args::{
    Args, ErrorCode, Primitives, Strings, Value, check_bytes, collect, error, primitives,
};
use crate::functions::datetime::{Kind, Moments, java_time_text};
use crate::functions::scalar::{Param, Returns, ScalarFunction};
use crate::functions::type_name::type_name;

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("format").form_variadic(
        &[Param::Varchar, Param::Any],
        1,
        Returns::VARCHAR,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let formats = args.column::<&str>(0)?;
    let constant = match args.constant::<&str>(0)? {
        Some(Some(format)) => Some(parse(format)?),
        _ => None,
    };
    let columns =
        (1..args.len()).map(|index| Column::of(args, index)).collect::<Result<Vec<_>>>()?;
    collect(args.rows, |row| {
        let Some(format) = formats.get(row) else { return Ok(None) };
        match &constant {
            Some(pieces) => fill(format, pieces, &columns, row).map(Some),
            None => fill(format, &parse(format)?, &columns, row).map(Some),
        }
    })
}

fn fill(format: &str, pieces: &[Piece], columns: &[Column<'_>], row: usize) -> Result<String> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Field(spec) => {
                let Some(column) = columns.get(spec.argument) else {
                    let cause = format!("MissingFormatArgument: Format specifier '{}'", spec.text);
                    return Err(bad_format(format, &cause));
                };
                text.push_str(&write(format, spec, &column.get(row))?);
            }
        }
        check_bytes(text.len())?;
    }
    Ok(text)
}

/// An argument, ready for reading by row.
enum Column<'a> {
    Null,
    Booleans(<bool as Value<'a>>::Column),
    Integers(<i64 as Value<'a>>::Column),
    Reals(<f32 as Value<'a>>::Column),
    Doubles(<f64 as Value<'a>>::Column),
    Decimals(Primitives<'a, Decimal128Type>, u32),
    Texts(Strings<'a>),
    Moments(Moments),
    /// Types whose text is simple: uuid, ipaddress.
    Bytes(<&'a [u8] as Value<'a>>::Column, bool),
}

impl<'a> Column<'a> {
    fn of(args: &Args<'a>, index: usize) -> Result<Column<'a>> {
        Ok(match args.data_type(index)? {
            DataType::Null => Column::Null,
            DataType::Boolean => Column::Booleans(args.column::<bool>(index)?),
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
                Column::Integers(args.column::<i64>(index)?)
            }
            DataType::Float32 => Column::Reals(args.column::<f32>(index)?),
            DataType::Float64 => Column::Doubles(args.column::<f64>(index)?),
            DataType::Decimal128(_, scale) => {
                Column::Decimals(primitives(args.value(index)?)?, u32::try_from(scale).unwrap_or(0))
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                Column::Texts(args.column::<&str>(index)?)
            }
            DataType::Date32
            | DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Timestamp(..) => Column::Moments(Moments::of(args, index)?),
            DataType::FixedSizeBinary(16) => {
                let is_uuid =
                    args.fields.get(index).is_some_and(|field| type_name(field) == "uuid");
                Column::Bytes(args.column::<&[u8]>(index)?, is_uuid)
            }
            other => {
                let name = type_name(&Field::new("", other, true));
                return Err(error(
                    ErrorCode::TypeMismatch,
                    format!("Cannot format a value of type {name}; cast it to JSON or varchar"),
                ));
            }
        })
    }

    fn get(&self, row: usize) -> FormatValue {
        let value = match self {
            Column::Null => None,
            Column::Booleans(column) => column.get(row).map(FormatValue::Boolean),
            Column::Integers(column) => column.get(row).map(FormatValue::Integer),
            Column::Reals(column) => column.get(row).map(FormatValue::Real),
            Column::Doubles(column) => column.get(row).map(FormatValue::Double),
            Column::Decimals(column, scale) => {
                column.get(row).map(|value| FormatValue::Decimal(value, *scale))
            }
            Column::Texts(column) => column.get(row).map(|text| FormatValue::Text(text.to_owned())),
            Column::Moments(column) => column.get(row).map(|ticks| moment(column, ticks)),
            Column::Bytes(column, is_uuid) => {
                column.get(row).map(|bytes| FormatValue::Text(bytes_text(bytes, *is_uuid)))
            }
        };
        value.unwrap_or(FormatValue::Null)
    }
}

fn moment(column: &Moments, ticks: i64) -> FormatValue {
    let local = column.local(ticks);
    let offset = column.offset_seconds(ticks);
    FormatValue::Moment(Box::new(Moment {
        text: java_time_text(column, ticks),
        days: (column.kind != Kind::Time).then_some(local.days),
        nanos: (column.kind != Kind::Date).then_some(local.nanos),
        zone: (column.kind == Kind::TimestampTz).then(|| (offset, column.zone.name.to_string())),
    }))
}

fn bytes_text(bytes: &[u8], is_uuid: bool) -> String {
    let Ok(sixteen) = <[u8; 16]>::try_from(bytes) else { return String::new() };
    if is_uuid {
        return uuid::Uuid::from_bytes(sixteen).to_string();
    }
    let address = std::net::Ipv6Addr::from(sixteen);
    address.to_ipv4_mapped().map_or_else(|| address.to_string(), |four| four.to_string())
}
