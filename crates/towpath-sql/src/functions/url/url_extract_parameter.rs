//! `url_extract_parameter(url, name)`: the decoded value of the first query parameter of that name;
//! empty if it has no value, NULL if there is none.
//!
//! <https://trino.io/docs/current/functions/url.html#url_extract_parameter>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::uri::parse;
use super::url_decode::url_decode;
use crate::functions::args::{Args, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("url_extract_parameter").form(
        &[Param::Varchar, Param::Varchar],
        Returns::VARCHAR,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |url: &str, name: &str| {
        let Some(query) = parse(url).and_then(|uri| uri.query) else { return Ok(None) };
        for parameter in query.split('&') {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            if key == name {
                return url_decode(value).map(Some);
            }
        }
        Ok(None)
    })
}
