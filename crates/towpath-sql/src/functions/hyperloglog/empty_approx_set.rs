//! `empty_approx_set()`: the `HyperLogLog` sketch of nothing.
//!
//! Trino: <https://trino.io/docs/current/functions/hyperloglog.html#empty_approx_set>.

use std::sync::Arc;

use crate::data_type::Type;
use crate::functions::aggregate::hyperloglog::Sketch;
use crate::functions::args::collect;
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("empty_approx_set").form(
        &[],
        Returns::Field(|_| Ok(Arc::new(Type::HyperLogLog.to_field("")))),
        |args| collect(args.rows, |_| Ok(Some(Sketch::new().to_bytes()))),
    )
}
