//! The stages of an ingest, one at a time, in one thread where the stage has one.
//!
//! | name | what is timed | through |
//! |---|---|---|
//! | gunzip | finding and decompressing log files | an ingest of log files that each begin with a byte no JSON begins with, so that they are refused where decoding begins: decompression has no interface of its own |
//! | decode | JSON to columns | `EventBatchBuilder` |
//! | encode | columns in the order of a data file to Parquet | `write_ordered` into memory |
//! | ingest | all of it, with order, duplicates, checksums and the commit | `ingest` into memory |
//!
//! Putting rows in order has no interface of its own either: it is in `ingest` alone.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be made stops")]

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use towpath::arrow::array::{AsArray, RecordBatch};
use towpath::arrow::datatypes::TimestampMicrosecondType;
use towpath_benches::samples;
use towpath_event::{EventBatch, EventBatchBuilder, EventKind};
use towpath_ingest::{IngestOptions, IngestReport, ingest};
use towpath_store::{
    Catalog, EVENT_TIME_COLUMN, EventDataStore, Location, NewStore, OrderedRows, ROW_ORDER,
    Retention, calendarmonth,
};

criterion_main!(benches);
criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = gunzip, decode, encode, whole
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().enable_all().build().unwrap()
}

async fn new_store() -> EventDataStore {
    let catalog = Catalog::create(Location::in_memory().unwrap(), samples::now()).await.unwrap();
    let new = NewStore {
        name: samples::STORE.to_owned(),
        id: None,
        retention: Retention::days(3653).unwrap(),
        schema: EventKind::CloudTrail.data_file_schema(),
        attributes: BTreeMap::new(),
        termination_protection: false,
    };
    catalog.create_store(new, samples::now()).await.unwrap()
}

async fn ingest_all(store: &EventDataStore, folder: &Path) -> IngestReport {
    let source = Location::parse(&folder.display().to_string(), &HashMap::new()).unwrap();
    let clock = Arc::new(samples::now);
    ingest(store, &[source], &IngestOptions::default(), clock, &|_| ()).await.unwrap()
}

fn texts() -> Vec<Vec<u8>> {
    samples::texts(&samples::folder()).unwrap()
}

fn bytes(texts: &[Vec<u8>]) -> u64 {
    texts.iter().map(|text| text.len() as u64).sum()
}

/// Log files of `texts`, each after `prefix`, in a folder.
fn packed(texts: &[Vec<u8>], prefix: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (number, text) in texts.iter().enumerate() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(prefix).unwrap();
        encoder.write_all(text).unwrap();
        let name = format!("{number:06}.json.gz");
        fs::write(folder.path().join(name), encoder.finish().unwrap()).unwrap();
    }
    folder
}

fn decoded(texts: &[Vec<u8>]) -> EventBatch {
    let mut builder = EventBatchBuilder::new();
    for text in texts {
        builder.append_log_file(text).unwrap();
    }
    builder.finish()
}

fn gunzip(c: &mut Criterion) {
    let (runtime, texts) = (runtime(), texts());
    let folder = packed(&texts, b"!");
    let store = runtime.block_on(new_store());
    let mut group = c.benchmark_group("stages");
    group.throughput(Throughput::Bytes(bytes(&texts)));
    group.bench_function("gunzip", |b| {
        b.iter(|| {
            let report = runtime.block_on(ingest_all(&store, folder.path()));
            assert_eq!(report.log_files.rejected, texts.len() as u64);
        });
    });
}

fn decode(c: &mut Criterion) {
    let texts = texts();
    let mut group = c.benchmark_group("stages");
    group.throughput(Throughput::Bytes(bytes(&texts)));
    group.bench_function("decode", |b| b.iter(|| decoded(&texts)));
}

/// The rows of the month with the most events, in the order of a data file.
fn ordered(columns: &RecordBatch) -> (i64, OrderedRows) {
    let times = columns.column_by_name(EVENT_TIME_COLUMN).unwrap();
    let times = times.as_primitive::<TimestampMicrosecondType>().values().to_vec();
    let mut months: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (row, time) in times.iter().enumerate() {
        months.entry(calendarmonth(*time).unwrap()).or_default().push(row);
    }
    let (month, mut rows) = months.into_iter().max_by_key(|(_, rows)| rows.len()).unwrap();
    let [source, name, _] = ROW_ORDER;
    let text = |name: &str| columns.column_by_name(name).unwrap().as_string::<i32>();
    let (sources, names) = (text(source), text(name));
    rows.sort_by_key(|row| (sources.value(*row), names.value(*row), times[*row]));
    let order = rows.into_iter().map(|row| (0, row)).collect();
    (month, OrderedRows { batches: Arc::new([columns.clone()]), order })
}

fn encode(c: &mut Criterion) {
    let runtime = runtime();
    let (month, rows) = ordered(&decoded(&texts()).columns);
    let mut group = c.benchmark_group("stages");
    group.throughput(Throughput::Elements(rows.order.len() as u64));
    group.bench_function("encode", |b| {
        b.iter_batched(
            || (runtime.block_on(new_store()), rows.clone()),
            |(store, rows)| runtime.block_on(store.write_ordered(month, rows)).unwrap(),
            BatchSize::PerIteration,
        );
    });
}

fn whole(c: &mut Criterion) {
    let (runtime, texts) = (runtime(), texts());
    let folder = packed(&texts, b"");
    let mut group = c.benchmark_group("stages");
    group.throughput(Throughput::Bytes(bytes(&texts)));
    group.bench_function("ingest", |b| {
        b.iter_batched(
            || runtime.block_on(new_store()),
            |store| {
                let report = runtime.block_on(ingest_all(&store, folder.path()));
                assert_eq!(report.log_files.ingested, texts.len() as u64);
            },
            BatchSize::PerIteration,
        );
    });
}
