//! `nth_value(T, bigint) OVER (…)`: the value at an offset of the frame, from 1; NULL past its end.
//!
//! Trino: <https://trino.io/docs/current/functions/window.html#nth_value>. Computed by DataFusion, which means
//! the same.

use datafusion::functions_window::nth_value::nth_value_udwf;

use super::definition::{DelegatedWindow, WindowReturns, match_nth};

pub(super) fn function() -> DelegatedWindow {
    DelegatedWindow {
        name: "nth_value",
        parameters: "T, bigint",
        matcher: match_nth,
        returns: WindowReturns::First,
        least: Some((1, 1, "Offset must be at least 1")),
        inner: nth_value_udwf(),
    }
}
