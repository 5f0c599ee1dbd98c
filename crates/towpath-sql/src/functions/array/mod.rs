//! Array functions: <https://trino.io/docs/current/functions/array.html>. Those that take lambdas
//! are in the lambda group.

mod array_distinct;
mod array_except;
mod array_first;
mod array_histogram;
mod array_intersect;
mod array_join;
mod array_last;
mod array_max;
mod array_min;
mod array_position;
mod array_remove;
mod array_sort;
mod array_union;
mod arrays_of_arrays;
mod arrays_overlap;
mod cardinality;
mod combinations;
mod concat;
mod contains;
mod contains_sequence;
mod dot_product;
pub(crate) mod element_at;
mod euclidean_distance;
mod flatten;
mod ngrams;
mod repeat;
mod reverse;
mod sequence;
mod set_operations;
mod shuffle;
mod slice;
mod subscript;
mod trim_array;
mod vectors;
pub(crate) mod zip;

use super::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.scalar(array_distinct::function());
    registry.scalar(array_except::function());
    registry.scalar(array_first::function());
    registry.scalar(array_histogram::function());
    registry.scalar(array_intersect::function());
    registry.scalar(array_join::function());
    registry.scalar(array_last::function());
    registry.scalar(array_max::function());
    registry.scalar(array_min::function());
    registry.scalar(array_position::function());
    registry.scalar(array_remove::function());
    registry.scalar(array_sort::function());
    registry.scalar(array_union::function());
    registry.scalar(arrays_overlap::function());
    registry.scalar(cardinality::function());
    registry.scalar(combinations::function());
    registry.scalar(concat::function());
    registry.scalar(contains::function());
    registry.scalar(contains_sequence::function());
    registry.scalar(dot_product::function());
    registry.scalar(element_at::function());
    registry.scalar(euclidean_distance::function());
    registry.scalar(flatten::function());
    registry.scalar(ngrams::function());
    registry.scalar(repeat::function());
    registry.scalar(reverse::function());
    registry.scalar(sequence::function());
    registry.scalar(shuffle::function());
    registry.scalar(slice::function());
    registry.scalar(subscript::function());
    registry.scalar(trim_array::function());
    registry.scalar(zip::function());
}
