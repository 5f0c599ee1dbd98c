//! `cardinality(sketch)`: about how many different values went into a `HyperLogLog` sketch.
//!
//! Trino: <https://trino.io/docs/current/functions/hyperloglog.html#cardinality>.

use crate::functions::aggregate::hyperloglog::Sketch;
use crate::functions::args::map1;
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("cardinality").form(&[Param::Varbinary], Returns::BIGINT, |args| {
        map1(args, |sketch: &[u8]| Ok(Some(Sketch::from_bytes(sketch)?.cardinality())))
    })
}
