//! Watching folders, buckets and queues.

use std::{
    fs,
    path::Path as FilePath,
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path};
use tokio::{
    join,
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};
use towpath_ingest::{
    Clock, Error, IngestOptions, Message, NotificationQueue, QueueError, RejectReason, WatchEvent,
    WatchOptions, WatchReport, watch,
};
use towpath_store::{Catalog, EventDataStore, Location};

use crate::{
    support::{at, bucket, clock_at, ingest_folder, local_store, sorted, stored_events},
    trail::{event, events, key, log_file, log_text, write},
    watched_store::WatchedStore,
};

/// Longer than anything here takes on a machine with other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// Long after the events of these tests, and long before any file of theirs was written: a file
/// whose time is that far ahead is taken at once.
const LONG_AGO: &str = "2024-06-01T12:00:00Z";

fn options() -> WatchOptions {
    options_at(clock_at(LONG_AGO))
}

fn options_at(clock: Clock) -> WatchOptions {
    WatchOptions {
        clock,
        ingest: IngestOptions::default(),
        look_every: Duration::from_millis(100),
        queue: None,
    }
}

/// What a watch tells, as a test waits for it.
struct Told {
    events: mpsc::UnboundedReceiver<WatchEvent>,
    all: Vec<WatchEvent>,
}

impl Told {
    async fn next(&mut self) -> WatchEvent {
        let event = timeout(PATIENCE, self.events.recv()).await.unwrap().unwrap();
        self.all.push(event.clone());
        event
    }

    async fn caught_up(&mut self) {
        while self.next().await != WatchEvent::CaughtUp {}
    }

    /// Waits for a commit and returns how many events it stored.
    async fn commit(&mut self) -> u64 {
        loop {
            if let WatchEvent::Committed { events, .. } = self.next().await {
                return events.stored;
            }
        }
    }

    async fn rejected(&mut self) -> RejectReason {
        loop {
            if let WatchEvent::Rejected(rejected) = self.next().await {
                return rejected.reason;
            }
        }
    }

    fn count(&self, is_counted: impl Fn(&WatchEvent) -> bool) -> usize {
        self.all.iter().filter(|event| is_counted(event)).count()
    }
}

/// Watches while `script` runs, and then ends.
async fn watching(
    store: &EventDataStore,
    source: Location,
    options: &WatchOptions,
    script: impl AsyncFnOnce(&mut Told),
) -> WatchReport {
    let (sender, events) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel();
    let tell = |event: &WatchEvent| sender.send(event.clone()).unwrap();
    let sources = [source];
    let stopped = async {
        stopped.await.unwrap();
    };
    let watched = watch(store, &sources, options, &tell, stopped);
    let script = async {
        script(&mut Told { events, all: Vec::new() }).await;
        stop.send(()).unwrap();
    };
    let (report, ()) = join!(watched, script);
    let report = report.unwrap();
    assert!(report.events.reconcile(), "{report:?}");
    report
}

fn folder(path: &FilePath) -> Location {
    Location::local(path).unwrap()
}

#[tokio::test]
async fn what_is_in_a_folder_and_what_arrives_is_stored_once_over_restarts() {
    let (local, logs) = (local_store().await, tempfile::tempdir().unwrap());
    let log = events("a", "2024-01-10", 6);
    let put = |n: u32, events: &[String]| {
        write(logs.path(), &key("eu-west-1", "2024-01-10", n), &log_file(events))
    };
    put(1, &log[..2]);
    let first = watching(&local.store, folder(logs.path()), &options(), async |told| {
        assert_eq!(told.commit().await, 2);
        told.caught_up().await;
        // The second has an event of the first.
        write(logs.path(), "flat.json", &log_text(&log[1..4]));
        assert_eq!(told.commit().await, 2);
    })
    .await;
    assert_eq!((first.log_files, first.commits, first.events.duplicate), (2, 2, 1));

    put(2, &log[4..]);
    let second = watching(&local.store, folder(logs.path()), &options(), async |told| {
        assert_eq!(told.commit().await, 2);
        told.caught_up().await;
    })
    .await;
    assert_eq!((second.log_files, second.events.seen), (1, 2), "the others are not read again");
    assert_eq!(stored_events(&local.store).await, sorted(&log));
}

