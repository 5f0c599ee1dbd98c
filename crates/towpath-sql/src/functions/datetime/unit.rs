//! The units that `date_trunc`, `date_add` and `date_diff` count in.

use datafusion::common::{DataFusionError, Result};

use super::moments::Kind;
use crate::functions::args::{Args, Strings, invalid};

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    /// The unit of that name, in any case.
    ///
    /// # Errors
    ///
    /// Trino's, for a name that is no unit or none for the kind of value.
    pub(super) fn named(name: &str, kind: Kind) -> Result<Unit> {
        let lower = name.to_lowercase();
        let unit = match lower.as_str() {
            "millisecond" => Unit::Millisecond,
            "second" => Unit::Second,
            "minute" => Unit::Minute,
            "hour" => Unit::Hour,
            "day" => Unit::Day,
            "week" => Unit::Week,
            "month" => Unit::Month,
            "quarter" => Unit::Quarter,
            "year" => Unit::Year,
            _ => return Err(no_field(&lower, kind)),
        };
        match (kind, unit.is_of_day()) {
            (Kind::Date, true) | (Kind::Time, false) => Err(no_field(&lower, kind)),
            _ => Ok(unit),
        }
    }

    /// Whether it is shorter than a day.
    pub(super) fn is_of_day(self) -> bool {
        self.millis().is_some_and(|millis| millis < 86_400_000)
    }

    /// The unit in milliseconds, for those that are always of one length.
    pub(super) fn millis(self) -> Option<i64> {
        match self {
            Unit::Millisecond => Some(1),
            Unit::Second => Some(1_000),
            Unit::Minute => Some(60_000),
            Unit::Hour => Some(3_600_000),
            Unit::Day => Some(86_400_000),
            Unit::Week => Some(7 * 86_400_000),
            Unit::Month | Unit::Quarter | Unit::Year => None,
        }
    }

    /// The unit in months, for those that are.
    pub(super) fn months(self) -> Option<i64> {
        match self {
            Unit::Month => Some(1),
            Unit::Quarter => Some(3),
            Unit::Year => Some(12),
            _ => None,
        }
    }
}

fn no_field(name: &str, kind: Kind) -> DataFusionError {
    let kind = match kind {
        Kind::Date => "DATE",
        Kind::Time => "TIME",
        Kind::Timestamp | Kind::TimestampTz => "TIMESTAMP",
    };
    invalid(format!("'{name}' is not a valid {kind} field"))
}

/// The unit argument of a call: read once if constant.
#[derive(Debug)]
pub(super) enum Units<'a> {
    Constant(Option<Unit>),
    Rows(Strings<'a>, Kind),
}

impl<'a> Units<'a> {
    /// Reads argument `index` as units for values of `kind`.
    pub(super) fn of(args: &Args<'a>, index: usize, kind: Kind) -> Result<Units<'a>> {
        match args.constant::<&str>(index)? {
            Some(name) => {
                Ok(Units::Constant(name.map(|name| Unit::named(name, kind)).transpose()?))
            }
            None => Ok(Units::Rows(args.column::<&str>(index)?, kind)),
        }
    }

    /// The unit of a row, `None` for NULL.
    pub(super) fn get(&self, row: usize) -> Result<Option<Unit>> {
        match self {
            Units::Constant(unit) => Ok(*unit),
            Units::Rows(names, kind) => {
                names.get(row).map(|name| Unit::named(name, *kind)).transpose()
            }
        }
    }
}
