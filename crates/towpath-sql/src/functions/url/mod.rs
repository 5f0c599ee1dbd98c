//! URL functions: <https://trino.io/docs/current/functions/url.html>.

mod uri;
mod url_decode;
mod url_encode;
mod url_extract_fragment;
mod url_extract_host;
mod url_extract_parameter;
mod url_extract_path;
mod url_extract_port;
mod url_extract_protocol;
mod url_extract_query;

use super::Registry;

/// Adds the functions of this group.
pub(super) fn register(registry: &mut Registry) {
    registry.scalar(url_decode::function());
    registry.scalar(url_encode::function());
    registry.scalar(url_extract_fragment::function());
    registry.scalar(url_extract_host::function());
    registry.scalar(url_extract_parameter::function());
    registry.scalar(url_extract_path::function());
    registry.scalar(url_extract_port::function());
    registry.scalar(url_extract_protocol::function());
    registry.scalar(url_extract_query::function());
}
