//! `rank() OVER (…)`: the rank of the row, with gaps after equal rows.
//!
//! Trino: <https://trino.io/docs/current/functions/window.html#rank>. Computed by DataFusion, which means
//! the same.

use datafusion::functions_window::rank::rank_udwf;

use super::definition::{DelegatedWindow, WindowReturns, match_nothing};

pub(super) fn function() -> DelegatedWindow {
    DelegatedWindow {
        name: "rank",
        parameters: "",
        matcher: match_nothing,
        returns: WindowReturns::Bigint,
        least: None,
        inner: rank_udwf(),
    }
}
