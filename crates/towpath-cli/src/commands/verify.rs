//! `towpath verify`: whether a store is what was committed.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use towpath::{SignedCheckpoint, Verification, VerificationOptions};

use super::open_lake;
use crate::args::{LimitArgs, ReportFormat, VerifyArgs};
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::output::Destination;
use crate::output::printable::many_lines;
use crate::progress::grouped;

/// Verifies the store, prints what was found, and signs it if that was asked for.
pub(crate) async fn verify(
    config: &Config,
    args: VerifyArgs,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    let mut options = VerificationOptions::all(now);
    options.sample_percent = args.sample;
    options.since = args.since.as_deref().map(read).transpose()?;
    for path in &args.anchor {
        options.anchors.push((path.display().to_string(), read(path)?));
    }
    let lake = open_lake(config, LimitArgs::default()).await?;
    let report = lake.verify(&args.store, &options).await?;
    let mut stdout = Destination::stdout();
    let text = match args.format {
        ReportFormat::Text => many_lines(&text(&args.store, &report)).into_owned(),
        ReportFormat::Json => json(&report)?,
    };
    writeln!(stdout, "{text}").context("could not write to stdout")?;
    stdout.commit()?;
    if !report.is_sound() {
        return Ok(Outcome::NotDone);
    }
    if let Some(path) = &args.checkpoint {
        let signed = lake.store(&args.store).await?.sign_checkpoint().await?;
        let mut file = Destination::create(path)?;
        let text = signed.to_json().map_err(towpath::Error::from)?;
        file.write_all(&text).context("could not write the checkpoint")?;
        file.commit()?;
        let (version, fingerprint) = (signed.content().version, signed.fingerprint());
        tell(&format!("signed version {version} with key {fingerprint}"));
    }
    Ok(Outcome::Done)
}

fn read(path: &Path) -> Result<SignedCheckpoint> {
    let describe = || format!("could not read file `{}`", path.display());
    let text = fs::read(path).with_context(describe)?;
    SignedCheckpoint::from_json(&text).map_err(towpath::Error::from).with_context(describe)
}

fn json(report: &Verification) -> Result<String> {
    let mut value = serde_json::to_value(report).context("could not put the report into JSON")?;
    if let Value::Object(fields) = &mut value {
        fields.insert("sound".to_owned(), report.is_sound().into());
    }
    serde_json::to_string_pretty(&value).context("could not put the report into JSON")
}

fn text(store: &str, report: &Verification) -> String {
    let mut lines = vec![
        format!("event data store {store} ({}) at version {}", report.store_id, report.version),
        format!("newest commit  SHA-256 {}", report.commit_sha256),
        format!(
            "commits        {} read{}, {} of other programs",
            grouped(report.commits),
            report.since.map(|since| format!(" after version {since}")).unwrap_or_default(),
            grouped(report.commits_of_others),
        ),
        format!(
            "data files     {} with {} rows, {} without a known SHA-256",
            grouped(report.data_files),
            grouped(report.rows),
            grouped(report.data_files_without_sha256),
        ),
        format!(
            "files read     {} with {} bytes",
            grouped(report.files_read),
            grouped(report.bytes_read)
        ),
        format!("checkpoints    {} signed ones agree", grouped(report.signed_checkpoints)),
    ];
    if !report.files_in_flight.is_empty() {
        let files = report.files_in_flight.len() as u64;
        lines.push(format!("in flight      {} data files are in no commit yet", grouped(files)));
    }
    for redaction in &report.redactions {
        let at = redaction.at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
        lines.push(format!(
            "redaction      version {}, {}: {} of {} events by {}: {}",
            redaction.version,
            at.unwrap_or_default(),
            redaction.fields.join(", "),
            grouped(redaction.event_ids.len() as u64),
            redaction.by,
            redaction.reason,
        ));
    }
    lines.extend(report.findings.iter().map(|finding| format!("FOUND  {finding}")));
    if report.findings_not_named > 0 {
        lines.push(format!("FOUND  and {} more", grouped(report.findings_not_named)));
    }
    lines.push(match report.is_sound() {
        true if report.signed_checkpoints == 0 => {
            "sound; without a signed checkpoint it cannot be \
             seen whether the newest commits were taken away"
                .to_owned()
        }
        true => "sound".to_owned(),
        false => "NOT SOUND".to_owned(),
    });
    lines.join("\n")
}
