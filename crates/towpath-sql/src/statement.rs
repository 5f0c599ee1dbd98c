//! [`Statement`]: text → syntax tree → plan.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::catalog::TableProvider;
use datafusion::common::Result as DataFusionResult;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{LogicalPlan, TableSource};
use datafusion::physical_plan::ExecutionPlan;

use crate::ast::RelationName;
use crate::binder::{BoundQuery, Planner};
use crate::data_type::Type;
use crate::error::{ErrorKind, Result, SqlError};
use crate::interrupt::Interrupt;
use crate::limits::STACK_BYTES;
use crate::parameters::{Marks, ParameterValues, Parameters};
use crate::parser::{ExplainKind, ParsedStatement, parse_statement};
use crate::relations::{Names, names};
use crate::session::{FunctionTable, QueryStart};

/// Where relations come from.
#[async_trait]
pub trait Relations: Send + Sync {
    /// Opens the relation called `name`.
    ///
    /// # Errors
    ///
    /// [`RelationError::NotFound`] if there is none; [`RelationError::Other`] if it cannot be
    /// opened.
    async fn resolve(&self, name: &RelationName) -> Result<Arc<dyn TableProvider>, RelationError>;
}

/// Why a relation cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RelationError {
    /// No relation has this name; `near` is one that nearly does.
    #[error("relation does not exist")]
    NotFound {
        /// The name nearest to the one asked for.
        near: Option<String>,
    },
    /// The relation exists and cannot be opened.
    #[error("could not open the relation")]
    Other(#[source] Box<dyn StdError + Send + Sync>),
}

/// One query, parsed.
#[derive(Clone, Debug)]
pub struct Statement {
    sql: String,
    parsed: ParsedStatement,
}

/// A query ready to run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlannedStatement {
    /// The plan. Its column names are unique and mean nothing: show [`Self::headings`] instead.
    pub plan: LogicalPlan,
    /// What each column is called, in the query's spelling. Names may repeat.
    pub headings: Vec<String>,
    /// Trino's type of each column.
    pub types: Vec<Type>,
    /// Whether the statement was an `EXPLAIN`, and of which kind: the plan is that of the query.
    pub explain: Option<ExplainKind>,
}

impl Statement {
    /// Parses one `SELECT`, `WITH`, `VALUES`, `TABLE` or `EXPLAIN` statement; one `;` may follow.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Syntax`] where the text leaves Trino's grammar, [`ErrorKind::Unsupported`] for
    /// statements that are no queries, [`ErrorKind::LimitExceeded`] past [`crate::limits`].
    pub fn parse(sql: &str) -> Result<Statement> {
        let parsed =
            with_stack(|| parse_statement(sql, None)).map_err(|error| error.located(sql))?;
        Ok(Statement { sql: sql.to_owned(), parsed })
    }

    /// The parameters the statement has; none once they are bound.
    pub fn parameters(&self) -> Parameters {
        self.parsed.marks.parameters()
    }

    /// Gives every parameter its value: each becomes a literal of the value's own type.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`] if a parameter has no value, a value no parameter, or a
    /// value does not fit its place; [`ErrorKind::LimitExceeded`] past [`crate::limits`].
    pub fn bind(&self, values: &ParameterValues) -> Result<Statement> {
        let sql = &self.sql;
        values.check_size()?;
        let parsed = with_stack(|| parse_statement(sql, Some(values)));
        let parsed = parsed.map_err(|error| error.located(sql))?;
        parsed.marks.check(values).map_err(|error| error.located(sql))?;
        let parsed = ParsedStatement { marks: Marks::default(), ..parsed };
        Ok(Statement { sql: sql.clone(), parsed })
    }

    /// The relations the statement names, each once, without its common table expressions. A
    /// relation that is a parameter has its name once values are bound.
    pub fn relation_names(&self) -> Vec<RelationName> {
        let is_open = |at| self.parsed.marks.by_offset.contains_key(&at);
        with_stack(|| names(&self.parsed.query))
            .relations
            .into_iter()
            .filter(|(_, at)| !is_open(*at))
            .map(|(name, _)| name)
            .collect()
    }

