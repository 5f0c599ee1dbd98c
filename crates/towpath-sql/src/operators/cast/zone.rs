//! Time zones as Trino spells them: `UTC`, `Z`, `+02:00`, `-3`, `America/New_York`.

use arrow::array::timezone::Tz;
use chrono::{NaiveDateTime, Offset, TimeZone};

/// Returns the name Arrow knows a zone by.
pub(super) fn arrow_name(zone: &str) -> Option<String> {
    if zone.eq_ignore_ascii_case("z")
        || zone.eq_ignore_ascii_case("utc")
        || zone.eq_ignore_ascii_case("gmt")
    {
        return Some("UTC".to_owned());
    }
    if let Some(minutes) = offset_minutes(zone) {
        if minutes == 0 {
            return Some("UTC".to_owned());
        }
        let sign = if minutes < 0 { '-' } else { '+' };
        let minutes = minutes.unsigned_abs();
        return Some(format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60));
    }
    let known = zone.contains('/') || zone.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (known && zone.parse::<Tz>().is_ok()).then(|| zone.to_owned())
}

/// `+02:00`, `+0200`, `+2`; Trino allows 14 hours either way.
fn offset_minutes(zone: &str) -> Option<i32> {
    let digits = zone.strip_prefix(['+', '-'])?;
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => (digits.get(..2)?, digits.get(2..)?),
        None => (digits, "0"),
    };
    let plain = |part: &str| {
        !part.is_empty() && part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit())
    };
    if !plain(hours) || !plain(minutes) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let total = hours * 60 + minutes;
    if hours > 14 || minutes > 59 || total > 14 * 60 {
        return None;
    }
    Some(if zone.starts_with('-') { -total } else { total })
}

/// Seconds east of UTC at a moment of local time. A time a clock change skips or repeats takes the
/// earlier offset.
pub(super) fn offset_of_local(zone: &str, local: NaiveDateTime) -> Option<i64> {
    if zone == "UTC" {
        return Some(0);
    }
    let zone: Tz = zone.parse().ok()?;
    let offset = zone.offset_from_local_datetime(&local).earliest();
    let offset = offset.unwrap_or_else(|| zone.offset_from_utc_datetime(&local));
    Some(i64::from(offset.fix().local_minus_utc()))
}

/// Seconds east of UTC at a moment of UTC.
pub(super) fn offset_of_utc(zone: Tz, utc: NaiveDateTime) -> i64 {
    i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc())
}
