//! The entries `key=value` of a text such as `a=1,b=2`, for `split_to_map` and `split_to_multimap`.

use datafusion::common::Result;

use crate::functions::args::invalid;

/// The key and the value of each entry of `text`. An empty text has none; what follows the last
/// entry delimiter counts only if it is not empty.
///
/// # Errors
///
/// Trino's, for delimiters that are empty or equal and for an entry without exactly one key-value
/// delimiter.
pub(super) fn entries<'a>(
    text: &'a str,
    entry_delimiter: &str,
    key_value_delimiter: &str,
) -> Result<Vec<(&'a str, &'a str)>> {
    if entry_delimiter.is_empty() {
        return Err(invalid("entryDelimiter is empty"));
    }
    if key_value_delimiter.is_empty() {
        return Err(invalid("keyValueDelimiter is empty"));
    }
    if entry_delimiter == key_value_delimiter {
        return Err(invalid("entryDelimiter and keyValueDelimiter must not be the same"));
    }
    let mut found = Vec::new();
    let mut parts = text.split(entry_delimiter).peekable();
    while let Some(entry) = parts.next() {
        if entry.is_empty() && parts.peek().is_none() {
            break;
        }
        match entry.split_once(key_value_delimiter) {
            Some((key, value)) if !value.contains(key_value_delimiter) => found.push((key, value)),
            _ => {
                return Err(invalid(format!(
                    "Key-value delimiter must appear exactly once in each entry. Bad input: '{entry}'"
                )));
            }
        }
    }
    Ok(found)
}
