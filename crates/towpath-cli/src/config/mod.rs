//! Settings: what was typed, what the environment says and what `towpath.toml` says, joined into
//! what is meant.
//!
//! Nothing else in the program reads the environment. A flag beats a variable, a variable beats
//! the file, the file beats the default. Each [`Setting`] remembers its [`Origin`].
//!
//! | variable | is |
//! |---|---|
//! | `TOWPATH_CONFIG` | the file of settings, where `--config` does not say |
//! | `TOWPATH_LAKE` | the lake, where `--lake` does not say |
//! | `TOWPATH_FORMAT`, `TOWPATH_PAGER`, `TOWPATH_RUN_SECS_MAX`, … | as the keys of the file |
//! | `TOWPATH_ACCESS_KEY_ID`, `TOWPATH_SECRET_ACCESS_KEY` | the administrator's key of `towpath serve` |
//! | `TOWPATH_KEY_PASSPHRASE` | what the lake's private signing keys are sealed with |
//! | `TOWPATH_LOG` | filter of log lines, in the form of `tracing`'s `EnvFilter` |
//! | `PAGER` | the pager, where nothing of ours names one |
//! | `XDG_CONFIG_HOME`, `HOME` | where `towpath/towpath.toml` and `.towpathrc` lie |
//! | `XDG_DATA_HOME`, `HOME`, `LOCALAPPDATA` | where the default lake lies |
//! | `XDG_STATE_HOME` | where the shell's history lies |
//! | `AWS_*`, `AZURE_*`, `GOOGLE_*` | storage options, under the names that `object_store` gives them |
//! | `NO_COLOR` | if set, no colours |
//!
//! There is no `towpath.toml` of the current folder: a folder that somebody else wrote must not
//! say where events go, or which program shows them.

mod environment;
mod file;
mod user;

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use toml::Spanned;
use towpath::{LakeOptions, Principal, QueryLimits};
use towpath_server::AccessKey;

pub(crate) use self::environment::Environment;
use self::file::ConfigFile;
use crate::args::{GlobalArgs, LimitArgs, MEMORY_MIB, ROWS_OR_BYTES, RUN_SECS};
use crate::error::Hinted;
use crate::output::Format;

/// Seconds a statement may run: CloudTrail Lake's own limit of one hour.
const RUN_SECS_DEFAULT: u64 = 60 * 60;

/// Memory that a statement may use before it spills to disk, in MiB.
const MEMORY_MIB_DEFAULT: u64 = 1024;

/// What shows long results unless something else is named: `less`, which leaves them on the screen
/// if they fit, cuts no line into two, and keeps colours.
const PAGER_DEFAULT: &str = "less -SRFX";

/// Storage options whose values are no secrets. Every other one is masked when it is shown.
const SHOWN_STORAGE_OPTIONS: [&str; 14] = [
    "aws_allow_http",
    "aws_default_region",
    "aws_endpoint",
    "aws_endpoint_url",
    "aws_endpoint_url_s3",
    "aws_profile",
    "aws_region",
    "aws_role_arn",
    "aws_virtual_hosted_style_request",
    "azure_storage_account_name",
    "azure_storage_endpoint",
    "azure_storage_use_emulator",
    "google_bucket",
    "google_service_account_path",
];

/// A value, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A flag, by its name.
    Flag(&'static str),
    /// A variable of the environment, by its name.
    Variable(String),
    /// A line of `towpath.toml`, named.
    File(String),
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(name) => write!(f, "flag {name}"),
            Origin::Variable(name) => write!(f, "variable {name}"),
            Origin::File(place) => f.write_str(place),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// A setting that says what cannot be meant: wrong usage, not a failure.
#[derive(Debug)]
pub(crate) struct Misconfigured(String);

impl Misconfigured {
    fn new(place: impl fmt::Display, message: impl fmt::Display) -> Misconfigured {
        Misconfigured(format!("{place}: {message}"))
    }
}

impl fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Misconfigured {}

/// A value that is never printed.
struct Secret(Option<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "****" } else { "None" })
    }
}

