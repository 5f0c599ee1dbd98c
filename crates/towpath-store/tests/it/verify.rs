//! What a verification finds, and what it leaves in peace.

use crate::support::{MONTH, WAIT, append, bucket, new_store, now, rows_from};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use towpath_store::{
    Append, Catalog, CompactionPolicy, EventDataStore, FindingKind, NewHold, Retention,
    SettingsChange, SignedCheckpoint, SigningKeys, TimeRange, Verification, VerificationOptions,
};

/// Verifications at the same time.
const RUNS_AT_ONCE: usize = 32;

/// Says that every byte is to be flipped, which takes minutes, and not some of each file.
const EVERY_BYTE_VARIABLE: &str = "TOWPATH_TEST_EVERY_BYTE";

/// When all that is written now is too old for a writer to be about to commit it.
fn late() -> DateTime<Utc> {
    Utc::now() + TimeDelta::days(3)
}

struct Scene {
    objects: Arc<InMemory>,
    catalog: Catalog,
    store: EventDataStore,
}

impl Scene {
    async fn new() -> Scene {
        Scene::with_retention(Retention::default()).await
    }

    async fn with_retention(retention: Retention) -> Scene {
        let objects = Arc::new(InMemory::new());
        let shared: Arc<dyn ObjectStore> = Arc::clone(&objects) as _;
        let catalog = Catalog::create(bucket(&shared), now()).await.unwrap();
        let mut new = new_store("trail");
        new.retention = retention;
        let store = catalog.create_store(new, now()).await.unwrap();
        Scene { objects, catalog, store }
    }

    fn keys(&self) -> SigningKeys {
        self.catalog.signing_keys(Some("passphrase".into()))
    }

    async fn sign(&self) -> SignedCheckpoint {
        self.store.sign_checkpoint(&self.keys(), now()).await.unwrap()
    }

    async fn append_at(&self, seconds: i64, month: i64, id: &str) {
        let writer = self.store.writer(now(), WAIT).await.unwrap();
        let file = writer.write_data_file(month, &[rows_from(seconds, &[id])]).await.unwrap();
        writer.commit(Append { data_files: vec![file], sources: vec![] }, now()).await.unwrap();
    }

    async fn verify(&self) -> Verification {
        verify(&self.objects, &VerificationOptions::all(late())).await
    }

    async fn assert_sound(&self) -> Verification {
        let report = self.verify().await;
        assert!(report.is_sound(), "{:#?}", report.findings);
        report
    }

    /// Where a file of the store is.
    fn at(&self, within: &str) -> Path {
        Path::from(format!("some/lake/stores/{}/{within}", self.store.id()))
    }

    /// Every file of the store but for those that only say who holds what.
    async fn files(&self) -> Vec<Path> {
        let found: Vec<_> = self.objects.list(Some(&self.at(""))).try_collect().await.unwrap();
        let mut paths: Vec<Path> = found.into_iter().map(|file| file.location).collect();
        paths.retain(|path| !path.as_ref().ends_with(".lease"));
        paths.sort();
        paths
    }

    async fn put(&self, within: &str, text: impl Into<Bytes>) {
        self.objects.put(&self.at(within), text.into().into()).await.unwrap();
    }

    /// A commit of another program.
    async fn commit(&self, version: u64, actions: &[Value]) {
        let lines: Vec<String> = actions.iter().map(ToString::to_string).collect();
        self.put(&format!("_delta_log/{version:020}.json"), lines.join("\n")).await;
    }

    /// The path of a live data file from the root of the store.
    async fn data_file(&self, number: usize) -> String {
        let snapshot = self.store.snapshot().await.unwrap();
        let path = snapshot.data_files()[number].path.to_string();
        path.split_once(&format!("{}/", self.store.id())).unwrap().1.to_owned()
    }
}

async fn verify(objects: &Arc<InMemory>, options: &VerificationOptions) -> Verification {
    let shared: Arc<dyn ObjectStore> = Arc::clone(objects) as _;
    let catalog = Catalog::open(bucket(&shared)).await.unwrap();
    catalog.verify("trail", options).await.unwrap()
}

fn kinds(report: &Verification) -> BTreeSet<FindingKind> {
    report.findings.iter().map(|finding| finding.kind).collect()
}

