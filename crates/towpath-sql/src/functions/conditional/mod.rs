//! Comparison functions: <https://trino.io/docs/current/functions/comparison.html>. What is syntax
//! (`coalesce`, `if`, `nullif`, `try`, `IS DISTINCT FROM`) is the binder's.

mod extremes;
mod greatest;
mod least;

use super::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.scalar(greatest::function());
    registry.scalar(least::function());
}
