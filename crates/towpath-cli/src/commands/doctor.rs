//! `towpath doctor`: what is wrong with the stores of a lake, and mending it.

use std::io::Write;

use anyhow::{Context, Result};

use super::open_lake;
use crate::args::{DoctorArgs, LimitArgs};
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::output::Destination;

/// Says for each store what a repair would do, and does it if that was asked for.
pub(crate) async fn doctor(config: &Config, args: DoctorArgs) -> Result<Outcome> {
    let lake = open_lake(config, LimitArgs::default()).await?;
    let plans = lake.repair_plans().await?;
    let mut stdout = Destination::stdout();
    for plan in &plans {
        write!(stdout, "{plan}").context("could not write to stdout")?;
    }
    // What is going to be done is said before it is done.
    stdout.commit()?;
    let damaged: Vec<_> = plans.iter().filter(|plan| !plan.is_empty()).collect();
    if damaged.is_empty() {
        return Ok(Outcome::Done);
    }
    if !args.repair {
        tell("nothing was changed; `towpath doctor --repair` does what is said above");
        return Ok(Outcome::NotDone);
    }
    for plan in damaged {
        lake.repair(plan).await?;
        tell(&format!("repaired event data store {}", plan.store));
    }
    Ok(Outcome::Done)
}
