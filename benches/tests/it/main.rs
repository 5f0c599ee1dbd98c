//! The bundled trail is what its generator makes, and the questions are as their index says.

#![expect(clippy::unwrap_used, reason = "tests panic rather than return errors")]

mod queries;
mod reference;
mod torture;
mod trail;

use std::path::PathBuf;

/// A file or folder of the project.
fn project(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
