//! The table that a query sees: the Lake's columns over the flat data files of one snapshot.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::provider_as_source;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::functions::core::named_struct;
use datafusion::logical_expr::utils::disjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use towpath_event::{Derived, EventKind, Field, Shape, TableColumn};
use towpath_sql::{Named, View};
use towpath_store::{DataFile, EVENT_TIME_COLUMN as EVENT_TIME, Snapshot, StoreIndex, TimeRange};

use crate::data_files::{DataFiles, LiveFiles, stored_columns};
use crate::functions::{calendarday, event_json, sha256_hex, timestamp_millis};
use crate::hidden::{ACCOUNT, OfAccounts};
use crate::scope::Visible;

/// What qualifies the view's columns and the stored ones, so that no plan takes a column for the
/// other of the same name.
const PRESENTED: &str = "events";
const STORED: &str = "data_files";

/// The column of each event's exact text, where data files hold it as it is.
const EVENT_JSON: &str = "eventJson";

/// The events of `snapshot`, of `kind`, that are within retention at `now` and `visible`, as
/// CloudTrail Lake shows them.
///
/// The result is a view: a projection of nested rows over flat columns, made of those that a
/// statement names, so that a predicate on `userIdentity.arn` prunes as one on any stored column
/// does. Names of columns and row fields are lower case.
///
/// # Errors
///
/// Only if the view cannot be planned, which is a mistake in the table of `kind`.
pub(crate) fn event_table(
    of: (&Arc<Snapshot>, &Arc<StoreIndex>),
    kind: EventKind,
    visible: &Visible,
    url: &ObjectStoreUrl,
    now: DateTime<Utc>,
) -> Result<Arc<dyn TableProvider>> {
    let kept = of.0.kept(now);
    let columns = Columns::of(kind)?;
    let is_live = |file: &DataFile| kept.overlaps(file.event_times);
    let files = LiveFiles::new(of, &columns.stored, is_live, url.clone());
    // Counts and extents come from the log alone where no file holds an expired event.
    let straddles = !files.data_files().iter().all(|file| kept.contains(file.event_times));
    let is_kept = match straddles {
        true => disjunction(kept.ranges().iter().map(is_within)),
        false => None,
    };
    let presented = Presented { kind, files: Arc::new(files), visible: visible.clone(), is_kept };
    Ok(Arc::new(View::new(columns.shown, move |named| presented.plan(named))))
}

/// The columns of a kind of events. They are the same for all stores.
#[derive(Clone)]
struct Columns {
    stored: SchemaRef,
    shown: SchemaRef,
}

impl Columns {
    fn of(kind: EventKind) -> Result<Columns> {
        static OF_KINDS: Mutex<BTreeMap<EventKind, Columns>> = Mutex::new(BTreeMap::new());
        let mut of_kinds = OF_KINDS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(columns) = of_kinds.get(&kind) {
            return Ok(columns.clone());
        }
        let stored = stored_columns(&kind.data_file_schema());
        let nothing = Arc::new(EmptyTable::new(Arc::clone(&stored)));
        let plan = LogicalPlanBuilder::scan(STORED, provider_as_source(nothing), None)?;
        let plan = plan.project(shown_columns(kind, &Named::all()))?.build()?;
        let columns = Columns { stored, shown: Arc::clone(plan.schema().inner()) };
        of_kinds.insert(kind, columns.clone());
        Ok(columns)
    }
}

/// Data files, and how they are presented.
struct Presented {
    kind: EventKind,
    files: Arc<LiveFiles>,
    visible: Visible,
    /// Which events are within retention; `None`: all.
    is_kept: Option<Expr>,
}

impl Presented {
    /// The columns that are named, over the stored ones that they take.
    fn plan(&self, named: &Named) -> Result<LogicalPlan> {
        let columns = shown_columns(self.kind, named);
        let of_columns = columns.iter().chain(&self.is_kept).flat_map(Expr::column_refs);
        let stored: HashSet<&str> = of_columns.map(|column| column.name.as_str()).collect();
        let source: Arc<dyn TableProvider> = match &self.visible {
            Visible::All => Arc::new(DataFiles::new(&self.files, |name| stored.contains(name))),
            Visible::Accounts(accounts) => {
                let is_needed = |name: &str| stored.contains(name) || name == ACCOUNT;
                let files = DataFiles::new(&self.files, is_needed);
                Arc::new(OfAccounts::new(Arc::new(files), accounts))
            }
        };
        let mut plan = LogicalPlanBuilder::scan(STORED, provider_as_source(source), None)?;
        if let Some(is_kept) = &self.is_kept {
            plan = plan.filter(is_kept.clone())?;
        }
        plan.project(columns)?.build()
    }
}

/// Whether an event's time is within `range`, which may be open at its ends.
fn is_within(range: &TimeRange) -> Expr {
    let at = |micros| lit(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())));
    let from = stored(EVENT_TIME).gt_eq(at(range.start()));
    if range.end() == i64::MAX {
        return from;
    }
    from.and(stored(EVENT_TIME).lt(at(range.end())))
}

/// The Lake's columns over the stored ones, those that are named; if none is, the first.
fn shown_columns(kind: EventKind, named: &Named) -> Vec<Expr> {
    let presented = |column: &TableColumn, name: String, named: &Named| {
        let value = match column.shape {
            Shape::EventText => Some(event_text(kind)),
            Shape::Derived(Derived::EventJsonChecksum) => Some(sha256_hex(event_text(kind))),
            shape => shaped(shape, column.name, named),
        };
        value.map(|value| value.alias_qualified(Some(PRESENTED), name))
    };
    let columns = kind.table().iter().filter_map(|column| {
        let name = column.name.to_ascii_lowercase();
        let named = named.part(&name)?;
        presented(column, name, named)
    });
    let mut columns: Vec<Expr> = columns.collect();
    if columns.is_empty() {
        let first = kind.table().first();
        columns.extend(
            first.and_then(|column| {
                presented(column, column.name.to_ascii_lowercase(), &Named::all())
            }),
        );
    }
    columns
}

/// The stored column `name`. Not `col(name)`, which would take the name for SQL.
fn stored(name: &str) -> Expr {
    Expr::Column(Column::new(Some(STORED), name))
}

/// The value of `shape` whose leaves are stored under names that begin with `path`; `None` if it is
/// a row of whose fields none is named.
fn shaped(shape: Shape, path: &str, named: &Named) -> Option<Expr> {
    Some(match shape {
        Shape::Timestamp => timestamp_millis(stored(path)),
        Shape::Row(fields) => return row(fields, path, named),
        Shape::Derived(Derived::CalendarDay) => calendarday(stored(EVENT_TIME)),
        _ => stored(path),
    })
}

/// Each event's exact text. Where it is stored as a template, it takes all stored columns.
fn event_text(kind: EventKind) -> Expr {
    if kind.table().iter().any(|column| column.shape == Shape::EventText) {
        event_json(kind.leaves().iter().map(|leaf| stored(&leaf.column)).collect())
    } else {
        stored(EVENT_JSON)
    }
}

fn row(fields: &[Field], path: &str, named: &Named) -> Option<Expr> {
    let named_values = fields.iter().filter_map(|field| {
        let name = field.name.to_ascii_lowercase();
        let value = shaped(field.shape, &format!("{path}_{}", field.name), named.part(&name)?)?;
        Some([lit(name), value])
    });
    let named_values: Vec<Expr> = named_values.flatten().collect();
    (!named_values.is_empty()).then(|| named_struct().call(named_values))
}
