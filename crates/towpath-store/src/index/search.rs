//! Looking for values, and taking counts, in all spans that cover a snapshot's data files.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int32Type, Int64Type};
use futures::{StreamExt, stream};
use object_store::path::Path;
use tokio::time::Instant;
use tracing::debug;

use crate::data_file::DataFile;
use crate::index::needles::{Needle, Wanted};
use crate::index::span::{Span, Spans};
use crate::index::summary::{SUMMARY_EVENTS_COLUMN, Summary};
use crate::lake_files::LakeFiles;
use crate::layout;
use crate::snapshot::Snapshot;
use crate::store::EventDataStore;

/// Values looked for at once, at most: those of a list that a person pastes. Of more, the index is
/// not asked.
const NEEDLES_MAX: usize = 1_000;

/// Spans that are read at the same time, and parts of each. On an object store most of the time is
/// waiting; a part is some kilobytes.
const SPANS_IN_FLIGHT_MAX: usize = 16;
const PARTS_IN_FLIGHT_MAX: usize = 8;

/// Spans that are taken note of. A store of ten billion events has three thousand.
const SPANS_MAX: usize = 20_000;

/// Bytes of a summary, as all spans store it, up to which its rows are kept in memory: a tenth of
/// what they take there.
const SUMMARY_KEPT_BYTES_MAX: u64 = 4 << 20;

/// How long a list of spans that does not cover all data files is good for. A compaction beside
/// this process may have made more.
const LISTED_FOR: Duration = Duration::from_secs(10);

/// The index of a store as it was when it was last listed.
#[derive(Clone)]
pub struct StoreIndex {
    files: LakeFiles,
    root: Path,
    spans: Arc<[Arc<Span>]>,
    /// Span and place in it of each data file that is covered, by path from the root of the store.
    covered: Arc<HashMap<String, (usize, usize)>>,
}

/// The rows of data files that may meet a condition, by path.
///
/// A data file that is not in it has to be read whole, one without a range not at all.
pub type RowRanges = HashMap<Path, Vec<Range<u64>>>;

/// Events of data files, counted.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// An event time of those that a row stands for, the summary's columns as views, and
    /// [`SUMMARY_EVENTS_COLUMN`].
    pub batches: Vec<RecordBatch>,
    /// The data files whose events are not in these counts, by place among those asked for.
    pub uncounted: Vec<usize>,
}

/// What an [`EventDataStore`] knows of its index.
#[derive(Debug, Default)]
pub(crate) struct Known {
    spans: Spans,
    listed: Option<Listed>,
}

#[derive(Debug)]
struct Listed {
    version: u64,
    at: Instant,
    covers_all: bool,
    index: Arc<StoreIndex>,
}

impl Known {
    /// Looks at the storage again the next time.
    pub(crate) fn forget(&mut self) {
        self.listed = None;
    }
}

impl EventDataStore {
    /// The index, as far as it covers `snapshot`. One that cannot be read covers nothing.
    pub async fn index(&self, snapshot: &Snapshot) -> Arc<StoreIndex> {
        let mut known = self.known_index().lock().await;
        if let Some(listed) = &known.listed
            && listed.version == snapshot.version()
            && (listed.covers_all || listed.at.elapsed() < LISTED_FOR)
        {
            return Arc::clone(&listed.index);
        }
        let spans = self.spans(&mut known.spans).await;
        let index = Arc::new(StoreIndex::new(self, spans));
        let covers_all = snapshot.data_files().iter().all(|file| index.locate(file).is_some());
        let (version, at) = (snapshot.version(), Instant::now());
        known.listed = Some(Listed { version, at, covers_all, index: Arc::clone(&index) });
        index
    }

