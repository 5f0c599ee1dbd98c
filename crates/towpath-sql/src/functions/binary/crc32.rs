//! `crc32(binary)`: the CRC-32 checksum, bigint.
//!
//! <https://trino.io/docs/current/functions/binary.html#crc32>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("crc32").form(&[Param::Varbinary], Returns::BIGINT, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let table = table();
    map1(args, |bytes: &[u8]| Ok(Some(i64::from(crc32(&table, bytes)))))
}

/// What each value of a byte adds, for the reflected polynomial 0xEDB88320.
fn table() -> [u32; 256] {
    let mut table = [0; 256];
    for (value, slot) in (0_u32..).zip(&mut table) {
        *slot = (0..8).fold(
            value,
            |crc, _| {
                if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }
            },
        );
    }
    table
}

fn crc32(table: &[u32; 256], bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        let [low, ..] = crc.to_le_bytes();
        crc >> 8 ^ table.get(usize::from(low ^ byte)).copied().unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use super::{crc32, table};

    #[test]
    fn checksum_of_the_standard_text() {
        assert_eq!(crc32(&table(), b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(&table(), b""), 0);
    }
}
