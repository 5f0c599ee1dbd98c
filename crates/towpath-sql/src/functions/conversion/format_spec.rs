//! Java's format strings, taken apart: `%[index$][flags][width][.precision]conversion`.

use datafusion::common::{DataFusionError, Result};

use crate::functions::args::invalid;

/// Widest field and most decimals; wider ones are refused before anything is built.
pub(super) const WIDTH_MAX: usize = 1024 * 1024;

/// A piece of a format string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text that stands for itself.
    Text(String),
    /// An argument to be formatted.
    Field(Spec),
}

/// How an argument is formatted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spec {
    /// Which argument, from 0.
    pub(super) argument: usize,
    /// The flags, of `-#+ 0,(`.
    pub(super) flags: String,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    /// The letter; for dates `t` or `T`.
    pub(super) conversion: char,
    /// The letter after `t`.
    pub(super) date_letter: Option<char>,
    /// The specifier as written, for errors.
    pub(super) text: String,
}

impl Spec {
    pub(super) fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }
}

/// An error of a format string, in Trino's words.
pub(super) fn bad_format(format: &str, cause: &str) -> DataFusionError {
    invalid(format!("Invalid format string: {format} ({cause})"))
}

/// Takes a format string apart.
///
/// # Errors
///
/// Trino's, with Java's cause.
pub(super) fn parse(format: &str) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut ordinary = 0;
    let mut last = None;
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('%') {
        push_text(before, &mut pieces);
        let (mut spec, index, left) = read_spec(format, after)?;
        rest = left;
        match spec.conversion {
            '%' | 'n' => {
                let plain = if spec.conversion == '%' { "%" } else { "\n" };
                push_text(&super::format_value::pad(plain.to_owned(), &spec)?, &mut pieces);
                continue;
            }
            _ => {}
        }
        spec.argument = match index {
            Index::Number(number) => number,
            Index::Same => last.ok_or_else(|| {
                bad_format(
                    format,
                    &format!("MissingFormatArgument: Format specifier '{}'", spec.text),
                )
            })?,
            Index::Next => {
                ordinary += 1;
                ordinary - 1
            }
        };
        last = Some(spec.argument);
        pieces.push(Piece::Field(spec));
    }
    push_text(rest, &mut pieces);
    Ok(pieces)
}

fn push_text(text: &str, pieces: &mut Vec<Piece>) {
    if let Some(Piece::Text(before)) = pieces.last_mut() {
        before.push_str(text);
    } else if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

/// Which argument a specifier names.
enum Index {
    Next,
    Same,
    Number(usize),
}

/// Reads a specifier after its `%`: it, its argument, and what is left.
fn read_spec<'f>(format: &str, text: &'f str) -> Result<(Spec, Index, &'f str)> {
    let mut rest = text;
    let mut spec = Spec::default();
    let mut index = Index::Next;
    if let Some(after) = rest.strip_prefix('<') {
        index = Index::Same;
        rest = after;
    } else if let Some((number, after)) = rest.split_once('$')
        && let Some(number) = plain_number(number).and_then(|number| number.checked_sub(1))
    {
        index = Index::Number(number);
        rest = after;
    }
    let flags = rest.len() - rest.trim_start_matches(['-', '#', '+', ' ', '0', ',', '(']).len();
    let (found, after) = rest.split_at_checked(flags).unwrap_or(("", rest));
    found.clone_into(&mut spec.flags);
    let (width, after) = read_number(format, after)?;
    spec.width = width;
    rest = after;
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, after) = read_number(format, after)?;
        if precision.is_none() {
            return Err(unknown(format, '.'));
        }
        spec.precision = precision;
        rest = after;
    }
    let mut letters = rest.chars();
    let Some(conversion) = letters.next() else { return Err(unknown(format, '%')) };
    spec.conversion = conversion;
    if matches!(conversion, 't' | 'T') {
        spec.date_letter = letters.next();
        if spec.date_letter.is_none() {
            return Err(unknown(format, conversion));
        }
    } else if !"bBhHsScCdoxXeEfgG%n".contains(conversion) {
        return Err(unknown(format, conversion));
    }
    rest = letters.as_str();
    let used = text.get(..text.len() - rest.len()).unwrap_or("");
    spec.text = format!("%{used}");
    if spec.has('-') && spec.width.is_none() {
        return Err(bad_format(format, &format!("MissingFormatWidth: {}", spec.text)));
    }
    Ok((spec, index, rest))
}

fn unknown(format: &str, conversion: char) -> DataFusionError {
    bad_format(format, &format!("UnknownFormatConversion: Conversion = '{conversion}'"))
}

fn plain_number(text: &str) -> Option<usize> {
    let plain =
        !text.is_empty() && text.len() < 7 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// A number of bounded size at the start of `text`, if there is one.
fn read_number<'f>(format: &str, text: &'f str) -> Result<(Option<usize>, &'f str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(length).unwrap_or(("", text));
    if digits.is_empty() {
        return Ok((None, rest));
    }
    match digits.parse::<usize>() {
        Ok(number) if number <= WIDTH_MAX => Ok((Some(number), rest)),
        _ => Err(bad_format(format, &format!("IllegalFormatWidth: {digits}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifiers_are_taken_apart() {
        let pieces = parse("a%2$-,8.3fb%%%s%<s").unwrap();
        let Some(Piece::Field(spec)) = pieces.get(1) else { panic!("{pieces:?}") };
        assert_eq!((spec.argument, spec.flags.as_str()), (1, "-,"));
        assert_eq!((spec.width, spec.precision, spec.conversion), (Some(8), Some(3), 'f'));
        assert_eq!(pieces.get(2), Some(&Piece::Text("b%".to_owned())));
        let arguments: Vec<usize> = pieces
            .iter()
            .filter_map(
                |piece| if let Piece::Field(spec) = piece { Some(spec.argument) } else { None },
            )
            .collect();
        assert_eq!(arguments, [1, 0, 0]);
        for broken in ["%", "%y", "%-d", "%.f", "%t", "%<s", "%99999999999s"] {
            assert!(parse(broken).is_err(), "{broken}");
        }
    }
}
