//! Time zones by Trino's names: `UTC`, `America/Los_Angeles`, `+05:30`, `UTC+8`.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::timezone::{Tz, TzOffset};
use chrono::{DateTime, NaiveDateTime, Offset as _, TimeZone as _};
use datafusion::common::Result;

use crate::functions::args::invalid;

/// Furthest a fixed offset may be from UTC, in minutes: 14 hours, as in Trino.
const OFFSET_MINUTES_MAX: i64 = 14 * 60;

/// A time zone and the name that Arrow keeps in the type of a column.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    pub(crate) name: Arc<str>,
    tz: Option<Tz>,
}

impl Zone {
    /// UTC.
    pub(super) fn utc() -> Zone {
        Zone { name: "UTC".into(), tz: None }
    }

    /// The zone of that name.
    ///
    /// # Errors
    ///
    /// Trino's, for a zone it does not know.
    pub(super) fn named(name: &str) -> Result<Zone> {
        let unknown = || invalid(format!("Time zone not supported: {name}"));
        let trimmed = ["UTC", "GMT", "UT"]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix))
            .filter(|rest| rest.starts_with(['+', '-']))
            .unwrap_or(name);
        if trimmed.starts_with(['+', '-']) {
            return Zone::fixed(offset_minutes(trimmed).ok_or_else(unknown)?);
        }
        match name {
            "Z" | "UTC" | "GMT" | "UT" | "Etc/UTC" | "Etc/GMT" | "Zulu" | "Etc/Zulu" | "GMT0"
            | "Etc/UCT" | "UCT" | "Universal" | "Etc/Universal" | "Greenwich" | "Etc/Greenwich" => {
                return Ok(Zone::utc());
            }
            _ => {}
        }
        let known = name.parse::<chrono_tz::Tz>().map_err(|_| unknown())?;
        let tz = known.name().parse::<Tz>().map_err(|_| unknown())?;
        Ok(Zone { name: known.name().into(), tz: Some(tz) })
    }

    /// The zone that is always `minutes` ahead of UTC.
    ///
    /// # Errors
    ///
    /// Trino's, for an offset of more than 14 hours.
    pub(super) fn fixed(minutes: i64) -> Result<Zone> {
        if minutes == 0 {
            return Ok(Zone::utc());
        }
        if !(-OFFSET_MINUTES_MAX..=OFFSET_MINUTES_MAX).contains(&minutes) {
            return Err(invalid(format!("Invalid offset minutes {minutes}")));
        }
        let mut name = String::new();
        let sign = if minutes < 0 { '-' } else { '+' };
        // Writing to a string does not fail.
        let _infallible = write!(name, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
        let tz = name.parse::<Tz>().map_err(|_| invalid(format!("Invalid offset {name}")))?;
        Ok(Zone { name: name.into(), tz: Some(tz) })
    }

    /// The zone in the type of a column.
    pub(super) fn of_column(name: &str) -> Result<Zone> {
        Zone::named(name)
    }

    /// Seconds ahead of UTC at a second since 1970.
    pub(super) fn offset_at(&self, epoch_second: i64) -> i64 {
        let Some(tz) = self.tz else { return 0 };
        match DateTime::from_timestamp(epoch_second, 0) {
            Some(instant) => {
                i64::from(tz.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc())
            }
            None => 0,
        }
    }

    /// Seconds ahead of UTC at a local second. Where clocks were set back the offset `preferred` is
    /// taken if it is one of the two, else the first; where they were set forward, the one before.
    pub(super) fn offset_at_local(&self, local_second: i64, preferred: Option<i64>) -> i64 {
        let Some(tz) = self.tz else { return 0 };
        let Some(local) = DateTime::from_timestamp(local_second, 0) else { return 0 };
        let local: NaiveDateTime = local.naive_utc();
        let seconds = |offset: &TzOffset| i64::from(offset.fix().local_minus_utc());
        match tz.offset_from_local_datetime(&local) {
            chrono::LocalResult::Single(only) => seconds(&only),
            chrono::LocalResult::Ambiguous(first, second) => {
                if preferred == Some(seconds(&second)) { seconds(&second) } else { seconds(&first) }
            }
            chrono::LocalResult::None => self.offset_at(local_second.saturating_sub(86_400)),
        }
    }
}

/// The minutes of an offset such as `+05:30`, `-0800` or `+8`.
fn offset_minutes(text: &str) -> Option<i64> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = text.strip_prefix(['+', '-'])?;
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let number = |text: &str| {
        let plain = !text.is_empty() && text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<i64>().ok().filter(|_| plain)
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (minutes < 60).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_have_many_names() {
        for (name, kept) in [
            ("utc+8", None),
            ("UTC+8", Some("+08:00")),
            ("+0530", Some("+05:30")),
            ("-00:00", Some("UTC")),
            ("America/Los_Angeles", Some("America/Los_Angeles")),
            ("Z", Some("UTC")),
            ("Mars/Olympus", None),
            ("+15:00", None),
            ("+1:2:3", None),
        ] {
            assert_eq!(
                Zone::named(name).ok().map(|zone| zone.name.to_string()).as_deref(),
                kept,
                "{name}"
            );
        }
    }

    #[test]
    fn offsets_follow_the_clocks() {
        let zone = Zone::named("America/New_York").unwrap();
        assert_eq!(zone.offset_at(1_674_406_433), -5 * 3_600);
        assert_eq!(zone.offset_at(1_690_000_000), -4 * 3_600);
        // 2023-11-05 01:30 happened twice, 2023-03-12 02:30 did not happen.
        assert_eq!(zone.offset_at_local(1_699_147_800, None), -4 * 3_600);
        assert_eq!(zone.offset_at_local(1_699_147_800, Some(-5 * 3_600)), -5 * 3_600);
        assert_eq!(zone.offset_at_local(1_678_588_200, None), -5 * 3_600);
        assert_eq!(zone.offset_at(i64::MAX), 0);
    }
}