/// A small store with all kinds of files: appends, a compaction, a checkpoint.
async fn small() -> Scene {
    let scene = Scene::new().await;
    append(&scene.store, &["a"]).await.unwrap();
    append(&scene.store, &["b"]).await.unwrap();
    scene.store.compact(&CompactionPolicy::THOROUGH, now(), WAIT).await.unwrap();
    scene.sign().await;
    append(&scene.store, &["c"]).await.unwrap();
    scene.store.snapshot().await.unwrap();
    scene
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn store_that_was_used_as_meant_is_sound() {
    let scene = Scene::with_retention(Retention::days(Retention::DAYS_MAX).unwrap()).await;
    scene.assert_sound().await;
    for number in 0..3 {
        scene.append_at(60 * number, MONTH, &format!("id-{number}")).await;
    }
    scene.append_at(-3_652 * 86_400, 201_401, "old").await;
    scene.store.compact(&CompactionPolicy::THOROUGH, now(), WAIT).await.unwrap();
    let hold = NewHold { range: TimeRange::ALL, reason: "r".into(), placed_by: "w".into() };
    let hold = scene.store.place_hold(hold, now(), WAIT).await.unwrap();
    scene.store.release_hold(hold.id, "w", now(), WAIT).await.unwrap();
    assert_eq!(scene.store.expire(now(), WAIT).await.unwrap().dropped.len(), 1);
    let before = scene.assert_sound().await;
    assert_eq!((before.rows, before.data_files, before.data_files_removed), (3, 1, 0));
    // The files that were compacted and expired are removed.
    assert_eq!(scene.store.expire(late(), WAIT).await.unwrap().removed.len(), 4);
    let mut renamed = SettingsChange::default();
    renamed.termination_protection = Some(true);
    scene.store.change_settings(&renamed, now(), WAIT).await.unwrap();
    scene.sign().await;
    let report = scene.assert_sound().await;
    assert_eq!((report.rows, report.data_files_removed), (3, 4));
    assert_eq!((report.files_read, report.signed_checkpoints), (1, 1));
    assert_eq!(report.commits, report.version + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_other_programs_append_is_sound_and_counted() {
    let scene = small().await;
    let version = scene.store.snapshot().await.unwrap().version();
    let add = json!({"add": {
        "path": "calendarmonth=202401/x.parquet", "partitionValues": {"calendarmonth": "202401"},
        "size": 9, "modificationTime": 0, "dataChange": true, "stats": "{\"numRecords\":4}",
    }});
    scene.put("calendarmonth=202401/x.parquet", "123456789").await;
    scene.commit(version + 1, &[json!({"commitInfo": {"engineInfo": "another"}}), add]).await;
    scene.commit(version + 2, &[json!({"commitInfo": {"engineInfo": "another"}})]).await;
    let report = scene.assert_sound().await;
    assert_eq!((report.commits_of_others, report.commits_not_covered), (2, 3));
    assert_eq!((report.data_files_without_sha256, report.rows), (1, 7));

    append(&scene.store, &["d"]).await.unwrap();
    assert_eq!(scene.assert_sound().await.commits_not_covered, 1);
    // The next commit of ours covers them.
    let altered = json!({"commitInfo": {"engineInfo": "anoTher"}});
    scene.commit(version + 2, &[altered]).await;
    assert_eq!(kinds(&scene.verify().await), [FindingKind::ChainBroken].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_files_that_another_program_takes_out_are_told() {
    let scene = small().await;
    let version = scene.store.snapshot().await.unwrap().version();
    let remove = json!({"remove": {
        "path": scene.data_file(0).await, "dataChange": true, "deletionTimestamp": 1,
        "extendedFileMetadata": true, "partitionValues": {"calendarmonth": "202401"}, "size": 1,
    }});
    scene.commit(version + 1, &[json!({"commitInfo": {"engineInfo": "Spark"}}), remove]).await;
    let report = scene.verify().await;
    assert_eq!(kinds(&report), [FindingKind::RemovedByOther].into(), "{:#?}", report.findings);
    assert!(report.findings[0].detail.starts_with("Spark took 1 data files with"), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_flipped_byte_is_found() {
    let scene = small().await;
    let is_every = std::env::var_os(EVERY_BYTE_VARIABLE).is_some();
    let mut flips = Vec::new();
    for path in scene.files().await {
        let content = scene.objects.get(&path).await.unwrap().bytes().await.unwrap();
        // Of a data file only its SHA-256 is looked at, in which all bytes count alike; that all
        // bytes of a commit count, `commit.rs` tries by itself.
        let is_data_file = path.as_ref().ends_with(".parquet");
        let step = if is_every {
            1
        } else if is_data_file {
            97
        } else {
            13
        };
        flips
            .extend((0..content.len()).step_by(step).map(|at| (path.clone(), content.clone(), at)));
    }
    let count = flips.len();
    assert!(count > 300, "{count}");
    let mut found = stream::iter(flips)
        .map(|(path, content, at)| {
            let objects = Arc::new(scene.objects.fork());
            tokio::spawn(async move {
                let mut flipped = content.to_vec();
                flipped[at] ^= 1;
                objects.put(&path, flipped.into()).await.unwrap();
                let report = verify(&objects, &VerificationOptions::all(late())).await;
                assert!(!report.is_sound(), "byte {at} of {path}");
            })
        })
        .buffer_unordered(RUNS_AT_ONCE);
    while let Some(run) = found.next().await {
        run.unwrap();
    }
    println!("{count} bytes flipped one at a time, and found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_file_that_is_removed_exchanged_or_put_in_is_found() {
    let scene = small().await;
    let newest = scene.store.latest().version();
    let files = scene.files().await;
    for path in &files {
        let objects = Arc::new(scene.objects.fork());
        objects.delete(path).await.unwrap();
        let report = verify(&objects, &VerificationOptions::all(late())).await;
        // Only a checkpoint kept elsewhere tells that the newest commit was taken away, but its
        // data file stands there without a name; and so it is with the store's own checkpoints, and
        // with files that compaction took out long ago.
        let is_kept_by_others = path.as_ref().contains("/signed/");
        let is_dropped = path.as_ref().ends_with(".parquet")
            && !scene.store.latest().data_files().iter().any(|file| file.path == *path);
        let is_sound = is_kept_by_others || is_dropped;
        assert_eq!(report.is_sound(), is_sound, "{path}: {:#?}", report.findings);
    }
    let exchanged = files.iter().filter(|path| !path.as_ref().contains("/signed/"));
    let exchanged: Vec<&Path> = exchanged.collect();
    for pair in exchanged.windows(2) {
        let objects = Arc::new(scene.objects.fork());
        let [a, b] = [pair[0], pair[1]];
        let one = scene.objects.get(a).await.unwrap().bytes().await.unwrap();
        let other = scene.objects.get(b).await.unwrap().bytes().await.unwrap();
        objects.put(a, other.into()).await.unwrap();
        objects.put(b, one.into()).await.unwrap();
        let report = verify(&objects, &VerificationOptions::all(late())).await;
        assert!(!report.is_sound(), "{a} and {b}");
    }
    for within in [
        "calendarmonth=202401/00000000-0000-0000-0000-000000000007.parquet",
        "calendarmonth=202401/notes.parquet",
        "_delta_log/notes.json",
        "_towpath/notes",
        "notes",
    ] {
        let objects = Arc::new(scene.objects.fork());
        objects.put(&scene.at(within), Bytes::from_static(b"x").into()).await.unwrap();
        let report = verify(&objects, &VerificationOptions::all(late())).await;
        assert_eq!(kinds(&report), [FindingKind::FileUnnamed].into(), "{within}");
        let young = verify(&objects, &VerificationOptions::all(Utc::now())).await;
        let is_in_flight = within.ends_with(".parquet");
        assert_eq!(young.files_in_flight.len(), usize::from(is_in_flight), "{within}");
    }
    assert_eq!(scene.assert_sound().await.version, newest);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn store_that_was_rolled_back_is_found_against_a_checkpoint_kept_elsewhere() {
    let scene = small().await;
    let earlier = Arc::new(scene.objects.fork());
    append(&scene.store, &["late"]).await.unwrap();
    let anchor = scene.sign().await;
    let text = anchor.to_json().unwrap();
    let anchor = SignedCheckpoint::from_json(&text).unwrap();
    let mut options = VerificationOptions::all(late());
    options.anchors = vec![("kept elsewhere".into(), anchor.clone())];
    let report = verify(&scene.objects, &options).await;
    assert!(report.is_sound(), "{:#?}", report.findings);
    assert_eq!(report.signed_checkpoints, 3);

    // A true prefix of the store: only the anchor tells.
    let alone = verify(&earlier, &VerificationOptions::all(late())).await;
    assert!(alone.is_sound(), "{:#?}", alone.findings);
    let report = verify(&earlier, &options).await;
    assert_eq!(kinds(&report), [FindingKind::RolledBack].into(), "{:#?}", report.findings);
    assert_eq!(report.findings[0].path, "kept elsewhere");

    // Rolled back and gone on from there.
    let shared: Arc<dyn ObjectStore> = Arc::clone(&earlier) as _;
    let catalog = Catalog::open(bucket(&shared)).await.unwrap();
    append(&catalog.store("trail").await.unwrap(), &["another"]).await.unwrap();
    let report = verify(&earlier, &options).await;
    assert_eq!(kinds(&report), [FindingKind::RolledBack].into(), "{:#?}", report.findings);

    // Every byte of the anchor itself counts.
    for at in 0..text.len() - 1 {
        let mut flipped = text.to_vec();
        flipped[at] ^= 1;
        let Ok(flipped) = SignedCheckpoint::from_json(&flipped) else { continue };
        let is_signed = flipped.public_key().is_ok_and(|key| flipped.is_signed_by(&key));
        assert!(!is_signed, "byte {at}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verification_goes_on_from_a_checkpoint() {
    let scene = small().await;
    let since = scene.sign().await;
    let old = scene.data_file(0).await;
    append(&scene.store, &["new"]).await.unwrap();
    scene.store.compact(&CompactionPolicy::THOROUGH, now(), WAIT).await.unwrap();
    append(&scene.store, &["newer"]).await.unwrap();
    let mut options = VerificationOptions::all(late());
    options.since = Some(since.clone());
    let report = verify(&scene.objects, &options).await;
    assert!(report.is_sound(), "{:#?}", report.findings);
    assert_eq!((report.since, report.commits, report.rows), (Some(4), 3, 5));

    for (path, kind) in [
        (scene.data_file(0).await, FindingKind::FileAltered),
        (scene.data_file(1).await, FindingKind::FileAltered),
        (old, FindingKind::FileAltered),
        (format!("_delta_log/{:020}.json", 5), FindingKind::CommitAltered),
    ] {
        let objects = Arc::new(scene.objects.fork());
        objects.put(&scene.at(&path), Bytes::from_static(b"x").into()).await.unwrap();
        let report = verify(&objects, &options).await;
        assert!(kinds(&report).contains(&kind), "{path}: {:#?}", report.findings);
    }
    // The commit that was signed is another one now.
    let objects = Arc::new(scene.objects.fork());
    let signed = scene.at(&format!("_delta_log/{:020}.json", 4));
    objects.put(&signed, Bytes::from_static(b"{}").into()).await.unwrap();
    let report = verify(&objects, &options).await;
    assert!(kinds(&report).contains(&FindingKind::RolledBack), "{:#?}", report.findings);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sample_reads_some_data_files_and_misses_none() {
    let scene = Scene::new().await;
    for number in 0..20 {
        append(&scene.store, &[&format!("id-{number}")]).await.unwrap();
    }
    let mut options = VerificationOptions::all(late());
    options.sample_percent = Some(30.0);
    let report = verify(&scene.objects, &options).await;
    assert!(report.is_sound() && report.data_files == 20, "{report:?}");
    assert!((1..20).contains(&report.files_read), "{}", report.files_read);
    scene.objects.delete(&scene.at(&scene.data_file(3).await)).await.unwrap();
    let report = verify(&scene.objects, &options).await;
    assert_eq!(kinds(&report), [FindingKind::FileMissing].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delta_checkpoint_that_says_other_than_the_commits_is_found() {
    let scene = Scene::new().await;
    for number in 1..=99 {
        append(&scene.store, &[&format!("id-{number}")]).await.unwrap();
    }
    // A checkpoint of what never was, in the place of the one that no commit names yet.
    let path = scene.at(&format!("_delta_log/{:020}.checkpoint.parquet", 99));
    let whole = scene.objects.get(&path).await.unwrap().bytes().await.unwrap();
    let report = scene.assert_sound().await;
    assert_eq!(report.files_read, 99);
    append(&scene.store, &["named"]).await.unwrap();
    assert_eq!(scene.assert_sound().await.files_read, 102, "checkpoint and hint too");

    let other = Scene::new().await;
    for number in 1..=99 {
        append(&other.store, &[&format!("id-{number}")]).await.unwrap();
    }
    let foreign = other.at(&format!("_delta_log/{:020}.checkpoint.parquet", 99));
    let foreign = other.objects.get(&foreign).await.unwrap().bytes().await.unwrap();
    scene.objects.put(&path, foreign.into()).await.unwrap();
    let found = kinds(&scene.verify().await);
    let expected = [FindingKind::StateDiffers, FindingKind::FileAltered];
    assert_eq!(found, expected.into());
    for at in (0..whole.len()).step_by(whole.len() / 8) {
        let mut flipped = whole.to_vec();
        flipped[at] ^= 1;
        scene.objects.put(&path, flipped.into()).await.unwrap();
        assert!(kinds(&scene.verify().await).contains(&FindingKind::FileAltered), "{at}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_file_that_is_removed_before_its_time_is_found() {
    let scene = Scene::new().await;
    append(&scene.store, &["a"]).await.unwrap();
    append(&scene.store, &["b"]).await.unwrap();
    let early = scene.data_file(0).await;
    scene.store.compact(&CompactionPolicy::THOROUGH, now(), WAIT).await.unwrap();
    scene.objects.delete(&scene.at(&early)).await.unwrap();
    let at = |minutes| VerificationOptions::all(now() + TimeDelta::minutes(minutes));
    let report = verify(&scene.objects, &at(119)).await;
    assert_eq!(kinds(&report), [FindingKind::FileRemovedEarly].into());
    assert!(verify(&scene.objects, &at(121)).await.is_sound());
}
