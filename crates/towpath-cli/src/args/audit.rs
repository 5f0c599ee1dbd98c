//! What can be typed after `towpath audit`.

use clap::{Args as ClapArgs, ValueEnum};
use towpath::AuditMode;

pub(super) const HELP: &str = "\
Every lake records who did what to it and who asked what of it, as events like CloudTrail's own, in
the event data store `towpath-audit`. It is queried like any other; nobody deletes or changes it.

  on        everything is recorded; a query is answered even if its record cannot be written
  required  a query whose record cannot be written gives no row
  off       nothing is recorded but this change

Examples:
  towpath audit
  towpath audit required
  towpath query \"SELECT eventTime, userIdentity.arn, eventName, errorCode FROM towpath-audit\"";

#[derive(Debug, ClapArgs)]
pub(crate) struct AuditArgs {
    /// What the lake is to do from now on; without it, say what it does
    #[arg(value_enum)]
    pub(crate) mode: Option<AuditModeArg>,
}

/// [`AuditMode`] as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuditModeArg {
    On,
    Required,
    Off,
}

impl AuditModeArg {
    pub(crate) fn mode(self) -> AuditMode {
        match self {
            AuditModeArg::On => AuditMode::On,
            AuditModeArg::Required => AuditMode::Required,
            AuditModeArg::Off => AuditMode::Off,
        }
    }
}
