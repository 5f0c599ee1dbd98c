//! `array_intersect(x, y)`: the elements that both arrays have, each once, in the order of `x`.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#array_intersect>. NULL is an element
//! like others here.

use std::collections::HashSet;

use super::set_operations;
use crate::functions::nested::lists::match_two_arrays;
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("array_intersect").form_matched(
        "array(E), array(E)",
        match_two_arrays,
        Returns::Same(0),
        |args| {
            set_operations::evaluate(args, |arrays, left, right, gather| {
                let mut wanted: HashSet<_> = right.map(|at| arrays.key(at)).collect();
                for at in left {
                    if wanted.remove(&arrays.key(at)) {
                        gather.push(at);
                    }
                }
            })
        },
    )
}
