//! `rpad(string, size, padstring)`: brought to `size` code points by padding on the right, or cut at
//! `size`. Of a varbinary, bytes are counted.
//!
//! <https://trino.io/docs/current/functions/string.html#rpad>

use std::borrow::Cow;

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::padding::{Padding, byte_padding, text_padding};
use crate::functions::args::{Args, map3};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("rpad")
        .form(&[Param::Varchar, Param::Bigint, Param::Varchar], Returns::VARCHAR, text)
        .form(&[Param::Varbinary, Param::Bigint, Param::Varbinary], Returns::VARBINARY, bytes)
}

fn text(args: &Args<'_>) -> Result<ArrayRef> {
    map3(args, |text: &str, size: i64, pad: &str| {
        Ok(Some(match text_padding(text, size, pad)? {
            Padding::Cut(text) => Cow::Borrowed(text),
            Padding::Add(padding) => Cow::Owned(text.to_owned() + &padding),
        }))
    })
}

fn bytes(args: &Args<'_>) -> Result<ArrayRef> {
    map3(args, |bytes: &[u8], size: i64, pad: &[u8]| {
        let kept = bytes.iter().copied().take(usize::try_from(size).unwrap_or(0));
        let padding = byte_padding(bytes, size, pad)?;
        Ok(Some(kept.chain(padding.unwrap_or_default()).collect::<Vec<u8>>()))
    })
}
