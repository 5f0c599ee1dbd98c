//! `towpath job verify` and `towpath job keys`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use arrow::array::RecordBatch;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use towpath::{PublicKey, verify_results};

use crate::args::{JobKeysArgs, JobVerifyArgs, LimitArgs};
use crate::commands::open_lake;
use crate::commands::store::{strings, times, write_rows};
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::output::Destination;

/// Longest file of a key that is read, in bytes: one of 2048 bits has 270, in base64 360.
const KEY_BYTES_MAX: u64 = 16 * 1024;

pub(super) async fn verify(config: &Config, args: JobVerifyArgs) -> Result<Outcome> {
    let verified = match &args.public_key {
        Some(path) => {
            let options = config.lake_options(LimitArgs::default());
            verify_results(&args.folder, &options.storage_options, &read_key(path)?).await?
        }
        None => {
            let lake = open_lake(config, LimitArgs::default()).await?;
            lake.verify_results(&args.folder).await?
        }
    };
    let files = verified.files.len();
    tell(&format!(
        "{files} file{} as signed with key `{}` for the query that was complete at {}",
        if files == 1 { " is" } else { "s are" },
        verified.fingerprint,
        verified.completed_at
    ));
    Ok(Outcome::Done)
}

/// Reads a public key: PKCS#1 in DER, or that in base64, with or without the lines of PEM.
fn read_key(path: &Path) -> Result<PublicKey> {
    let describe = || format!("could not read key `{}`", path.display());
    if fs::metadata(path).with_context(describe)?.len() > KEY_BYTES_MAX {
        bail!("file `{}` is longer than {KEY_BYTES_MAX} bytes and no public key", path.display());
    }
    let content = fs::read(path).with_context(describe)?;
    // DER begins with this byte, and what it becomes in base64 with `M`.
    let Some(text) = std::str::from_utf8(&content).ok().filter(|_| content.first() != Some(&0x30))
    else {
        return Ok(PublicKey::from_der(content));
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
    let base64: String = lines.collect();
    let der = BASE64.decode(base64).with_context(|| {
        format!("file `{}` is no public key: neither DER nor base64", path.display())
    })?;
    Ok(PublicKey::from_der(der))
}

pub(super) async fn keys(config: &Config, args: JobKeysArgs) -> Result<Outcome> {
    let lake = open_lake(config, LimitArgs::default()).await?;
    let keys = lake.public_keys().await?;
    let rows = RecordBatch::try_from_iter([
        ("fingerprint", strings(keys.iter().map(|key| key.fingerprint.clone()))),
        ("valid_from", times(keys.iter().map(|key| Some(key.valid_from)))),
        ("valid_to", times(keys.iter().map(|key| Some(key.valid_to)))),
        ("public_key", strings(keys.iter().map(|key| BASE64.encode(&key.der)))),
    ])?;
    let mut stdout = Destination::stdout();
    write_rows(&rows, args.format, &mut stdout)?;
    stdout.commit()?;
    Ok(Outcome::Done)
}
