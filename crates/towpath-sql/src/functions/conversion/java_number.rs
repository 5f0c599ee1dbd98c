//! Numbers as Java writes them.

/// The significant digits of a number and its decimal exponent: 0.00123 is ("123", -3).
pub(super) fn shortest_digits(value: f64) -> (String, i32) {
    let text = format!("{:e}", value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (mantissa.replace('.', ""), exponent.parse().unwrap_or(0))
}

/// `Double.toString`: plain from 0.001 to 10,000,000, else with an exponent.
pub(super) fn double_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_infinite() {
        return format!("{sign}Infinity");
    }
    let (digits, exponent) = shortest_digits(value);
    plain_or_scientific(sign, &digits, exponent)
}

/// `Float.toString`.
pub(super) fn real_text(value: f32) -> String {
    if !value.is_finite() {
        return double_text(f64::from(value));
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let text = format!("{:e}", value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    plain_or_scientific(sign, &mantissa.replace('.', ""), exponent.parse().unwrap_or(0))
}

fn plain_or_scientific(sign: &str, digits: &str, exponent: i32) -> String {
    if digits == "0" {
        return format!("{sign}0.0");
    }
    if !(-3..7).contains(&exponent) {
        let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, ""));
        let rest = if rest.is_empty() { "0" } else { rest };
        return format!("{sign}{first}.{rest}E{exponent}");
    }
    let (whole, fraction) = point_after(digits, exponent);
    let fraction = if fraction.is_empty() { "0" } else { &fraction };
    format!("{sign}{whole}.{fraction}")
}

/// Puts the decimal point into digits: whole part and decimals.
pub(super) fn point_after(digits: &str, exponent: i32) -> (String, String) {
    let Ok(exponent) = usize::try_from(exponent) else {
        let zeros = usize::try_from(exponent.unsigned_abs()).unwrap_or(1) - 1;
        return ("0".to_owned(), "0".repeat(zeros) + digits);
    };
    match digits.split_at_checked(exponent + 1) {
        Some((whole, fraction)) => (whole.to_owned(), fraction.to_owned()),
        None => (digits.to_owned() + &"0".repeat(exponent + 1 - digits.len()), String::new()),
    }
}

/// Rounds `digits` to the first `kept`, half up; `true` says that a carry made one digit more.
pub(super) fn round_half_up(digits: &str, kept: usize) -> (String, bool) {
    let Some((head, tail)) = digits.split_at_checked(kept) else {
        return (digits.to_owned(), false);
    };
    if !tail.starts_with(['5', '6', '7', '8', '9']) {
        return (head.to_owned(), false);
    }
    let mut rounded: Vec<u8> = head.bytes().collect();
    for digit in rounded.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return (String::from_utf8(rounded).unwrap_or_default(), false);
        }
        *digit = b'0';
    }
    (String::from("1") + &String::from_utf8(rounded).unwrap_or_default(), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_written_as_in_java() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (1234567.0, "1234567.0"),
            (12345678.0, "1.2345678E7"),
            (0.001, "0.001"),
            (0.000_12, "1.2E-4"),
            (1e100, "1.0E100"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(double_text(value), text);
        }
        assert_eq!(real_text(0.1), "0.1");
        assert_eq!(real_text(1.4e-45), "1.0E-45");
    }

    #[test]
    fn halves_round_up() {
        assert_eq!(round_half_up("125", 2), ("13".to_owned(), false));
        assert_eq!(round_half_up("999", 2), ("100".to_owned(), true));
        assert_eq!(round_half_up("124", 2), ("12".to_owned(), false));
        assert_eq!(round_half_up("5", 0), ("1".to_owned(), true));
        assert_eq!(round_half_up("12", 5), ("12".to_owned(), false));
    }
}
