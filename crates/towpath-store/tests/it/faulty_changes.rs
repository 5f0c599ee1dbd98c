//! Every change of a store with the storage failing at every place, in every way.
//!
//! What is acknowledged is there, nothing is there twice, and what can be tried again is not
//! reported as failed.

use crate::faulty_store::{Fault, FaultyStore};
use crate::support::{MONTH, append_within, bucket, new_store, now, rows_from};
use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use towpath_store::{
    Append, Catalog, CompactionPolicy, Error, EventDataStore, NewHold, NewRedaction, RedactedEvent,
    RedactedRows, Redactor, Result, Retention, SettingsChange, TimeRange,
};

/// How long a change waits for a lease that the same process could not give back.
const BRIEF: Duration = Duration::from_millis(200);

/// Random runs of each change, if [`SEEDS_VARIABLE`] does not say.
const SEEDS: u64 = 3;

/// Says how many random runs to make of each change, for a long run by hand.
const SEEDS_VARIABLE: &str = "TOWPATH_TEST_SEEDS";

/// Runs at the same time: most of each is waiting before it tries again.
const RUNS_AT_ONCE: usize = 32;

/// What is done to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Append,
    Compact,
    Expire,
    Update,
    Rename,
    Delete,
    Restore,
    Hold,
    Redact,
    Remove,
}

const CHANGES: [Change; 10] = [
    Change::Append,
    Change::Compact,
    Change::Expire,
    Change::Update,
    Change::Rename,
    Change::Delete,
    Change::Restore,
    Change::Hold,
    Change::Redact,
    Change::Remove,
];

/// When all that is written now is old enough to be removed, and the two old files are expired.
fn late() -> DateTime<Utc> {
    Utc::now() + TimeDelta::days(3)
}

/// A lake on which the change can be made: three files of 2024 and two of 2014 that expire, and a
/// data file that a killed writer left.
async fn prepared(change: Change) -> InMemory {
    let memory = Arc::new(InMemory::new());
    let objects: Arc<dyn ObjectStore> = Arc::clone(&memory) as _;
    let catalog = Catalog::create(bucket(&objects), now()).await.unwrap();
    let mut new = new_store("trail");
    new.retention = Retention::days(Retention::DAYS_MAX).unwrap();
    let store = catalog.create_store(new, now()).await.unwrap();
    for (seconds, month, id) in [
        (0, MONTH, "a"),
        (60, MONTH, "b"),
        (120, MONTH, "c"),
        (-3_652 * 86_400, 201_401, "old"),
        (-3_650 * 86_400, 201_401, "older"),
    ] {
        let writer = store.writer(now(), BRIEF).await.unwrap();
        let file = writer.write_data_file(month, &[rows_from(seconds, &[id])]).await.unwrap();
        writer.commit(Append { data_files: vec![file], sources: vec![] }, now()).await.unwrap();
    }
    store.write_data_file(MONTH, &[rows_from(0, &["lost"])]).await.unwrap();
    if matches!(change, Change::Restore | Change::Remove) {
        store.delete(late(), BRIEF).await.unwrap();
    }
    memory.fork()
}

/// Opens the lake through `objects` and makes the change, as a command would.
async fn make(change: Change, objects: Arc<dyn ObjectStore>) -> Result<()> {
    let catalog = Catalog::open(bucket(&objects)).await?;
    if change == Change::Remove {
        return catalog.remove_deleted(late() + TimeDelta::days(8), BRIEF).await.map(drop);
    }
    let store = catalog.store("trail").await?;
    let mut settings = SettingsChange::default();
    match change {
        Change::Append => append_within(BRIEF, &store, &["new"]).await.map(drop),
        Change::Compact => {
            let done = store.compact(&CompactionPolicy::THOROUGH, late(), BRIEF).await?;
            assert!(!done.is_busy || done.files_before == 0);
            if done.is_busy { Err(busy()) } else { Ok(()) }
        }
        Change::Expire => store.expire(late(), BRIEF).await.map(drop),
        Change::Update => {
            settings.retention = Some(Retention::days(400).unwrap());
            store.change_settings(&settings, late(), BRIEF).await
        }
        Change::Rename => {
            settings.name = Some("renamed".into());
            store.change_settings(&settings, late(), BRIEF).await
        }
        Change::Delete => store.delete(late(), BRIEF).await,
        Change::Restore => store.restore(late(), BRIEF).await,
        Change::Hold => {
            let new = NewHold { range: TimeRange::ALL, reason: "r".into(), placed_by: "w".into() };
            store.place_hold(new, late(), BRIEF).await.map(drop)
        }
        Change::Redact => {
            let redactor: Arc<dyn Redactor> = Arc::new(NameOfB);
            store.redact(&redaction(), &redactor, late(), BRIEF).await.map(drop)
        }
        Change::Remove => Ok(()),
    }
}

