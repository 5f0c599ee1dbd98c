//! `row_number() OVER (…)`: the number of the row in its partition, from 1.
//!
//! Trino: <https://trino.io/docs/current/functions/window.html#row_number>. Computed by DataFusion, which means
//! the same.

use datafusion::functions_window::row_number::row_number_udwf;

use super::definition::{DelegatedWindow, WindowReturns, match_nothing};

pub(super) fn function() -> DelegatedWindow {
    DelegatedWindow {
        name: "row_number",
        parameters: "",
        matcher: match_nothing,
        returns: WindowReturns::Bigint,
        least: None,
        inner: row_number_udwf(),
    }
}
