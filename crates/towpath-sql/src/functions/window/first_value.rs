//! `first_value(T) OVER (…)`: the first value of the frame; `IGNORE NULLS` passes over NULL.
//!
//! Trino: <https://trino.io/docs/current/functions/window.html#first_value>. Computed by DataFusion, which means
//! the same.

use datafusion::functions_window::nth_value::first_value_udwf;

use super::definition::{DelegatedWindow, WindowReturns, match_value};

pub(super) fn function() -> DelegatedWindow {
    DelegatedWindow {
        name: "first_value",
        parameters: "T",
        matcher: match_value,
        returns: WindowReturns::First,
        least: None,
        inner: first_value_udwf(),
    }
}
