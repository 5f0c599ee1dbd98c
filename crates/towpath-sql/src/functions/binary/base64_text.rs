//! Base64 as Java writes and reads it, which is what Trino does: padded when written, padded or not
//! when read, and no matter what the unused bits of the last letter are.

use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, Engine as _};
use datafusion::common::Result;

use crate::functions::args::invalid;

/// Which letters are used.
#[derive(Clone, Copy, Debug)]
pub(super) enum Letters {
    /// `+` and `/`.
    Standard,
    /// `-` and `_`.
    UrlSafe,
}

/// The codec of `letters`.
pub(super) fn codec(letters: Letters) -> GeneralPurpose {
    let alphabet: &Alphabet = match letters {
        Letters::Standard => &STANDARD,
        Letters::UrlSafe => &URL_SAFE,
    };
    let config = GeneralPurposeConfig::new()
        .with_encode_padding(true)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

/// Decodes, with Java's words for what is wrong.
pub(super) fn decode(codec: &GeneralPurpose, text: &[u8]) -> Result<Vec<u8>> {
    codec.decode(text).map_err(|cause| match cause {
        DecodeError::InvalidByte(_, byte) => invalid(format!("Illegal base64 character {byte:x}")),
        DecodeError::InvalidLength(_) => {
            invalid("Input byte[] should at least have 2 bytes for base64 bytes")
        }
        _ => invalid("Input byte array has wrong 4-byte ending unit"),
    })
}