    /// The spans that there are, those of `known` not read again.
    pub(crate) async fn spans(&self, known: &mut Spans) -> Vec<Arc<Span>> {
        let folder = layout::index_folder(self.id());
        let mut names = match self.files().list(&folder).await {
            Ok(listing) => listing.files,
            Err(err) => {
                debug!(store = %self.id(), error = %err, "index not listed");
                Vec::new()
            }
        };
        names.retain(|(name, _)| layout::is_index_span(name));
        names.truncate(SPANS_MAX);
        let present: BTreeSet<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
        known.retain(|name, _| present.contains(name.as_str()));
        let mut new: Vec<String> = names.iter().map(|(name, _)| name.clone()).collect();
        new.retain(|name| !known.contains_key(name));
        let opened: Vec<_> = stream::iter(new)
            .map(|name| async {
                let span = Span::open(self.files(), &folder.clone().join(name.as_str())).await;
                (name, span)
            })
            .buffered(SPANS_IN_FLIGHT_MAX)
            .collect()
            .await;
        for (name, span) in opened {
            match span {
                Ok(span) => {
                    known.insert(name, span.map(Arc::new));
                }
                Err(err) => debug!(store = %self.id(), error = %err, "span of the index not read"),
            }
        }
        names.iter().filter_map(|(name, _)| known.get(name)?.clone()).collect()
    }
}

/// Whether the index of a store can tell where values are.
fn is_within_limits(wanted: &Wanted) -> bool {
    (1..=NEEDLES_MAX).contains(&wanted.needles().len())
}

impl StoreIndex {
    pub(crate) fn new(store: &EventDataStore, spans: Vec<Arc<Span>>) -> StoreIndex {
        let mut covered = HashMap::new();
        for (at, span) in spans.iter().enumerate() {
            for (place, file) in span.head.files.iter().enumerate() {
                covered.entry(file.path.clone()).or_insert((at, place));
            }
        }
        let root = store.files().full_path(&layout::store(store.id()));
        let files = store.files().clone();
        StoreIndex { files, root, spans: spans.into(), covered: Arc::new(covered) }
    }

    /// The number of spans.
    #[must_use]
    pub fn spans(&self) -> usize {
        self.spans.len()
    }

    /// The number of data files that are covered, or were before they left the store.
    #[must_use]
    pub fn covered_files(&self) -> usize {
        self.covered.len()
    }

    /// Whether a data file is covered.
    #[must_use]
    pub fn covers(&self, file: &DataFile) -> bool {
        self.locate(file).is_some()
    }

    /// Span and place in it of a data file, if it is the very file that was indexed.
    pub(crate) fn locate(&self, file: &DataFile) -> Option<(usize, usize)> {
        let within: Path = file.path.prefix_match(&self.root)?.collect();
        let (at, place) = *self.covered.get(within.as_ref())?;
        let known = self.spans.get(at)?.head.files.get(place)?;
        (known.sha256 == file.sha256 && known.rows == file.rows).then_some((at, place))
    }

    /// The places among `files` of those that each span covers.
    fn by_span(&self, files: &[&DataFile]) -> BTreeMap<usize, Vec<(usize, usize)>> {
        let mut by_span: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
        for (number, file) in files.iter().enumerate() {
            if let Some((at, place)) = self.locate(file) {
                by_span.entry(at).or_default().push((number, place));
            }
        }
        by_span
    }

    /// The rows of `files` that may be wanted. It never leaves out a row that is.
    pub async fn search(&self, files: &[&DataFile], wanted: &Wanted) -> RowRanges {
        let mut rows = RowRanges::new();
        if !is_within_limits(wanted) {
            return rows;
        }
        let searches = stream::iter(self.by_span(files)).map(|(at, covered)| async move {
            let span = self.spans.get(at)?;
            Some((span, covered, self.blocks(span, wanted).await?))
        });
        let mut found = searches.buffer_unordered(SPANS_IN_FLIGHT_MAX);
        while let Some(found) = found.next().await {
            // Without an answer its data files are read as if they were not covered.
            let Some((span, covered, blocks)) = found else { continue };
            for (number, place) in covered {
                let Some((file, known)) = files.get(number).zip(span.head.files.get(place)) else {
                    continue;
                };
                let last = known.rows.div_ceil(super::BLOCK_ROWS);
                let end = known.first_block.saturating_add(u32::try_from(last).unwrap_or(u32::MAX));
                let blocks = blocks.range(known.first_block..end).copied();
                rows.insert(file.path.clone(), known.rows_in(blocks));
            }
        }
        rows
    }