/// What one statement may cost, with everything that was said about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) run_secs_max: u64,
    pub(crate) memory_mib_max: u64,
    pub(crate) result_rows_max: Option<u64>,
    pub(crate) result_bytes_max: Option<u64>,
}

impl Limits {
    /// The part that the library holds.
    pub(crate) fn of_query(&self) -> QueryLimits {
        QueryLimits { run_secs_max: self.run_secs_max, result_rows_max: self.result_rows_max }
    }
}

/// What is meant.
#[derive(Debug)]
pub(crate) struct Config {
    /// The file that was read.
    file: Option<Setting<PathBuf>>,
    /// URL or folder of the lake; `None` if nothing names one and there is no home folder.
    lake: Option<Setting<String>>,
    /// Whether `--lake` named it, rather than anything else.
    pub(crate) is_lake_typed: bool,
    format: Setting<Format>,
    run_secs_max: Setting<u64>,
    memory_mib_max: Setting<u64>,
    result_rows_max: Setting<Option<u64>>,
    result_bytes_max: Setting<Option<u64>>,
    pager: Setting<String>,
    /// How often `-v` was given.
    pub(crate) verbose: u8,
    /// `TOWPATH_LOG`.
    pub(crate) log_filter: Option<String>,
    /// Whether `NO_COLOR` asks for none.
    pub(crate) no_color: bool,
    /// The shell's history, if there is a place for it.
    pub(crate) history: Option<PathBuf>,
    /// `~/.towpathrc`, whether it is there or not.
    pub(crate) rc_file: Option<PathBuf>,
    /// `TOWPATH_ACCESS_KEY_ID` and `TOWPATH_SECRET_ACCESS_KEY`.
    pub(crate) access_key: Option<AccessKey>,
    storage_options: BTreeMap<String, Setting<String>>,
    /// `TOWPATH_KEY_PASSPHRASE`.
    key_passphrase: Secret,
    /// Who runs the program.
    principal: Principal,
}

impl Config {
    /// Joins flags, environment and the file that they name.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or a setting says what cannot be meant.
    pub(crate) fn read(args: &GlobalArgs, environment: &Environment) -> Result<Config> {
        let (file, origin) = match (&args.config, environment.get("TOWPATH_CONFIG")) {
            (Some(path), _) => (Some(ConfigFile::read(path)?), Origin::Flag("--config")),
            (None, Some(path)) => {
                let file = ConfigFile::read(Path::new(path))?;
                (Some(file), Origin::Variable("TOWPATH_CONFIG".to_owned()))
            }
            (None, None) => {
                let folder = environment.own_folder("XDG_CONFIG_HOME", ".config");
                let path = folder.map(|folder| folder.join("towpath.toml"));
                let file = path.as_deref().map(ConfigFile::read_if_there).transpose()?;
                (file.flatten(), Origin::Default)
            }
        };
        Config::join(args, environment, file.as_ref(), origin)
    }

