//! `merge(sketch)`: the `HyperLogLog` sketch of the values of all sketches.
//!
//! Trino: <https://trino.io/docs/current/functions/hyperloglog.html#merge>.

use arrow::datatypes::DataType;

use super::approx_set::{Set, returns};
use super::definition::AggregateFunction;

pub(super) fn function() -> AggregateFunction {
    AggregateFunction::new("merge").own(
        "HyperLogLog",
        |given| match given {
            [DataType::Binary | DataType::BinaryView | DataType::LargeBinary] => {
                Some(given.to_vec())
            }
            _ => None,
        },
        returns,
        |_| Ok(vec![DataType::Binary]),
        |_| Ok(Box::new(Set::new(true))),
    )
}
