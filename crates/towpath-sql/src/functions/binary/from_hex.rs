//! `from_hex(string)`: the bytes that pairs of hexadecimal digits, of either case, stand for.
//!
//! <https://trino.io/docs/current/functions/binary.html#from_hex>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, invalid, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("from_hex").form(&[Param::Varchar], Returns::VARBINARY, text).form(
        &[Param::Varbinary],
        Returns::VARBINARY,
        bytes,
    )
}

fn text(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |digits: &str| from_hex(digits.as_bytes()).map(Some))
}

fn bytes(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |digits: &[u8]| from_hex(digits).map(Some))
}

fn from_hex(digits: &[u8]) -> Result<Vec<u8>> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(invalid(format!("invalid input length {}", digits.len())));
    }
    pairs.iter().map(|[high, low]| Ok(nibble(*high)? << 4 | nibble(*low)?)).collect()
}

fn nibble(digit: u8) -> Result<u8> {
    let value = char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    value.ok_or_else(|| {
        invalid(format!("not a hexadecimal digit: \"{}\" = {digit}", char::from(digit)))
    })
}

#[cfg(test)]
mod tests {
    use super::from_hex;

    #[test]
    fn digits_of_either_case_are_read() {
        assert_eq!(from_hex(b"00fFaB").unwrap(), [0, 255, 171]);
        assert_eq!(from_hex(b"").unwrap(), [0_u8; 0]);
        assert!(from_hex(b"f").is_err());
        assert!(from_hex(b"zz").is_err());
    }
}
