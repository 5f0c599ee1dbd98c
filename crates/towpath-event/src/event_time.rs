//! Times as CloudTrail writes them.

const MICROS_PER_SECOND: i64 = 1_000_000;

/// Reads a time as microseconds since 1970-01-01T00:00:00Z, or `None` if `text` is not a time.
///
/// Accepted, with the examples CloudTrail and its emulators gave: `2023-07-10T12:00:00Z`;
/// fractions, cut after microseconds (`2023-07-10T12:00:00.123456789Z`); offsets
/// (`2023-07-10T14:00:00+02:00`, `+0200`, `+02`); the compact form (`20131102T010628Z`); a space or
/// a small `t` instead of `T`, a small `z`. A time without zone is UTC. A leap second (`:60`) is the
/// first moment of the next minute. Years are 0000 to 9999.
pub fn parse_event_time(text: &str) -> Option<i64> {
    parse_bytes(text.as_bytes())
}

/// As [`parse_event_time`]; what is not a time need not even be text.
pub(crate) fn parse_bytes(text: &[u8]) -> Option<i64> {
    let mut rest = text;
    let year = digits(&mut rest, 4)?;
    let extended = eat(&mut rest, b'-');
    let month = digits(&mut rest, 2)?;
    separator(&mut rest, extended, b'-')?;
    let day = digits(&mut rest, 2)?;
    if !(eat(&mut rest, b'T') || eat(&mut rest, b't') || eat(&mut rest, b' ')) {
        return None;
    }
    let hour = digits(&mut rest, 2)?;
    separator(&mut rest, extended, b':')?;
    let minute = digits(&mut rest, 2)?;
    separator(&mut rest, extended, b':')?;
    let second = digits(&mut rest, 2)?;
    let micros = fraction(&mut rest)?;
    let offset_seconds = offset(rest)?;
    let in_range = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour <= 23
        && minute <= 59
        && second <= 60;
    if !in_range {
        return None;
    }
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some((seconds - offset_seconds) * MICROS_PER_SECOND + micros)
}

/// Bytes of a time as nearly all events have it: `2023-07-10T12:00:00Z`.
const PLAIN_BYTES: usize = 20;

/// Whether `text`, which is a time, is what [`write_plain`] makes of it.
#[inline]
pub(crate) fn is_plain(text: &[u8]) -> bool {
    // A leap second would come back as the first of the next minute.
    text.len() == PLAIN_BYTES
        && [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')]
            .into_iter()
            .all(|(place, byte)| text.get(place) == Some(&byte))
        && text.get(17) != Some(&b'6')
}

/// Appends a time as nearly all events have it, `2023-07-10T12:00:00Z`, or returns `None` if it
/// cannot be written so: with a fraction of a second, or outside of the years 0000 to 9999.
pub(crate) fn write_plain(micros: i64, out: &mut Vec<u8>) -> Option<()> {
    let seconds = micros.div_euclid(MICROS_PER_SECOND);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date_of(days);
    if micros.rem_euclid(MICROS_PER_SECOND) != 0 || !(0..=9999).contains(&year) {
        return None;
    }
    let numbers = [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day, 2, b'T'),
        (second / 3_600, 2, b':'),
        (second / 60 % 60, 2, b':'),
        (second % 60, 2, b'Z'),
    ];
    for (number, digits, separator) in numbers {
        let powers = [1_000, 100, 10, 1].into_iter().skip(4 - digits);
        out.extend(
            powers.filter_map(|power| u8::try_from(number / power % 10).ok()).map(|d| b'0' + d),
        );
        out.push(separator);
    }
    Some(())
}

/// Takes `count` decimal digits.
fn digits(rest: &mut &[u8], count: usize) -> Option<i64> {
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    taken.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
    })
}

/// Takes `byte` if it is next.
fn eat(rest: &mut &[u8], byte: u8) -> bool {
    match rest.split_first() {
        Some((first, after)) if *first == byte => {
            *rest = after;
            true
        }
        _ => false,
    }
}

/// Takes the separator that the extended form has and the compact form has not.
fn separator(rest: &mut &[u8], extended: bool, byte: u8) -> Option<()> {
    (!extended || eat(rest, byte)).then_some(())
}

/// Takes a fraction of a second, if there is one, in microseconds.
fn fraction(rest: &mut &[u8]) -> Option<i64> {
    if !(eat(rest, b'.') || eat(rest, b',')) {
        return Some(0);
    }
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    let six = taken.iter().copied().chain([b'0'; 6]).take(6);
    let micros = six.fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0'));
    (length > 0).then_some(micros)
}

