//! The `%t` conversions of `format`: parts of dates and times.

use datafusion::common::Result;

use super::format_spec::{Spec, bad_format};
use super::format_value::Moment;
use crate::functions::datetime::{Civil, MONTHS, WEEKDAYS, civil_of, day_of_year, weekday};

/// Writes the part of a date or time that the letter after `%t` names.
///
/// # Errors
///
/// Trino's, for a letter Java does not know and for a part that the value has not.
pub(super) fn write(format: &str, spec: &Spec, moment: &Moment) -> Result<String> {
    let letter = spec.date_letter.unwrap_or(' ');
    let parts = Parts { moment };
    parts.write(letter).ok_or_else(|| {
        bad_format(format, &format!("UnknownFormatConversion: Conversion = 't{letter}'"))
    })
}

struct Parts<'a> {
    moment: &'a Moment,
}

impl Parts<'_> {
    /// `None` for an unknown letter or a part that is not there.
    fn write(&self, letter: char) -> Option<String> {
        match letter {
            'R' | 'T' | 'r' | 'D' | 'F' | 'c' => self.composed(letter),
            'H' | 'I' | 'k' | 'l' | 'M' | 'S' | 'L' | 'N' | 'p' => self.time(letter),
            'z' | 'Z' | 's' | 'Q' => self.zone(letter),
            _ => self.date(letter),
        }
    }

    fn composed(&self, letter: char) -> Option<String> {
        let pattern = match letter {
            'R' => "H:M",
            'T' => "H:M:S",
            'r' => "I:M:S p",
            'D' => "m/d/y",
            'F' => "Y-m-d",
            _ => "a b d H:M:S Z Y",
        };
        let mut text = String::new();
        for one in pattern.chars() {
            match one {
                ':' | '/' | '-' | ' ' => text.push(one),
                'p' => text.push_str(&self.write('p')?.to_uppercase()),
                _ => text.push_str(&self.write(one)?),
            }
        }
        Some(text)
    }

    fn time(&self, letter: char) -> Option<String> {
        let nanos = self.moment.nanos?;
        let (hour, minute) = (nanos / 3_600_000_000_000, nanos / 60_000_000_000 % 60);
        let twelve = (hour + 11) % 12 + 1;
        Some(match letter {
            'H' => format!("{hour:02}"),
            'I' => format!("{twelve:02}"),
            'k' => format!("{hour}"),
            'l' => format!("{twelve}"),
            'M' => format!("{minute:02}"),
            'S' => format!("{:02}", nanos / 1_000_000_000 % 60),
            'L' => format!("{:03}", nanos / 1_000_000 % 1_000),
            'N' => format!("{:09}", nanos % 1_000_000_000),
            _ => if hour < 12 { "am" } else { "pm" }.to_owned(),
        })
    }

    fn zone(&self, letter: char) -> Option<String> {
        let (offset, name) = self.moment.zone.as_ref()?;
        let seconds = self.moment.days? * 86_400 + self.moment.nanos? / 1_000_000_000 - offset;
        Some(match letter {
            'z' => {
                let sign = if *offset < 0 { '-' } else { '+' };
                let minutes = offset.abs() / 60;
                format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
            }
            'Z' => name.clone(),
            's' => seconds.to_string(),
            _ => (seconds * 1_000 + self.moment.nanos? / 1_000_000 % 1_000).to_string(),
        })
    }

    fn date(&self, letter: char) -> Option<String> {
        let days = self.moment.days?;
        let Civil { year, month, day } = civil_of(days);
        let name = |names: &[&str], number: i64| {
            let index = usize::try_from(number - 1).ok()?;
            names.get(index).map(|name| (*name).to_owned())
        };
        let short = |name: String| name.get(..3).map(str::to_owned);
        Some(match letter {
            'B' => name(&MONTHS, month)?,
            'b' | 'h' => short(name(&MONTHS, month)?)?,
            'A' => name(&WEEKDAYS, weekday(days))?,
            'a' => short(name(&WEEKDAYS, weekday(days))?)?,
            'C' => format!("{:02}", year / 100),
            'Y' => format!("{year:04}"),
            'y' => format!("{:02}", year.rem_euclid(100)),
            'j' => format!("{:03}", day_of_year(days)),
            'm' => format!("{month:02}"),
            'd' => format!("{day:02}"),
            'e' => format!("{day}"),
            _ => return None,
        })
    }
}
