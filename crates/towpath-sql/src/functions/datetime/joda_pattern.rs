//! The patterns of Joda-Time that `format_datetime` and `parse_datetime` take:
//! `yyyy-MM-dd HH:mm:ss.SSS ZZ`.

use datafusion::common::Result;

use super::date_fields::DateField;
use super::date_pattern::{DatePattern, Part};
use crate::functions::args::invalid;

/// The first of the hundred years that `yy` stands for. (Joda goes by today's year, which would
/// give a query another meaning every year.)
const FIRST_TWO_DIGIT_YEAR: i64 = 1950;

/// Longest run of one letter, so that a pattern cannot ask for endless zeros.
const RUN_MAX: usize = 100;

/// Compiles a pattern.
///
/// # Errors
///
/// For a letter that Joda does not know, in its words.
pub(super) fn compile(pattern: &str) -> Result<DatePattern> {
    let tokens = tokens(pattern)?;
    let mut parts = Vec::with_capacity(tokens.len());
    for (index, token) in tokens.iter().enumerate() {
        match token {
            Token::Literal(text) => parts.push(Part::Literal(text.clone())),
            Token::Letters(letter, count) => {
                let before_number = tokens.get(index + 1).is_some_and(Token::is_numeric);
                parts.push(part_of(*letter, *count, before_number)?);
            }
        }
    }
    if parts.is_empty() {
        return Err(invalid("Invalid pattern specification"));
    }
    Ok(DatePattern::new(parts))
}

enum Token {
    Literal(String),
    Letters(char, usize),
}

impl Token {
    fn is_numeric(&self) -> bool {
        match self {
            Token::Literal(_) => false,
            Token::Letters('M', count) => *count <= 2,
            Token::Letters(letter, _) => "cCxwyYdDehHmsSkK".contains(*letter),
        }
    }
}

fn tokens(pattern: &str) -> Result<Vec<Token>> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = pattern.chars().peekable();
    let mut quoted = false;
    while let Some(character) = rest.next() {
        if character == '\'' {
            if rest.next_if_eq(&'\'').is_some() {
                push_literal('\'', &mut tokens);
            } else {
                quoted = !quoted;
            }
        } else if quoted || !character.is_ascii_alphabetic() {
            push_literal(character, &mut tokens);
        } else {
            let mut count = 1;
            while rest.next_if_eq(&character).is_some() {
                count += 1;
            }
            if count > RUN_MAX {
                return Err(invalid(format!("Illegal pattern component: {character}")));
            }
            tokens.push(Token::Letters(character, count));
        }
    }
    Ok(tokens)
}

fn push_literal(character: char, tokens: &mut Vec<Token>) {
    if let Some(Token::Literal(text)) = tokens.last_mut() {
        text.push(character);
    } else {
        tokens.push(Token::Literal(character.into()));
    }
}

fn part_of(letter: char, count: usize, before_number: bool) -> Result<Part> {
    let number = |field, most: usize| Part::Number { field, least: count, most: most.max(count) };
    let year = |field| {
        if count == 2 {
            return Part::TwoDigitYear {
                field,
                first: FIRST_TWO_DIGIT_YEAR,
                lenient: !before_number,
            };
        }
        // Before another number only as many digits as there are letters are the year's.
        Part::Number { field, least: count, most: if before_number { count } else { 9 } }
    };
    Ok(match letter {
        'G' => Part::Name { field: DateField::Era, short: false },
        'C' => number(DateField::Century, count),
        'y' => year(DateField::Year),
        'Y' => year(DateField::YearOfEra),
        'x' => year(DateField::Weekyear),
        'M' if count >= 3 => Part::Name { field: DateField::Month, short: count == 3 },
        'M' => number(DateField::Month, 2),
        'd' => number(DateField::DayOfMonth, 2),
        'a' => Part::Name { field: DateField::Halfday, short: false },
        'h' => number(DateField::ClockHourOfHalfday, 2),
        'H' => number(DateField::Hour, 2),
        'k' => number(DateField::ClockHour, 2),
        'K' => number(DateField::HourOfHalfday, 2),
        'm' => number(DateField::Minute, 2),
        's' => number(DateField::Second, 2),
        'S' => Part::Fraction { least: count, most: count },
        'e' => number(DateField::DayOfWeek, 1),
        'E' => Part::Name { field: DateField::DayOfWeek, short: count < 4 },
        'D' => number(DateField::DayOfYear, 3),
        'w' => number(DateField::Week, 2),
        'z' => Part::ZoneName,
        'Z' if count >= 3 => Part::ZoneId,
        'Z' => Part::Offset { colon: count == 2 },
        other => return Err(invalid(format!("Illegal pattern component: {other}"))),
    })
}
