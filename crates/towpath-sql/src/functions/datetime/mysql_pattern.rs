//! The patterns of `MySQL` that `date_format` and `date_parse` take: `%Y-%m-%d %H:%i:%s`.

use datafusion::common::Result;

use super::date_fields::DateField;
use super::date_pattern::{DatePattern, Part};
use crate::functions::args::invalid;

/// The first of the hundred years that `%y` stands for.
const FIRST_TWO_DIGIT_YEAR: i64 = 1970;

/// Compiles a pattern.
///
/// # Errors
///
/// Trino's, for the letters of `MySQL` that it does not support.
pub(super) fn compile(pattern: &str) -> Result<DatePattern> {
    let mut parts = Vec::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character == '%' {
            // A lone % at the end is dropped, as in Trino.
            if let Some(letter) = characters.next() {
                push(letter, &mut parts)?;
            }
        } else {
            literal(character, &mut parts);
        }
    }
    Ok(DatePattern::new(parts))
}

fn literal(character: char, parts: &mut Vec<Part>) {
    if let Some(Part::Literal(text)) = parts.last_mut() {
        text.push(character);
    } else {
        parts.push(Part::Literal(character.into()));
    }
}

fn push(letter: char, parts: &mut Vec<Part>) -> Result<()> {
    let number = |field, least, most| Part::Number { field, least, most };
    let part = match letter {
        'a' => Part::Name { field: DateField::DayOfWeek, short: true },
        'b' => Part::Name { field: DateField::Month, short: true },
        'c' => number(DateField::Month, 1, 2),
        'd' => number(DateField::DayOfMonth, 2, 2),
        'e' => number(DateField::DayOfMonth, 1, 2),
        'f' => Part::Fraction { least: 6, most: 9 },
        'H' => number(DateField::Hour, 2, 2),
        'h' | 'I' => number(DateField::ClockHourOfHalfday, 2, 2),
        'i' => number(DateField::Minute, 2, 2),
        'j' => number(DateField::DayOfYear, 3, 3),
        'k' => number(DateField::Hour, 1, 2),
        'l' => number(DateField::ClockHourOfHalfday, 1, 2),
        'M' => Part::Name { field: DateField::Month, short: false },
        'm' => number(DateField::Month, 2, 2),
        'p' => Part::Name { field: DateField::Halfday, short: false },
        'r' | 'T' => return push_time(letter == 'r', parts),
        'S' | 's' => number(DateField::Second, 2, 2),
        'v' => number(DateField::Week, 2, 2),
        'x' => number(DateField::Weekyear, 4, 4),
        'W' => Part::Name { field: DateField::DayOfWeek, short: false },
        'Y' => number(DateField::Year, 4, 4),
        'y' => Part::TwoDigitYear {
            field: DateField::Year,
            first: FIRST_TWO_DIGIT_YEAR,
            lenient: false,
        },
        'w' | 'U' | 'u' | 'V' | 'X' | 'D' => {
            return Err(invalid(format!("%{letter} not supported in date format string")));
        }
        other => {
            literal(other, parts);
            return Ok(());
        }
    };
    parts.push(part);
    Ok(())
}

/// `%T`, or `%r` with twelve hours.
fn push_time(halfday: bool, parts: &mut Vec<Part>) -> Result<()> {
    push(if halfday { 'h' } else { 'H' }, parts)?;
    literal(':', parts);
    push('i', parts)?;
    literal(':', parts);
    push('s', parts)?;
    if halfday {
        literal(' ', parts);
        push('p', parts)?;
    }
    Ok(())
}