    fn join(
        args: &GlobalArgs,
        environment: &Environment,
        file: Option<&ConfigFile>,
        file_origin: Origin,
    ) -> Result<Config> {
        let sources = Sources { environment, file };
        let unlimited = |setting: Option<Setting<u64>>| match setting {
            Some(Setting { value, origin }) => Setting { value: Some(value), origin },
            None => Setting { value: None, origin: Origin::Default },
        };
        let number = |name, key: fn(&file::Keys) -> Option<&Spanned<u64>>, range| {
            sources.number(name, file.and_then(|file| key(&file.keys)), range)
        };
        Ok(Config {
            lake: lake(args, &sources)?,
            is_lake_typed: args.lake.is_some(),
            format: sources.format()?,
            run_secs_max: number("RUN_SECS_MAX", |keys| keys.run_secs_max.as_ref(), &RUN_SECS)?
                .unwrap_or(Setting { value: RUN_SECS_DEFAULT, origin: Origin::Default }),
            memory_mib_max: number(
                "MEMORY_MIB_MAX",
                |keys| keys.memory_mib_max.as_ref(),
                &MEMORY_MIB,
            )?
            .unwrap_or(Setting { value: MEMORY_MIB_DEFAULT, origin: Origin::Default }),
            result_rows_max: unlimited(number(
                "RESULT_ROWS_MAX",
                |keys| keys.result_rows_max.as_ref(),
                &ROWS_OR_BYTES,
            )?),
            result_bytes_max: unlimited(number(
                "RESULT_BYTES_MAX",
                |keys| keys.result_bytes_max.as_ref(),
                &ROWS_OR_BYTES,
            )?),
            pager: sources.pager(),
            verbose: args.verbose,
            log_filter: environment.text("TOWPATH_LOG").map(str::to_owned),
            no_color: environment.get("NO_COLOR").is_some(),
            history: environment
                .own_folder("XDG_STATE_HOME", ".local/state")
                .map(|folder| folder.join("history")),
            rc_file: environment.absolute_path("HOME").map(|home| home.join(".towpathrc")),
            access_key: sources.access_key()?,
            storage_options: sources.storage_options(),
            key_passphrase: Secret(environment.text("TOWPATH_KEY_PASSPHRASE").map(str::to_owned)),
            principal: user::principal(environment),
            file: file.map(|file| Setting { value: file.path.clone(), origin: file_origin }),
        })
    }

    /// The lake to work on.
    ///
    /// # Errors
    ///
    /// If nothing names one and there is no home folder to keep one in.
    pub(crate) fn lake(&self) -> Result<&str> {
        self.lake.as_ref().map(|lake| lake.value.as_str()).ok_or_else(|| {
            Hinted::new(anyhow!("no lake is named"), "give --lake or set TOWPATH_LAKE").into()
        })
    }

    /// The file of settings, if `--config` named it: nothing else hands it on to another process.
    pub(crate) fn typed_file(&self) -> Option<&Path> {
        let typed = self.file.as_ref().filter(|file| matches!(file.origin, Origin::Flag(_)));
        typed.map(|file| file.value.as_path())
    }

    /// How rows are printed where no flag and no file name says.
    pub(crate) fn format(&self) -> Format {
        self.format.value
    }

    /// The command that shows long results; `None` if there is to be none.
    pub(crate) fn pager(&self) -> Option<&str> {
        Some(self.pager.value.trim()).filter(|pager| !pager.is_empty())
    }

    /// What a statement may cost, where `typed` are the flags of its command.
    pub(crate) fn limits(&self, typed: LimitArgs) -> Limits {
        Limits {
            run_secs_max: typed.run_secs_max.unwrap_or(self.run_secs_max.value),
            memory_mib_max: typed.memory_mib_max.unwrap_or(self.memory_mib_max.value),
            result_rows_max: typed.result_rows_max.or(self.result_rows_max.value),
            result_bytes_max: typed.result_bytes_max.or(self.result_bytes_max.value),
        }
    }

    /// How the library is to open a lake and what its engine may use.
    pub(crate) fn lake_options(&self, typed: LimitArgs) -> LakeOptions {
        let bytes = self.limits(typed).memory_mib_max.saturating_mul(1024 * 1024);
        let mut options = LakeOptions::new(chrono::Utc::now);
        options.storage_options = self
            .storage_options
            .iter()
            .map(|(name, setting)| (name.clone(), setting.value.clone()))
            .collect();
        options.key_passphrase.clone_from(&self.key_passphrase.0);
        options.principal = self.principal.clone();
        options.memory_bytes_max = usize::try_from(bytes).unwrap_or(usize::MAX);
        options
    }

