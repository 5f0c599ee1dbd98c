//! `percent_rank() OVER (…)`: (rank - 1) / (rows - 1).
//!
//! Trino: <https://trino.io/docs/current/functions/window.html#percent_rank>. Computed by DataFusion, which means
//! the same.

use datafusion::functions_window::rank::percent_rank_udwf;

use super::definition::{DelegatedWindow, WindowReturns, match_nothing};

pub(super) fn function() -> DelegatedWindow {
    DelegatedWindow {
        name: "percent_rank",
        parameters: "",
        matcher: match_nothing,
        returns: WindowReturns::Double,
        least: None,
        inner: percent_rank_udwf(),
    }
}
