//! `hmac_md5(binary, key)`: the hash of `binary` under `key`. The key must not be empty.
//!
//! <https://trino.io/docs/current/functions/binary.html#hmac_md5>

use md5::Md5;

use super::hmac::{BLOCK_BYTES, hmac_rows};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("hmac_md5").form(
        &[Param::Varbinary, Param::Varbinary],
        Returns::VARBINARY,
        hmac_rows::<Md5, BLOCK_BYTES>,
    )
}
