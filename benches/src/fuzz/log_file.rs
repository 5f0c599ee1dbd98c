//! Log files: gzip or JSON on the disk to committed events, by the real ingest.
//!
//! Whatever the file holds, the ingest ends well: the file is in whole, or it is named and nothing
//! of it is in; the counters reconcile with what the store has.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use towpath_event::EventKind;
use towpath_ingest::{IngestOptions, ingest};
use towpath_store::{Catalog, EventDataStore, Location, NewStore, Retention};

use super::{INPUT_BYTES_MAX, Run, Target};
use crate::trail;

/// Log files of the bundled trail to start from, each packed and unpacked.
const LOG_FILES: usize = 40;

/// Ingests into one store before a new one is made: each is a commit.
const STORE_INGESTS_MAX: usize = 100;

const WORDS: [&str; 16] = [
    "{\"Records\":[",
    "]}",
    "null",
    "\\u0000",
    "\\ud800",
    "1e400",
    "-0",
    "[[[[",
    "{\"a\":{\"a\":",
    "\"eventTime\":\"2024-01-01T00:00:00Z\"",
    "\"eventID\":",
    "\"userIdentity\":[]",
    "\"requestParameters\":\"x\"",
    "\"resources\":{}",
    "\u{feff}",
    "\"eventTime\":1",
];

/// The target.
pub(super) fn target(_project: &Path) -> Target {
    let files = trail::build().files.into_iter();
    let small = files
        .filter(|file| file.key.ends_with(".json.gz") && file.content.len() <= INPUT_BYTES_MAX)
        .map(|file| file.content.into_bytes());
    let corpus = small.take(LOG_FILES).flat_map(|text| [packed(&text), text]).collect();
    Target {
        name: "log-file",
        corpus,
        dictionary: WORDS.iter().map(|word| word.as_bytes().to_vec()).collect(),
        tokens: None,
        make,
    }
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to a vector cannot fail.
    let _always_ok = encoder.write_all(text);
    encoder.finish().unwrap_or_default()
}

fn make() -> Run {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let (Ok(runtime), Ok(folder)) = (runtime, tempfile::tempdir()) else {
        return Box::new(|_| Err("no runtime or no folder".to_owned()));
    };
    let mut bench = Bench { runtime, folder, store: None, ingests: 0 };
    Box::new(move |input| bench.check(input))
}

struct Bench {
    runtime: Runtime,
    folder: TempDir,
    store: Option<EventDataStore>,
    ingests: usize,
}

impl Bench {
    fn check(&mut self, input: &[u8]) -> Result<(), String> {
        let is_gzip = input.starts_with(&[0x1f, 0x8b]);
        let name = if is_gzip { "log.json.gz" } else { "log.json" };
        let path = self.folder.path().join(name);
        fs::write(&path, input).map_err(|error| error.to_string())?;
        self.ingests += 1;
        if self.ingests.is_multiple_of(STORE_INGESTS_MAX) {
            self.store = None;
        }
        let store = match self.store.take() {
            Some(store) => store,
            None => self.runtime.block_on(new_store())?,
        };
        let outcome = self.runtime.block_on(ingest_one(&store, &path));
        self.store = Some(store);
        outcome
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_750_000_000, 0).unwrap_or_default()
}

async fn new_store() -> Result<EventDataStore, String> {
    let location = Location::in_memory().map_err(|error| error.to_string())?;
    let catalog = Catalog::create(location, now()).await.map_err(|error| error.to_string())?;
    let new = NewStore {
        name: "fuzzed".to_owned(),
        id: None,
        retention: Retention::days(3653).map_err(|error| error.to_string())?,
        schema: EventKind::CloudTrail.data_file_schema(),
        attributes: BTreeMap::new(),
        termination_protection: false,
    };
    catalog.create_store(new, now()).await.map_err(|error| error.to_string())
}

async fn ingest_one(store: &EventDataStore, path: &Path) -> Result<(), String> {
    let before = store.snapshot().await.map_err(|error| error.to_string())?.rows();
    let text = path.display().to_string();
    let source = Location::parse(&text, &HashMap::new()).map_err(|error| error.to_string())?;
    let report = ingest(store, &[source], &IngestOptions::default(), Arc::new(now), &|_| ())
        .await
        .map_err(|error| format!("the ingest failed: {error}"))?;
    let after = store.snapshot().await.map_err(|error| error.to_string())?.rows();
    if !report.events.reconcile() {
        return Err(format!("counters do not reconcile: {:?}", report.events));
    }
    if after - before != report.events.stored {
        return Err(format!("{} rows came for {:?}", after - before, report.events));
    }
    if report.log_files.rejected > 0 && report.events.stored > 0 {
        return Err("a rejected log file is in part".to_owned());
    }
    Ok(())
}
