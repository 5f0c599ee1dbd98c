//! `url_decode(value)`: undoes `url_encode`: `+` is a space, `%XX` a byte of UTF-8.
//!
//! <https://trino.io/docs/current/functions/url.html#url_decode>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::uri::hex_pair;
use crate::functions::args::{Args, invalid, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("url_decode").form(&[Param::Varchar], Returns::VARCHAR, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |value: &str| url_decode(value).map(Some))
}

/// Decodes a form-encoded value.
///
/// # Errors
///
/// In the words of Java's `URLDecoder`, for an escape that is cut off or has no hexadecimal digits.
pub(super) fn url_decode(value: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => {
                let Some(byte) = hex_pair(*high, *low) else {
                    return Err(invalid(
                        "URLDecoder: Illegal hex characters in escape (%) pattern",
                    ));
                };
                bytes.push(byte);
                rest = after;
            }
            (b'%', _) => {
                return Err(invalid("URLDecoder: Incomplete trailing escape (%) pattern"));
            }
            _ => bytes.push(*first),
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
