//! Trino's SQL on DataFusion.
//!
//! A statement goes through four stages, each with its own types:
//!
//! | stage | from → to | where |
//! |---|---|---|
//! | lex | text → tokens | `lexer` |
//! | parse | tokens → syntax tree of Trino's query grammar | `parser`, `ast` |
//! | bind | syntax tree → typed expressions → `LogicalPlan` | `binder`, `coercion` |
//! | run | plan → Arrow | DataFusion, with `operators` and `functions` |
//!
//! The grammar is Trino's own and only its queries': what cannot be parsed cannot be run, so
//! nothing that writes and no file or table function needs to be refused later. Names are bound
//! here rather than by DataFusion, because Trino's scopes, types and errors differ from its own:
//! names ignore case, headings keep it, integers overflow with an error, strings are not numbers,
//! and `line 1:8: Column 'evntName' cannot be resolved` needs to know where things stood.
//!
//! ```no_run
//! # async fn example(
//! #     relations: &dyn towpath_sql::Relations,
//! #     runtime: std::sync::Arc<datafusion::execution::runtime_env::RuntimeEnv>,
//! #     now: chrono::DateTime<chrono::Utc>,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! let statement = towpath_sql::Statement::parse("SELECT eventName FROM my-store")?;
//! let session = towpath_sql::session_state(Default::default(), runtime, now);
//! let planned = statement.plan(&session, relations).await?;
//! assert_eq!(planned.headings, ["eventName"]);
//! # Ok(())
//! # }
//! ```

pub mod limits;

mod ast;
mod binder;
mod coercion;
mod data_type;
mod error;
pub mod functions;
mod interrupt;
mod lexer;
mod named;
mod operators;
mod parameters;
mod parser;
mod reference;
mod relations;
mod session;
mod statement;
mod view;

pub use ast::RelationName;
pub use binder::HIDDEN_KEY;
pub use data_type::{RowField, Type};
pub use error::{ErrorKind, Position, Result, SqlError, trino_text};
pub use interrupt::{Interrupt, Interrupted};
pub use lexer::{StatementText, split_statements};
pub use named::Named;
pub use parameters::{ParameterValue, ParameterValues, Parameters};
pub use parser::ExplainKind;
pub use reference::{FunctionInfo, functions, keywords};
pub use session::{ExtraRules, QueryStart, session_config, session_state};
pub use statement::{PlannedStatement, RelationError, Relations, Statement, physical_plan};
pub use view::View;
