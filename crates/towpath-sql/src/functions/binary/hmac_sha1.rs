//! `hmac_sha1(binary, key)`: the hash of `binary` under `key`. The key must not be empty.
//!
//! <https://trino.io/docs/current/functions/binary.html#hmac_sha1>

use sha1::Sha1;

use super::hmac::{BLOCK_BYTES, hmac_rows};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("hmac_sha1").form(
        &[Param::Varbinary, Param::Varbinary],
        Returns::VARBINARY,
        hmac_rows::<Sha1, BLOCK_BYTES>,
    )
}
