//! `url_extract_fragment(url)`: what follows `#`, decoded; empty if there is none, NULL for what is
//! no URL.
//!
//! <https://trino.io/docs/current/functions/url.html#url_extract_fragment>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::uri::{decode, parse};
use crate::functions::args::{Args, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("url_extract_fragment").form(&[Param::Varchar], Returns::VARCHAR, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |url: &str| Ok(parse(url).map(|uri| decode(uri.fragment.unwrap_or("")))))
}
