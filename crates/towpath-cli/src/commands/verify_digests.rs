//! `towpath verify-digests`: whether log files are as CloudTrail signed them.
//!
//! The text is that of `aws cloudtrail validate-logs`, in its order and on its streams, so that what
//! reads the one reads the other. What that command does not look for is said after it.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;
use towpath::{ChainReport, DigestEvent, DigestOptions, DigestReport, UncoveredWhy};

use super::ingest::{Times, range};
use super::keys::named_keys;
use crate::args::{LimitArgs, VerifyDigestsArgs};
use crate::config::Config;
use crate::error::Outcome;
use crate::output::Destination;

/// Checks the sources and prints what is found.
pub(crate) async fn verify_digests(
    config: &Config,
    args: VerifyDigestsArgs,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    let Times { from, to } = range(args.from, args.to, now)?;
    let keys = named_keys(config, &args.keys, from, now).await?;
    let options = DigestOptions { from, to, now, keys };
    let report_file = args.report.as_deref().map(Destination::create).transpose()?;
    let printer = Printer::new(config.verbose > 0, report_file);
    let storage_options = config.lake_options(LimitArgs::default()).storage_options;
    let tell = |event: &DigestEvent| printer.tell(event);
    let report = towpath::verify_digests(&args.sources, &storage_options, &options, &tell).await?;
    printer.finish(&report)?;
    Ok(if report.is_sound() { Outcome::Done } else { Outcome::NotDone })
}

/// Prints what is found as it is found.
struct Printer {
    printed: Mutex<Printed>,
}

struct Printed {
    names_valid: bool,
    report: Option<Destination>,
    /// What was asked for of the trail that is being checked.
    requested: (String, String),
    /// Whether the last thing printed ended with an empty line, as AWS's command counts it.
    ends_with_empty_line: bool,
    /// The first write that failed. Nothing is printed after it.
    failed: Option<anyhow::Error>,
}

impl Printer {
    fn new(names_valid: bool, report: Option<Destination>) -> Printer {
        let printed = Printed {
            names_valid,
            report,
            requested: Default::default(),
            ends_with_empty_line: true,
            failed: None,
        };
        Printer { printed: Mutex::new(printed) }
    }

    fn tell(&self, event: &DigestEvent) {
        let mut printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
        if printed.failed.is_none()
            && let Err(error) = printed.event(event)
        {
            printed.failed = Some(error);
        }
    }

    /// Prints what everything came to, and gives the report its name.
    fn finish(self, report: &DigestReport) -> Result<()> {
        let mut printed = self.printed.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = printed.failed {
            return Err(error);
        }
        if report.chains == 0 {
            out("No digests found\n")?;
        }
        out(&format!(
            "Also looked for: {} spans without valid digests, {} with the trail off; {} log files \
             that no digest names, {} at times that none covers, {} of invalid digests\n",
            report.spans_missing,
            report.spans_off,
            report.logs_planted,
            report.logs_unverified,
            report.logs_unproven,
        ))?;
        let Some(mut file) = printed.report.take() else { return Ok(()) };
        let line = json!({ "what": "report", "sound": report.is_sound(), "report": report });
        writeln!(file, "{line}").context("could not write the report")?;
        file.commit()
    }
}

impl Printed {
    fn event(&mut self, event: &DigestEvent) -> Result<()> {
        if let Some(file) = &mut self.report {
            let line = serde_json::to_string(event).context("could not write the report")?;
            writeln!(file, "{line}").context("could not write the report")?;
        }
        match event {
            DigestEvent::Began { trail_arn, from, to, .. } => {
                self.requested = (display(*from), display(*to));
                self.ends_with_empty_line = true;
                let (from, to) = &self.requested;
                out(&format!(
                    "Validating log files for trail {trail_arn} between {from} and {to}\n\n"
                ))
            }
            DigestEvent::Digest { url, backfill, fault } => {
                let made_later = made_later(*backfill);
                match fault {
                    None => self.valid(&format!("{made_later}Digest file\t{url}\tvalid")),
                    Some(fault) => {
                        self.invalid(&format!("{made_later}Digest file\t{url}\tINVALID: {fault}"))
                    }
                }
            }
            DigestEvent::LogFile { url, fault: None } => {
                self.valid(&format!("Log file\t{url}\tvalid"))
            }
            DigestEvent::LogFile { url, fault: Some(fault) } => {
                self.invalid(&format!("Log file\t{url}\tINVALID: {fault}"))
            }
            DigestEvent::Gap { from, to, backfill } => self.invalid(&format!(
                "{}No log files were delivered by CloudTrail between {} and {}",
                made_later(*backfill),
                display(*from),
                display(*to)
            )),
            DigestEvent::Ended(report) => self.summary(report),
            other => self.beyond(other),
        }
    }

