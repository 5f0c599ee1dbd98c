//! Where things are in a lake.
//!
//! ```text
//! <lake>/towpath.json                              marks the folder as a lake; its format
//! <lake>/names/<name in lower case>.json           which store has the name
//! <lake>/_towpath/catalog.lock | catalog.lease     held while a store is made
//! <lake>/_towpath/removed/<id>.json                a deleted store that was removed for good
//! <lake>/_towpath/conditional-put.json             the object store has passed the self-test
//! <lake>/_towpath/documents.lock                   held while a document is replaced
//! <lake>/queries/, saved-queries/, schedules/      documents: what people asked, see `Documents`
//! <lake>/api/                                      documents: what only AWS's API knows
//! <lake>/keys/                                     signing keys
//! <lake>/_selftest/                                the self-test, while it runs
//! <lake>/stores/<id>/                              one Delta table
//!     _delta_log/00000000000000000000.json         its commits and checkpoints
//!     calendarmonth=202401/<uuid>.parquet          its data files
//!     _towpath/writer.lock | writer.lease          held by the one writer
//!     _towpath/compactor.lock | compactor.lease    held by the one who compacts
//!     _towpath/commits/00000000000000000000.json.gz  what 256 commits did, saved to read faster
//!     _towpath/snapshot.json                       a snapshot, saved to open the store faster
//!     _towpath/index/<sha256>.span                 where values are, and counts; see `index`
//!     _towpath/signed/00000000000000000012.json    signed checkpoints, see `signed_checkpoint`
//!     _towpath/aside/                              what `doctor --repair` moved out of the way
//! ```
//!
//! Delta readers pass over names that begin with `_`.

use object_store::path::Path;
use uuid::Uuid;

/// The newest format of a lake that this version reads and the one it makes.
pub(crate) const FORMAT_NEWEST: u32 = 1;

/// The partition column of every store: the month of `eventTime`, YYYYMM, as bigint.
pub const PARTITION_COLUMN: &str = "calendarmonth";

/// The column that every data file must have: UTC, in microseconds, never NULL.
pub const EVENT_TIME_COLUMN: &str = "eventTime";

/// The name of the saved snapshot of a store.
pub(crate) const SAVED_SNAPSHOT: &str = "snapshot.json";

pub(crate) fn marker() -> Path {
    Path::from("towpath.json")
}

pub(crate) fn names() -> Path {
    Path::from("names")
}

/// The reservation of `name`, which must be a valid one: names are unique without regard to case.
pub(crate) fn name(name: &str) -> Path {
    names().join(format!("{}.json", name.to_ascii_lowercase()))
}

pub(crate) fn catalog_lock() -> LockPaths {
    LockPaths::new(&Path::from("_towpath"), "catalog")
}

/// Held on a local file system while a document is replaced.
pub(crate) fn documents_lock() -> Path {
    Path::from("_towpath/documents.lock")
}

pub(crate) fn conditional_put_passed() -> Path {
    Path::from("_towpath/conditional-put.json")
}

pub(crate) fn removed_folder() -> Path {
    Path::from("_towpath/removed")
}

/// What is left of a store that was removed: when, and what it was.
pub(crate) fn removed(id: Uuid) -> Path {
    removed_folder().join(format!("{id}.json"))
}

pub(crate) fn self_test() -> Path {
    Path::from("_selftest")
}

/// Whether a path of the lake may be there before the lake is.
pub(crate) fn may_precede_lake(path: &Path) -> bool {
    let first = path.parts().next();
    first.is_some_and(|first| matches!(first.as_ref(), "_selftest" | "_towpath"))
}

pub(crate) fn stores() -> Path {
    Path::from("stores")
}

pub(crate) fn store(id: Uuid) -> Path {
    stores().join(id.to_string())
}

pub(crate) fn writer_lock(id: Uuid) -> LockPaths {
    LockPaths::new(&store(id).join("_towpath"), "writer")
}

pub(crate) fn compactor_lock(id: Uuid) -> LockPaths {
    LockPaths::new(&store(id).join("_towpath"), "compactor")
}

/// What the commits from `first` on did, saved.
pub(crate) fn saved_commits(id: Uuid, first: u64) -> Path {
    store(id).join("_towpath").join("commits").join(format!("{first:020}.json.gz"))
}

/// A snapshot, saved so that the store is opened faster.
pub(crate) fn saved_snapshot(id: Uuid) -> Path {
    store(id).join("_towpath").join(SAVED_SNAPSHOT)
}

pub(crate) fn index_folder(id: Uuid) -> Path {
    store(id).join("_towpath").join("index")
}

/// The span of the index that is named after its SHA-256.
pub(crate) fn index_span(id: Uuid, sha256: &str) -> Path {
    index_folder(id).join(format!("{sha256}.span"))
}

/// Whether a file of the folder of the index is a span.
pub(crate) fn is_index_span(file_name: &str) -> bool {
    let name = file_name.strip_suffix(".span");
    name.is_some_and(|name| name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit()))
}

