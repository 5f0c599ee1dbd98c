//! A lake whose clock the test moves, and its batch queries.

use std::fs;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;
use towpath::{Lake, LakeOptions, NewQuery, QueryStatus, WorkerOptions};
use uuid::Uuid;

use crate::support::{LIMITS, now};

/// A lake whose clock the test moves.
pub(crate) struct Lab {
    pub(crate) folder: TempDir,
    clock: Arc<AtomicI64>,
}

impl Lab {
    pub(crate) fn new() -> Lab {
        let clock = Arc::new(AtomicI64::new(now().timestamp_millis()));
        Lab { folder: tempfile::tempdir().unwrap(), clock }
    }

    /// The lake as another process would open it.
    pub(crate) async fn lake(&self) -> Lake {
        let clock = Arc::clone(&self.clock);
        let options = LakeOptions::new(move || {
            DateTime::from_timestamp_millis(clock.load(Ordering::Relaxed)).unwrap()
        });
        let url = self.folder.path().join("lake");
        Lake::open_or_create(url.to_str().unwrap(), options).await.unwrap()
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.clock.load(Ordering::Relaxed)).unwrap()
    }

    pub(crate) fn pass(&self, time: TimeDelta) {
        self.clock.fetch_add(time.num_milliseconds(), Ordering::Relaxed);
    }

    /// The files below a folder of the lake.
    pub(crate) fn files(&self, folder: &str) -> Vec<PathBuf> {
        files(&self.folder.path().join("lake").join(folder))
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    found.sort();
    found
}

pub(crate) async fn start(lake: &Lake, statement: &str) -> Uuid {
    lake.start_query(NewQuery::new(statement, LIMITS)).await.unwrap()
}

/// Runs what waits, to its end.
pub(crate) async fn work(lake: &Lake) -> u64 {
    let mut options = WorkerOptions::default();
    options.until_idle = true;
    lake.run_queries(&options, pending()).await.unwrap()
}

pub(crate) async fn status(lake: &Lake, id: Uuid) -> QueryStatus {
    lake.describe_query(id).await.unwrap().status
}

/// Waits until the query is as it should be.
pub(crate) async fn reaches(lake: &Lake, id: Uuid, expected: QueryStatus) {
    let begun = Instant::now();
    while status(lake, id).await != expected {
        assert!(begun.elapsed() < Duration::from_secs(30), "not {expected}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
