//! The allow-list of Trino's functions.
//!
//! Only what a group lists here can be called; DataFusion's own functions are reachable where a
//! group hands one over. A group is a folder, its `mod.rs` a plain list of its functions, one line
//! each, sorted. A function is a file named as users write it. Scalar functions of one name in
//! several groups (`reverse` of a varchar and of an array) are joined here.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF};

pub mod args;
mod integer_result;
pub(crate) mod json_cast;
mod nested;
mod scalar;
#[cfg(test)]
mod testing;
pub mod type_name;

mod aggregate;
mod array;
mod binary;
mod bitwise;
mod conditional;
mod conversion;
mod datetime;
mod hyperloglog;
mod json;
mod lambda;
mod map;
mod math;
mod misc;
mod regexp;
mod string;
mod url;
mod window;

use scalar::ScalarFunction;
pub(crate) use scalar::settled;

/// Everything a session may call.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Functions {
    /// Scalar functions, by name.
    pub scalar: Vec<Arc<ScalarUDF>>,
    /// Aggregate functions.
    pub aggregate: Vec<Arc<AggregateUDF>>,
    /// Window functions; aggregate functions are window functions too.
    pub window: Vec<Arc<WindowUDF>>,
    /// Functions that take lambdas.
    pub higher_order: Vec<Arc<HigherOrderUDF>>,
}

/// What a group gives: forms of scalar functions to be joined by name, and finished functions.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    forms: BTreeMap<&'static str, ScalarFunction>,
    functions: Functions,
}

impl Registry {
    /// Adds the forms of a scalar function, to those another group gave for the same name.
    pub(crate) fn scalar(&mut self, function: ScalarFunction) {
        match self.forms.get_mut(function.name()) {
            Some(known) => known.join(function),
            None => {
                self.forms.insert(function.name(), function);
            }
        }
    }

    /// Adds an aggregate function.
    pub(crate) fn aggregate(&mut self, function: Arc<AggregateUDF>) {
        self.functions.aggregate.push(function);
    }

    /// Adds a window function.
    pub(crate) fn window(&mut self, function: Arc<WindowUDF>) {
        self.functions.window.push(function);
    }

    /// Adds a function that takes lambdas.
    pub(crate) fn higher_order(&mut self, function: Arc<HigherOrderUDF>) {
        self.functions.higher_order.push(function);
    }
}

/// The functions of all groups.
#[must_use]
pub fn register_all() -> Functions {
    let mut registry = Registry::default();
    aggregate::register(&mut registry);
    array::register(&mut registry);
    binary::register(&mut registry);
    bitwise::register(&mut registry);
    conditional::register(&mut registry);
    conversion::register(&mut registry);
    datetime::register(&mut registry);
    hyperloglog::register(&mut registry);
    json::register(&mut registry);
    lambda::register(&mut registry);
    map::register(&mut registry);
    math::register(&mut registry);
    misc::register(&mut registry);
    regexp::register(&mut registry);
    string::register(&mut registry);
    url::register(&mut registry);
    window::register(&mut registry);
    let mut functions = registry.functions;
    functions.scalar.extend(registry.forms.into_values().map(|one| Arc::new(one.into_udf())));
    functions
}
