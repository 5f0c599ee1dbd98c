//! `xxhash64(binary)`: the XXH64 hash, eight bytes, highest first.
//!
//! <https://trino.io/docs/current/functions/binary.html#xxhash64>

use arrow::array::ArrayRef;
use datafusion::common::Result;
use xxhash_rust::xxh64::xxh64;

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("xxhash64").form(&[Param::Varbinary], Returns::VARBINARY, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |bytes: &[u8]| Ok(Some(xxh64(bytes, 0).to_be_bytes().to_vec())))
}
