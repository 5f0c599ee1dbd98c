//! Dates and times as `toString` of Java's `java.time` writes them, for `format('%s', …)`.

use std::fmt::Write as _;

use super::moments::{Kind, Moments};

/// A date `2020-05-10`, a time `12:34`, a timestamp `2020-05-10T12:34:56.500`, a timestamp with zone
/// `2020-05-10T12:34+02:00[Europe/Berlin]`: seconds and decimals only if there are any.
pub(crate) fn java_time_text(moments: &Moments, ticks: i64) -> String {
    let local = moments.local(ticks);
    let civil = local.civil();
    let mut text = String::new();
    // Writing to a string does not fail.
    let mut put = |arguments: std::fmt::Arguments<'_>| {
        let _infallible = text.write_fmt(arguments);
    };
    if moments.kind != Kind::Time {
        put(format_args!("{:04}-{:02}-{:02}", civil.year, civil.month, civil.day));
    }
    if moments.kind == Kind::Date {
        return text;
    }
    if moments.kind != Kind::Time {
        put(format_args!("T"));
    }
    put(format_args!("{:02}:{:02}", local.hour(), local.minute()));
    let fraction = local.nanos % 1_000_000_000;
    if local.second() > 0 || fraction > 0 {
        put(format_args!(":{:02}", local.second()));
    }
    if fraction % 1_000 > 0 {
        put(format_args!(".{fraction:09}"));
    } else if fraction % 1_000_000 > 0 {
        put(format_args!(".{:06}", fraction / 1_000));
    } else if fraction > 0 {
        put(format_args!(".{:03}", fraction / 1_000_000));
    }
    if moments.kind == Kind::TimestampTz {
        let minutes = moments.offset_seconds(ticks) / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        match minutes.abs() {
            0 => put(format_args!("Z")),
            ahead => put(format_args!("{sign}{:02}:{:02}", ahead / 60, ahead % 60)),
        }
        if !moments.zone.name.starts_with(['+', '-']) {
            put(format_args!("[{}]", moments.zone.name));
        }
    }
    text
}
