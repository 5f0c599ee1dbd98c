//! `towpath ingest --watch`: log files into a store as they arrive.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use towpath::{WatchEvent, WatchOptions, WatchReport};

use super::ingest::options;
use super::{interruption, open_lake};
use crate::args::{IngestArgs, LimitArgs};
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::progress::grouped;

/// Log files and messages that are named on stderr. Beyond that they are only counted and in the
/// report: a source of nothing but bad files must not fill a disk with their names.
const NAMED_MAX: u64 = 10_000;

/// Ingests until the user or the system asks for the end.
pub(crate) async fn watch(
    config: &Config,
    args: IngestArgs,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    let options = WatchOptions {
        ingest: options(&args, now)?,
        look_every: Duration::from_secs(args.every),
        notifications: args.notifications.clone(),
    };
    let teller = Teller::new(args.report.as_deref())?;
    let (stop, stopped) = oneshot::channel();
    let signals = async {
        interruption().await?;
        if io::stderr().is_terminal() {
            tell("ending; once more to end at once");
        }
        // The watch may have ended by itself.
        let _ended = stop.send(()).is_err();
        interruption().await
    };
    let watching = async {
        let lake = open_lake(config, LimitArgs::default()).await?;
        let store = lake.store(&args.store).await?;
        let tell_event = |event: &WatchEvent| teller.tell(event);
        let stopped = async {
            // The sender is only dropped when there are no signals to be had.
            let _no_signals = stopped.await.is_err();
        };
        let report = store.watch(&args.sources, &options, &tell_event, stopped).await?;
        Ok::<_, anyhow::Error>(report)
    };
    let report = tokio::select! {
        biased;
        heard = signals => {
            heard.context("could not listen for signals")?;
            bail!("interrupted")
        }
        report = watching => report?,
    };
    teller.finish()?;
    tell(&summary(&report));
    Ok(Outcome::Done)
}

/// Says what happens: on stderr to whoever watches, and in the report.
struct Teller {
    is_terminal: bool,
    said: Mutex<Said>,
}

#[derive(Default)]
struct Said {
    report: Option<File>,
    /// The first write to the report that failed.
    failed: Option<io::Error>,
    named: u64,
    /// The last failure that was named, so that one that stays is named once.
    failure: Option<String>,
}

impl Teller {
    fn new(report: Option<&Path>) -> Result<Teller> {
        let report = report.map(open_report).transpose()?;
        let said = Mutex::new(Said { report, ..Said::default() });
        Ok(Teller { is_terminal: io::stderr().is_terminal(), said })
    }

    fn tell(&self, event: &WatchEvent) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.write(event);
        if let Some(line) = said.line(event, self.is_terminal) {
            tell(&line);
        }
    }

    fn finish(self) -> Result<()> {
        let said = self.said.into_inner().unwrap_or_else(PoisonError::into_inner);
        said.failed.map_or(Ok(()), |error| Err(error).context("could not write the report"))
    }
}

impl Said {
    /// Adds a line to the report.
    fn write(&mut self, event: &WatchEvent) {
        let Some(file) = &mut self.report else { return };
        let mut line = serde_json::to_value(event).unwrap_or_else(|error| {
            json!({ "what": "failed", "error": format!("could not put an event into JSON: {error}") })
        });
        if let Value::Object(fields) = &mut line {
            let time = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
            fields.insert("time".to_owned(), time.into());
        }
        if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
            if self.failed.is_none() {
                tell(&format!("error: could not write the report: {error}"));
            }
            self.failed.get_or_insert(error);
        }
    }

    /// The line that people are told, if they are told.
    fn line(&mut self, event: &WatchEvent, is_terminal: bool) -> Option<String> {
        if !matches!(event, WatchEvent::Failed { .. }) {
            self.failure = None;
        }
        match event {
            WatchEvent::CaughtUp => is_terminal.then(|| "watching; Ctrl-C to end".to_owned()),
            WatchEvent::Committed { store_version, log_files, events } => is_terminal.then(|| {
                format!(
                    "version {store_version}: {} log files, {} events stored, {} duplicate",
                    grouped(*log_files),
                    grouped(events.stored),
                    grouped(events.duplicate),
                )
            }),
            WatchEvent::Rejected(rejected) => self.name(format!(
                "error: log file `{}` was not ingested: {}",
                rejected.path, rejected.message
            )),
            WatchEvent::MessageNotUnderstood { message_id, reason, deleted } => {
                let what = if *deleted { "was deleted" } else { "stays in the queue" };
                self.name(format!("error: message `{message_id}` {what}: {reason}"))
            }
            WatchEvent::Maintained { files_before, files_after, files_dropped } => is_terminal
                .then(|| {
                    format!(
                        "{} data files became {}, {} expired ones were dropped",
                        grouped(*files_before),
                        grouped(*files_after),
                        grouped(*files_dropped),
                    )
                }),
            WatchEvent::Failed { error, .. } if self.failure.as_ref() != Some(error) => {
                self.failure = Some(error.clone());
                Some(format!("warning: {error}; trying again"))
            }
            _ => None,
        }
    }

    /// Names something that is not in the store, as long as there is room for names.
    fn name(&mut self, line: String) -> Option<String> {
        self.named = self.named.saturating_add(1);
        match self.named {
            ..=NAMED_MAX => Some(line),
            n if n == NAMED_MAX + 1 => {
                Some("warning: further log files that are not ingested are only counted".to_owned())
            }
            _ => None,
        }
    }
}

/// Opens the report to add to it, so that it grows over many watches.
fn open_report(path: &Path) -> Result<File> {
    if path == Path::new("-") {
        bail!(crate::args::Args::usage_error("--report of a watch must be a file, not `-`"));
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("could not create file `{}`", path.display()))
}

fn summary(report: &WatchReport) -> String {
    let events = &report.events;
    format!(
        "{} log files in {} commits, {} rejected\n\
         {} events: {} stored, {} duplicate, {} filtered, {} expired",
        grouped(report.log_files),
        grouped(report.commits),
        grouped(report.rejected),
        grouped(events.seen),
        grouped(events.stored),
        grouped(events.duplicate),
        grouped(events.filtered),
        grouped(events.expired),
    )
}
