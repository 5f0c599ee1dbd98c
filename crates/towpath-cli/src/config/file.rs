//! [`ConfigFile`]: `towpath.toml`.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use toml::Spanned;

use super::Misconfigured;
use super::environment::STORAGE_PREFIXES;
use crate::output::Format;

/// Longest file that is read, in bytes. A file of settings is a page; this is against one that was
/// named by mistake.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What the file may say. A key that is not here is an error, so that a slip is not taken for a
/// setting that holds.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keys {
    pub(super) lake: Option<Spanned<String>>,
    pub(super) format: Option<Spanned<FormatName>>,
    pub(super) run_secs_max: Option<Spanned<u64>>,
    pub(super) memory_mib_max: Option<Spanned<u64>>,
    pub(super) result_rows_max: Option<Spanned<u64>>,
    pub(super) result_bytes_max: Option<Spanned<u64>>,
    pub(super) pager: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) storage: BTreeMap<String, Spanned<String>>,
}

/// A format by its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct FormatName(pub(super) Format);

impl<'de> Deserialize<'de> for FormatName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<FormatName, D::Error> {
        let name = String::deserialize(deserializer)?;
        Format::named(&name).map(FormatName).ok_or_else(|| {
            let expected = format!("a format: {}", Format::names());
            serde::de::Error::invalid_value(serde::de::Unexpected::Str(&name), &expected.as_str())
        })
    }
}

/// The file that was read, and what it says.
#[derive(Debug)]
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    text: String,
    pub(super) keys: Keys,
}

impl ConfigFile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or says what no setting is, with the line. Its text is never part of
    /// the error: it may hold secrets.
    pub(super) fn read(path: &Path) -> Result<ConfigFile> {
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text))
            .with_context(|| format!("could not read the settings in `{}`", path.display()))?;
        ConfigFile::parse(path, text)
    }

    /// Reads the file at `path` if there is one.
    ///
    /// # Errors
    ///
    /// As [`ConfigFile::read`].
    pub(super) fn read_if_there(path: &Path) -> Result<Option<ConfigFile>> {
        match ConfigFile::read(path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn parse(path: &Path, text: String) -> Result<ConfigFile> {
        let keys: Keys = toml::from_str(&text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            Misconfigured::new(Place { path, line: line_of(&text, at) }, error.message())
        })?;
        let file = ConfigFile { path: path.to_path_buf(), text, keys };
        for (key, value) in &file.keys.storage {
            let is_known = STORAGE_PREFIXES
                .iter()
                .any(|prefix| key.starts_with(prefix.to_ascii_lowercase().as_str()));
            if !is_known {
                let message = format!(
                    "`{key}` is no storage option; they begin with aws_, azure_ or google_"
                );
                return Err(Misconfigured::new(file.place(value), message).into());
            }
        }
        Ok(file)
    }

    /// Where in the file `value` stands.
    pub(super) fn place<T>(&self, value: &Spanned<T>) -> Place<'_> {
        Place { path: &self.path, line: line_of(&self.text, value.span().start) }
    }

    /// The lake as the file means it: a relative folder lies beside the file.
    pub(super) fn lake(&self, lake: &str) -> String {
        let folder = self.path.parent().filter(|_| {
            !lake.contains("://") && Path::new(lake).is_relative() && !lake.trim().is_empty()
        });
        match folder.map(|folder| folder.join(lake).into_os_string().into_string()) {
            Some(Ok(joined)) => joined,
            _ => lake.to_owned(),
        }
    }
}

/// A line of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    path: &'a Path,
    line: usize,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file `{}` line {}", self.path.display(), self.line)
    }
}

fn line_of(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|byte| *byte == b'\n').count()
}

fn is_not_found(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory))
}
