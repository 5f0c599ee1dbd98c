//! The self-test of a bucket: is its conditional PUT what Delta's commits rely on?
//!
//! Some servers answer `If-None-Match: *` correctly one request at a time and let several racing
//! ones win; some ignore it. Commits are then lost without an error. So the first writer of a lake
//! races for keys of its own, and refuses a server where more than one racer ever won.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, UpdateVersion};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::lake_files::LakeFiles;
use crate::layout;

/// Keys raced for. Of the servers that fail, the best one let two win on each of sixty keys.
const KEYS: usize = 20;

/// Racers for each key.
const WRITERS: usize = 16;

/// Makes sure that the lake's object store does conditional writes atomically.
///
/// The result is remembered in the lake. A local file system is not tested: there it is this
/// program that makes a file appear at once or not at all.
///
/// # Errors
///
/// [`Error::UnsafeObjectStore`] if it does not.
pub(crate) async fn ensure(files: &LakeFiles) -> Result<()> {
    if files.location().local_path().is_some() {
        return Ok(());
    }
    let passed = layout::conditional_put_passed();
    if files.read(&passed).await?.is_some() {
        return Ok(());
    }
    let folder = layout::self_test().join(Uuid::new_v4().to_string());
    let result = Box::pin(test(files, &folder)).await;
    for key in 0..KEYS {
        // What stays behind is in nobody's way.
        files.remove(&folder.clone().join(key.to_string())).await.unwrap_or_default();
    }
    result?;
    files.write(&passed, Bytes::from_static(b"{\"passed\":true}\n")).await
}

async fn test(files: &LakeFiles, folder: &Path) -> Result<()> {
    let paths: Vec<Path> = (0..KEYS).map(|key| folder.clone().join(key.to_string())).collect();
    let races = join_all(paths.iter().map(|path| race(files.objects(), path))).await;
    for (path, race) in paths.iter().zip(races) {
        race.check(files, path).await?;
    }
    check_overwrite(files, &paths[0]).await
}

/// How one race ended: the racers that were told they won, and the errors of no known outcome.
#[derive(Default)]
struct Race {
    winners: Vec<u8>,
    unclear: Option<object_store::Error>,
}

async fn race(objects: &Arc<dyn ObjectStore>, path: &Path) -> Race {
    let start = Arc::new(Barrier::new(WRITERS));
    let mut racers = JoinSet::new();
    for writer in 0..WRITERS {
        let (objects, path, start) = (Arc::clone(objects), path.clone(), Arc::clone(&start));
        racers.spawn(async move {
            let writer = u8::try_from(writer).unwrap_or(u8::MAX);
            start.wait().await;
            let put = objects.put_opts(&path, vec![writer].into(), PutMode::Create.into()).await;
            (writer, put)
        });
    }
    let mut race = Race::default();
    while let Some(finished) = racers.join_next().await {
        match finished {
            Ok((writer, Ok(_))) => race.winners.push(writer),
            Ok((_, Err(object_store::Error::AlreadyExists { .. }))) => {}
            Ok((_, Err(err))) => race.unclear = Some(err),
            Err(err) => race.unclear = Some(err.into()),
        }
    }
    race
}

impl Race {
    /// Exactly one racer won, and it is its content that is there. One whose answer was lost may
    /// be the winner.
    async fn check(self, files: &LakeFiles, path: &Path) -> Result<()> {
        if self.winners.len() > 1 {
            let reason =
                format!("{} of {WRITERS} racing writers created one key", self.winners.len());
            return Err(refused(files, reason));
        }
        let found = files.read(path).await?;
        match (self.winners.first(), found.as_deref(), self.unclear) {
            (Some(winner), Some([found]), _) if winner == found => Ok(()),
            (None, Some([_]), Some(_)) => Ok(()),
            (None, None, Some(err)) => Err(Error::storage("create", path, err)),
            (Some(_), _, _) => Err(refused(files, "another content won than it said".into())),
            (None, _, _) => Err(refused(files, "it let no writer create a key".into())),
        }
    }
}

/// An overwrite that names an old version is refused; leases rely on it.
async fn check_overwrite(files: &LakeFiles, path: &Path) -> Result<()> {
    let Some((_, first)) = files.read_versioned(path).await? else {
        return Err(refused(files, "a key vanished".into()));
    };
    files.write(path, Bytes::from_static(b"overwritten")).await?;
    let put = |version: UpdateVersion| {
        files.objects().put_opts(path, "conditional".into(), PutMode::Update(version).into())
    };
    match put(first).await {
        Ok(_) => return Err(refused(files, "it overwrote a key by an outdated ETag".into())),
        Err(
            object_store::Error::Precondition { .. } | object_store::Error::AlreadyExists { .. },
        ) => {}
        Err(err) => return Err(Error::storage("overwrite", path, err)),
    }
    match files.objects().get(path).await {
        Ok(found) => {
            let current = UpdateVersion { e_tag: found.meta.e_tag, version: found.meta.version };
            let done = put(current).await;
            done.map(drop).map_err(|err| Error::storage("overwrite", path, err))
        }
        Err(err) => Err(Error::storage("read", path, err)),
    }
}

fn refused(files: &LakeFiles, reason: String) -> Error {
    Error::UnsafeObjectStore { url: files.location().url().to_string(), reason }
}
