//! `json_array_contains(json, value)`: if a JSON array has the value.
//!
//! Trino: <https://trino.io/docs/current/functions/json.html#json_array_contains>.
//!
//! The value is a boolean, bigint, double or varchar, and equals elements of its own kind only;
//! what is not a JSON array gives NULL.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::json_text::{Scanner, is_integer};
use crate::functions::args::{Args, Value, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("json_array_contains")
        .form(&[Param::Varchar, Param::Boolean], Returns::BOOLEAN, |args| {
            evaluate(args, |raw, wanted: bool| raw == if wanted { "true" } else { "false" })
        })
        .form(&[Param::Varchar, Param::Bigint], Returns::BOOLEAN, |args| {
            evaluate(args, |raw, wanted: i64| is_integer(raw) && raw.parse() == Ok(wanted))
        })
        .form(&[Param::Varchar, Param::Double], Returns::BOOLEAN, |args| {
            evaluate(args, |raw, wanted: f64| {
                let number = raw.starts_with(|c: char| c == '-' || c.is_ascii_digit());
                // Exact, as in Trino: the same text gives the same double.
                #[expect(clippy::float_cmp, reason = "equality of doubles is what is asked for")]
                let equal =
                    raw.parse::<f64>().is_ok_and(|value| value.is_finite() && value == wanted);
                number && equal
            })
        })
        .form(&[Param::Varchar, Param::Varchar], Returns::BOOLEAN, |args| {
            evaluate(args, |raw, wanted: &str| {
                raw.starts_with('"') && Scanner::new(raw).string().is_ok_and(|text| text == wanted)
            })
        })
}

fn evaluate<'a, V: Value<'a> + Copy>(
    args: &Args<'a>,
    equals: impl Fn(&str, V) -> bool,
) -> Result<ArrayRef> {
    map2(args, |json: &str, wanted: V| {
        let mut scanner = Scanner::new(json);
        if scanner.peek() != Some(b'[') {
            return Ok(None);
        }
        let mut found = false;
        let read = scanner.each(b']', |scanner| {
            scanner.peek();
            found = equals(scanner.skip()?, wanted);
            Ok(!found)
        });
        Ok(read.ok().map(|()| found))
    })
}
