//! A store whose newest commits are not whole: how one can tell, and moving them out of the way.

use std::fmt;

use object_store::path::Path;
use uuid::Uuid;

use crate::commit;
use crate::error::{Error, Result};
use crate::lake_files::LakeFiles;
use crate::layout;

/// Commits that one repair moves aside, at most. A power loss tears the last few; more than this
/// is another kind of damage, which a person should look at.
const COMMITS_MAX: usize = 64;

/// How one can tell that a commit is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TornReason {
    /// Its file is empty, as a power loss leaves a file that was not synced.
    Empty,
    /// A line of it is not JSON.
    BrokenLine {
        /// The line, counted from 1.
        line: usize,
    },
    /// Its last line or its end is missing.
    Unfinished,
}

impl fmt::Display for TornReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TornReason::Empty => f.write_str("its file is empty"),
            TornReason::BrokenLine { line } => write!(f, "its line {line} is not JSON"),
            TornReason::Unfinished => f.write_str("its end is missing"),
        }
    }
}

/// What a repair of a store would do. Displayed as the text a person should read first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairPlan {
    /// The store's id.
    pub store: Uuid,
    /// What would be moved aside, in the order it would be.
    pub steps: Vec<RepairStep>,
    /// The version that the store would then be at; none if no commit of it is whole.
    pub version_after: Option<u64>,
}

/// One file that a repair moves aside, within the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairStep {
    /// The file, from the root of the lake.
    pub path: Path,
    /// Where it would be moved to, from the root of the lake.
    pub aside: Path,
    /// Why.
    pub reason: String,
}

impl RepairPlan {
    /// Whether there is nothing to repair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl fmt::Display for RepairPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = self.store;
        if self.is_empty() {
            return writeln!(f, "event data store {store}: nothing to repair");
        }
        writeln!(f, "event data store {store}:")?;
        for step in &self.steps {
            writeln!(f, "  move `{}` to `{}`: {}", step.path, step.aside, step.reason)?;
        }
        match self.version_after {
            Some(version) => writeln!(
                f,
                "  the store is then at version {version}; events of the commits moved aside are \
                 not in it until their log files are ingested again"
            ),
            None => writeln!(f, "  no commit of the store is whole: it is then no store"),
        }
    }
}

/// Looks at the newest commits and checkpoints of a store; changes nothing.
pub(crate) async fn plan(files: &LakeFiles, id: Uuid) -> Result<RepairPlan> {
    let folder = layout::log_folder(id);
    let listing = files.list(&folder).await?;
    let mut versions: Vec<u64> =
        listing.files.iter().filter_map(|(name, _)| layout::commit_version(name)).collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));

    let mut steps = Vec::new();
    let mut version_after = None;
    for version in versions {
        let path = layout::commit(id, version);
        let text = files.read(&path).await?.unwrap_or_default();
        match commit::parse(&text) {
            Ok(_) => {
                version_after = Some(version);
                break;
            }
            Err(_) if steps.len() >= COMMITS_MAX => {
                let reason = format!("more than {COMMITS_MAX} commits are not whole");
                return Err(Error::Damaged { path: folder, reason });
            }
            Err(reason) => steps.push(step(id, path, format!("commit {version}: {reason}"))),
        }
    }
    let torn_checkpoints = checkpoints_to_move(files, id, &listing.files, version_after).await?;
    steps.extend(torn_checkpoints);
    Ok(RepairPlan { store: id, steps, version_after })
}

/// Checkpoints of versions that go away or that are not whole, and the hint that names the newest.
async fn checkpoints_to_move(
    files: &LakeFiles,
    id: Uuid,
    listed: &[(String, u64)],
    version_after: Option<u64>,
) -> Result<Vec<RepairStep>> {
    let mut steps = Vec::new();
    for (name, _) in listed {
        let Some(version) = layout::checkpoint_version(name) else { continue };
        let path = layout::log_folder(id).join(name.as_str());
        if version_after.is_none_or(|after| version > after) {
            steps.push(step(id, path, format!("checkpoint {version}: of a commit moved aside")));
        } else {
            let content = files.read(&path).await?.unwrap_or_default();
            // Both ends of every Parquet file; the end is what a torn one lacks.
            if !(content.starts_with(b"PAR1") && content.ends_with(b"PAR1") && content.len() > 8) {
                steps.push(step(id, path, format!("checkpoint {version}: it is not whole")));
            }
        }
    }
    if !steps.is_empty() && listed.iter().any(|(name, _)| name == "_last_checkpoint") {
        let path = layout::log_folder(id).join("_last_checkpoint");
        steps.push(step(id, path, "it may name a checkpoint moved aside".into()));
    }
    Ok(steps)
}

fn step(id: Uuid, path: Path, reason: String) -> RepairStep {
    let name = path.filename().unwrap_or_default();
    let aside = layout::aside(id, &format!("{name}.{}", Uuid::new_v4()));
    RepairStep { path, aside, reason }
}

/// Does what the plan says, newest commit first, so that a crash in between leaves less to do.
pub(crate) async fn apply(files: &LakeFiles, plan: &RepairPlan) -> Result<()> {
    for step in &plan.steps {
        let Some(content) = files.read(&step.path).await? else { continue };
        files.write(&step.aside, content).await?;
        files.remove(&step.path).await?;
    }
    Ok(())
}