    /// The blocks of a span that may hold what is wanted; `None` if the span cannot tell.
    async fn blocks(&self, span: &Span, wanted: &Wanted) -> Option<BTreeSet<u32>> {
        let needles: Vec<Needle> = wanted.needles().into_iter().cloned().collect();
        let lookups = stream::iter(needles).map(|needle| async move {
            let blocks = span.blocks_of(&self.files, &needle).await;
            (needle, blocks)
        });
        let found: HashMap<Needle, Option<BTreeSet<u32>>> =
            lookups.buffer_unordered(PARTS_IN_FLIGHT_MAX).collect().await;
        if found.values().any(Option::is_none) {
            debug!(span = %span.path, "span of the index does not tell where a value is");
        }
        wanted.blocks(&|needle| found.get(needle)?.as_ref())
    }

    /// The rows of those of `files` that have no such summary, and the bytes of the summaries of
    /// the others.
    #[must_use]
    pub fn cost(&self, files: &[&DataFile], summary: &Summary) -> (u64, u64) {
        let (mut rows, mut spans) = (0, BTreeMap::new());
        for file in files {
            let at = self.locate(file).map(|(at, _)| at);
            let place = at.and_then(|at| {
                let heads = &self.spans.get(at)?.head.summaries;
                Some((at, heads.iter().find(|head| head.is_of(summary))?.place.bytes))
            });
            match place {
                Some((at, bytes)) => {
                    spans.insert(at, bytes);
                }
                None => rows += file.rows,
            }
        }
        (rows, spans.values().sum())
    }

    /// The events of `files`, counted as `summary` does. A data file is counted whole or not at
    /// all.
    pub async fn counts(&self, files: &[&DataFile], summary: &Summary) -> Counts {
        let mut counts = Counts::default();
        let mut is_counted = vec![false; files.len()];
        let is_kept = self.cost(files, summary).1 <= SUMMARY_KEPT_BYTES_MAX;
        let reads = stream::iter(self.by_span(files)).map(|(at, covered)| async move {
            let span = self.spans.get(at)?;
            Some((span, covered, span.summary(&self.files, summary, is_kept).await?))
        });
        let mut found = reads.buffered(SPANS_IN_FLIGHT_MAX);
        while let Some(found) = found.next().await {
            let Some((span, covered, cells)) = found else { continue };
            let asked: BTreeMap<usize, usize> =
                covered.iter().map(|(number, place)| (*place, *number)).collect();
            let Some((events, cells)) = of_files(&cells, &asked, span.head.files.len()) else {
                continue;
            };
            // Every row of a data file is counted, or it was not made of this data file.
            let is_whole = asked.keys().all(|place| {
                let rows = span.head.files.get(*place).and_then(|f| i64::try_from(f.rows).ok());
                rows.is_some() && rows == events.get(*place).copied()
            });
            if is_whole {
                counts.batches.push(cells);
                for number in asked.values() {
                    if let Some(is_counted) = is_counted.get_mut(*number) {
                        *is_counted = true;
                    }
                }
            }
        }
        let places = is_counted.iter().enumerate().filter(|(_, is_counted)| !**is_counted);
        counts.uncounted = places.map(|(number, _)| number).collect();
        counts
    }
}

/// The rows of a summary that are of the data files asked for, without the column that says so,
/// and how many events each data file has.
fn of_files(
    cells: &RecordBatch,
    asked: &BTreeMap<usize, usize>,
    files: usize,
) -> Option<(Vec<i64>, RecordBatch)> {
    let of = cells.column(0).as_primitive_opt::<Int32Type>()?;
    let counted = cells.column_by_name(SUMMARY_EVENTS_COLUMN)?.as_primitive_opt::<Int64Type>()?;
    let mut events = vec![0_i64; files];
    let mut is_asked = Vec::with_capacity(of.len());
    for (file, count) in of.values().iter().zip(counted.values()) {
        let file = usize::try_from(*file).ok()?;
        let total = events.get_mut(file)?;
        *total = total.checked_add(*count).filter(|_| *count > 0)?;
        is_asked.push(asked.contains_key(&file));
    }
    let columns: Vec<usize> = (1..cells.num_columns()).collect();
    let cells = cells.project(&columns).ok()?;
    if asked.len() == files {
        return Some((events, cells));
    }
    Some((events, filter_record_batch(&cells, &BooleanArray::from(is_asked)).ok()?))
}

impl fmt::Debug for StoreIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreIndex").field("spans", &self.spans.len()).finish_non_exhaustive()
    }
}