#[tokio::test]
async fn a_file_is_taken_when_it_is_whole_and_never_before() {
    let (local, logs) = (local_store().await, tempfile::tempdir().unwrap());
    let log = events("a", "2024-01-10", 40);
    let content = log_file(&log[..30]);
    let (slow, hidden) = (logs.path().join("slow.json.gz"), logs.path().join("copy.json.gz.part"));
    let clock: Clock = Arc::new(Utc::now);
    let report = watching(&local.store, folder(logs.path()), &options_at(clock), async |told| {
        told.caught_up().await;
        fs::write(&slow, &content[..content.len() / 2]).unwrap();
        fs::write(&hidden, log_file(&log[30..35])).unwrap();
        // This one is taken when nobody has written to it for a moment, and so the other has been
        // looked at and found wanting.
        write(logs.path(), "b.json.gz", &log_file(&log[35..]));
        assert_eq!(told.commit().await, 5);
        fs::write(&slow, &content).unwrap();
        fs::rename(&hidden, logs.path().join("copy.json.gz")).unwrap();
        let mut stored = 0;
        while stored < 35 {
            stored += told.commit().await;
        }
        assert_eq!(told.count(|event| matches!(event, WatchEvent::Rejected(_))), 0);
    })
    .await;
    assert_eq!((report.log_files, report.rejected), (3, 0));
    assert_eq!(stored_events(&local.store).await, sorted(&log));
}

#[tokio::test]
async fn a_broken_file_is_named_once_and_taken_when_it_was_replaced() {
    let (local, logs) = (local_store().await, tempfile::tempdir().unwrap());
    let log = events("a", "2024-01-10", 3);
    let broken = write(logs.path(), "broken.json.gz", b"this is not gzip");
    fs::File::options().write(true).open(&broken).unwrap().set_modified(UNIX_EPOCH).unwrap();
    let clock: Clock = Arc::new(Utc::now);
    watching(&local.store, folder(logs.path()), &options_at(clock), async |told| {
        assert_eq!(told.rejected().await, RejectReason::NotGzip);
        told.caught_up().await;
        write(logs.path(), "good.json.gz", &log_file(&log[..1]));
        assert_eq!(told.commit().await, 1);
        fs::write(&broken, log_file(&log[1..])).unwrap();
        assert_eq!(told.commit().await, 2);
        assert_eq!(told.count(|event| matches!(event, WatchEvent::Rejected(_))), 1);
    })
    .await;
}

#[tokio::test]
async fn a_watch_takes_again_what_a_repair_moved_aside() {
    let (local, logs) = (local_store().await, tempfile::tempdir().unwrap());
    let log = events("a", "2024-01-10", 4);
    write(logs.path(), &key("eu-west-1", "2024-01-10", 1), &log_file(&log[..2]));
    write(logs.path(), "flat.json", &log_text(&log[1..3]));
    watching(&local.store, folder(logs.path()), &options(), async |told| {
        let mut stored = 0;
        while stored < 3 {
            stored += told.commit().await;
        }
        told.caught_up().await;
        // A power loss on a disk that had lied tears the commit, of which the watch knows all.
        let lake = Location::local(local.folder.path()).unwrap();
        let version = local.store.snapshot().await.unwrap().version();
        let commit = format!("stores/{}/_delta_log/{version:020}.json", local.store.id());
        fs::write(local.folder.path().join(commit), "").unwrap();
        let catalog = Catalog::open(lake).await.unwrap();
        let plan = catalog.repair_plan(local.store.id()).await.unwrap();
        catalog.repair(&plan, at(LONG_AGO), PATIENCE).await.unwrap();
        while stored_events(&local.store).await != sorted(&log[..3]) {
            told.commit().await;
        }
        write(logs.path(), "last.json", &log_text(&log[2..]));
        assert_eq!(told.commit().await, 1);
    })
    .await;
    assert_eq!(stored_events(&local.store).await, sorted(&log));
}

#[tokio::test]
async fn a_source_that_is_not_there_is_said_at_once() {
    let (local, logs) = (local_store().await, tempfile::tempdir().unwrap());
    let (sources, options) = ([folder(&logs.path().join("none"))], options());
    let watched = watch(&local.store, &sources, &options, &|_| (), async {
        sleep(PATIENCE).await;
    });
    let err = watched.await.unwrap_err();
    assert!(matches!(err, Error::SourceNotFound { .. }), "{err}");
}