/// Reads all that is left as a zone: how many seconds it is ahead of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    let mut rest = zone;
    let sign = match rest.split_first() {
        None | Some((b'Z' | b'z', [])) => return Some(0),
        Some((b'+', after)) => {
            rest = after;
            1
        }
        Some((b'-', after)) => {
            rest = after;
            -1
        }
        Some(_) => return None,
    };
    let hours = digits(&mut rest, 2)?;
    let has_minutes = eat(&mut rest, b':') || !rest.is_empty();
    let minutes = if has_minutes { digits(&mut rest, 2)? } else { 0 };
    (rest.is_empty() && hours <= 23 && minutes <= 59)
        .then_some(sign * (hours * 3_600 + minutes * 60))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar, counting years from March so that the
/// leap day comes last: <https://howardhinnant.github.io/date_algorithms.html#days_from_civil>.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The reverse of [`days_since_1970`]: year, month and day.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{is_plain, parse_event_time, write_plain};

    fn plain(micros: i64) -> Option<String> {
        let mut text = Vec::new();
        write_plain(micros, &mut text)?;
        Some(String::from_utf8(text).unwrap())
    }

    #[test]
    fn a_plain_time_comes_back_exactly() {
        let mut day = parse_event_time("0000-01-01T00:00:00Z").unwrap();
        while let Some(text) = plain(day) {
            assert!(is_plain(text.as_bytes()));
            assert_eq!(parse_event_time(&text), Some(day));
            day += 86_400_000_000 + 1_000_000;
        }
        assert_eq!(parse_event_time("9999-12-31T23:59:59Z").map(|last| day > last), Some(true));
        for text in ["0000-01-01T00:00:00Z", "2024-02-29T23:59:59Z", "9999-12-31T23:59:59Z"] {
            assert_eq!(plain(parse_event_time(text).unwrap()).as_deref(), Some(text));
        }
        assert_eq!(plain(1), None);
    }

    #[test]
    fn other_forms_of_a_time_are_not_plain() {
        for text in [
            "2023-07-10T12:00:60Z",
            "2023-07-10T12:00:00z",
            "2023-07-10 12:00:00Z",
            "20230710T120000+0200",
            "2023-07-10T12:00:00.0Z",
            "2023-07-10T12:00:00+02",
        ] {
            assert!(!is_plain(text.as_bytes()), "{text}");
        }
    }

    const NOON: i64 = 1_688_990_400_000_000;

    #[test]
    fn every_form_of_one_moment_gives_the_same_number() {
        for text in [
            "2023-07-10T12:00:00Z",
            "2023-07-10T12:00:00z",
            "2023-07-10t12:00:00",
            "2023-07-10 12:00:00",
            "2023-07-10T12:00:00.000Z",
            "2023-07-10T12:00:00.0000009Z",
            "2023-07-10T14:00:00+02:00",
            "2023-07-10T14:00:00+0200",
            "2023-07-10T14:00:00+02",
            "2023-07-10T06:30:00-05:30",
            "2023-07-10T12:00:00-00:00",
            "20230710T120000Z",
            "20230710T140000+0200",
            "2023-07-10T11:59:60Z",
        ] {
            assert_eq!(parse_event_time(text), Some(NOON), "{text}");
        }
    }

    #[test]
    fn known_moments_are_exact() {
        for (text, micros) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.5Z", -500_000),
            ("20131102T010628Z", 1_383_354_388_000_000),
            ("2024-02-29T23:59:59.123456Z", 1_709_251_199_123_456),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000),
            ("0000-03-01T00:00:00Z", -62_162_035_200_000_000),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ] {
            assert_eq!(parse_event_time(text), Some(micros), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "2023-07-10",
            "2023-07-10T12:00Z",
            "2023-07-10T12:00:00.Z",
            "2023-07-10T12:00:00ZZ",
            "2023-07-10T12:00:00Z ",
            " 2023-07-10T12:00:00Z",
            "2023-07-10T12:00:00+",
            "2023-07-10T12:00:00+2",
            "2023-07-10T12:00:00+02:",
            "2023-07-10T12:00:00+24:00",
            "2023-13-01T00:00:00Z",
            "2023-00-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2023-07-00T00:00:00Z",
            "2023-07-10T24:00:00Z",
            "2023-07-10T12:60:00Z",
            "2023-07-10T12:00:61Z",
            "2023-0710T12:00:00Z",
            "202307-10T12:00:00Z",
            "+023-07-10T12:00:00Z",
            "2023-07-10T12:00:00\u{ff10}Z",
            "1688990400",
        ] {
            assert_eq!(parse_event_time(text), None, "{text}");
        }
    }
}