    /// Every setting as text, `None` for no limit; what may be secret is masked.
    pub(crate) fn shown(&self) -> Vec<(String, Setting<Option<String>>)> {
        fn show<T: ToString>(setting: &Setting<T>) -> Setting<Option<String>> {
            Setting { value: Some(setting.value.to_string()), origin: setting.origin.clone() }
        }
        fn unset() -> Setting<Option<String>> {
            Setting { value: None, origin: Origin::Default }
        }
        let optional = |setting: &Setting<Option<u64>>| Setting {
            value: setting.value.map(|value| value.to_string()),
            origin: setting.origin.clone(),
        };
        let file = self.file.as_ref().map_or_else(unset, |file| Setting {
            value: Some(file.value.display().to_string()),
            origin: file.origin.clone(),
        });
        let log = self.log_filter.clone().map_or_else(unset, |value| Setting {
            value: Some(value),
            origin: Origin::Variable("TOWPATH_LOG".to_owned()),
        });
        let path = |path: &Option<PathBuf>| Setting {
            value: path.as_ref().map(|path| path.display().to_string()),
            origin: Origin::Default,
        };
        let mut shown = vec![
            ("config".to_owned(), file),
            ("lake".to_owned(), self.lake.as_ref().map_or_else(unset, show)),
            (
                "format".to_owned(),
                Setting {
                    value: Some(self.format.value.name()),
                    origin: self.format.origin.clone(),
                },
            ),
            ("run_secs_max".to_owned(), show(&self.run_secs_max)),
            ("memory_mib_max".to_owned(), show(&self.memory_mib_max)),
            ("result_rows_max".to_owned(), optional(&self.result_rows_max)),
            ("result_bytes_max".to_owned(), optional(&self.result_bytes_max)),
            (
                "pager".to_owned(),
                Setting {
                    value: self.pager().map(str::to_owned),
                    origin: self.pager.origin.clone(),
                },
            ),
            ("history".to_owned(), path(&self.history)),
            ("rc_file".to_owned(), path(&self.rc_file)),
            ("log".to_owned(), log),
        ];
        shown.extend(self.storage_options.iter().map(|(name, setting)| {
            let is_shown = SHOWN_STORAGE_OPTIONS.contains(&name.as_str());
            let value = if is_shown { setting.value.clone() } else { "****".to_owned() };
            let setting = Setting { value: Some(value), origin: setting.origin.clone() };
            (format!("storage.{name}"), setting)
        }));
        shown
    }
}

/// The lake that is named, else the one in the data folder.
fn lake(args: &GlobalArgs, sources: &Sources<'_>) -> Result<Option<Setting<String>>> {
    if let Some(lake) = &args.lake {
        return Ok(Some(Setting { value: lake.clone(), origin: Origin::Flag("--lake") }));
    }
    if let Some(setting) = sources.variable("LAKE") {
        return Ok(Some(setting));
    }
    if let Some((file, lake)) = sources.key(|keys| keys.lake.as_ref()) {
        let place = file.place(lake);
        if lake.get_ref().trim().is_empty() {
            return Err(Misconfigured::new(place, "`lake` is empty").into());
        }
        let origin = Origin::File(place.to_string());
        return Ok(Some(Setting { value: file.lake(lake.get_ref()), origin }));
    }
    let folder = sources.environment.own_folder("XDG_DATA_HOME", ".local/share");
    let path = folder.and_then(|folder| folder.join("lake").into_os_string().into_string().ok());
    Ok(path.map(|value| Setting { value, origin: Origin::Default }))
}

/// Where settings that were not typed come from.
struct Sources<'a> {
    environment: &'a Environment,
    file: Option<&'a ConfigFile>,
}

impl<'a> Sources<'a> {
    /// The variable `TOWPATH_<name>`.
    fn variable(&self, name: &str) -> Option<Setting<String>> {
        let name = format!("TOWPATH_{name}");
        let value = self.environment.text(&name)?.to_owned();
        Some(Setting { value, origin: Origin::Variable(name) })
    }

