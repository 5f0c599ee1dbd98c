//! `from_base32(string)`: the bytes of base32 text (RFC 4648), padded or not. Takes a varbinary too.
//!
//! <https://trino.io/docs/current/functions/binary.html#from_base32>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, invalid, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("from_base32").form(&[Param::Varchar], Returns::VARBINARY, text).form(
        &[Param::Varbinary],
        Returns::VARBINARY,
        bytes,
    )
}

fn text(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |text: &str| from_base32(text.as_bytes()).map(Some))
}

fn bytes(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |text: &[u8]| from_base32(text).map(Some))
}

fn from_base32(text: &[u8]) -> Result<Vec<u8>> {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let letters = text.get(..text.len() - padding).unwrap_or(text);
    if matches!(letters.len() % 8, 1 | 3 | 6) {
        return Err(invalid(format!("Invalid input length {}", letters.len())));
    }
    let mut bytes = Vec::with_capacity(letters.len() * 5 / 8);
    for chunk in letters.chunks(8) {
        let mut bits = 0_u64;
        for index in 0..8 {
            bits = bits << 5 | chunk.get(index).copied().map_or(Ok(0), value_of)?;
        }
        let whole = bits.to_be_bytes();
        let count = chunk.len() * 5 / 8;
        bytes.extend(whole.iter().skip(3).take(count));
    }
    Ok(bytes)
}

fn value_of(letter: u8) -> Result<u64> {
    match letter {
        b'A'..=b'Z' => Ok(u64::from(letter - b'A')),
        b'2'..=b'7' => Ok(u64::from(letter - b'2') + 26),
        other => Err(invalid(format!("Unrecognized character: {}", char::from(other)))),
    }
}

#[cfg(test)]
mod tests {
    use super::from_base32;

    #[test]
    fn padding_may_be_left_out() {
        assert_eq!(from_base32(b"MZXW6YTBOI======").unwrap(), b"foobar");
        assert_eq!(from_base32(b"MZXW6YTBOI").unwrap(), b"foobar");
        assert_eq!(from_base32(b"").unwrap(), b"");
        assert!(from_base32(b"1=").is_err());
        assert!(from_base32(b"M1======").is_err());
    }
}
