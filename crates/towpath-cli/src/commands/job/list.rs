//! `towpath job list` and `towpath job status`.

use std::sync::Arc;

use anyhow::Result;
use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use chrono::{DateTime, Utc};
use towpath::{BatchQuery, BatchStatistics, QueryFilter};

use crate::args::{JobListArgs, JobStatusArgs, LimitArgs};
use crate::commands::open_lake;
use crate::commands::store::{strings, times, write_rows};
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::output::{Destination, Format};

pub(super) async fn list(
    config: &Config,
    args: JobListArgs,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    let lake = open_lake(config, LimitArgs::default()).await?;
    let filter = QueryFilter {
        status: args.status.as_deref().map(str::parse).transpose()?,
        store: match &args.store {
            Some(name) => Some(lake.store(name).await?.id()),
            None => None,
        },
        from: args.from.map(|time| time.resolve(now)).transpose()?,
        to: args.to.map(|time| time.resolve(now)).transpose()?,
    };
    let list = lake.list_queries(&filter, None, args.max).await?;
    let mut stdout = Destination::stdout();
    write_rows(&rows(&list.queries)?, args.format, &mut stdout)?;
    stdout.commit()?;
    if list.next_token.is_some() {
        tell(&format!("there are more than {}; --max shows them", args.max));
    }
    Ok(Outcome::Done)
}

pub(super) async fn status(config: &Config, args: JobStatusArgs) -> Result<Outcome> {
    let lake = open_lake(config, LimitArgs::default()).await?;
    let query = lake.describe_query(args.id).await?;
    let mut stdout = Destination::stdout();
    // One query is one object, not a list of one.
    let format = if args.format == Format::Json { Format::Ndjson } else { args.format };
    write_rows(&rows(&[query])?, format, &mut stdout)?;
    stdout.commit()?;
    Ok(Outcome::Done)
}

/// A row per query.
fn rows(queries: &[BatchQuery]) -> Result<RecordBatch> {
    let optional = |text: fn(&BatchQuery) -> Option<String>| -> ArrayRef {
        Arc::new(StringArray::from_iter(queries.iter().map(text)))
    };
    let number = |number: fn(&BatchStatistics) -> u64| -> ArrayRef {
        let numbers = queries.iter().map(|query| number(&query.statistics));
        Arc::new(UInt64Array::from_iter_values(numbers))
    };
    let delivery_status: fn(&BatchQuery) -> Option<String> =
        |query| Some(query.delivery.as_ref()?.status.to_string());
    let delivered_to: fn(&BatchQuery) -> Option<String> =
        |query| query.delivery.as_ref().map(|one| one.folder.as_ref().unwrap_or(&one.url).clone());
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("id", strings(queries.iter().map(|query| query.id.to_string())), false),
        ("status", strings(queries.iter().map(|query| query.status.to_string())), false),
        ("created_at", times(queries.iter().map(|query| Some(query.created_at))), false),
        ("ended_at", times(queries.iter().map(|query| query.ended_at)), true),
        ("rows", number(|statistics| statistics.rows), false),
        ("run_ms", number(|statistics| statistics.run_millis), false),
        ("events_matched", number(|statistics| statistics.events_matched), false),
        ("events_scanned", number(|statistics| statistics.events_scanned), false),
        ("bytes_scanned", number(|statistics| statistics.bytes_scanned), false),
        ("submitter", optional(|query| query.submitter.clone()), true),
        ("delivery_status", optional(delivery_status), true),
        ("delivery", optional(delivered_to), true),
        ("error", optional(|query| query.error.clone()), true),
        ("statement", strings(queries.iter().map(|query| query.statement.clone())), false),
    ])?)
}
