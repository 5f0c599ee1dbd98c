//! `murmur3(binary)`: the 128-bit `MurmurHash3` (x64, seed 0), sixteen bytes.
//!
//! <https://trino.io/docs/current/functions/binary.html#murmur3>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("murmur3").form(&[Param::Varbinary], Returns::VARBINARY, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |bytes: &[u8]| Ok(Some(murmur3(bytes).to_vec())))
}

const C1: u64 = 0x87c3_7b91_1142_53d5;
const C2: u64 = 0x4cf5_ad43_2745_937f;

fn murmur3(bytes: &[u8]) -> [u8; 16] {
    let (blocks, tail) = bytes.as_chunks::<16>();
    let (mut h1, mut h2) = (0_u64, 0_u64);
    for block in blocks {
        let (low, high) = halves(block);
        h1 ^= mix1(low);
        h1 = h1.rotate_left(27).wrapping_add(h2).wrapping_mul(5).wrapping_add(0x52dc_e729);
        h2 ^= mix2(high);
        h2 = h2.rotate_left(31).wrapping_add(h1).wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    let mut last = [0; 16];
    for (to, from) in last.iter_mut().zip(tail) {
        *to = *from;
    }
    let (low, high) = halves(&last);
    h2 ^= mix2(high);
    h1 ^= mix1(low);
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    h1 ^= length;
    h2 ^= length;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    h1 = finish(h1);
    h2 = finish(h2);
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    (u128::from(h1) | u128::from(h2) << 64).to_le_bytes()
}

#[expect(clippy::cast_possible_truncation, reason = "the halves of a number of twice their width")]
fn halves(block: &[u8; 16]) -> (u64, u64) {
    let bits = u128::from_le_bytes(*block);
    (bits as u64, (bits >> 64) as u64)
}

fn mix1(k: u64) -> u64 {
    k.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2)
}

fn mix2(k: u64) -> u64 {
    k.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1)
}

fn finish(mut k: u64) -> u64 {
    k ^= k >> 33;
    k = k.wrapping_mul(0xff51_afd7_ed55_8ccd);
    k ^= k >> 33;
    k = k.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    k ^ k >> 33
}

#[cfg(test)]
mod tests {
    use super::murmur3;

    #[test]
    fn hashes_are_those_of_the_reference() {
        let hello = murmur3(b"hello").map(|byte| format!("{byte:02X}")).concat();
        assert_eq!(hello, "029BBD41B3A7D8CB191DAE486A901E5B");
        assert_eq!(murmur3(b""), [0; 16]);
        let long = murmur3(b"The quick brown fox jumps over the lazy dog");
        assert_eq!(
            long.map(|byte| format!("{byte:02x}")).concat(),
            "6c1b07bc7bbc4be347939ac4a93c437a"
        );
    }
}
