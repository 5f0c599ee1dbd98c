//! Functions that take lambdas: <https://trino.io/docs/current/functions/lambda.html>,
//! <https://trino.io/docs/current/functions/array.html>,
//! <https://trino.io/docs/current/functions/map.html>.

mod all_match;
mod any_match;
mod array_sort;
mod definition;
mod filter;
mod find_first;
mod find_first_index;
mod map_filter;
mod map_zip_with;
mod matches;
mod none_match;
mod reduce;
mod transform;
mod transform_keys;
mod transform_values;
mod zip_with;

use super::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.higher_order(all_match::function().into_udf());
    registry.higher_order(any_match::function().into_udf());
    registry.higher_order(array_sort::function().into_udf());
    registry.higher_order(filter::function().into_udf());
    registry.higher_order(find_first::function().into_udf());
    registry.higher_order(find_first_index::function().into_udf());
    registry.higher_order(map_filter::function().into_udf());
    registry.higher_order(map_zip_with::function().into_udf());
    registry.higher_order(none_match::function().into_udf());
    registry.higher_order(reduce::function().into_udf());
    registry.higher_order(transform::function().into_udf());
    registry.higher_order(transform_keys::function().into_udf());
    registry.higher_order(transform_values::function().into_udf());
    registry.higher_order(zip_with::function().into_udf());
}
