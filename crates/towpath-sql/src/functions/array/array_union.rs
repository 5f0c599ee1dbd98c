//! `array_union(x, y)`: the elements that either array has, each once, those of `x` first.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#array_union>. NULL is an element like
//! others here.

use std::collections::HashSet;

use super::set_operations;
use crate::functions::nested::lists::match_two_arrays;
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("array_union").form_matched(
        "array(E), array(E)",
        match_two_arrays,
        Returns::Same(0),
        |args| {
            set_operations::evaluate(args, |arrays, left, right, gather| {
                let mut seen = HashSet::new();
                for at in left.chain(right) {
                    if seen.insert(arrays.key(at)) {
                        gather.push(at);
                    }
                }
            })
        },
    )
}
