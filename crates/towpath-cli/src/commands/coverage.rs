//! `towpath coverage`: what a store has of what was delivered.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, UInt64Array};
use chrono::{DateTime, SecondsFormat, Utc};
use towpath::{CoverageHour, CoverageOptions, CoverageReport, UncoveredWhy};

use super::ingest::{Times, range};
use super::keys::{kept_keys, named_keys};
use super::open_lake;
use super::store::{strings, times, write_rows};
use crate::args::{CoverageArgs, LimitArgs};
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::output::Destination;

/// Gaps that are named on stderr. All of them are in the report.
const GAPS_NAMED_MAX: usize = 1_000;

/// Prints the hours and names the gaps.
pub(crate) async fn coverage(
    config: &Config,
    args: CoverageArgs,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    let Times { from, to } = range(args.from, args.to, now)?;
    let report_file = args.report.as_deref().map(Destination::create).transpose()?;
    let lake = open_lake(config, LimitArgs::default()).await?;
    let store = lake.store(&args.store).await?;
    let named = named_keys(config, &args.keys, from, now).await?;
    let keys = Some(kept_keys(&lake, named).await?).filter(|keys| !keys.is_empty());
    let options = CoverageOptions { from, to, now, keys };
    let report = store.coverage(&args.source, &options).await?;
    let report_on_stdout = args.report.as_deref().is_some_and(|path| path.as_os_str() == "-");
    if let Some(mut file) = report_file {
        let text =
            serde_json::to_string_pretty(&report).context("could not put the report into JSON")?;
        writeln!(file, "{text}").context("could not write the report")?;
        file.commit()?;
    }
    if !report_on_stdout {
        let mut stdout = Destination::stdout();
        write_rows(&rows(&report.hours)?, args.format, &mut stdout)?;
        stdout.commit()?;
    }
    tell_gaps(&report);
    let is_whole = report.digests.is_none() || report.is_complete();
    Ok(if is_whole { Outcome::Done } else { Outcome::NotDone })
}

fn tell_gaps(report: &CoverageReport) {
    let text = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    for gap in report.gaps.iter().take(GAPS_NAMED_MAX) {
        let why = match gap.why {
            UncoveredWhy::TrailOff => "the trail was off",
            _ => "digests should be there",
        };
        tell(&format!(
            "gap: {} {}: no valid digest from {} to {}: {why}",
            gap.account,
            gap.region,
            text(gap.from),
            text(gap.to)
        ));
    }
    if report.digests.is_some() && !report.signatures_checked {
        tell("warning: there are no public keys: the signatures of digests were not checked");
    }
    if report.unplaced > 0 {
        tell(&format!(
            "{} log files in the store have names that do not say when they were delivered",
            report.unplaced
        ));
    }
}

fn rows(hours: &[CoverageHour]) -> Result<RecordBatch> {
    let count = |value: fn(&CoverageHour) -> Option<u64>| -> ArrayRef {
        Arc::new(hours.iter().map(value).collect::<UInt64Array>())
    };
    let lag = |value: fn(&CoverageHour) -> Option<i64>| -> ArrayRef {
        Arc::new(hours.iter().map(value).collect::<Int64Array>())
    };
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("account", strings(hours.iter().map(|hour| hour.account.clone())), false),
        ("region", strings(hours.iter().map(|hour| hour.region.clone())), false),
        ("hour", times(hours.iter().map(|hour| Some(hour.hour))), false),
        ("digest_secs", count(|hour| hour.digest_secs), true),
        ("named", count(|hour| hour.named), true),
        ("ingested", count(|hour| Some(hour.ingested)), false),
        ("not_ingested", count(|hour| Some(hour.not_ingested)), false),
        ("not_named", count(|hour| Some(hour.not_named)), false),
        ("altered", count(|hour| Some(hour.altered)), false),
        ("missing", count(|hour| Some(hour.missing)), false),
        ("events", count(|hour| Some(hour.events)), false),
        ("stored", count(|hour| Some(hour.stored)), false),
        ("delivery_lag_secs_min", lag(|hour| Some(hour.delivery_lag_secs?.0)), true),
        ("delivery_lag_secs_max", lag(|hour| Some(hour.delivery_lag_secs?.1)), true),
        ("ingest_lag_secs_min", lag(|hour| Some(hour.ingest_lag_secs?.0)), true),
        ("ingest_lag_secs_max", lag(|hour| Some(hour.ingest_lag_secs?.1)), true),
    ])?)
}