pub(crate) fn redaction() -> NewRedaction {
    NewRedaction {
        event_ids: ["b".to_owned()].into(),
        range: TimeRange::ALL,
        fields: vec!["eventName".into()],
        reason: "r".into(),
        by: "w".into(),
        is_plan: false,
    }
}

/// Takes the name out of the event `b`.
#[derive(Debug)]
pub(crate) struct NameOfB;

impl Redactor for NameOfB {
    fn redact(&self, rows: &RecordBatch) -> std::result::Result<Option<RedactedRows>, String> {
        let ids: &StringArray = rows.column(2).as_string();
        let names: &StringArray = rows.column(1).as_string();
        let is_b = |(id, name): (Option<&str>, Option<&str>)| id == Some("b") && name.is_some();
        let is_redacted: Vec<bool> = ids.iter().zip(names).map(is_b).collect();
        if !is_redacted.contains(&true) {
            return Ok(None);
        }
        let kept = names.iter().zip(&is_redacted).map(|(name, is)| name.filter(|_| !is));
        let names: ArrayRef = Arc::new(kept.collect::<StringArray>());
        let columns = vec![Arc::clone(rows.column(0)), names, Arc::clone(rows.column(2))];
        let event = RedactedEvent {
            event_id: "b".into(),
            event_time_micros: crate::support::micros(60),
            key: RedactedEvent::key_text(7),
            values: 1,
            sha256_before: "x".into(),
            sha256_after: "y".into(),
        };
        let rows = RecordBatch::try_new(rows.schema(), columns).unwrap();
        Ok(Some(RedactedRows { rows, is_redacted, events: vec![event] }))
    }
}

/// The error of one who could not give a lease back in time.
fn busy() -> Error {
    Error::LeaseTimeout { what: "the compaction".into(), waited: Duration::ZERO }
}

/// What there is to see of the store: whether the change was made, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Gone,
    There { name: String, version: u64, rows: u64, files: usize, made: bool },
}

async fn look(change: Change, objects: &Arc<dyn ObjectStore>) -> Seen {
    let catalog = Catalog::open(bucket(objects)).await.unwrap();
    let mut stores = catalog.stores().await.unwrap();
    let Some(store) = stores.pop() else { return Seen::Gone };
    assert!(stores.is_empty());
    let snapshot = store.snapshot().await.unwrap();
    let settings = snapshot.settings();
    for file in snapshot.data_files() {
        store.verify_data_file(file).await.unwrap();
    }
    let made = match change {
        Change::Append => snapshot.rows() == 6,
        Change::Compact => snapshot.data_files().len() == 2,
        Change::Expire => snapshot.rows() == 3,
        Change::Update => settings.retention.as_days() == 400,
        Change::Rename => {
            let is_found = catalog.store(&settings.name).await.is_ok();
            assert!(is_found, "a store is found by the name it has");
            settings.name == "renamed"
        }
        Change::Delete => settings.deleted_at.is_some(),
        Change::Restore => settings.deleted_at.is_none(),
        Change::Hold => settings.holds.len() == 1,
        Change::Redact => {
            let commits: Vec<_> = store.commits(0, snapshot.version()).try_collect().await.unwrap();
            let redactions = commits.iter().filter_map(|commit| commit.redaction.as_ref());
            let redacted: usize = redactions.map(|redaction| redaction.events.len()).sum();
            assert!(redacted <= 1, "it is redacted once");
            redacted == 1
        }
        Change::Remove => false,
    };
    Seen::There {
        name: settings.name.clone(),
        version: snapshot.version(),
        rows: snapshot.rows(),
        files: snapshot.data_files().len(),
        made,
    }
}

