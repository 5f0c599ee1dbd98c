//! `towpath serve`: the lake over HTTP, for AWS's own clients.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use serde::Deserialize;
use towpath::Lake;
use towpath_server::{
    AccessKey, Grant, Server, ServerLimits, ServerOptions, TlsOptions, TrailOptions,
};

use super::interruption;
use crate::args::ServeArgs;
use crate::config::Config;
use crate::error::{Hinted, Outcome, tell};

/// Serves until it is interrupted, and keeps the stores of the lake in order meanwhile.
pub(crate) async fn serve(config: &Config, args: ServeArgs) -> Result<Outcome> {
    let mut options = ServerOptions::new(args.listen, chrono::Utc::now);
    options.keys.extend(config.access_key.clone());
    if let Some(path) = &args.keys {
        options.keys.extend(read_keys(path)?);
    }
    options.account_id.clone_from(&args.account_id);
    options.region.clone_from(&args.region);
    options.import_folders.clone_from(&args.import_folder);
    options.delivery_folders.clone_from(&args.delivery_folder);
    options.trails = TrailOptions {
        log_files_secs: args.trail_delivery_secs,
        digests_secs: args.trail_digest_secs,
        folder: args.trail_folder.clone(),
    };
    options.limits = ServerLimits {
        requests_per_sec_max: args.requests_per_sec_max,
        queries_max: args.queries_max,
        query_secs_max: config.limits(args.limits).run_secs_max,
        stores_max: args.stores_max,
        ..ServerLimits::aws()
    };
    if let Some((certificates, key)) = args.tls_cert.as_deref().zip(args.tls_key.as_deref()) {
        options.tls =
            Some(TlsOptions { certificates_pem: read(certificates)?, key_pem: read(key)? });
    }
    let (scheme, has_keys) =
        (if options.tls.is_some() { "https" } else { "http" }, !options.keys.is_empty());

    let url = config.lake()?;
    let lake = Lake::open_or_create(url, config.lake_options(args.limits)).await?;
    let upkeep = lake.clone();
    let server = Server::bind(lake, options).await?;
    tell(&format!("serving lake `{url}` at {scheme}://{}", server.address()));
    if !has_keys {
        tell("no access keys are set: signatures are not checked");
    }
    let stop = async {
        if let Err(error) = interruption().await {
            tell(&format!("warning: signals cannot be listened for: {error}"));
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = server.run(stop) => {}
        () = upkeep.maintain(std::future::pending()) => {}
    }
    Ok(Outcome::Done)
}

/// The file of `--keys`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysFile {
    key: Vec<KeyEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    access_key_id: String,
    secret_access_key: String,
    principal: String,
    #[serde(default)]
    grant: Vec<GrantEntry>,
}

impl std::fmt::Debug for KeyEntry {
    /// Leaves out the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyEntry").field("principal", &self.principal).finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantEntry {
    operations: Vec<String>,
    stores: Vec<String>,
    #[serde(default)]
    accounts: Vec<String>,
    #[serde(default)]
    deliver_to: Vec<String>,
}

fn read_keys(path: &Path) -> Result<Vec<AccessKey>> {
    let text = String::from_utf8(read(path)?).map_err(|_| unreadable(path, "it is not UTF-8"))?;
    // The parser's own error shows the line, which may hold a secret; its message does not.
    let file: KeysFile =
        toml::from_str(&text).map_err(|error| unreadable(path, error.message()))?;
    let mut keys: Vec<AccessKey> = Vec::new();
    for entry in file.key {
        let KeyEntry { access_key_id, secret_access_key, principal, grant } = entry;
        if access_key_id.is_empty() || secret_access_key.is_empty() {
            return Err(unreadable(path, "a key has an empty id or secret"));
        }
        if keys.iter().any(|key| key.access_key_id == access_key_id) {
            return Err(unreadable(path, &format!("the key `{access_key_id}` stands twice")));
        }
        let grants = grant
            .into_iter()
            .map(|entry| {
                let GrantEntry { operations, stores, accounts, deliver_to } = entry;
                Grant { operations, stores, accounts, deliver_to }
            })
            .collect();
        keys.push(AccessKey::new(access_key_id, secret_access_key, principal, grants));
    }
    Ok(keys)
}

fn unreadable(path: &Path, reason: &str) -> anyhow::Error {
    let error = anyhow!("could not use the access keys of `{}`: {reason}", path.display());
    let hint = "each [[key]] has access_key_id, secret_access_key, principal, and [[key.grant]] \
                with operations and stores";
    Hinted::new(error, hint).into()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("could not read `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_keys_is_read_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        let good = "[[key]]\naccess_key_id = \"A\"\nsecret_access_key = \"canary\"\n\
                    principal = \"p\"\n[[key.grant]]\noperations = [\"*\"]\nstores = [\"*\"]\n";
        fs::write(&path, good).unwrap();
        let keys = read_keys(&path).unwrap();
        assert_eq!((keys.len(), keys[0].grants.len()), (1, 1));
        assert!(!format!("{keys:?}").contains("canary"));
        for wrong in [
            good.replace("principal", "principle"),
            good.replace("= \"canary\"", "= \"\""),
            format!("{good}{good}"),
            good.replace("\"canary\"", "canary"),
        ] {
            fs::write(&path, &wrong).unwrap();
            let error = format!("{:#}", read_keys(&path).unwrap_err());
            assert!(!error.contains("canary"), "{error}");
        }
    }
}
