//! `to_hex(binary)`: two upper-case hexadecimal digits for each byte.
//!
//! <https://trino.io/docs/current/functions/binary.html#to_hex>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, check_bytes, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("to_hex").form(&[Param::Varbinary], Returns::VARCHAR, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |bytes: &[u8]| {
        check_bytes(bytes.len().saturating_mul(2))?;
        Ok(Some(to_hex(bytes)))
    })
}

fn to_hex(bytes: &[u8]) -> String {
    let digit =
        |nibble: u8| char::from_digit(u32::from(nibble), 16).map(|one| one.to_ascii_uppercase());
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).flatten().collect()
}
