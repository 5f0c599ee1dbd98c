//! What `lpad` and `rpad` share: how much to add, and the check that it stays within the limits.

use datafusion::common::Result;

use super::code_points::{byte_offset, count};
use crate::functions::args::{check_bytes, invalid};

/// What to do to reach a target length.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Padding<'a> {
    /// The text, cut if need be, is long enough.
    Cut(&'a str),
    /// This text has to be added.
    Add(String),
}

/// Works out the padding that brings `text` to `target` code points.
pub(super) fn text_padding<'a>(text: &'a str, target: i64, pad: &str) -> Result<Padding<'a>> {
    let target = check_target(target)?;
    if pad.is_empty() {
        return Err(invalid("Padding string must not be empty"));
    }
    let length = count(text);
    let Some(missing) = target.checked_sub(length).filter(|missing| *missing > 0) else {
        let end = byte_offset(text, target).unwrap_or(text.len());
        return Ok(Padding::Cut(text.get(..end).unwrap_or(text)));
    };
    let pad_length = count(pad);
    let (whole, tail) = (missing / pad_length, missing % pad_length);
    let tail = byte_offset(pad, tail).and_then(|end| pad.get(..end)).unwrap_or("");
    check_bytes(
        text.len().saturating_add(whole.saturating_mul(pad.len())).saturating_add(tail.len()),
    )?;
    Ok(Padding::Add(pad.repeat(whole) + tail))
}

/// The bytes that bring `bytes` to a length of `target`, or `None` if it is to be cut there.
pub(super) fn byte_padding(bytes: &[u8], target: i64, pad: &[u8]) -> Result<Option<Vec<u8>>> {
    let target = check_target(target)?;
    if pad.is_empty() {
        return Err(invalid("Padding bytes must not be empty"));
    }
    let Some(missing) = target.checked_sub(bytes.len()).filter(|missing| *missing > 0) else {
        return Ok(None);
    };
    check_bytes(target)?;
    Ok(Some(pad.iter().copied().cycle().take(missing).collect()))
}

fn check_target(target: i64) -> Result<usize> {
    match i32::try_from(target).ok().and_then(|target| usize::try_from(target).ok()) {
        Some(target) => Ok(target),
        None => Err(invalid(format!("Target length must be in the range [0..{}]", i32::MAX))),
    }
}
