//! `hmac_sha512(binary, key)`: the hash of `binary` under `key`. The key must not be empty.
//!
//! <https://trino.io/docs/current/functions/binary.html#hmac_sha512>

use sha2::Sha512;

use super::hmac::{LARGE_BLOCK_BYTES, hmac_rows};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("hmac_sha512").form(
        &[Param::Varbinary, Param::Varbinary],
        Returns::VARBINARY,
        hmac_rows::<Sha512, LARGE_BLOCK_BYTES>,
    )
}
