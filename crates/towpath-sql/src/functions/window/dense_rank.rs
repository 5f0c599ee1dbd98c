//! `dense_rank() OVER (…)`: the rank of the row, without gaps.
//!
//! Trino: <https://trino.io/docs/current/functions/window.html#dense_rank>. Computed by DataFusion, which means
//! the same.

use datafusion::functions_window::rank::dense_rank_udwf;

use super::definition::{DelegatedWindow, WindowReturns, match_nothing};

pub(super) fn function() -> DelegatedWindow {
    DelegatedWindow {
        name: "dense_rank",
        parameters: "",
        matcher: match_nothing,
        returns: WindowReturns::Bigint,
        least: None,
        inner: dense_rank_udwf(),
    }
}
