//! `url_encode(value)`: escaped for use as the name or value of a query parameter: letters, digits
//! and `.-*_` stay, a space is `+`, other characters are `%XX` for each byte of their UTF-8.
//!
//! <https://trino.io/docs/current/functions/url.html#url_encode>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("url_encode").form(&[Param::Varchar], Returns::VARCHAR, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |value: &str| Ok(Some(url_encode(value))))
}

fn url_encode(value: &str) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied();
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'-' | b'*' | b'_' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            _ => {
                encoded.push('%');
                encoded.extend(digit(byte >> 4));
                encoded.extend(digit(byte & 15));
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::url_encode;

    #[test]
    fn reserved_characters_are_escaped() {
        assert_eq!(url_encode("a b&c"), "a+b%26c");
        assert_eq!(url_encode("http://test"), "http%3A%2F%2Ftest");
        assert_eq!(url_encode("テスト"), "%E3%83%86%E3%82%B9%E3%83%88");
        assert_eq!(url_encode("~@:.-*_+ "), "%7E%40%3A.-*_%2B+");
    }
}