    /// What AWS's command does not say.
    fn beyond(&mut self, event: &DigestEvent) -> Result<()> {
        match event {
            DigestEvent::Uncovered { from, to, why: UncoveredWhy::Missing } => {
                self.invalid(&format!(
                    "No valid digest\t{} to {}\tMISSING: digests should be there",
                    display(*from),
                    display(*to)
                ))
            }
            DigestEvent::Unproven { url, matches } => {
                let content = if *matches { "is" } else { "is not" };
                self.invalid(&format!(
                    "Log file\t{url}\tUNPROVEN: its digest is not valid; its content {content} \
                     what that says"
                ))
            }
            DigestEvent::Planted { url } => self.invalid(&format!(
                "Log file\t{url}\tPLANTED: no digest names it, and valid ones cover its time"
            )),
            DigestEvent::Unverified { url } => self
                .invalid(&format!("Log file\t{url}\tUNVERIFIED: no valid digest covers its time")),
            // That the trail was off, the walk has said.
            _ => Ok(()),
        }
    }

    fn valid(&mut self, line: &str) -> Result<()> {
        if !self.names_valid {
            return Ok(());
        }
        self.ends_with_empty_line = false;
        out(&format!("{line}\n"))
    }

    fn invalid(&mut self, line: &str) -> Result<()> {
        let before = if self.ends_with_empty_line { "" } else { "\n" };
        self.ends_with_empty_line = true;
        let text = format!("{before}{line}\n\n");
        io::stderr().lock().write_all(text.as_bytes()).context("could not write to stderr")
    }

    fn summary(&mut self, report: &ChainReport) -> Result<()> {
        let mut text = String::new();
        if !self.ends_with_empty_line {
            text.push('\n');
        }
        self.ends_with_empty_line = true;
        let (from, to) = &self.requested;
        text.push_str(&format!("Results requested for {from} to {to}\n"));
        let ChainReport {
            digests_valid, digests_invalid, backfill_valid, backfill_invalid, ..
        } = *report;
        if digests_valid + digests_invalid + backfill_valid + backfill_invalid == 0 {
            text.push_str("No digests found\n");
            return out(&text);
        }
        text.push_str(&match report.found {
            None => "No valid digests found in range\n".to_owned(),
            Some((from, to)) => {
                format!("Results found for {} to {}:\n", display(from), display(to))
            }
        });
        text.push_str(&ratio(digests_valid, digests_invalid, "digest"));
        text.push_str(&ratio(backfill_valid, backfill_invalid, "backfill digest"));
        text.push_str(&ratio(report.logs_valid, report.logs_invalid, "log"));
        text.push('\n');
        out(&text)
    }
}

fn made_later(backfill: bool) -> &'static str {
    if backfill { "(backfill) " } else { "" }
}

fn ratio(valid: u64, invalid: u64, name: &str) -> String {
    let total = valid + invalid;
    match (total, invalid) {
        (0, _) => String::new(),
        (_, 0) => format!("\n{valid}/{total} {name} files valid"),
        _ => {
            format!("\n{valid}/{total} {name} files valid, {invalid}/{total} {name} files INVALID")
        }
    }
}

fn display(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn out(text: &str) -> Result<()> {
    io::stdout().lock().write_all(text.as_bytes()).context("could not write to stdout")
}