#[tokio::test]
async fn a_folder_that_goes_away_is_told_and_tried_again() {
    let (local, logs) = (local_store().await, tempfile::tempdir().unwrap());
    let source = logs.path().join("mounted");
    fs::create_dir(&source).unwrap();
    let log = events("a", "2024-01-10", 3);
    let report = watching(&local.store, folder(&source), &options(), async |told| {
        told.caught_up().await;
        fs::remove_dir(&source).unwrap();
        while !matches!(told.next().await, WatchEvent::Failed { .. }) {}
        write(&source, "a.json.gz", &log_file(&log));
        assert_eq!(told.commit().await, 3);
    })
    .await;
    assert!(report.failures >= 1, "{report:?}");
}

#[tokio::test]
async fn a_bucket_may_be_empty_and_then_only_the_days_just_past_are_listed() {
    let (local, objects) = (local_store().await, Arc::new(InMemory::new()));
    let objects: Arc<dyn ObjectStore> = objects;
    let watched = WatchedStore::new(&objects, None);
    let through: Arc<dyn ObjectStore> = Arc::clone(&watched) as Arc<dyn ObjectStore>;
    let put = async |day: &str, n: u32| {
        let log = log_file(&[event(&format!("{day}-{n}"), &format!("{day}T10:00:00Z"))]);
        objects.put(&Path::from(key("eu-west-1", day, n)), log.into()).await.unwrap();
    };
    let listed = |asked: &[String], part: &str| {
        asked.iter().filter(|one| one.starts_with("list") && one.contains(part)).count()
    };
    let report = watching(&local.store, bucket(&through, "AWSLogs"), &options(), async |told| {
        told.caught_up().await;
        put("2024-06-01", 1).await;
        assert_eq!(told.commit().await, 1);
        let before = watched.asked().len();
        // Of a day that is not looked at: it waits for the look at the week, and for the next start.
        put("2024-05-29", 2).await;
        put("2024-06-01", 3).await;
        assert_eq!(told.commit().await, 1);
        let asked = watched.asked().split_off(before);
        assert!(listed(&asked, "eu-west-1/2024/06/01") > 0, "{asked:?}");
        for part in ["2024/05/2", "eu-west-1/2024\"", "eu-west-1\""] {
            assert_eq!(listed(&asked, part), 0, "{part}: {asked:?}");
        }
    })
    .await;
    assert_eq!(report.log_files, 2);
    let report =
        watching(&local.store, bucket(&through, "AWSLogs"), &options(), Told::caught_up).await;
    assert_eq!((report.log_files, report.events.stored), (1, 1));
}

#[tokio::test]
async fn a_log_file_outside_the_range_is_not_read_at_every_look() {
    let (local, logs) = (local_store().await, tempfile::tempdir().unwrap());
    write(logs.path(), "a.json.gz", &log_file(&events("a", "2024-01-10", 3)));
    let from: DateTime<Utc> = "2024-03-01T00:00:00Z".parse().unwrap();
    let options = WatchOptions {
        ingest: IngestOptions { from: Some(from), ..IngestOptions::default() },
        ..options()
    };
    let report = watching(&local.store, folder(logs.path()), &options, async |told| {
        told.caught_up().await;
        write(logs.path(), "b.json.gz", &log_file(&events("b", "2024-04-10", 2)));
        while told.commit().await != 2 {}
    })
    .await;
    assert_eq!((report.log_files, report.events.filtered, report.events.stored), (2, 3, 2));
}

/// A queue in memory. It remembers how many events the store held when messages were deleted.
struct MemoryQueue {
    waiting: Mutex<Vec<Message>>,
    arrived: tokio::sync::Notify,
    deleted: Mutex<Vec<(String, u64)>>,
    store: EventDataStore,
}

impl MemoryQueue {
    fn new(store: &EventDataStore) -> Arc<MemoryQueue> {
        Arc::new(MemoryQueue {
            waiting: Mutex::default(),
            arrived: tokio::sync::Notify::new(),
            deleted: Mutex::default(),
            store: store.clone(),
        })
    }

    fn send(&self, id: &str, body: &str, receives: u64) {
        let (id, body) = (id.to_owned(), body.to_owned());
        self.waiting.lock().unwrap().push(Message { receipt: id.clone(), id, body, receives });
        self.arrived.notify_one();
    }
}

#[async_trait]
impl NotificationQueue for MemoryQueue {
    async fn receive(&self, wait_secs: u64) -> Result<Vec<Message>, QueueError> {
        // The second question is only whether there is more.
        if wait_secs > 1 && self.waiting.lock().unwrap().is_empty() {
            self.arrived.notified().await;
        }
        Ok(self.waiting.lock().unwrap().drain(..).collect())
    }

