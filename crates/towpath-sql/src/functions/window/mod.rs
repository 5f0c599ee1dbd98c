//! Window functions: <https://trino.io/docs/current/functions/window.html>. Aggregates are window
//! functions as well.

mod cume_dist;
mod definition;
mod dense_rank;
mod first_value;
mod lag;
mod last_value;
mod lead;
mod nth_value;
mod ntile;
mod percent_rank;
mod rank;
mod row_number;

use super::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.window(cume_dist::function().into_udf());
    registry.window(dense_rank::function().into_udf());
    registry.window(first_value::function().into_udf());
    registry.window(lag::function().into_udf());
    registry.window(last_value::function().into_udf());
    registry.window(lead::function().into_udf());
    registry.window(nth_value::function().into_udf());
    registry.window(ntile::function().into_udf());
    registry.window(percent_rank::function().into_udf());
    registry.window(rank::function().into_udf());
    registry.window(row_number::function().into_udf());
}
