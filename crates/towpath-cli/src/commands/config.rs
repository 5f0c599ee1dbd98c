//! `towpath config`: the settings that hold, and where each comes from.

use std::sync::Arc;

use anyhow::Result;
use arrow::array::{ArrayRef, RecordBatch, StringArray};

use crate::args::ConfigArgs;
use crate::config::Config;
use crate::error::Outcome;
use crate::output::{Destination, row_writer, terminal_width};

/// Prints every setting. Nothing is opened, so it also works where nothing else does.
pub(crate) fn config(config: &Config, args: &ConfigArgs) -> Result<Outcome> {
    let shown = config.shown();
    let names = shown.iter().map(|(name, _)| Some(name.as_str()));
    let values = shown.iter().map(|(_, setting)| setting.value.as_deref());
    let origins: Vec<String> =
        shown.iter().map(|(_, setting)| setting.origin.to_string()).collect();
    let rows = RecordBatch::try_from_iter_with_nullable([
        ("name", Arc::new(StringArray::from_iter(names)) as ArrayRef, false),
        ("value", Arc::new(StringArray::from_iter(values)) as ArrayRef, true),
        ("origin", Arc::new(StringArray::from_iter_values(origins)) as ArrayRef, false),
    ])?;
    let mut stdout = Destination::stdout();
    let mut writer = row_writer(args.format, rows.schema_ref(), &mut stdout, terminal_width())?;
    writer.batch(&rows)?;
    writer.finish()?;
    stdout.commit()?;
    Ok(Outcome::Done)
}