impl Seen {
    fn is_made(&self) -> bool {
        matches!(self, Seen::Gone | Seen::There { made: true, .. })
    }
}

/// A change with nothing failing: how the lake was before, and what is then seen of it.
struct Scene {
    change: Change,
    lake: InMemory,
    before: Seen,
    expected: Seen,
    operations: u64,
}

impl Scene {
    async fn of(change: Change) -> Arc<Scene> {
        let lake = prepared(change).await;
        let objects: Arc<dyn ObjectStore> = Arc::new(lake.fork());
        let before = look(change, &objects).await;
        let counting = FaultyStore::new(Arc::clone(&objects), Fault::Before, u64::MAX);
        make(change, Arc::clone(&counting) as _).await.unwrap();
        let expected = look(change, &objects).await;
        assert!(!before.is_made() && expected.is_made(), "{change:?}: {before:?} {expected:?}");
        let operations = counting.operations();
        Arc::new(Scene { change, lake, before, expected, operations })
    }

    /// Makes the change with this fault, and says what was told and what is then seen.
    async fn run(&self, fault: Fault, at: u64) -> (Arc<dyn ObjectStore>, Result<()>, Seen) {
        let objects: Arc<dyn ObjectStore> = Arc::new(self.lake.fork());
        let faulty = FaultyStore::new(Arc::clone(&objects), fault, at);
        let made = make(self.change, faulty).await;
        let seen = look(self.change, &objects).await;
        (objects, made, seen)
    }

    fn is_old_or_new(&self, seen: &Seen) -> bool {
        *seen == self.before || *seen == self.expected || is_between(self.change, seen)
    }

    /// Makes the change once more, as a later process does, and looks at what came of it.
    async fn is_made_later(&self, objects: &Arc<dyn ObjectStore>) {
        make_again(self.change, objects).await;
        assert_eq!(look(self.change, objects).await, self.expected, "{:?}", self.change);
    }
}

/// Runs `one` for every fault of every change, several at the same time, and returns how many.
async fn run_all<F>(
    faults: impl Fn(&Scene) -> Vec<(Fault, u64)>,
    one: impl Fn(Arc<Scene>, Fault, u64) -> F,
) -> usize
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut runs = Vec::new();
    for change in CHANGES {
        let scene = Scene::of(change).await;
        let of_scene = faults(&scene);
        runs.extend(of_scene.into_iter().map(|(fault, at)| one(Arc::clone(&scene), fault, at)));
    }
    let count = runs.len();
    let mut ended = stream::iter(runs).map(tokio::spawn).buffer_unordered(RUNS_AT_ONCE);
    while let Some(run) = ended.next().await {
        run.unwrap();
    }
    count
}

/// The faults at each operation of a change.
fn everywhere(faults: &[Fault]) -> impl Fn(&Scene) -> Vec<(Fault, u64)> {
    move |scene| {
        let at = |fault: &Fault| {
            let fault = *fault;
            (0..scene.operations).map(move |at| (fault, at))
        };
        faults.iter().flat_map(at).collect()
    }
}

/// Makes the change once more as a later process does, until it is made.
async fn make_again(change: Change, objects: &Arc<dyn ObjectStore>) {
    if look(change, objects).await.is_made() && change != Change::Remove {
        return;
    }
    // Leases of a dead process are over after a while.
    clear_leases(objects).await;
    make(change, Arc::clone(objects)).await.unwrap();
}

/// What the passing of time does: nobody renews the leases of the dead.
async fn clear_leases(objects: &Arc<dyn ObjectStore>) {
    let found: Vec<_> = objects.list(None).try_collect().await.unwrap();
    for file in found {
        if file.location.as_ref().ends_with(".lease") {
            objects.delete(&file.location).await.unwrap();
        }
    }
}

