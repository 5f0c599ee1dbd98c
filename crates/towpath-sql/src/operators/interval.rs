//! Interval literals: `INTERVAL '1-2' YEAR TO MONTH`, `INTERVAL '1 02:03:04.5' DAY TO SECOND`.
//!
//! <https://trino.io/docs/current/language/types.html#interval-day-to-second>

/// The fields of an interval in order, with their unit: months for the first two, else
/// milliseconds.
const FIELDS: [(&str, i64); 7] = [
    ("YEAR", 12),
    ("MONTH", 1),
    ("WEEK", 7 * 86_400_000),
    ("DAY", 86_400_000),
    ("HOUR", 3_600_000),
    ("MINUTE", 60_000),
    ("SECOND", 1_000),
];

/// Returns the months or the milliseconds that the literal stands for.
pub(crate) fn parse_literal(
    text: &str,
    negative: bool,
    from: &str,
    to: Option<&str>,
) -> Result<(Option<i32>, i64), String> {
    let fault = || format!("'{text}' is not a valid INTERVAL literal");
    let index = |name: &str| FIELDS.iter().position(|(field, _)| *field == name);
    let first = index(from).ok_or_else(fault)?;
    let last = to.map_or(Some(first), index).ok_or_else(fault)?;
    if last < first || (first < 2) != (last < 2) {
        return Err(fault());
    }
    let (inner_negative, digits) = match text.trim().strip_prefix(['-', '+']) {
        Some(rest) => (text.trim().starts_with('-'), rest),
        None => (false, text.trim()),
    };
    let mut total: i64 = 0;
    let mut rest = digits;
    for at in first..=last {
        // Weeks stand alone; they are no part of DAY TO SECOND.
        if at == 2 && first != 2 {
            continue;
        }
        let Some((_, unit)) = FIELDS.get(at) else { return Err(fault()) };
        let end =
            if at == last { rest.len() } else { rest.find(separator(at)).ok_or_else(fault)? };
        let part = rest.get(..end).ok_or_else(fault)?;
        rest = rest.get(end + usize::from(at != last)..).ok_or_else(fault)?;
        let value = if at == 6 { seconds(part) } else { number(part)?.checked_mul(*unit) };
        total = value.and_then(|value| total.checked_add(value)).ok_or_else(fault)?;
    }
    if negative != inner_negative {
        total = -total;
    }
    if first < 2 {
        return Ok((Some(i32::try_from(total).map_err(|_| fault())?), 0));
    }
    Ok((None, total))
}

fn separator(field: usize) -> char {
    match field {
        0 => '-',
        3 => ' ',
        _ => ':',
    }
}

fn number(part: &str) -> Result<i64, String> {
    let plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let value = if plain { part.parse().ok() } else { None };
    value.ok_or_else(|| format!("'{part}' is not a number of an INTERVAL literal"))
}

/// Seconds with a fraction, in milliseconds; digits below are cut off.
fn seconds(part: &str) -> Option<i64> {
    let (whole, fraction) = part.split_once('.').unwrap_or((part, ""));
    let milliseconds: String = fraction.chars().chain("000".chars()).take(3).collect();
    let whole = number(whole).ok()?;
    whole.checked_mul(1_000)?.checked_add(number(&milliseconds).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_mean_months_or_milliseconds() {
        assert_eq!(parse_literal("1-2", true, "YEAR", Some("MONTH")), Ok((Some(-14), 0)));
        assert_eq!(parse_literal("-3", false, "DAY", None), Ok((None, -3 * 86_400_000)));
        let parsed = parse_literal("1 02:03:04.5", false, "DAY", Some("SECOND"));
        assert_eq!(parsed, Ok((None, 93_784_500)));
        assert!(parse_literal("x", false, "DAY", None).is_err());
        assert!(parse_literal("1", false, "DAY", Some("MONTH")).is_err());
    }
}
