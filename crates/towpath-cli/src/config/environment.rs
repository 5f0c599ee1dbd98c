//! [`Environment`]: the variables of the process.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// Prefixes of the variables that are storage options.
pub(super) const STORAGE_PREFIXES: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];

/// The variables of the process, read once.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    pub(super) variables: HashMap<String, OsString>,
}

impl Environment {
    /// The variables of this process. A name that is not Unicode is none of ours.
    pub(crate) fn read() -> Environment {
        let variables = env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect();
        Environment { variables }
    }

    /// The value of a variable; one that is empty counts as unset.
    pub(super) fn get(&self, name: &str) -> Option<&OsString> {
        self.variables.get(name).filter(|value| !value.is_empty())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| value.to_str())
    }

    /// The path a variable holds; the XDG specification has relative ones ignored.
    pub(super) fn absolute_path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from).filter(|path| path.is_absolute())
    }

    /// `<base>/towpath`, where base is the variable `xdg`, else `fallback` in the home folder.
    pub(super) fn own_folder(&self, xdg: &str, fallback: &str) -> Option<PathBuf> {
        let base = if cfg!(windows) {
            self.absolute_path("LOCALAPPDATA")
        } else {
            self.absolute_path(xdg)
                .or_else(|| self.absolute_path("HOME").map(|home| home.join(fallback)))
        };
        base.map(|base| base.join("towpath"))
    }

    /// The variables that are storage options, in lower case, each with its own name.
    pub(super) fn storage_options(&self) -> impl Iterator<Item = (String, &str, &str)> {
        let is_storage =
            |name: &str| STORAGE_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        self.variables
            .iter()
            .filter(move |(name, value)| is_storage(name) && !value.is_empty())
            .filter_map(|(name, value)| {
                Some((name.to_ascii_lowercase(), name.as_str(), value.to_str()?))
            })
    }
}
