//! The shell's own commands: lines that begin with `.`.

use anyhow::{Result, anyhow};
use clap::ValueEnum;

use crate::error::Hinted;
use crate::output::Format;

/// What `.help` prints.
pub(super) const HELP: &str = "\
.format NAME  print rows as table, csv, tsv, json, ndjson, markdown or line
.help         this text
.print TEXT   print TEXT
.quit         leave; also .exit and the end of input
.stores       list the stores of the lake
A statement ends with `;` and may span lines.
";

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meta {
    /// `.print TEXT`
    Print(String),
    /// `.format NAME`
    Format(Format),
    /// `.stores`
    Stores,
    /// `.help`
    Help,
    /// `.quit`
    Quit,
}

impl Meta {
    /// Reads a line that begins with `.`.
    ///
    /// # Errors
    ///
    /// If there is no such command, or its argument is not one it takes.
    pub(super) fn parse(line: &str) -> Result<Meta> {
        let line = line.trim_start();
        let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match (name, argument.trim()) {
            // The text of `.print` is not trimmed: it may mark a place in the output.
            (".print", _) => Ok(Meta::Print(argument.to_owned())),
            (".format", format) => Format::from_str(format, true).map(Meta::Format).map_err(|_| {
                let error = anyhow!("`{format}` is not a format");
                Hinted::new(error, "table, csv, tsv, json, ndjson, markdown and line are").into()
            }),
            (".stores", "") => Ok(Meta::Stores),
            (".help", "") => Ok(Meta::Help),
            (".quit" | ".exit", "") => Ok(Meta::Quit),
            (".stores" | ".help" | ".quit" | ".exit", _) => {
                Err(anyhow!("`{name}` takes no argument"))
            }
            _ => {
                Err(Hinted::new(anyhow!("there is no command `{name}`"), "`.help` lists them")
                    .into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_read() {
        for (line, expected) in [
            (".print a  b; c", Meta::Print("a  b; c".to_owned())),
            (".print", Meta::Print(String::new())),
            ("  .quit", Meta::Quit),
            (".exit ", Meta::Quit),
            (".help", Meta::Help),
            (".stores", Meta::Stores),
            (".format NDJSON", Meta::Format(Format::Ndjson)),
        ] {
            assert_eq!(Meta::parse(line).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_command_is_named() {
        for (line, expected) in [
            (".tables x", "there is no command `.tables`"),
            (".", "there is no command `.`"),
            (".format", "`` is not a format"),
            (".quit now", "`.quit` takes no argument"),
        ] {
            assert_eq!(Meta::parse(line).unwrap_err().to_string(), expected);
        }
    }
}
