//! `uuid()`: a random UUID (version 4), another for each row.
//!
//! <https://trino.io/docs/current/functions/uuid.html#uuid>

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeBinaryBuilder};
use arrow::datatypes::FieldRef;
use datafusion::common::Result;
use datafusion::common::internal_datafusion_err;
use datafusion::logical_expr::{ReturnFieldArgs, Volatility};

use crate::data_type::Type;
use crate::functions::args::Args;
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("uuid").volatility(Volatility::Volatile).form(
        &[],
        Returns::Field(returns),
        evaluate,
    )
}

fn returns(_: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    Ok(Arc::new(Type::Uuid.to_field("uuid")))
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let mut uuids = FixedSizeBinaryBuilder::with_capacity(args.rows, 16);
    for _ in 0..args.rows {
        uuids
            .append_value(uuid::Uuid::new_v4().as_bytes())
            .map_err(|cause| internal_datafusion_err!("a uuid has sixteen bytes: {cause}"))?;
    }
    Ok(Arc::new(uuids.finish()))
}
