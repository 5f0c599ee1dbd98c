//! `url_extract_port(url)`: the port, bigint; NULL if there is none.
//!
//! <https://trino.io/docs/current/functions/url.html#url_extract_port>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::uri::parse;
use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("url_extract_port").form(&[Param::Varchar], Returns::BIGINT, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |url: &str| Ok(parse(url).and_then(|uri| uri.port)))
}
