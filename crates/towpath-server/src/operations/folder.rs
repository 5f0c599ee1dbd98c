//! Folders of this machine that requests may name, as `file:///…`.

use std::path::{Path, PathBuf};

/// The real path of the folder of `uri`, if it is one of `allowed` or below one.
///
/// Real paths are compared, so that neither `..` nor a link leads out of an allowed folder.
pub(super) fn allowed_folder(uri: &str, allowed: &[PathBuf]) -> Option<String> {
    let folder = Path::new(uri.strip_prefix(SCHEME)?).canonicalize().ok()?;
    let is_within =
        |allowed: &PathBuf| allowed.canonicalize().is_ok_and(|it| folder.starts_with(it));
    if !allowed.iter().any(is_within) {
        return None;
    }
    folder.to_str().map(str::to_owned)
}

/// What a folder's URI begins with.
pub(super) const SCHEME: &str = "file://";
