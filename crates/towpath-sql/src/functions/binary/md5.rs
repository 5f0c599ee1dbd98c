//! `md5(binary)`: the MD5 hash, sixteen bytes.
//!
//! <https://trino.io/docs/current/functions/binary.html#md5>

use arrow::array::ArrayRef;
use datafusion::common::Result;
use md5::{Digest as _, Md5};

use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("md5").form(&[Param::Varbinary], Returns::VARBINARY, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |bytes: &[u8]| Ok(Some(Md5::digest(bytes).to_vec())))
}
