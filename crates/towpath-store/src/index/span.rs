//! A span: one file of the index. Its head says what is where; the rest is read in parts.
//!
//! ```text
//! 8 bytes   MAGIC
//! 4         length of the head's text, h
//! 4         number of places, p
//! 8         xxh3 of the text and the places
//! h         the text, JSON: a `Head`
//! 4 p       the places: where the buckets of each table begin, counted in entries
//!           the tables and summaries, one after the other
//! ```

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use xxhash_rust::xxh3::xxh3_64;

use crate::error::Result;
use crate::index::needles::{Bucket, Needle};
use crate::index::summary::{Summary, decode};
use crate::index::{BLOCK_ROWS, SPAN_BLOCKS_MAX};
use crate::lake_files::LakeFiles;

/// What a span begins with; its last byte is the form.
const MAGIC: [u8; 8] = *b"towspan\x01";

/// Bytes before the text of the head.
const FIXED_BYTES: usize = 24;

/// Bytes read from the beginning of a span at first: the whole head of one of few data files.
const HEAD_BYTES_HINT: u64 = 96 << 10;

/// Bytes that a head may have: of four thousand data files and nine tables, some two million.
const HEAD_BYTES_MAX: u64 = 16 << 20;

/// Bytes that one part may have which is read at once.
const PART_BYTES_MAX: u64 = 64 << 20;

/// A data file that a span covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SpanFile {
    /// Its path from the root of the store.
    pub(crate) path: String,
    pub(crate) sha256: String,
    pub(crate) rows: u64,
    /// The number of its first block.
    #[serde(rename = "firstBlock")]
    pub(crate) first_block: u32,
}

impl SpanFile {
    /// Its rows in `blocks`, in order, neighbours joined.
    pub(crate) fn rows_in(&self, blocks: impl Iterator<Item = u32>) -> Vec<Range<u64>> {
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for block in blocks {
            let Some(block) = block.checked_sub(self.first_block) else { continue };
            let start = u64::from(block) * BLOCK_ROWS;
            let end = self.rows.min(start + BLOCK_ROWS);
            match ranges.last_mut() {
                _ if start >= end => {}
                Some(last) if last.end == start => last.end = end,
                _ => ranges.push(start..end),
            }
        }
        ranges
    }
}

/// Where something is in a span, from the end of its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
}

/// The table of the values of one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableHead {
    pub(crate) column: String,
    pub(crate) place: Place,
    /// The places of the head that say where its buckets begin.
    pub(crate) starts: (usize, usize),
}

/// A summary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SummaryHead {
    /// As in [`Summary`], by which it is found again.
    pub(crate) per: String,
    pub(crate) columns: Vec<String>,
    pub(crate) place: Place,
    /// The xxh3 of its bytes.
    pub(crate) checksum: u64,
}

impl SummaryHead {
    pub(crate) fn is_of(&self, summary: &Summary) -> bool {
        self.per == format!("{:?}", summary.per)
            && self.columns.iter().map(String::as_str).eq(summary.columns.iter().copied())
    }
}

/// What a span says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) files: Vec<SpanFile>,
    pub(crate) tables: Vec<TableHead>,
    pub(crate) summaries: Vec<SummaryHead>,
}

/// A span whose head was read.
#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) path: Path,
    pub(crate) head: Head,
    starts: Vec<u32>,
    /// Where its tables and summaries begin.
    body: u64,
    /// The rows of the summaries that were read and kept, by place in the head.
    kept: Vec<OnceCell<RecordBatch>>,
}

/// Spans by name, as far as they were read.
pub(crate) type Spans = HashMap<String, Option<Arc<Span>>>;

/// The bytes of a span of this head, these places, and these tables and summaries.
pub(crate) fn encode(head: &Head, starts: &[u32], parts: Vec<Vec<u8>>) -> Option<Vec<u8>> {
    let text = serde_json::to_vec(head).ok()?;
    let mut covered = text.clone();
    covered.extend(starts.iter().flat_map(|start| start.to_le_bytes()));
    let body: usize = parts.iter().map(Vec::len).sum();
    let mut bytes = Vec::with_capacity(FIXED_BYTES + covered.len() + body);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&u32::try_from(text.len()).ok()?.to_le_bytes());
    bytes.extend_from_slice(&u32::try_from(starts.len()).ok()?.to_le_bytes());
    bytes.extend_from_slice(&xxh3_64(&covered).to_le_bytes());
    bytes.append(&mut covered);
    // Each part is given back once it was copied.
    parts.into_iter().for_each(|mut part| bytes.append(&mut part));
    Some(bytes)
}

