//! A store is opened from its saved snapshot, and never by one that is not what the log says.

use crate::faulty_store::{Fault, FaultyStore};
use crate::support::{WAIT, append, bucket, local_store, new_store, now, store_folder};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use towpath_store::{
    Catalog, CompactionPolicy, DataFile, Error, EventDataStore, FindingKind, Location, Retention,
    Snapshot, VerificationOptions,
};
use xxhash_rust::xxh3::xxh3_64;

/// Commits after which who opens the store saves the snapshot.
const COMMITS: usize = 32;

async fn fed(store: &EventDataStore, from: usize, to: usize) {
    for number in from..to {
        append(store, &[&format!("event-{number}")]).await.unwrap();
    }
}

/// The snapshot as a new process sees it.
async fn opened(folder: &TempDir) -> Arc<Snapshot> {
    let catalog = Catalog::open(Location::local(folder.path()).unwrap()).await.unwrap();
    catalog.store("trail").await.unwrap().latest()
}

fn saved(folder: &TempDir, store: &EventDataStore) -> PathBuf {
    store_folder(folder, store).join("_towpath/snapshot.json")
}

fn commit(folder: &TempDir, store: &EventDataStore, version: u64) -> PathBuf {
    store_folder(folder, store).join(format!("_delta_log/{version:020}.json"))
}

/// All that a snapshot tells.
fn told(snapshot: &Snapshot) -> (u64, Vec<DataFile>, String, String) {
    let (settings, schema) = (snapshot.settings(), snapshot.schema());
    let files = snapshot.data_files().to_vec();
    (snapshot.version(), files, format!("{settings:?}"), format!("{schema:?}"))
}

/// What the log says, read without the saved snapshot.
async fn by_log(folder: &TempDir, store: &EventDataStore) -> Arc<Snapshot> {
    let path = saved(folder, store);
    let content = fs::read(&path);
    fs::remove_file(&path).unwrap_or_default();
    let snapshot = opened(folder).await;
    if let Ok(content) = content {
        fs::write(&path, content).unwrap();
    }
    snapshot
}

#[tokio::test]
async fn store_is_the_same_whether_its_snapshot_was_saved_or_not() {
    let (folder, _catalog, store) = local_store().await;
    fed(&store, 0, COMMITS - 1).await;
    opened(&folder).await;
    assert!(!saved(&folder, &store).try_exists().unwrap());
    fed(&store, COMMITS - 1, COMMITS).await;
    let first = opened(&folder).await;
    assert!(saved(&folder, &store).try_exists().unwrap());
    assert_eq!(told(&first), told(&store.snapshot().await.unwrap()));

    // Commits of every kind after it: appends, settings, data files taken out.
    fed(&store, COMMITS, COMMITS + 3).await;
    store.set_retention(Retention::days(3653).unwrap(), now(), WAIT).await.unwrap();
    let compacted = store.compact(&CompactionPolicy::THOROUGH, now(), WAIT).await.unwrap();
    assert!(compacted.files_before > 0, "{compacted:?}");
    fed(&store, COMMITS + 3, COMMITS + 20).await;
    let last = opened(&folder).await;
    assert_eq!(told(&last), told(&store.snapshot().await.unwrap()));
    assert_eq!(told(&last), told(&*by_log(&folder, &store).await));
    assert_eq!(last.rows(), COMMITS as u64 + 20);
    assert_eq!(last.retention().as_days(), 3653);
}

#[tokio::test]
async fn store_that_was_opened_from_it_goes_on_with_the_log() {
    let (folder, _catalog, store) = local_store().await;
    fed(&store, 0, COMMITS).await;
    opened(&folder).await;
    let catalog = Catalog::open(Location::local(folder.path()).unwrap()).await.unwrap();
    let other = catalog.store("trail").await.unwrap();
    for number in 0..40 {
        let writer = if number % 3 == 0 { &other } else { &store };
        fed(writer, COMMITS + number, COMMITS + number + 1).await;
        let snapshots = (other.snapshot().await.unwrap(), store.snapshot().await.unwrap());
        assert_eq!(told(&snapshots.0), told(&snapshots.1));
    }
}

#[tokio::test]
async fn opening_reads_the_saved_snapshot_and_the_commits_after_it() {
    let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let catalog = Catalog::create(bucket(&objects), now()).await.unwrap();
    let store = catalog.create_store(new_store("trail"), now()).await.unwrap();
    fed(&store, 0, 60).await;
    let open = async || {
        let counting = FaultyStore::new(Arc::clone(&objects), Fault::Before, u64::MAX);
        let catalog = Catalog::open(bucket(&(Arc::clone(&counting) as _))).await.unwrap();
        let store = catalog.store("trail").await.unwrap();
        assert_eq!(store.latest().rows(), 60);
        counting.operations()
    };
    let (by_log, saved) = (open().await, open().await);
    // The lake, the name, the saved snapshot, its commit and fifteen that might follow.
    assert!(saved <= 20 && by_log > 60, "{by_log}, then {saved}");
}

