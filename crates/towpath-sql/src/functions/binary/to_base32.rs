//! `to_base32(binary)`: encoded as base32 (RFC 4648) with padding.
//!
//! <https://trino.io/docs/current/functions/binary.html#to_base32>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, check_bytes, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("to_base32").form(&[Param::Varbinary], Returns::VARCHAR, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |bytes: &[u8]| {
        check_bytes(bytes.len().saturating_mul(2))?;
        Ok(Some(to_base32(bytes)))
    })
}

/// The letters for 0 to 31.
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn to_base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let bits = (0..5).fold(0_u64, |bits, index| {
            bits << 8 | u64::from(chunk.get(index).copied().unwrap_or(0))
        });
        let letters = (chunk.len() * 8).div_ceil(5);
        for index in 0..8_usize {
            let letter = usize::try_from(bits >> (35 - 5 * index) & 31).ok();
            match letter.and_then(|letter| LETTERS.get(letter)) {
                Some(letter) if index < letters => text.push(char::from(*letter)),
                _ => text.push('='),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::to_base32;

    #[test]
    fn text_of_the_rfc_is_encoded() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "MY======"),
            ("fo", "MZXQ===="),
            ("foo", "MZXW6==="),
            ("foob", "MZXW6YQ="),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI======"),
        ] {
            assert_eq!(to_base32(plain.as_bytes()), encoded);
        }
    }
}
