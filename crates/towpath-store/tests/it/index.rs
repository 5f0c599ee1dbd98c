//! The index leaves out what does not match and nothing else, whatever becomes of its files.

use std::sync::Arc;

use crate::support::{MONTH, WAIT, bucket, new_store, now, rows_from, source};
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use towpath_store::{
    Append, Catalog, CompactionPolicy, EventDataStore, IndexPolicy, Needle, RowRanges, SUMMARIES,
    SUMMARY_EVENTS_COLUMN, Snapshot, Wanted,
};

/// More than one block of 8,192 rows.
const ROWS: usize = 20_000;

struct Fixture {
    objects: Arc<dyn ObjectStore>,
    store: EventDataStore,
}

impl Fixture {
    async fn new() -> Fixture {
        let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let catalog = Catalog::create(bucket(&objects), now()).await.unwrap();
        let store = catalog.create_store(new_store("trail"), now()).await.unwrap();
        Fixture { objects, store }
    }

    /// A data file whose events are `<name>-0`, `<name>-1` and so on.
    async fn append(&self, name: &str, rows: usize) {
        let ids: Vec<String> = (0..rows).map(|number| format!("{name}-{number}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let writer = self.store.writer(now(), WAIT).await.unwrap();
        let file = writer.write_data_file(MONTH, &[rows_from(0, &ids)]).await.unwrap();
        let sources = vec![source(name, rows as u64)];
        writer.commit(Append { data_files: vec![file], sources }, now()).await.unwrap();
    }

    async fn snapshot(&self) -> Arc<Snapshot> {
        self.store.snapshot().await.unwrap()
    }

    /// The files of the index, as a new process finds them.
    async fn spans(&self) -> Vec<Path> {
        let folder = Path::from(format!("some/lake/stores/{}/_towpath/index", self.store.id()));
        let listed: Vec<_> = self.objects.list(Some(&folder)).try_collect().await.unwrap();
        listed.into_iter().map(|file| file.location).collect()
    }

    /// The rows that an event's id may be in, as a process finds them that starts now.
    async fn search(&self, id: &str) -> RowRanges {
        let store =
            Catalog::open(bucket(&self.objects)).await.unwrap().store("trail").await.unwrap();
        let snapshot = store.snapshot().await.unwrap();
        let index = store.index(&snapshot).await;
        let files: Vec<_> = snapshot.data_files().iter().collect();
        index.search(&files, &Wanted::Value(Needle::in_column("eventID", id).unwrap())).await
    }
}

/// The rows that are to be read of all data files, and how many data files that is.
fn chosen(found: &RowRanges) -> (u64, usize) {
    let rows = found.values().flatten().map(|range| range.end - range.start).sum();
    (rows, found.values().filter(|ranges| !ranges.is_empty()).count())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn value_is_found_in_one_block_of_one_file() {
    let fixture = Fixture::new().await;
    fixture.append("a", ROWS).await;
    fixture.append("b", 10).await;
    assert!(fixture.search("a-0").await.is_empty());
    let report = fixture.store.update_index(&IndexPolicy::THOROUGH, now()).await.unwrap();
    assert_eq!((report.spans_made, report.data_files, report.rows), (1, 2, ROWS as u64 + 10));

    for (id, rows) in [("a-0", 8_192), ("a-8192", 8_192), ("a-19999", 3_616), ("b-9", 10)] {
        let found = fixture.search(id).await;
        assert_eq!(found.len(), 2, "{id}");
        assert_eq!(chosen(&found), (rows, 1), "{id}");
    }
    assert_eq!(chosen(&fixture.search("c-1").await), (0, 0));
    assert_eq!(fixture.store.verify_index().await.unwrap(), Vec::<Path>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_spans_stay_however_small_the_appends_and_none_of_what_is_gone() {
    let fixture = Fixture::new().await;
    let policy = IndexPolicy { files_min: 2, ..IndexPolicy::AUTOMATIC };
    for number in 0..40 {
        fixture.append(&format!("f{number}"), 3).await;
        fixture.store.update_index(&policy, now()).await.unwrap();
        assert!(fixture.spans().await.len() < 9);
    }
    let found = fixture.search("f7-2").await;
    assert!(found.len() >= 38);
    assert_eq!(chosen(&found), (3, 1));

    fixture.store.compact(&CompactionPolicy::THOROUGH, now(), WAIT).await.unwrap();
    assert!(fixture.search("f7-2").await.is_empty());
    let report = fixture.store.update_index(&IndexPolicy::THOROUGH, now()).await.unwrap();
    assert_eq!((report.spans_made, report.data_files, report.rows), (1, 1, 120));
    assert_eq!(fixture.spans().await.len(), 1);
    assert_eq!(chosen(&fixture.search("f7-2").await), (120, 1));
    // Nothing more to do.
    let report = fixture.store.update_index(&IndexPolicy::THOROUGH, now()).await.unwrap();
    assert_eq!((report.spans_made, report.spans_removed), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_index_leaves_nothing_out_and_is_told_by_verifying() {
    let fixture = Fixture::new().await;
    fixture.append("a", 200).await;
    fixture.append("b", 200).await;
    fixture.store.update_index(&IndexPolicy::THOROUGH, now()).await.unwrap();
    let [path] = fixture.spans().await.try_into().unwrap();
    let whole = fixture.objects.get(&path).await.unwrap().bytes().await.unwrap();
    let mut damaged: Vec<Vec<u8>> = Vec::new();
    for place in (0..whole.len()).step_by(whole.len() / 150) {
        damaged.push(whole[..place].to_vec());
        let mut flipped = whole.to_vec();
        flipped[place] ^= 0x10;
        damaged.push(flipped);
    }
    for content in damaged {
        let length = content.len();
        fixture.objects.put(&path, content.into()).await.unwrap();
        let found = fixture.search("b-7").await;
        // What is known of a data file is true; of the others nothing is.
        let lost = found.iter().filter(|(_, ranges)| ranges.is_empty()).count();
        assert!(lost <= 1, "{length} bytes");
        assert!(found.is_empty() || chosen(&found) == (200, 1), "{length} bytes");
        let bad = fixture.store.verify_index().await.unwrap();
        let names: Vec<_> = bad.iter().map(Path::filename).collect();
        assert_eq!(names, [path.filename()], "{length} bytes");
    }
    fixture.objects.delete(&path).await.unwrap();
    assert!(fixture.search("b-7").await.is_empty());
    // What is not whole is made anew.
    fixture.objects.put(&path, whole.slice(..whole.len() / 20).into()).await.unwrap();
    let report = fixture.store.update_index(&IndexPolicy::THOROUGH, now()).await.unwrap();
    assert_eq!((report.spans_made, report.spans_removed), (1, 1));
    assert_eq!(fixture.objects.get(&path).await.unwrap().bytes().await.unwrap(), whole);
    assert_eq!(chosen(&fixture.search("b-7").await), (200, 1));
    assert_eq!(fixture.store.verify_index().await.unwrap(), Vec::<Path>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn summaries_count_the_rows_of_the_files_asked_for_and_no_others() {
    let fixture = Fixture::new().await;
    fixture.append("a", 30).await;
    fixture.append("b", 12).await;
    fixture.store.update_index(&IndexPolicy::THOROUGH, now()).await.unwrap();
    fixture.append("c", 5).await;
    let snapshot = fixture.snapshot().await;
    let index = fixture.store.index(&snapshot).await;
    let files: Vec<_> = snapshot.data_files().iter().collect();
    for summary in &SUMMARIES {
        let counts = index.counts(&files, summary).await;
        let events = |counts: &towpath_store::Counts| {
            let columns =
                counts.batches.iter().filter_map(|b| b.column_by_name(SUMMARY_EVENTS_COLUMN));
            let counts = columns.flat_map(|column| column.as_primitive::<Int64Type>().values());
            counts.sum::<i64>()
        };
        assert_eq!(events(&counts), 42, "{summary:?}");
        let [uncounted] = counts.uncounted.as_slice() else { panic!("{counts:?}") };
        assert_eq!(files[*uncounted].rows, 5);
        for file in &files {
            let one = index.counts(&[file], summary).await;
            let expected = if file.rows == 5 { 0 } else { i64::try_from(file.rows).unwrap() };
            assert_eq!(events(&one), expected);
        }
    }
}
