//! `to_iso8601(x)`: a date, timestamp or timestamp with time zone as ISO 8601 text, with as many
//! decimals as `x` has.
//!
//! <https://trino.io/docs/current/functions/datetime.html#to_iso8601>

use std::fmt::Write as _;

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::moments::{Kind, Moments};
use crate::functions::args::{Args, collect};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("to_iso8601")
        .form(&[Param::Date], Returns::VARCHAR, evaluate)
        .form(&[Param::Timestamp], Returns::VARCHAR, evaluate)
        .form(&[Param::TimestampTz], Returns::VARCHAR, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = Moments::of(args, 0)?;
    collect(args.rows, |row| Ok(moments.get(row).map(|ticks| iso8601(&moments, ticks))))
}

fn iso8601(moments: &Moments, ticks: i64) -> String {
    let local = moments.local(ticks);
    let civil = local.civil();
    let mut text = String::with_capacity(35);
    // Writing to a string does not fail.
    let mut put = |arguments: std::fmt::Arguments<'_>| {
        let _infallible = text.write_fmt(arguments);
    };
    put(format_args!("{:04}-{:02}-{:02}", civil.year, civil.month, civil.day));
    if moments.kind == Kind::Date {
        return text;
    }
    put(format_args!("T{:02}:{:02}:{:02}", local.hour(), local.minute(), local.second()));
    let fraction = local.nanos % 1_000_000_000;
    match moments.second_ticks() {
        1 => {}
        1_000 => put(format_args!(".{:03}", fraction / 1_000_000)),
        1_000_000 => put(format_args!(".{:06}", fraction / 1_000)),
        _ => put(format_args!(".{fraction:09}")),
    }
    if moments.kind == Kind::TimestampTz {
        let minutes = moments.offset_seconds(ticks) / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        match minutes.abs() {
            0 => put(format_args!("Z")),
            ahead => put(format_args!("{sign}{:02}:{:02}", ahead / 60, ahead % 60)),
        }
    }
    text
}