    async fn delete(&self, messages: &[Message]) -> Result<(), QueueError> {
        let rows = self.store.snapshot().await.unwrap().rows();
        let deleted = messages.iter().map(|message| (message.receipt.clone(), rows));
        self.deleted.lock().unwrap().extend(deleted);
        self.arrived.notify_waiters();
        Ok(())
    }
}

#[tokio::test]
async fn messages_of_a_queue_are_deleted_after_their_log_files_are_in() {
    let (local, objects) = (local_store().await, Arc::new(InMemory::new()));
    let objects: Arc<dyn ObjectStore> = objects;
    let name = |n: u32| key("eu-west-1", "2020-01-10", n);
    let log = events("a", "2024-01-10", 6);
    for (n, events) in [(1, &log[..2]), (2, &log[2..4]), (3, &log[4..])] {
        // The first is there already; the others are announced.
        if n == 1 {
            objects.put(&Path::from(name(n)), log_file(events).into()).await.unwrap();
        }
    }
    let queue = MemoryQueue::new(&local.store);
    let written = |name: &str| {
        format!(
            r#"{{"Records":[{{"eventName":"ObjectCreated:Put","s3":{{"bucket":{{"name":"trail-bucket"}},"object":{{"key":"{name}"}}}}}}]}}"#
        )
    };
    let options = WatchOptions { queue: Some(Arc::clone(&queue) as _), ..options() };
    let source = bucket(&objects, "AWSLogs");
    let report = watching(&local.store, source, &options, async |told| {
        assert_eq!(told.commit().await, 2);
        told.caught_up().await;
        objects.put(&Path::from(name(2)), log_file(&log[2..4]).into()).await.unwrap();
        objects.put(&Path::from(name(3)), log_file(&log[4..]).into()).await.unwrap();
        objects.put(&Path::from("elsewhere/x.json"), log_text(&log).into()).await.unwrap();
        queue.send("old", &written(&name(1)), 1);
        queue.send("new", &written(&name(2)), 1);
        queue.send("again", &written(&name(2)), 1);
        queue.send("gone", &written(&name(9)), 1);
        queue.send("elsewhere", &written("elsewhere/x.json"), 1);
        queue.send("poison", "{}", 1);
        queue.send("old poison", "{}", 6);
        assert_eq!(told.commit().await, 2);
        let mut told_of = Vec::new();
        while told_of.len() < 2 {
            if let WatchEvent::MessageNotUnderstood { message_id, deleted, .. } = told.next().await
            {
                told_of.push((message_id, deleted));
            }
        }
        assert_eq!(told_of, [("poison".into(), false), ("old poison".into(), true)]);
        queue.send("last", &written(&name(3)), 1);
        assert_eq!(told.commit().await, 2);
        timeout(PATIENCE, async {
            while queue.deleted.lock().unwrap().len() < 7 {
                queue.arrived.notified().await;
            }
        })
        .await
        .unwrap();
    })
    .await;
    let mut deleted = queue.deleted.lock().unwrap().clone();
    deleted.sort();
    let expected = [
        ("again", 4),
        ("elsewhere", 4),
        ("gone", 4),
        ("last", 6),
        ("new", 4),
        ("old", 4),
        ("old poison", 4),
    ];
    assert_eq!(deleted, expected.map(|(id, rows)| (id.to_owned(), rows)));
    assert_eq!((report.log_files, report.messages_deleted_unread), (3, 1));
    assert_eq!(stored_events(&local.store).await, sorted(&log));
}

#[tokio::test]
async fn a_watch_that_is_dropped_leaves_the_store_to_others() {
    let (local, logs) = (local_store().await, tempfile::tempdir().unwrap());
    let log = events("a", "2024-01-10", 500);
    for (n, events) in (0..).zip(log.chunks(10)) {
        write(logs.path(), &key("eu-west-1", "2024-01-10", n), &log_file(events));
    }
    let sources = [folder(logs.path())];
    let options = options();
    for millis in [1, 20, 60, 150] {
        let watched = watch(&local.store, &sources, &options, &|_| (), async {
            sleep(PATIENCE).await;
        });
        assert!(timeout(Duration::from_millis(millis), watched).await.is_err());
    }
    ingest_folder(&local.store, logs.path()).await;
    assert_eq!(stored_events(&local.store).await, sorted(&log));
}
