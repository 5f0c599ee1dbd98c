//! `towpath audit`: whether a lake records what is done to it.

use std::io::Write;

use anyhow::{Context, Result};
use towpath::{AUDIT_STORE, AuditMode};

use super::open_lake;
use crate::args::{AuditArgs, LimitArgs};
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::output::Destination;

/// Changes what the lake does, if that is asked for, and prints what it does.
pub(crate) async fn audit(config: &Config, args: AuditArgs) -> Result<Outcome> {
    let lake = open_lake(config, LimitArgs::default()).await?;
    if let Some(mode) = args.mode {
        lake.set_audit_mode(mode.mode()).await?;
    }
    let mode = match lake.audit_mode().await {
        AuditMode::Off => "off",
        AuditMode::Required => "required",
        _ => "on",
    };
    if mode == "off" {
        tell("nothing is recorded; `towpath audit on` changes that");
    } else {
        tell(&format!("recorded in the event data store `{AUDIT_STORE}`"));
    }
    let mut stdout = Destination::stdout();
    writeln!(stdout, "{mode}").context("could not write to stdout")?;
    stdout.commit()?;
    Ok(Outcome::Done)
}
