//! `array_except(x, y)`: the elements of `x` that `y` does not have, each once.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#array_except>. NULL is an element
//! like others here.

use std::collections::HashSet;

use super::set_operations;
use crate::functions::nested::lists::match_two_arrays;
use crate::functions::scalar::{Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("array_except").form_matched(
        "array(E), array(E)",
        match_two_arrays,
        Returns::Same(0),
        |args| {
            set_operations::evaluate(args, |arrays, left, right, gather| {
                let mut seen: HashSet<_> = right.map(|at| arrays.key(at)).collect();
                for at in left {
                    if seen.insert(arrays.key(at)) {
                        gather.push(at);
                    }
                }
            })
        },
    )
}