#[tokio::test]
async fn saved_snapshot_that_is_not_whole_counts_for_nothing_and_is_made_anew() {
    let (folder, _catalog, store) = local_store().await;
    fed(&store, 0, COMMITS).await;
    let expected = told(&*opened(&folder).await);
    let path = saved(&folder, &store);
    let whole = fs::read(&path).unwrap();
    let mut torn: Vec<Vec<u8>> = vec![Vec::new(), b"x".to_vec(), vec![0; whole.len()]];
    torn.extend([whole.len() / 2, whole.len() - 1, 16, 17].map(|length| whole[..length].to_vec()));
    torn.extend((0..whole.len()).step_by(1_009).map(|at| {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        flipped
    }));
    for content in torn {
        fs::write(&path, &content).unwrap();
        assert_eq!(told(&*opened(&folder).await), expected);
        let anew = fs::read_to_string(&path).unwrap();
        let (checksum, text) = anew.split_once('\n').unwrap();
        assert_eq!(checksum, format!("{:016x}", xxh3_64(text.as_bytes())));
    }
}

#[tokio::test]
async fn saved_snapshot_of_a_commit_that_was_moved_aside_counts_for_nothing() {
    let (folder, catalog, store) = local_store().await;
    fed(&store, 0, COMMITS).await;
    opened(&folder).await;
    let newest = COMMITS as u64;
    fs::rename(commit(&folder, &store, newest), folder.path().join("aside")).unwrap();
    assert_eq!(opened(&folder).await.version(), newest - 1);

    // The same version again, of another commit.
    let path = saved(&folder, &store);
    let before = fs::read(&path).unwrap_or_default();
    drop(catalog);
    let catalog = Catalog::open(Location::local(folder.path()).unwrap()).await.unwrap();
    let anew = catalog.store("trail").await.unwrap();
    append(&anew, &["another"]).await.unwrap();
    fs::write(&path, before).unwrap();
    assert_eq!(told(&*opened(&folder).await), told(&*by_log(&folder, &store).await));
}

#[tokio::test]
async fn torn_newest_commit_is_refused_with_a_saved_snapshot_too() {
    let (folder, _catalog, store) = local_store().await;
    fed(&store, 0, COMMITS + 2).await;
    opened(&folder).await;
    let catalog = Catalog::open(Location::local(folder.path()).unwrap()).await.unwrap();
    let newest = COMMITS as u64 + 2;
    for content in ["", "{", "{\"commitInfo\":{}}\n"] {
        fs::write(commit(&folder, &store, newest + 1), content).unwrap();
        let opened = catalog.store("trail").await;
        if content.ends_with('\n') {
            // Another program's commit, which is whole as it is.
            assert_eq!(opened.unwrap().latest().version(), newest + 1);
            continue;
        }
        let err = opened.unwrap_err();
        assert!(matches!(err, Error::TornCommit { .. }), "{content:?}: {err:?}");
    }
}

#[tokio::test]
async fn gap_in_the_log_is_refused_with_a_saved_snapshot_too() {
    let (folder, _catalog, store) = local_store().await;
    fed(&store, 0, COMMITS).await;
    opened(&folder).await;
    fed(&store, COMMITS, COMMITS + 5).await;
    fs::remove_file(commit(&folder, &store, COMMITS as u64 + 2)).unwrap();
    let catalog = Catalog::open(Location::local(folder.path()).unwrap()).await.unwrap();
    assert!(catalog.store("trail").await.is_err());
}

#[tokio::test]
async fn saved_snapshot_that_hides_a_data_file_is_found_by_verify() {
    let (folder, catalog, store) = local_store().await;
    fed(&store, 0, COMMITS).await;
    opened(&folder).await;
    let options = VerificationOptions::all(now());
    let report = catalog.verify("trail", &options).await.unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);

    let path = saved(&folder, &store);
    let content = fs::read_to_string(&path).unwrap();
    let (_, text) = content.split_once('\n').unwrap();
    let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
    value["dataFiles"].as_array_mut().unwrap().remove(3);
    let text = value.to_string();
    fs::write(&path, format!("{:016x}\n{text}", xxh3_64(text.as_bytes()))).unwrap();
    let report = catalog.verify("trail", &options).await.unwrap();
    let found: Vec<_> = report.findings.iter().map(|found| (found.kind, &*found.path)).collect();
    assert_eq!(found, [(FindingKind::FileAltered, "_towpath/snapshot.json")]);
}