    /// Plans the statement on what `relations` gives.
    ///
    /// # Errors
    ///
    /// An [`SqlError`] of the kind that fits, with the place in the statement.
    /// [`ErrorKind::Interrupted`] if the session's [`Interrupt`] is due.
    /// [`ErrorKind::InvalidParameter`] if it has parameters: [`Self::bind`] them first.
    pub async fn plan(
        &self,
        session: &SessionState,
        relations: &dyn Relations,
    ) -> Result<PlannedStatement> {
        if let Some(error) = self.parsed.marks.unbound() {
            return Err(error.located(&self.sql));
        }
        let now = query_start(session);
        let interrupt = session.config().get_extension::<Interrupt>();
        let Names { relations: wanted, columns } = with_stack(|| names(&self.parsed.query));
        let sources = self.resolve(&wanted, relations).await?;
        let bound = with_stack(|| {
            Planner::new(function_table(), (&sources, &columns), now, interrupt.as_deref())
                .statement(&self.parsed.query)
        })
        .map_err(|error| error.located(&self.sql))?;
        Ok(planned(bound, self.parsed.explain))
    }

    async fn resolve(
        &self,
        wanted: &[(RelationName, usize)],
        relations: &dyn Relations,
    ) -> Result<HashMap<RelationName, Arc<dyn TableSource>>> {
        let mut sources = HashMap::new();
        for (name, at) in wanted {
            let at = *at;
            match relations.resolve(name).await {
                Ok(provider) => {
                    sources.insert(name.clone(), provider_as_source(provider));
                }
                Err(RelationError::NotFound { near }) => {
                    let message = format!("Table '{}' does not exist", name.text);
                    let hint = near.map(|near| format!("did you mean '{near}'?"));
                    let error = SqlError::at(ErrorKind::RelationNotFound, at, message);
                    return Err(error.with_hint(hint).located(&self.sql));
                }
                Err(RelationError::Other(source)) => {
                    let message = format!("Table '{}' could not be opened", name.text);
                    let error = SqlError::at(ErrorKind::Storage, at, message);
                    return Err(error.with_source(Arc::from(source)).located(&self.sql));
                }
            }
        }
        Ok(sources)
    }
}

fn planned(bound: BoundQuery, explain: Option<ExplainKind>) -> PlannedStatement {
    let (headings, types) =
        bound.columns.into_iter().map(|column| (column.heading, column.data_type)).unzip();
    PlannedStatement { plan: bound.plan, headings, types, explain }
}

/// The registries are the same for every session, so they are built once.
fn function_table() -> &'static FunctionTable {
    static TABLE: OnceLock<FunctionTable> = OnceLock::new();
    TABLE.get_or_init(FunctionTable::new)
}

/// The moment given to [`crate::session_state`]; the epoch if the session was built elsewhere.
fn query_start(session: &SessionState) -> DateTime<Utc> {
    match session.config().get_extension::<QueryStart>() {
        Some(start) => start.0,
        None => DateTime::UNIX_EPOCH,
    }
}

/// Makes the physical plan of a planned statement, optimized, with room on the stack for the
/// deepest one the limits allow: DataFusion's optimizer recurses over plans and expressions.
///
/// # Errors
///
/// What DataFusion's planning gives; [`crate::Interrupted`] if the session's interrupt is due.
pub async fn physical_plan(
    session: &SessionState,
    planned: &PlannedStatement,
) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
    DeepStack(Box::pin(session.create_physical_plan(&planned.plan))).await
}

/// Polls a future with room on the stack.
struct DeepStack<F>(Pin<Box<F>>);

impl<F: Future> Future for DeepStack<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        with_stack(|| self.0.as_mut().poll(context))
    }
}

/// Runs `work` with room for the deepest statement the limits allow.
fn with_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK_BYTES / 2, STACK_BYTES, work)
}
