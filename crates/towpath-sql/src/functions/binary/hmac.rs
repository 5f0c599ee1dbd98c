//! HMAC (RFC 2104) over any hash, for the `hmac_*` functions.

use arrow::array::ArrayRef;
use datafusion::common::Result;
use sha2::Digest;

use crate::functions::args::{Args, invalid, map2};

/// The bytes that MD5, SHA-1 and SHA-256 hash at a time.
pub(super) const BLOCK_BYTES: usize = 64;
/// The bytes that SHA-512 hashes at a time.
pub(super) const LARGE_BLOCK_BYTES: usize = 128;

/// The keyed hash of argument 0 under the key in argument 1; any NULL in, NULL out.
pub(super) fn hmac_rows<D: Digest, const BLOCK: usize>(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |bytes: &[u8], key: &[u8]| {
        if key.is_empty() {
            return Err(invalid("Empty key"));
        }
        Ok(Some(hmac::<D, BLOCK>(bytes, key)))
    })
}

fn hmac<D: Digest, const BLOCK: usize>(bytes: &[u8], key: &[u8]) -> Vec<u8> {
    let mut block = [0; BLOCK];
    let hashed = if key.len() > BLOCK { D::digest(key).to_vec() } else { key.to_vec() };
    for (to, from) in block.iter_mut().zip(&hashed) {
        *to = *from;
    }
    let inner = D::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(bytes).finalize();
    D::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyed_hashes_are_those_of_the_rfc() {
        let mac = hmac::<sha2::Sha256, BLOCK_BYTES>(b"what do ya want for nothing?", b"Jefe");
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let mac = hmac::<md5::Md5, BLOCK_BYTES>(b"what do ya want for nothing?", b"Jefe");
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "750c783e6ab0b503eaa86e310a5db738");
    }
}
