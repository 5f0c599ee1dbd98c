//! Settings: what was typed and what the environment says, joined into what is meant.
//!
//! Nothing else in the program reads the environment. A flag beats a variable, a variable beats
//! the default.
//!
//! | variable | is |
//! |---|---|
//! | `TOWPATH_LAKE` | the lake, where `--lake` does not say |
//! | `TOWPATH_LOG` | filter of log lines, in the form of `tracing`'s `EnvFilter` |
//! | `XDG_DATA_HOME`, `HOME`, `LOCALAPPDATA` | where the default lake lies |
//! | `XDG_STATE_HOME` | where the shell's history lies |
//! | `AWS_*`, `AZURE_*`, `GOOGLE_*` | storage options, under the names that `object_store` gives them |
//! | `NO_COLOR` | if set, no colours |

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use towpath::LakeOptions;

use crate::args::{GlobalArgs, LimitArgs};
use crate::error::Hinted;

/// Prefixes of the variables that are storage options.
const STORAGE_PREFIXES: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];

/// The variables of the process, read once.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    variables: HashMap<String, OsString>,
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
    fn get(&self, name: &str) -> Option<&OsString> {
        self.variables.get(name).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| value.to_str())
    }

    /// The path a variable holds; the XDG specification has relative ones ignored.
    fn absolute_path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from).filter(|path| path.is_absolute())
    }

    /// `<base>/towpath`, where base is the variable `xdg`, else `fallback` in the home folder.
    fn own_folder(&self, xdg: &str, fallback: &str) -> Option<PathBuf> {
        let base = if cfg!(windows) {
            self.absolute_path("LOCALAPPDATA")
        } else {
            self.absolute_path(xdg)
                .or_else(|| self.absolute_path("HOME").map(|home| home.join(fallback)))
        };
        base.map(|base| base.join("towpath"))
    }

    fn storage_options(&self) -> HashMap<String, String> {
        let is_storage =
            |name: &str| STORAGE_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        self.variables
            .iter()
            .filter(|(name, value)| is_storage(name) && !value.is_empty())
            .filter_map(|(name, value)| {
                Some((name.to_ascii_lowercase(), value.to_str()?.to_owned()))
            })
            .collect()
    }
}

/// What is meant.
#[derive(Debug)]
pub(crate) struct Config {
    /// URL or folder of the lake; `None` if nothing names one and there is no home folder.
    lake: Option<String>,
    /// Whether `--lake` named it, rather than the environment or the default.
    pub(crate) is_lake_typed: bool,
    /// How often `-v` was given.
    pub(crate) verbose: u8,
    /// `TOWPATH_LOG`.
    pub(crate) log_filter: Option<String>,
    /// Whether `NO_COLOR` asks for none.
    pub(crate) no_color: bool,
    /// The shell's history, if there is a place for it.
    pub(crate) history: Option<PathBuf>,
    storage_options: HashMap<String, String>,
}

impl Config {
    /// Joins flags and environment.
    pub(crate) fn new(args: &GlobalArgs, environment: &Environment) -> Config {
        let default_lake = || {
            let folder = environment.own_folder("XDG_DATA_HOME", ".local/share")?;
            folder.join("lake").into_os_string().into_string().ok()
        };
        let named = environment.text("TOWPATH_LAKE").map(str::to_owned);
        Config {
            lake: args.lake.clone().or(named).or_else(default_lake),
            is_lake_typed: args.lake.is_some(),
            verbose: args.verbose,
            log_filter: environment.text("TOWPATH_LOG").map(str::to_owned),
            no_color: environment.get("NO_COLOR").is_some(),
            history: environment
                .own_folder("XDG_STATE_HOME", ".local/state")
                .map(|folder| folder.join("history")),
            storage_options: environment.storage_options(),
        }
    }

    /// The lake to work on.
    ///
    /// # Errors
    ///
    /// If nothing names one and there is no home folder to keep one in.
    pub(crate) fn lake(&self) -> Result<&str> {
        self.lake.as_deref().ok_or_else(|| {
            Hinted::new(anyhow!("no lake is named"), "give --lake or set TOWPATH_LAKE").into()
        })
    }

    /// How the library is to open a lake and what its engine may use.
    pub(crate) fn lake_options(&self, limits: LimitArgs) -> LakeOptions {
        let bytes = limits.memory_mib_max.saturating_mul(1024 * 1024);
        let mut options = LakeOptions::new(chrono::Utc::now);
        options.storage_options.clone_from(&self.storage_options);
        options.memory_bytes_max = usize::try_from(bytes).unwrap_or(usize::MAX);
        options
    }
}

/// A path as it can be typed after `--lake`.
pub(crate) fn lake_of(folder: &Path) -> Result<String> {
    let text = folder.to_str().ok_or_else(|| {
        anyhow!("the path `{}` is not Unicode and cannot name a lake", folder.display())
    })?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(lake: Option<&str>, variables: &[(&str, &str)]) -> Config {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), OsString::from(value)))
            .collect();
        let args = GlobalArgs { lake: lake.map(str::to_owned), verbose: 0 };
        Config::new(&args, &Environment { variables })
    }

    #[test]
    fn a_flag_beats_the_variable_and_the_variable_beats_the_default() {
        let variables = [("TOWPATH_LAKE", "s3://b/lake"), ("HOME", "/home/me")];
        assert_eq!(config(Some("x"), &variables).lake().unwrap(), "x");
        assert_eq!(config(None, &variables).lake().unwrap(), "s3://b/lake");
    }

    #[cfg(not(windows))]
    #[test]
    fn the_default_lake_lies_in_the_data_folder() {
        let home = ("HOME", "/home/me");
        let default = "/home/me/.local/share/towpath/lake";
        assert_eq!(config(None, &[home]).lake().unwrap(), default);
        assert_eq!(config(None, &[home, ("TOWPATH_LAKE", "")]).lake().unwrap(), default);
        assert_eq!(config(None, &[home, ("XDG_DATA_HOME", "rel")]).lake().unwrap(), default);
        assert_eq!(
            config(None, &[home, ("XDG_DATA_HOME", "/data")]).lake().unwrap(),
            "/data/towpath/lake"
        );
        assert_eq!(
            config(None, &[home]).history,
            Some("/home/me/.local/state/towpath/history".into())
        );
        assert!(config(None, &[]).lake().is_err());
    }

    #[test]
    fn storage_options_are_the_variables_of_the_clouds() {
        let config = config(
            None,
            &[
                ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
                ("AZURE_STORAGE_ACCOUNT_NAME", "a"),
                ("GOOGLE_SERVICE_ACCOUNT", "g"),
                ("AWS_REGION", ""),
                ("PATH", "/bin"),
            ],
        );
        let mut names: Vec<_> = config.storage_options.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["aws_endpoint_url", "azure_storage_account_name", "google_service_account"]
        );
    }
}
