//! `hmac_sha256(binary, key)`: the hash of `binary` under `key`. The key must not be empty.
//!
//! <https://trino.io/docs/current/functions/binary.html#hmac_sha256>

use sha2::Sha256;

use super::hmac::{BLOCK_BYTES, hmac_rows};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("hmac_sha256").form(
        &[Param::Varbinary, Param::Varbinary],
        Returns::VARBINARY,
        hmac_rows::<Sha256, BLOCK_BYTES>,
    )
}
