//! `normalize(string)`, `normalize(string, form)`: brought to Unicode normalization form NFC, or the
//! one named: NFC, NFD, NFKC, NFKD.
//!
//! <https://trino.io/docs/current/functions/string.html#normalize>

use arrow::array::ArrayRef;
use datafusion::common::Result;
use unicode_normalization::UnicodeNormalization;

use crate::functions::args::{Args, invalid, map1, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("normalize").form(&[Param::Varchar], Returns::VARCHAR, composed).form(
        &[Param::Varchar, Param::Varchar],
        Returns::VARCHAR,
        in_form,
    )
}

fn composed(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |text: &str| Ok(Some(text.nfc().collect::<String>())))
}

fn in_form(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |text: &str, form: &str| match form {
        "NFC" => Ok(Some(text.nfc().collect::<String>())),
        "NFD" => Ok(Some(text.nfd().collect())),
        "NFKC" => Ok(Some(text.nfkc().collect())),
        "NFKD" => Ok(Some(text.nfkd().collect())),
        _ => Err(invalid("Normalization form must be one of [NFD, NFC, NFKD, NFKC]")),
    })
}
