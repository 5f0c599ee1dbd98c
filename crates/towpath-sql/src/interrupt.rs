//! Stopping the planning of a statement: at a deadline, or when nobody wants it any more.
//!
//! Planning never waits, so no timer can interrupt it from outside. It asks instead: the binder at
//! every few expressions, and each analyzer and optimizer rule before it is applied to a node.

use std::fmt;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::SessionStateBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{Analyzer, AnalyzerRule, Optimizer, OptimizerConfig, OptimizerRule};

/// Says when planning has to stop. Set it as an extension of the session's configuration:
/// `config.with_extension(Arc::new(interrupt))`.
#[derive(Clone)]
pub struct Interrupt {
    is_due: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Interrupt {
    /// `is_due` is asked often, so it must be cheap; once true it must stay true.
    pub fn new(is_due: impl Fn() -> bool + Send + Sync + 'static) -> Interrupt {
        Interrupt { is_due: Arc::new(is_due) }
    }

    /// Returns whether planning has to stop.
    pub fn is_due(&self) -> bool {
        (self.is_due)()
    }

    fn check(&self) -> Result<()> {
        if self.is_due() {
            return Err(DataFusionError::External(Box::new(Interrupted)));
        }
        Ok(())
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupt")
    }
}

/// Planning was stopped by an [`Interrupt`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the query was stopped while it was planned")]
pub struct Interrupted;

/// Makes every rule of the session ask `interrupt` first.
pub(crate) fn interruptible(
    builder: SessionStateBuilder,
    interrupt: &Interrupt,
) -> SessionStateBuilder {
    let analyzer = Analyzer::new().rules.into_iter().map(|rule| {
        let interrupt = interrupt.clone();
        Arc::new(Guarded { rule, interrupt }) as Arc<dyn AnalyzerRule + Send + Sync>
    });
    let optimizer = Optimizer::new().rules.into_iter().map(|rule| {
        let interrupt = interrupt.clone();
        Arc::new(Guarded { rule, interrupt }) as Arc<dyn OptimizerRule + Send + Sync>
    });
    builder.with_analyzer_rules(analyzer.collect()).with_optimizer_rules(optimizer.collect())
}

/// A rule that is not applied once the interrupt is due.
#[derive(Debug)]
struct Guarded<R: ?Sized> {
    interrupt: Interrupt,
    rule: Arc<R>,
}

impl AnalyzerRule for Guarded<dyn AnalyzerRule + Send + Sync> {
    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        self.interrupt.check()?;
        self.rule.analyze(plan, config)
    }

    fn name(&self) -> &str {
        self.rule.name()
    }
}

impl OptimizerRule for Guarded<dyn OptimizerRule + Send + Sync> {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.rule.apply_order()
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        self.interrupt.check()?;
        self.rule.rewrite(plan, config)
    }
}