    /// What the file says under a key.
    fn key<T>(
        &self,
        key: impl FnOnce(&'a file::Keys) -> Option<&'a Spanned<T>>,
    ) -> Option<(&'a ConfigFile, &'a Spanned<T>)> {
        let file = self.file?;
        Some((file, key(&file.keys)?))
    }

    /// A number within `range`, if one is set.
    fn number(
        &self,
        name: &str,
        in_file: Option<&Spanned<u64>>,
        range: &RangeInclusive<u64>,
    ) -> Result<Option<Setting<u64>>> {
        let setting = match (self.variable(name), self.file.zip(in_file)) {
            (Some(Setting { value, origin }), _) => {
                let number = value.trim().parse().map_err(|_| {
                    Misconfigured::new(&origin, format!("`{value}` is not a whole number"))
                })?;
                Setting { value: number, origin }
            }
            (None, Some((file, value))) => Setting {
                value: *value.get_ref(),
                origin: Origin::File(file.place(value).to_string()),
            },
            (None, None) => return Ok(None),
        };
        if !range.contains(&setting.value) {
            let message = format!(
                "`{}` is {}, not in {} to {}",
                name.to_ascii_lowercase(),
                setting.value,
                range.start(),
                range.end()
            );
            return Err(Misconfigured::new(setting.origin, message).into());
        }
        Ok(Some(setting))
    }

    /// The key of the server's administrator: both parts of it or none.
    fn access_key(&self) -> Result<Option<AccessKey>> {
        match (self.variable("ACCESS_KEY_ID"), self.variable("SECRET_ACCESS_KEY")) {
            (Some(id), Some(secret)) => Ok(Some(AccessKey::administrator(id.value, secret.value))),
            (None, None) => Ok(None),
            (Some(one), None) | (None, Some(one)) => {
                let message = "the other of TOWPATH_ACCESS_KEY_ID and TOWPATH_SECRET_ACCESS_KEY \
                               is missing";
                Err(Misconfigured::new(one.origin, message).into())
            }
        }
    }

    fn format(&self) -> Result<Setting<Format>> {
        if let Some(Setting { value, origin }) = self.variable("FORMAT") {
            let format = Format::named(&value).ok_or_else(|| {
                let message = format!("`{value}` is no format; {} are", Format::names());
                Misconfigured::new(&origin, message)
            })?;
            return Ok(Setting { value: format, origin });
        }
        Ok(match self.key(|keys| keys.format.as_ref()) {
            Some((file, format)) => Setting {
                value: format.get_ref().0,
                origin: Origin::File(file.place(format).to_string()),
            },
            None => Setting { value: Format::Table, origin: Origin::Default },
        })
    }

    /// A pager that is named as nothing means that there is to be none, so here empty is a value.
    fn pager(&self) -> Setting<String> {
        let variable = |name: &str| {
            let value = self.environment.variables.get(name)?.to_str()?.to_owned();
            Some(Setting { value, origin: Origin::Variable(name.to_owned()) })
        };
        if let Some(setting) = variable("TOWPATH_PAGER") {
            return setting;
        }
        if let Some((file, pager)) = self.key(|keys| keys.pager.as_ref()) {
            let origin = Origin::File(file.place(pager).to_string());
            return Setting { value: pager.get_ref().clone(), origin };
        }
        variable("PAGER")
            .unwrap_or_else(|| Setting { value: PAGER_DEFAULT.to_owned(), origin: Origin::Default })
    }

    /// The options of the file, and over them those of the environment.
    fn storage_options(&self) -> BTreeMap<String, Setting<String>> {
        let in_file = self.file.into_iter().flat_map(|file| {
            file.keys.storage.iter().map(|(name, value)| {
                let origin = Origin::File(file.place(value).to_string());
                (name.clone(), Setting { value: value.get_ref().clone(), origin })
            })
        });
        let in_environment = self.environment.storage_options().map(|(name, variable, value)| {
            let origin = Origin::Variable(variable.to_owned());
            (name, Setting { value: value.to_owned(), origin })
        });
        in_file.chain(in_environment).collect()
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
mod tests;
