//! `from_utf8(binary)`, `from_utf8(binary, replacement)`: the string of UTF-8 bytes. What is not
//! UTF-8 becomes U+FFFD, or the replacement: a code point, a string of one, or the empty string.
//!
//! <https://trino.io/docs/current/functions/string.html#from_utf8>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, check_bytes, invalid, map1, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("from_utf8")
        .form(&[Param::Varbinary], Returns::VARCHAR, lossy)
        .form(&[Param::Varbinary, Param::Varchar], Returns::VARCHAR, with_text)
        .form(&[Param::Varbinary, Param::Bigint], Returns::VARCHAR, with_code_point)
}

fn lossy(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |bytes: &[u8]| decode(bytes, Some(char::REPLACEMENT_CHARACTER)).map(Some))
}

fn with_text(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |bytes: &[u8], replacement: &str| {
        let mut characters = replacement.chars();
        let one = characters.next();
        if characters.next().is_some() {
            return Err(invalid("Replacement character string must empty or a single character"));
        }
        decode(bytes, one).map(Some)
    })
}

fn with_code_point(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |bytes: &[u8], number: i64| {
        match u32::try_from(number).ok().and_then(char::from_u32) {
            Some(replacement) => decode(bytes, Some(replacement)).map(Some),
            None => Err(invalid("Invalid replacement character")),
        }
    })
}

fn decode(bytes: &[u8], replacement: Option<char>) -> Result<String> {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        check_bytes(text.len())?;
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.extend(replacement);
        }
    }
    Ok(text)
}
