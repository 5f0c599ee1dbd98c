//! The canonical request: one text per request, whatever way the request was written.

use std::fmt::Write;

use hyper::http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stands for itself in canonical text; everything else is percent-encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The canonical text of a request whose body has the hash `payload_hash`, in hex.
///
/// `signed_headers` are in lower case and sorted. Returns `None` if one of them is missing or is
/// not text.
pub(super) fn canonical_request(
    request: &Parts,
    signed_headers: &[&str],
    payload_hash: &str,
) -> Option<String> {
    let (method, path) = (request.method.as_str(), canonical_path(request.uri.path()));
    let query = canonical_query(request.uri.query().unwrap_or_default());
    let mut text = format!("{method}\n{path}\n{query}\n");
    for name in signed_headers {
        let mut values = request.headers.get_all(*name).iter().peekable();
        values.peek()?;
        let values: Option<Vec<String>> = values
            .map(|value| std::str::from_utf8(value.as_bytes()).ok().map(collapse_spaces))
            .collect();
        writeln!(text, "{name}:{}", values?.join(",")).ok()?;
    }
    write!(text, "\n{}\n{payload_hash}", signed_headers.join(";")).ok()?;
    Some(text)
}

/// The path without `.`, `..` and empty segments, every segment encoded once more, as all services
/// but S3 have it.
fn canonical_path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let encoded: Vec<String> =
        segments.iter().map(|segment| utf8_percent_encode(segment, RESERVED).to_string()).collect();
    let is_folder = !encoded.is_empty() && (path.ends_with('/') || path.ends_with("/."));
    format!("/{}{}", encoded.join("/"), if is_folder { "/" } else { "" })
}

/// The parameters in order of name, then value, both encoded the one canonical way.
fn canonical_query(query: &str) -> String {
    let recode = |text: &str| {
        let bytes: Vec<u8> = percent_decode_str(text).collect();
        percent_encoding::percent_encode(&bytes, RESERVED).to_string()
    };
    let mut parameters: Vec<(String, String)> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            (recode(name), recode(value))
        })
        .collect();
    parameters.sort_unstable();
    let parameters: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    parameters.join("&")
}

/// `value` without spaces at its ends and with runs of spaces as one.
fn collapse_spaces(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for word in value.split([' ', '\t']).filter(|word| !word.is_empty()) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}