/// A compaction is one commit for each month, so it can be made in part.
fn is_between(change: Change, seen: &Seen) -> bool {
    let Seen::There { rows, files, .. } = seen else { return false };
    change == Change::Compact && *rows == 5 && (2..=5).contains(files)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_lost_operation_or_answer_is_survived_by_every_change() {
    let one = |scene: Arc<Scene>, fault, at| async move {
        let (_, made, seen) = scene.run(fault, at).await;
        assert!(made.is_ok(), "{:?} {fault:?} {at}: {made:?}", scene.change);
        assert_eq!(seen, scene.expected, "{:?} {fault:?} {at}", scene.change);
    };
    let runs = run_all(everywhere(&[Fault::Before, Fault::After]), one).await;
    println!("{runs} runs with one operation failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_anywhere_leaves_the_old_or_the_new() {
    let one = |scene: Arc<Scene>, fault, at| async move {
        let change = scene.change;
        let (objects, made, seen) = scene.run(fault, at).await;
        assert!(scene.is_old_or_new(&seen), "{change:?} {fault:?} {at}: {seen:?}");
        assert!(made.is_err() || seen.is_made(), "{change:?} {fault:?} {at}: not there");
        scene.is_made_later(&objects).await;
    };
    let runs = run_all(everywhere(&[Fault::Crash]), one).await;
    println!("{runs} runs cut off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disk_that_is_full_after_any_number_of_bytes_is_told_and_survived() {
    let one = |scene: Arc<Scene>, fault, bytes| async move {
        let change = scene.change;
        let (objects, made, seen) = scene.run(fault, bytes).await;
        if let Err(err) = &made {
            let clear = matches!(err, Error::OutOfSpace { .. } | Error::LeaseTimeout { .. });
            assert!(clear, "{change:?} {bytes}: {err:?}");
        }
        assert!(scene.is_old_or_new(&seen), "{change:?} {bytes}: {seen:?}");
        assert_eq!(made.is_ok(), seen.is_made(), "{change:?} {bytes}");
        scene.is_made_later(&objects).await;
    };
    let sizes =
        |_: &Scene| (0..12_000).step_by(1_000).map(|at| (Fault::FullAfterBytes, at)).collect();
    let runs = run_all(sizes, one).await;
    println!("{runs} sizes of a full disk");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn storage_that_fails_three_times_of_ten_is_outlasted_and_loses_and_doubles_nothing() {
    #[expect(clippy::disallowed_methods, reason = "a long run is asked for by hand")]
    let seeds = std::env::var(SEEDS_VARIABLE).ok().and_then(|seeds| seeds.parse().ok());
    let seeds: u64 = seeds.unwrap_or(SEEDS);
    let refused = Arc::new(AtomicU64::new(0));
    let one = |scene: Arc<Scene>, fault, seed| {
        let refused = Arc::clone(&refused);
        async move {
            let change = scene.change;
            let (objects, made, seen) = scene.run(fault, seed).await;
            match &made {
                Ok(()) => assert_eq!(seen, scene.expected, "{change:?} {seed}"),
                Err(err) => {
                    refused.fetch_add(1, Ordering::Relaxed);
                    // Told that it was not done, then it was not; but for what comes after the
                    // commit of a change that is made of several steps.
                    let is_unknown = matches!(err, Error::CommitUnknown { .. });
                    let steps = [Change::Compact, Change::Expire, Change::Remove];
                    let is_false_error = seen.is_made() && !is_unknown && !steps.contains(&change);
                    assert!(!is_false_error, "{change:?} {seed}: a false error: {err:?}");
                }
            }
            scene.is_made_later(&objects).await;
        }
    };
    let runs = run_all(|_| (0..seeds).map(|seed| (Fault::Chaos, seed)).collect(), one).await;
    let refused = refused.load(Ordering::Relaxed);
    println!("{runs} runs, {refused} told that it was not done");
    // Each of some sixty operations is tried six times, so one command in twenty-five may give up.
    assert!(refused * 10 <= runs as u64, "{refused} of {runs} did not get through");
}

#[tokio::test]
async fn store_that_is_not_there_is_no_store_to_change() {
    let objects: Arc<dyn ObjectStore> = Arc::new(prepared(Change::Remove).await);
    make(Change::Remove, Arc::clone(&objects)).await.unwrap();
    let err = make(Change::Append, Arc::clone(&objects)).await.unwrap_err();
    assert!(matches!(err, Error::StoreNotFound { .. }), "{err}");
    let none: Vec<EventDataStore> =
        Catalog::open(bucket(&objects)).await.unwrap().stores().await.unwrap();
    assert!(none.is_empty());
}
