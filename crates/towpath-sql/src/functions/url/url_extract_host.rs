//! `url_extract_host(url)`: the host; empty if there is none, NULL for what is no URL.
//!
//! <https://trino.io/docs/current/functions/url.html#url_extract_host>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::uri::parse;
use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("url_extract_host").form(&[Param::Varchar], Returns::VARCHAR, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |url: &str| Ok(parse(url).map(|uri| uri.host.unwrap_or("").to_owned())))
}