pub(crate) fn log_folder(id: Uuid) -> Path {
    store(id).join("_delta_log")
}

pub(crate) fn commit(id: Uuid, version: u64) -> Path {
    log_folder(id).join(format!("{version:020}.json"))
}

/// Delta's checkpoint of a version.
pub(crate) fn delta_checkpoint(id: Uuid, version: u64) -> Path {
    log_folder(id).join(format!("{version:020}.checkpoint.parquet"))
}

/// What names the newest of Delta's checkpoints to readers.
pub(crate) fn delta_checkpoint_hint(id: Uuid) -> Path {
    log_folder(id).join("_last_checkpoint")
}

/// The signed checkpoints of a store.
pub(crate) fn signed_folder(id: Uuid) -> Path {
    store(id).join("_towpath").join("signed")
}

/// The signed checkpoint of a version.
pub(crate) fn signed(id: Uuid, version: u64) -> Path {
    signed_folder(id).join(format!("{version:020}.json"))
}

pub(crate) fn aside(id: Uuid, name: &str) -> Path {
    store(id).join("_towpath").join("aside").join(name)
}

/// The version that a file of the log folder is the commit of, if it is one.
pub(crate) fn commit_version(file_name: &str) -> Option<u64> {
    log_version(file_name.strip_suffix(".json")?)
}

/// The version that a file of the log folder is a checkpoint of, if it is one.
pub(crate) fn checkpoint_version(file_name: &str) -> Option<u64> {
    log_version(file_name.strip_suffix(".checkpoint.parquet")?)
}

fn log_version(digits: &str) -> Option<u64> {
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())?
}

/// A new data file of the month, from the root of its store, as Delta's log names it.
pub(crate) fn new_data_file(calendarmonth: i64) -> String {
    format!("{PARTITION_COLUMN}={calendarmonth}/{}.parquet", Uuid::new_v4())
}

/// Whether a path, from the root of the lake, is that of a data file of the store at `root`.
pub(crate) fn is_data_file(root: &Path, path: &Path) -> bool {
    let Some(within) = path.prefix_match(root) else { return false };
    let parts: Vec<_> = within.collect();
    let [month, name] = parts.as_slice() else { return false };
    let month = month.as_ref().strip_prefix(PARTITION_COLUMN);
    let month = month.and_then(|month| month.strip_prefix('='));
    let id = name.as_ref().strip_suffix(".parquet");
    month.is_some_and(|month| month.parse::<i64>().is_ok())
        && id.is_some_and(|id| Uuid::try_parse(id).is_ok())
}

/// Where the one holder of something says so: a locked file locally, a lease object elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct LockPaths {
    pub(crate) file: Path,
    pub(crate) object: Path,
    /// What the first of those who wait for the file holds.
    pub(crate) next_file: Path,
    /// What the first of those who wait for the object holds.
    pub(crate) next_object: Path,
}

impl LockPaths {
    pub(crate) fn new(folder: &Path, name: &str) -> LockPaths {
        LockPaths {
            file: folder.clone().join(format!("{name}.lock")),
            object: folder.clone().join(format!("{name}.lease")),
            next_file: folder.clone().join(format!("{name}.next.lock")),
            next_object: folder.clone().join(format!("{name}.next.lease")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        checkpoint_version, commit_version, is_data_file, may_precede_lake, new_data_file, store,
    };
    use object_store::path::Path;
    use uuid::Uuid;

    #[test]
    fn only_our_own_data_files_are_taken_for_data_files() {
        let root = store(Uuid::from_u128(7));
        assert!(is_data_file(&root, &Path::from(format!("{root}/{}", new_data_file(202_401)))));
        for other in [
            "_delta_log/00000000000000000010.checkpoint.parquet",
            "calendarmonth=202401/notes.parquet",
            "calendarmonth=202401/deep/00000000-0000-0000-0000-000000000007.parquet",
            "month=202401/00000000-0000-0000-0000-000000000007.parquet",
            "00000000-0000-0000-0000-000000000007.parquet",
        ] {
            assert!(!is_data_file(&root, &Path::from(format!("{root}/{other}"))), "{other}");
        }
    }

    #[test]
    fn log_files_are_told_by_their_names() {
        assert_eq!(commit_version("00000000000000000012.json"), Some(12));
        assert_eq!(commit_version("00000000000000000012.checkpoint.parquet"), None);
        assert_eq!(checkpoint_version("00000000000000000012.checkpoint.parquet"), Some(12));
        for other in ["_last_checkpoint", "12.json", "0000000000000000001x.json", ".json"] {
            assert_eq!(commit_version(other), None, "{other}");
        }
    }

    #[test]
    fn only_our_own_preparations_may_precede_a_lake() {
        assert!(may_precede_lake(&Path::from("_selftest/a/1")));
        assert!(!may_precede_lake(&Path::from("photos/a.jpg")));
    }
}
