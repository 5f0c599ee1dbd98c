//! Sessions: DataFusion set up to mean what Trino means, with the allow-list of functions.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::execution::context::SessionConfig;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::functions::core::get_field;
use datafusion::functions_aggregate::grouping::grouping_udaf;
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF};
use datafusion::optimizer::OptimizerRule;

use crate::functions::{Functions, register_all};
use crate::interrupt::{Interrupt, interruptible};
use crate::operators;

/// The moment a query starts, which `current_timestamp` and its kin return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryStart(pub DateTime<Utc>);

/// Rules of the caller's own, an extension of a session's configuration. They are applied after
/// DataFusion's.
#[derive(Debug)]
pub struct ExtraRules(pub Vec<Arc<dyn OptimizerRule + Send + Sync>>);

/// Sets what differs between Trino's semantics and DataFusion's defaults in `config`.
pub fn session_config(config: SessionConfig, now: DateTime<Utc>) -> SessionConfig {
    let mut config = config.with_extension(Arc::new(QueryStart(now)));
    let options = config.options_mut();
    // Trino puts NULL last in both directions; the binder says so for every sort item, and this
    // covers what DataFusion sorts of its own accord.
    options.sql_parser.default_null_ordering = "nulls_last".to_owned();
    options.execution.time_zone = Some("UTC".to_owned());
    config
}

/// Builds a session for one query that starts at `now`.
///
/// `config` carries the caller's choices, such as batch size and target partitions, and as an
/// extension the [`Interrupt`] that can stop the planning.
///
/// It has no registry of functions: plans hold the functions that they call, the binder has a table
/// of its own, and to register four hundred of them took more of a query than to plan it. Who
/// decodes a plan on another machine registers [`crate::functions::register_all`] there.
pub fn session_state(
    config: SessionConfig,
    runtime: Arc<RuntimeEnv>,
    now: DateTime<Utc>,
) -> SessionState {
    let interrupt = config.get_extension::<Interrupt>();
    let extra = config.get_extension::<ExtraRules>();
    let builder = SessionStateBuilder::new().with_config(session_config(config, now));
    let builder = match interrupt {
        Some(interrupt) => interruptible(builder, &interrupt),
        None => builder,
    };
    let extra = extra.iter().flat_map(|extra| &extra.0);
    let builder =
        extra.fold(builder, |builder, rule| builder.with_optimizer_rule(Arc::clone(rule)));
    builder.with_runtime_env(runtime).build()
}

/// Trino's functions and the operators the binder needs; nothing else can be called.
fn all_functions() -> Functions {
    let mut functions = register_all();
    functions.scalar.extend(operators::scalar_functions());
    functions.scalar.push(get_field());
    functions.aggregate.push(grouping_udaf());
    functions.higher_order.extend(operators::higher_order_functions());
    functions
}

/// Functions by lower-case name, as the binder looks them up.
#[derive(Clone, Debug)]
pub(crate) struct FunctionTable {
    scalar: HashMap<String, Arc<ScalarUDF>>,
    aggregate: HashMap<String, Arc<AggregateUDF>>,
    window: HashMap<String, Arc<WindowUDF>>,
    higher_order: HashMap<String, Arc<HigherOrderUDF>>,
}

/// Functions that the binder calls and a statement cannot.
const INTERNAL: [&str; 2] = ["get_field", "grouping"];

impl FunctionTable {
    pub(crate) fn new() -> FunctionTable {
        let functions = all_functions();
        FunctionTable {
            scalar: by_name(functions.scalar, |f| (f.name(), f.aliases())),
            aggregate: by_name(functions.aggregate, |f| (f.name(), f.aliases())),
            window: by_name(functions.window, |f| (f.name(), f.aliases())),
            higher_order: by_name(functions.higher_order, |f| (f.name(), f.aliases())),
        }
    }

    pub(crate) fn scalar(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.scalar.get(name).filter(|_| !INTERNAL.contains(&name)).cloned()
    }

    pub(crate) fn aggregate(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.aggregate.get(name).filter(|_| !INTERNAL.contains(&name)).cloned()
    }

    pub(crate) fn window(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.window.get(name).cloned()
    }

    pub(crate) fn higher_order(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.higher_order.get(name).cloned()
    }

    /// Whether a function exists in no form without lambdas.
    pub(crate) fn only_higher_order(&self, name: &str) -> bool {
        self.higher_order.contains_key(name)
            && !self.scalar.contains_key(name)
            && !self.aggregate.contains_key(name)
    }

    /// A function the binder itself calls. All of them are registered; the constant NULL stands
    /// in for one that is not, so that a slip here cannot panic.
    pub(crate) fn internal(&self, name: &str) -> Arc<ScalarUDF> {
        debug_assert!(self.scalar.contains_key(name), "{name} is not registered");
        self.scalar.get(name).cloned().unwrap_or_else(get_field)
    }

    /// The names a statement may call.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let all = self.scalar.keys().chain(self.aggregate.keys());
        let all = all.chain(self.window.keys()).chain(self.higher_order.keys());
        all.map(String::as_str).filter(|name| !name.starts_with('$') && !INTERNAL.contains(name))
    }
}

fn by_name<F>(
    functions: Vec<Arc<F>>,
    names: impl Fn(&F) -> (&str, &[String]),
) -> HashMap<String, Arc<F>> {
    let mut table = HashMap::with_capacity(functions.len());
    for function in functions {
        let (name, aliases) = names(&function);
        for name in std::iter::once(name).chain(aliases.iter().map(String::as_str)) {
            table.insert(name.to_lowercase(), Arc::clone(&function));
        }
    }
    table
}
