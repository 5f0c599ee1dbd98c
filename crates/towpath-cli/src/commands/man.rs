//! `towpath man`: manual pages, made from what `--help` says.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::args::{Args, ManArgs};
use crate::error::{Outcome, tell};
use crate::output::Destination;

/// Prints the page of `towpath`, or writes the pages of all its subcommands into a folder.
pub(crate) fn man(args: &ManArgs) -> Result<Outcome> {
    let mut command = Args::command();
    command.build();
    match &args.dir {
        Some(dir) => {
            fs::create_dir_all(dir)
                .with_context(|| format!("could not create folder `{}`", dir.display()))?;
            let written = write_pages(&command, "towpath", dir)?;
            tell(&format!("{written} pages written to `{}`", dir.display()));
        }
        None => {
            let mut stdout = Destination::stdout();
            stdout.write_all(&page(command, "towpath")?).context("could not write to stdout")?;
            stdout.commit()?;
        }
    }
    Ok(Outcome::Done)
}

/// Writes the page `name` and those below it, as deep as subcommands nest; returns how many.
fn write_pages(command: &Command, name: &str, dir: &Path) -> Result<u64> {
    let mut file = Destination::create(&dir.join(format!("{name}.1")))?;
    file.write_all(&page(command.clone(), name)?)
        .with_context(|| format!("could not write page `{name}`"))?;
    file.commit()?;
    let mut below = command.get_subcommands().filter(|command| command.get_name() != "help");
    below.try_fold(1, |count, command| {
        let name = format!("{name}-{}", command.get_name());
        Ok(count + write_pages(command, &name, dir)?)
    })
}

fn page(command: Command, name: &str) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.display_name(name))
        .title(name)
        .render(&mut page)
        .context("could not make a manual page")?;
    Ok(page)
}