impl Span {
    /// Reads the head of the span at `path`; `None` if it is not there or not whole.
    pub(crate) async fn open(files: &LakeFiles, path: &Path) -> Result<Option<Span>> {
        let read = match files.read_range(path, 0..HEAD_BYTES_HINT).await {
            // No range can be read of an empty file.
            Err(err) => Some(files.read(path).await?.filter(Bytes::is_empty).ok_or(err)?),
            Ok(read) => read,
        };
        let Some(mut content) = read else { return Ok(None) };
        let Some(length) = head_bytes(&content) else { return Ok(None) };
        if length > content.len() as u64 {
            match files.read_range(path, 0..length).await? {
                Some(longer) => content = longer,
                None => return Ok(None),
            }
        }
        Ok(Span::parse(path, &content))
    }

    /// The span that begins with `content`, the whole of its head at least.
    pub(crate) fn parse(path: &Path, content: &[u8]) -> Option<Span> {
        let (text_bytes, places) = lengths(content)?;
        let (checksum, covered) = content.get(16..)?.split_first_chunk::<8>()?;
        let covered = covered.get(..text_bytes + 4 * places)?;
        if xxh3_64(covered) != u64::from_le_bytes(*checksum) {
            return None;
        }
        let (text, starts) = covered.split_at_checked(text_bytes)?;
        let head: Head = serde_json::from_slice(text).ok()?;
        let starts = starts.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
        let kept = head.summaries.iter().map(|_| OnceCell::new()).collect();
        let body = (FIXED_BYTES + covered.len()) as u64;
        Some(Span { path: path.clone(), head, starts: starts.collect(), body, kept })
    }

    /// The blocks that a value may be in. `None` if nothing is known of its column, or the part
    /// that says it is not there or not whole.
    pub(crate) async fn blocks_of(
        &self,
        files: &LakeFiles,
        needle: &Needle,
    ) -> Option<BTreeSet<u32>> {
        let table = self.head.tables.iter().find(|table| table.column == needle.column())?;
        let starts = self.starts.get(table.starts.0..table.starts.1)?;
        let bucket = Bucket::of(needle.hash(), starts)?;
        let (start, end) = bucket.bytes;
        if end > table.place.bytes {
            return None;
        }
        let offset = table.place.offset;
        let place = Place { offset: offset.checked_add(start)?, bytes: end - start };
        let mut blocks = bucket.blocks(&self.part(files, place).await?)?;
        blocks.retain(|block| u64::from(*block) < SPAN_BLOCKS_MAX);
        Some(blocks)
    }

    /// The rows of a summary, which are kept in memory if `is_kept`; `None` if it has none, or what
    /// it has is not whole.
    pub(crate) async fn summary(
        &self,
        files: &LakeFiles,
        summary: &Summary,
        is_kept: bool,
    ) -> Option<RecordBatch> {
        let at = self.head.summaries.iter().position(|head| head.is_of(summary))?;
        let head = self.head.summaries.get(at)?;
        let read = async || {
            let content = self.part(files, head.place).await.ok_or(())?;
            if xxh3_64(&content) != head.checksum {
                return Err(());
            }
            decode(summary, content).map_err(|_err| ())
        };
        if !is_kept {
            return read().await.ok();
        }
        self.kept.get(at)?.get_or_try_init(read).await.ok().cloned()
    }

    async fn part(&self, files: &LakeFiles, place: Place) -> Option<Bytes> {
        if place.bytes > PART_BYTES_MAX {
            return None;
        }
        let start = self.body.checked_add(place.offset)?;
        let range = start..start.checked_add(place.bytes)?;
        let content = files.read_range(&self.path, range).await.ok()??;
        (content.len() as u64 == place.bytes).then_some(content)
    }
}

/// The length of the whole head, as its beginning says.
fn head_bytes(content: &[u8]) -> Option<u64> {
    let (text, places) = lengths(content)?;
    let length = (FIXED_BYTES + text) as u64 + 4 * places as u64;
    (length <= HEAD_BYTES_MAX).then_some(length)
}

/// The length of the head's text, and how many places follow.
fn lengths(content: &[u8]) -> Option<(usize, usize)> {
    let (magic, rest) = content.split_first_chunk::<8>()?;
    let (text, rest) = rest.split_first_chunk::<4>()?;
    let (places, _) = rest.split_first_chunk::<4>()?;
    let number = |bytes: &[u8; 4]| usize::try_from(u32::from_le_bytes(*bytes)).ok();
    (*magic == MAGIC).then_some((number(text)?, number(places)?))
}
