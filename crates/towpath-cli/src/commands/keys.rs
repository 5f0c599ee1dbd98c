//! The public keys that digests are checked with.

use std::fs;

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use towpath::{DigestKeys, Lake, fetch_digest_keys};

use crate::args::{Args, KeyArgs, LimitArgs};
use crate::config::Config;

/// How far back CloudTrail is asked for keys if nobody says from when on: as long as a store keeps
/// events by default.
const KEYS_DAYS: i64 = 2_557;

/// The keys that the arguments name: of a file, and of CloudTrail.
pub(super) async fn named_keys(
    config: &Config,
    args: &KeyArgs,
    from: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<DigestKeys> {
    let mut keys = DigestKeys::default();
    if let Some(path) = &args.public_keys {
        let describe = || format!("could not read file `{}`", path.display());
        let text = fs::read_to_string(path).with_context(describe)?;
        keys.extend(DigestKeys::from_json(&text).map_err(towpath::Error::from)?);
    }
    if let Some(region) = &args.keys_region {
        let from = from.unwrap_or(now - TimeDelta::days(KEYS_DAYS));
        let options = config.lake_options(LimitArgs::default()).storage_options;
        keys.extend(fetch_digest_keys(region, &options, (from, now)).await?);
    }
    Ok(keys)
}

/// The keys that the arguments name and those that the lake has, which keeps the former from now on.
pub(super) async fn kept_keys(lake: &Lake, named: DigestKeys) -> Result<DigestKeys> {
    lake.keep_digest_keys(&named).await?;
    let mut keys = lake.kept_digest_keys().await?;
    keys.extend(named);
    Ok(keys)
}

/// That there is no key, and where one may come from.
pub(super) fn no_keys() -> anyhow::Error {
    Args::usage_error(
        "the lake has no public keys of CloudTrail yet: name --public-keys or --keys-region",
    )
    .into()
}
