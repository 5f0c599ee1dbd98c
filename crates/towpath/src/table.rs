//! The table that a query sees: the Lake's columns over the flat data files of one snapshot.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::catalog::TableProvider;
use datafusion::catalog::view::ViewTable;
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::functions::core::named_struct;
use datafusion::logical_expr::utils::disjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use towpath_event::{Derived, EventKind, Field, Shape, TableColumn};
use towpath_store::{DataFile, EVENT_TIME_COLUMN as EVENT_TIME, Snapshot, StoreIndex, TimeRange};

use crate::data_files::DataFiles;
use crate::functions::{calendarday, event_json, sha256_hex, timestamp_millis};
use crate::hidden::OfAccounts;
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
/// The result is a view: a projection of nested rows over flat columns, from which the optimizer
/// takes the few columns that a statement names, so that a predicate on `userIdentity.arn` prunes
/// as one on any stored column does. Names of columns and row fields are lower case.
///
/// # Errors
///
/// Only if the view cannot be planned, which is a mistake in the table of `kind`.
pub(crate) fn event_table(
    (snapshot, index): (&Snapshot, &Arc<StoreIndex>),
    kind: EventKind,
    visible: &Visible,
    url: &ObjectStoreUrl,
    now: DateTime<Utc>,
) -> Result<Arc<dyn TableProvider>> {
    let kept = snapshot.kept(now);
    let files = snapshot.data_files().iter();
    let live: Vec<DataFile> =
        files.filter(|file| kept.overlaps(file.event_times)).cloned().collect();
    let straddles = !live.iter().all(|file| kept.contains(file.event_times));

    let files = DataFiles::new((snapshot, index), &kind.data_file_schema(), live, url.clone());
    let mut files: Arc<dyn TableProvider> = Arc::new(files);
    if let Visible::Accounts(accounts) = visible {
        files = Arc::new(OfAccounts::new(files, accounts));
    }
    let source = provider_as_source(files);
    let mut plan = LogicalPlanBuilder::scan(STORED, source, None)?;
    // Counts and extents come from the log alone where no file holds an expired event.
    if straddles && let Some(is_kept) = disjunction(kept.ranges().iter().map(is_within)) {
        plan = plan.filter(is_kept)?;
    }
    let plan: LogicalPlan = plan.project(columns(kind))?.build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
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

/// The Lake's columns over the stored ones.
fn columns(kind: EventKind) -> Vec<Expr> {
    let presented = |column: &TableColumn| {
        let value = match column.shape {
            Shape::EventText => event_text(kind),
            Shape::Derived(Derived::EventJsonChecksum) => sha256_hex(event_text(kind)),
            shape => shaped(shape, column.name),
        };
        value.alias_qualified(Some(PRESENTED), column.name.to_ascii_lowercase())
    };
    kind.table().iter().map(presented).collect()
}

/// The stored column `name`. Not `col(name)`, which would take the name for SQL.
fn stored(name: &str) -> Expr {
    Expr::Column(Column::new(Some(STORED), name))
}

/// The value of `shape` whose leaves are stored under names that begin with `path`.
fn shaped(shape: Shape, path: &str) -> Expr {
    match shape {
        Shape::Timestamp => timestamp_millis(stored(path)),
        Shape::Row(fields) => row(fields, path),
        Shape::Derived(Derived::CalendarDay) => calendarday(stored(EVENT_TIME)),
        _ => stored(path),
    }
}

/// Each event's exact text. Where it is stored as a template, it takes all stored columns.
fn event_text(kind: EventKind) -> Expr {
    if kind.table().iter().any(|column| column.shape == Shape::EventText) {
        event_json(kind.leaves().iter().map(|leaf| stored(&leaf.column)).collect())
    } else {
        stored(EVENT_JSON)
    }
}

fn row(fields: &[Field], path: &str) -> Expr {
    let named_values = fields.iter().flat_map(|field| {
        let value = shaped(field.shape, &format!("{path}_{}", field.name));
        [lit(field.name.to_ascii_lowercase()), value]
    });
    named_struct().call(named_values.collect())
}
