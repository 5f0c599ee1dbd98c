//! Syntax tree → DataFusion logical plan: names, types, coercions and Trino's rules.
//!
//! Every expression is bound to a [`Bound`]: DataFusion's expression, the Arrow field it yields
//! and Trino's type for it. All implicit conversions are made here, so DataFusion's own coercion
//! finds nothing left to do, and Trino's refusals can be worded as Trino words them.
//!
//! Columns are known by name in a [`scope::Scope`] only; in the plan every relation has a
//! qualifier of its own, so that duplicate headings, self-joins and case never matter there.

mod aggregate;
mod arithmetic;
mod call;
mod coerce;
mod comparison;
mod expression;
mod from;
mod json;
mod literal;
mod query;
mod recursive;
mod scope;
mod select;
mod sort;
mod subquery;
mod unnest;
mod window;

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef};
use chrono::{DateTime, Utc};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan, TableSource};

use crate::ast::{self, RelationName};
use crate::data_type::Type;
use crate::error::{ErrorKind, Result, SqlError};
use crate::interrupt::{Interrupt, Interrupted};
use crate::limits::RELATIONS_MAX;
use crate::named::Named;
use crate::session::FunctionTable;
pub use from::HIDDEN_KEY;
use scope::Scope;

/// An expression with what is known about its value.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) expr: DfExpr,
    /// What DataFusion makes of it: the exact Arrow type and extension name.
    pub(crate) field: FieldRef,
    /// Trino's type, which says more than the field does (`varchar(3)`).
    pub(crate) data_type: Type,
}

impl Bound {
    /// An expression that yields `data_type` in its own Arrow form.
    fn new(expr: DfExpr, data_type: Type) -> Bound {
        let field = Arc::new(data_type.to_field(""));
        Bound { expr, field, data_type }
    }

    /// An expression that yields what `field` says.
    fn of_field(expr: DfExpr, field: FieldRef) -> Bound {
        let data_type = Type::of_field(&field);
        Bound { expr, field, data_type }
    }

    fn text(text: impl Into<String>) -> Bound {
        let text = text.into();
        let length = u32::try_from(text.chars().count()).ok();
        let expr = DfExpr::Literal(ScalarValue::Utf8View(Some(text)), None);
        Bound::new(expr, Type::Varchar(length))
    }

    fn boolean(value: bool) -> Bound {
        Bound::new(DfExpr::Literal(ScalarValue::Boolean(Some(value)), None), Type::Boolean)
    }

    fn scalar(&self) -> Option<&ScalarValue> {
        match &self.expr {
            DfExpr::Literal(value, _) => Some(value),
            _ => None,
        }
    }

    /// The text of a varchar constant.
    fn text_value(&self) -> Option<&str> {
        match self.scalar()? {
            ScalarValue::Utf8View(text) | ScalarValue::Utf8(text) => text.as_deref(),
            _ => None,
        }
    }
}

/// A column of a bound query: what it is called and what it holds.
#[derive(Clone, Debug)]
pub(crate) struct OutputColumn {
    /// As the heading shows it: the user's spelling.
    pub(crate) heading: String,
    /// Lower-case name it can be referred to by, unless it has none (`_col0`).
    pub(crate) key: Option<String>,
    pub(crate) field: FieldRef,
    pub(crate) data_type: Type,
    /// Its column in the plan.
    pub(crate) column: Column,
}

/// A query bound to a plan whose columns are `columns`, in order.
#[derive(Clone, Debug)]
pub(crate) struct BoundQuery {
    pub(crate) plan: LogicalPlan,
    pub(crate) columns: Vec<OutputColumn>,
}

/// A common table expression in force, and those in force where it was defined.
#[derive(Clone, Copy)]
struct Cte<'a> {
    key: &'a str,
    definition: CteDefinition<'a>,
    outer: Option<&'a Cte<'a>>,
    scopes: Option<&'a OuterScope<'a>>,
}

#[derive(Clone, Copy)]
enum CteDefinition<'a> {
    Query {
        table: &'a ast::CommonTable,
        recursive: bool,
    },
    /// The working table of a recursion, inside its recursive term.
    WorkTable(&'a recursive::WorkTable),
}

/// What surrounds a query: common table expressions, and the scopes of the queries it stands in.
#[derive(Clone, Copy, Default)]
struct Env<'a> {
    ctes: Option<&'a Cte<'a>>,
    outer: Option<&'a OuterScope<'a>>,
}

#[derive(Clone, Copy)]
struct OuterScope<'a> {
    scope: &'a Scope,
    next: Option<&'a OuterScope<'a>>,
}

/// Binds one statement.
pub(crate) struct Planner<'a> {
    pub(crate) functions: &'a FunctionTable,
    pub(crate) relations: &'a HashMap<RelationName, Arc<dyn TableSource>>,
    /// What the statement names of them.
    pub(crate) named: &'a Named,
    pub(crate) now: DateTime<Utc>,
    interrupt: Option<&'a Interrupt>,
    names: Cell<usize>,
    relations_used: Cell<usize>,
    steps: Cell<usize>,
}

/// Expressions bound between two looks at the interrupt: a look may read the clock, which takes
/// about as long as binding one.
const STEPS_PER_LOOK: usize = 64;

impl<'a> Planner<'a> {
    pub(crate) fn new(
        functions: &'a FunctionTable,
        (relations, named): (&'a HashMap<RelationName, Arc<dyn TableSource>>, &'a Named),
        now: DateTime<Utc>,
        interrupt: Option<&'a Interrupt>,
    ) -> Planner<'a> {
        let (names, relations_used, steps) = (Cell::new(0), Cell::new(0), Cell::new(0));
        Planner { functions, relations, named, now, interrupt, names, relations_used, steps }
    }

    /// Counts an expression bound, and fails if planning has to stop.
    fn step(&self, at: usize) -> Result<()> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps.is_multiple_of(STEPS_PER_LOOK) {
            return self.look(at);
        }
        Ok(())
    }

    fn look(&self, at: usize) -> Result<()> {
        match self.interrupt {
            Some(interrupt) if interrupt.is_due() => {
                Err(SqlError::at(ErrorKind::Interrupted, at, Interrupted.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// Binds the statement's query.
    pub(crate) fn statement(&self, query: &ast::Query) -> Result<BoundQuery> {
        self.query(query, Env::default())
    }

    /// Returns a name that nothing else in the plan has.
    fn unique(&self, stem: &str) -> String {
        let number = self.names.get();
        self.names.set(number + 1);
        format!("{stem}${number}")
    }

    /// Counts a relation of the expanded plan.
    fn count_relation(&self, at: usize) -> Result<()> {
        self.look(at)?;
        let used = self.relations_used.get() + 1;
        self.relations_used.set(used);
        if used > RELATIONS_MAX {
            let message = format!("query uses more than {RELATIONS_MAX} relations");
            return Err(SqlError::at(ErrorKind::LimitExceeded, at, message));
        }
        Ok(())
    }
}

/// A field of the name and nullability DataFusion gives literals of this kind.
fn named(field: &Field, name: &str) -> FieldRef {
    Arc::new(field.clone().with_name(name))
}

/// An error about types.
fn mismatch(at: usize, message: impl Into<String>) -> SqlError {
    SqlError::at(ErrorKind::TypeMismatch, at, message)
}

/// An error about a rule of the language.
fn semantic(at: usize, message: impl Into<String>) -> SqlError {
    SqlError::at(ErrorKind::Semantic, at, message)
}
