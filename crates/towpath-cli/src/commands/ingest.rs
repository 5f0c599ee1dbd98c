//! `towpath ingest`: log files into a store.

use std::io::Write;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use towpath::{DigestMarks, IngestOptions, IngestReport, Store, VerifyOptions};

use super::keys::{kept_keys, named_keys, no_keys};
use super::open_lake;
use crate::args::{Args, IngestArgs, LimitArgs};
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::output::Destination;
use crate::progress::{ProgressLine, grouped};
use crate::time::TimeArg;

/// Ingests the sources, names what was not taken, and writes the report.
pub(crate) async fn ingest(
    config: &Config,
    args: IngestArgs,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    let options = options(&args, now)?;
    let report_file = args.report.as_deref().map(Destination::create).transpose()?;
    let lake = open_lake(config, LimitArgs::default()).await?;
    let store = lake.store(&args.store).await?;
    let report = if args.verify_digests {
        let named = named_keys(config, &args.keys, options.from, now).await?;
        let keys = kept_keys(&lake, named).await?;
        if keys.is_empty() {
            return Err(no_keys());
        }
        let options = VerifyOptions { ingest: options, keys, require_digest: args.require_digest };
        let line = ProgressLine::start();
        store.ingest_verified(&args.sources, &options, &|progress| line.show(progress)).await?
    } else {
        ingest_with_progress(&store, &args.sources, &options).await?
    };
    for rejected in &report.rejected {
        tell(&format!(
            "error: log file `{}` was not ingested: {}",
            rejected.path, rejected.message
        ));
    }
    tell(&summary(&report));
    if let Some(marks) = &report.digests {
        tell_marks(marks);
    }
    if report.log_files.found == 0 {
        tell("warning: there was no log file in the sources");
    }
    if let Some(file) = report_file {
        write_report(&report, file)?;
    }
    Ok(if report.is_complete() { Outcome::Done } else { Outcome::DoneInPart })
}

/// What digests say of the log files, in lines for people.
fn tell_marks(marks: &DigestMarks) {
    for path in &marks.missing_log_files {
        tell(&format!("warning: log file `{path}` is missing: a valid digest names it"));
    }
    for path in &marks.planted_log_files {
        tell(&format!(
            "warning: log file `{path}` is planted: digests cover its time, and none names it"
        ));
    }
    let digests = &marks.digests.counts;
    tell(&format!(
        "digests: {} valid, {} invalid, {} spans missing; log files: {} covered, {} unverified, \
         {} planted, {} altered, {} missing",
        grouped(digests.digests_valid + digests.backfill_valid),
        grouped(digests.digests_invalid + digests.backfill_invalid),
        grouped(marks.digests.spans_missing),
        grouped(marks.covered),
        grouped(marks.unverified),
        grouped(marks.planted),
        grouped(marks.altered),
        grouped(marks.missing),
    ));
}

/// Ingests `sources` into `store` and shows how far it has come.
pub(crate) async fn ingest_with_progress(
    store: &Store,
    sources: &[String],
    options: &IngestOptions,
) -> Result<IngestReport> {
    let line = ProgressLine::start();
    Ok(store.ingest(sources, options, &|progress| line.show(progress)).await?)
}

pub(super) fn options(args: &IngestArgs, now: DateTime<Utc>) -> Result<IngestOptions> {
    let Times { from, to } = range(args.from, args.to, now)?;
    Ok(IngestOptions {
        from,
        to,
        apply_selectors: args.apply_selectors,
        ..IngestOptions::default()
    })
}

/// What `--from` and `--to` mean; `None` where nothing was said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) from: Option<DateTime<Utc>>,
    pub(super) to: Option<DateTime<Utc>>,
}

/// Resolves `--from` and `--to`.
pub(super) fn range(
    from: Option<TimeArg>,
    to: Option<TimeArg>,
    now: DateTime<Utc>,
) -> Result<Times> {
    let resolve = |name: &str, time: Option<TimeArg>| {
        time.map(|time| time.resolve(now))
            .transpose()
            .map_err(|error| Args::usage_error(format!("{name}: {error}")))
    };
    let (from, to) = (resolve("--from", from)?, resolve("--to", to)?);
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        let message = format!("--from ({from}) must be before --to ({to}), or no event is meant");
        return Err(Args::usage_error(message).into());
    }
    Ok(Times { from, to })
}

/// What an ingest did, in lines for people.
pub(crate) fn summary(report: &IngestReport) -> String {
    let (files, events) = (&report.log_files, &report.events);
    let left_out: u64 = files.left_out.values().sum();
    let mut text = format!(
        "{} log files: {} ingested, {} already ingested, {} rejected",
        grouped(files.found),
        grouped(files.ingested),
        grouped(files.already_ingested),
        grouped(files.rejected),
    );
    if left_out > 0 {
        text.push_str(&format!("; {} other files left alone", grouped(left_out)));
    }
    if report.folders_unreadable > 0 {
        text.push_str(&format!("; {} folders unreadable", grouped(report.folders_unreadable)));
    }
    text.push_str(&format!(
        "\n{} events: {} stored, {} duplicate, {} filtered, {} expired, {} rejected",
        grouped(events.seen),
        grouped(events.stored),
        grouped(events.duplicate),
        grouped(events.filtered),
        grouped(events.expired),
        grouped(events.rejected),
    ));
    if events.conflicting > 0 {
        text.push_str(&format!(
            "\n{} of the stored events share their id with an event of other content; both are kept",
            grouped(events.conflicting)
        ));
    }
    text
}

fn write_report(report: &IngestReport, mut file: Destination) -> Result<()> {
    let text =
        serde_json::to_string_pretty(report).context("could not put the report into JSON")?;
    writeln!(file, "{text}").context("could not write the report")?;
    file.commit()
}
