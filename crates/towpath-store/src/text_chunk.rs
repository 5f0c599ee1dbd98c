//! Texts to the bytes of a Parquet column chunk.
//!
//! The writer of the `parquet` crate copies each value, hashes it for its dictionary and for the
//! bloom filter, and compares it with the least and the greatest of its page. Here that is done
//! once for each different text, of which there are few: see [`TextLeaf`]. What comes out is as
//! [`WriterProperties`] ask for.

use std::sync::Arc;

use std::ops::Range;

use bytes::Bytes;
use parquet::basic::{
    BoundaryOrder, Compression, Encoding, EncodingMask, PageType, Type as PhysicalType,
};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats,
};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::file::writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;
use zstd::zstd_safe::compress_bound;

use crate::hybrid;
use crate::text_leaf::TextLeaf;

/// Memory for a page that is kept from one chunk to the next, in bytes. Dictionaries reach four
/// megabytes, pages rarely one.
const KEPT_BYTES_MAX: usize = 8 << 20;

/// A column chunk, to be put into a row group.
pub(crate) struct TextChunk {
    content: Bytes,
    close: ColumnCloseResult,
}

impl TextChunk {
    pub(crate) fn append_to_row_group(
        self,
        group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    ) -> Result<()> {
        group.append_column(&self.content, self.close)
    }
}

/// Compresses pages, with memory that it keeps from one to the next.
pub(crate) struct PageCompressor {
    zstd: Compressor<'static>,
    /// What is to be compressed.
    page: Vec<u8>,
    compressed: Vec<u8>,
}

impl PageCompressor {
    pub(crate) fn new() -> Result<PageCompressor> {
        Ok(PageCompressor { zstd: Compressor::new(0)?, page: Vec::new(), compressed: Vec::new() })
    }

    /// Compresses [`Self::page`].
    fn compress(&mut self, compression: Compression) -> Result<Bytes> {
        match compression {
            Compression::ZSTD(level) => {
                self.zstd.set_compression_level(level.compression_level())?;
                self.compressed.clear();
                self.compressed.reserve(compress_bound(self.page.len()));
                self.zstd.compress_to_buffer(&self.page, &mut self.compressed)?;
                Ok(Bytes::copy_from_slice(&self.compressed))
            }
            Compression::UNCOMPRESSED => Ok(Bytes::copy_from_slice(&self.page)),
            other => Err(ParquetError::NYI(format!("texts are not compressed with {other}"))),
        }
    }

    /// Gives back memory that a page of unusual size took.
    fn shrink(&mut self) {
        for buffer in [&mut self.page, &mut self.compressed] {
            if buffer.capacity() > KEPT_BYTES_MAX {
                *buffer = Vec::new();
            }
        }
    }
}

/// Encodes a leaf as a column chunk.
///
/// # Errors
///
/// [`ParquetError`] if the leaf is not one that `column` describes, or is too large for Parquet.
pub(crate) fn encode(
    leaf: &TextLeaf<'_>,
    column: &ColumnDescPtr,
    properties: &WriterProperties,
    compressor: &mut PageCompressor,
) -> Result<TextChunk> {
    let is_described = column.physical_type() == PhysicalType::BYTE_ARRAY
        && column.max_def_level() == i16::from(leaf.definition_max)
        && (column.max_rep_level() > 0) != leaf.repetitions.is_empty();
    if !is_described && !leaf.definitions.is_empty() {
        return Err(ParquetError::General(format!("`{}` is another column", column.path())));
    }
    let mut sink = TrackedWrite::new(Vec::new());
    let mut chunk = ChunkWriter::new(leaf, column, properties, compressor, &mut sink);
    if chunk.form == Form::Dictionary {
        chunk.write_dictionary()?;
    }
    for page in pages(leaf, chunk.form, properties) {
        chunk.write_page(&page)?;
    }
    let close = chunk.close()?;
    compressor.shrink();
    Ok(TextChunk { content: sink.into_inner()?.into(), close })
}

/// How the values of a chunk are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As numbers of texts, each of which stands once before all pages.
    Dictionary,
    Plain,
}

/// A page: which slots and which values of the leaf, of how many rows.
#[derive(Debug, PartialEq, Eq)]
struct PageOf {
    slots: Range<usize>,
    values: Range<usize>,
    rows: usize,
}

/// Cuts a leaf into pages, between rows.
fn pages(leaf: &TextLeaf<'_>, form: Form, properties: &WriterProperties) -> Vec<PageOf> {
    let slots = leaf.definitions.len();
    if leaf.keys.is_empty() {
        // Nothing to be read from any of them: one is enough, whatever the number of rows.
        let rows = slots - leaf.repetitions.iter().filter(|level| **level > 0).count();
        return vec![PageOf { slots: 0..slots, values: 0..0, rows }];
    }
    let (rows_max, bytes_max) =
        (properties.data_page_row_count_limit(), properties.data_page_size_limit());
    let mut pages = Vec::new();
    let mut page = PageOf { slots: 0..0, values: 0..0, rows: 0 };
    let mut bytes = 0;
    for (slot, level) in leaf.definitions.iter().enumerate() {
        let begins_row = leaf.repetitions.get(slot).is_none_or(|level| *level == 0);
        if begins_row && (page.rows >= rows_max || bytes >= bytes_max) {
            let (slots, values) = (page.slots.end, page.values.end);
            pages.push(page);
            page = PageOf { slots: slots..slots, values: values..values, rows: 0 };
            bytes = 0;
        }
        page.rows += usize::from(begins_row);
        page.slots.end += 1;
        if *level == leaf.definition_max {
            if form == Form::Plain {
                bytes += leaf.value(page.values.end).map_or(0, <[u8]>::len);
            }
            page.values.end += 1;
        }
    }
    pages.push(page);
    pages
}

impl<'a> TextLeaf<'a> {
    fn value(&self, place: usize) -> Option<&'a [u8]> {
        let key = usize::try_from(*self.keys.get(place)?).ok()?;
        self.texts.get(key).copied()
    }
}

/// A chunk that is being written.
struct ChunkWriter<'w, 'a> {
    leaf: &'w TextLeaf<'a>,
    column: &'w ColumnDescPtr,
    properties: &'w WriterProperties,
    compressor: &'w mut PageCompressor,
    compression: Compression,
    form: Form,
    sink: SerializedPageWriter<'w, Vec<u8>>,
    column_index: Option<ColumnIndexBuilder>,
    offset_index: OffsetIndexBuilder,
    /// The least and the greatest text of each page that has any.
    bounds: Vec<(&'a [u8], &'a [u8])>,
    /// The same as the column index has them, which may be cut short.
    short_bounds: Vec<(Vec<u8>, Vec<u8>)>,
    /// By text, the page that it was last seen in.
    seen_in: Vec<usize>,
    pages: usize,
    rows: usize,
    nulls: usize,
    text_bytes: usize,
    dictionary_offset: Option<u64>,
    data_offset: Option<u64>,
    compressed: usize,
    uncompressed: usize,
}

impl<'w, 'a> ChunkWriter<'w, 'a> {
    fn new(
        leaf: &'w TextLeaf<'a>,
        column: &'w ColumnDescPtr,
        properties: &'w WriterProperties,
        compressor: &'w mut PageCompressor,
        sink: &'w mut TrackedWrite<Vec<u8>>,
    ) -> ChunkWriter<'w, 'a> {
        let path = column.path();
        let dictionary_bytes: usize = leaf.texts.iter().map(|text| text.len() + 4).sum();
        let has_dictionary = properties.dictionary_enabled(path)
            && !leaf.texts.is_empty()
            && dictionary_bytes <= properties.column_dictionary_page_size_limit(path);
        let has_bounds = properties.statistics_enabled(path) == EnabledStatistics::Page;
        ChunkWriter {
            leaf,
            column,
            properties,
            compressor,
            compression: properties.compression(path),
            form: if has_dictionary { Form::Dictionary } else { Form::Plain },
            sink: SerializedPageWriter::new(sink),
            column_index: has_bounds.then(|| ColumnIndexBuilder::new(PhysicalType::BYTE_ARRAY)),
            offset_index: OffsetIndexBuilder::new(),
            bounds: Vec::new(),
            short_bounds: Vec::new(),
            seen_in: vec![usize::MAX; leaf.texts.len()],
            pages: 0,
            rows: 0,
            nulls: 0,
            text_bytes: 0,
            dictionary_offset: None,
            data_offset: None,
            compressed: 0,
            uncompressed: 0,
        }
    }

    fn write_dictionary(&mut self) -> Result<()> {
        self.compressor.page.clear();
        for text in &self.leaf.texts {
            put_plain(text, &mut self.compressor.page)?;
        }
        let page = Page::DictionaryPage {
            buf: self.compressor.compress(self.compression)?,
            num_values: count(self.leaf.texts.len())?,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        let written = self.put(page)?;
        self.dictionary_offset = Some(written.offset);
        Ok(())
    }

    fn write_page(&mut self, page: &PageOf) -> Result<()> {
        let slots = page.slots.len();
        let nulls = slots - page.values.len();
        self.put_levels_and_values(page)?;
        let data_page = Page::DataPage {
            buf: self.compressor.compress(self.compression)?,
            num_values: count(slots)?,
            encoding: self.data_encoding(),
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let written = self.put(data_page)?;
        self.data_offset.get_or_insert(written.offset);
        let (offset, size) = (to_i64(written.offset)?, to_i32(written.compressed_size)?);
        self.offset_index.append_row_count(to_i64(page.rows)?);
        self.offset_index.append_offset_and_size(offset, size);
        self.offset_index.append_unencoded_byte_array_data_bytes(None);
        self.note_bounds(page, nulls)?;
        self.pages += 1;
        self.rows += page.rows;
        self.nulls += nulls;
        Ok(())
    }

    fn data_encoding(&self) -> Encoding {
        match self.form {
            Form::Dictionary => Encoding::RLE_DICTIONARY,
            Form::Plain => Encoding::PLAIN,
        }
    }

    fn put_levels_and_values(&mut self, page: &PageOf) -> Result<()> {
        let leaf = self.leaf;
        self.compressor.page.clear();
        if let Some(levels) = leaf.repetitions.get(page.slots.clone())
            && !leaf.repetitions.is_empty()
        {
            put_levels(levels, 1, &mut self.compressor.page)?;
        }
        let levels = leaf.definitions.get(page.slots.clone()).unwrap_or_default();
        put_levels(levels, leaf.definition_max, &mut self.compressor.page)?;
        let keys = leaf.keys.get(page.values.clone()).unwrap_or_default();
        match self.form {
            Form::Dictionary => {
                let bits = hybrid::bits_for(leaf.texts.len().saturating_sub(1));
                self.compressor.page.push(u8::try_from(bits).unwrap_or(u8::MAX));
                hybrid::encode(keys, bits, &mut self.compressor.page);
            }
            Form::Plain => {
                for place in page.values.clone() {
                    put_plain(leaf.value(place).unwrap_or_default(), &mut self.compressor.page)?;
                }
            }
        }
        Ok(())
    }

    /// Writes a page that the compressor has as it was before.
    fn put(&mut self, page: Page) -> Result<PageWriteSpec> {
        let written =
            self.sink.write_page(CompressedPage::new(page, self.compressor.page.len()))?;
        self.compressed += written.compressed_size;
        self.uncompressed += written.uncompressed_size;
        Ok(written)
    }

    /// Takes note of the least and the greatest text of a page.
    fn note_bounds(&mut self, page: &PageOf, nulls: usize) -> Result<()> {
        let mut bounds: Option<(&'a [u8], &'a [u8])> = None;
        for key in self.leaf.keys.get(page.values.clone()).unwrap_or_default() {
            let key = usize::try_from(*key).unwrap_or(usize::MAX);
            let (Some(text), Some(seen_in)) = (self.leaf.texts.get(key), self.seen_in.get_mut(key))
            else {
                continue;
            };
            self.text_bytes += text.len();
            if *seen_in == self.pages || self.column_index.is_none() {
                continue;
            }
            *seen_in = self.pages;
            let (least, greatest) = bounds.unwrap_or((text, text));
            bounds = Some((least.min(text), greatest.max(text)));
        }
        let Some(index) = &mut self.column_index else { return Ok(()) };
        let length = self.properties.column_index_truncate_length();
        let short_bounds = bounds.map(|(least, greatest)| {
            (lower_bound(least, length).0, upper_bound(greatest, length).0)
        });
        let (least, greatest) = short_bounds.clone().unwrap_or_default();
        index.append(bounds.is_none(), least, greatest, to_i64(nulls)?);
        self.bounds.extend(bounds);
        self.short_bounds.extend(short_bounds);
        Ok(())
    }

    fn close(mut self) -> Result<ColumnCloseResult> {
        let bloom_filter = self.bloom_filter()?;
        let metadata = self.metadata()?;
        let order = boundary_order(&self.short_bounds);
        let column_index = self.column_index.take().map(|mut index| {
            index.set_boundary_order(order);
            index.build()
        });
        Ok(ColumnCloseResult {
            bytes_written: to_u64(self.compressed)?,
            rows_written: to_u64(self.rows)?,
            metadata,
            bloom_filter,
            column_index: column_index.transpose()?,
            offset_index: Some(self.offset_index.build()),
        })
    }

    fn bloom_filter(&self) -> Result<Option<Sbbf>> {
        let Some(wanted) = self.properties.bloom_filter_properties(self.column.path()) else {
            return Ok(None);
        };
        let different = to_u64(self.leaf.texts.len())?.max(1);
        let mut filter = Sbbf::new_with_ndv_fpp(different, wanted.fpp())?;
        for text in &self.leaf.texts {
            filter.insert(*text);
        }
        filter.fold_to_target_fpp(wanted.fpp());
        Ok(Some(filter))
    }

    fn metadata(&self) -> Result<ColumnChunkMetaData> {
        let data_encoding = self.data_encoding();
        let mut encodings = vec![Encoding::PLAIN, Encoding::RLE];
        let mut encoding_stats = Vec::new();
        if self.form == Form::Dictionary {
            encodings.push(data_encoding);
            let page_type = PageType::DICTIONARY_PAGE;
            encoding_stats.push(PageEncodingStats {
                page_type,
                encoding: Encoding::PLAIN,
                count: 1,
            });
        }
        encoding_stats.push(PageEncodingStats {
            page_type: PageType::DATA_PAGE,
            encoding: data_encoding,
            count: to_i32(self.pages)?,
        });
        let dictionary_offset = self.dictionary_offset.map(to_i64).transpose()?;
        let mut metadata = ColumnChunkMetaData::builder(Arc::clone(self.column))
            .set_compression(self.compression)
            .set_encodings_mask(EncodingMask::new_from_encodings(encodings.iter()))
            .set_page_encoding_stats(encoding_stats)
            .set_total_compressed_size(to_i64(self.compressed)?)
            .set_total_uncompressed_size(to_i64(self.uncompressed)?)
            .set_num_values(to_i64(self.leaf.definitions.len())?)
            .set_data_page_offset(to_i64(self.data_offset.unwrap_or_default())?)
            .set_dictionary_page_offset(dictionary_offset);
        if self.column_index.is_some() {
            metadata = metadata
                .set_statistics(self.statistics()?)
                .set_unencoded_byte_array_data_bytes(Some(to_i64(self.text_bytes)?));
        }
        metadata.build()
    }

    fn statistics(&self) -> Result<Statistics> {
        let length = self.properties.statistics_truncate_length();
        let least = self.bounds.iter().map(|(least, _)| *least).min();
        let greatest = self.bounds.iter().map(|(_, greatest)| *greatest).max();
        let least = least.map(|least| lower_bound(least, length));
        let greatest = greatest.map(|greatest| upper_bound(greatest, length));
        let is_exact = |bound: &Option<(Vec<u8>, bool)>| bound.as_ref().is_none_or(|bound| bound.1);
        let (least_is_exact, greatest_is_exact) = (is_exact(&least), is_exact(&greatest));
        let value = |bound: Option<(Vec<u8>, bool)>| bound.map(|bound| ByteArray::from(bound.0));
        let nulls = Some(to_u64(self.nulls)?);
        let statistics = ValueStatistics::new(value(least), value(greatest), None, nulls, false)
            .with_min_is_exact(least_is_exact)
            .with_max_is_exact(greatest_is_exact);
        Ok(Statistics::ByteArray(statistics))
    }
}

/// Appends levels with their length before them.
fn put_levels(levels: &[u8], greatest: u8, out: &mut Vec<u8>) -> Result<()> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    hybrid::encode(levels, hybrid::bits_for(greatest.into()), out);
    let length = count(out.len() - start - 4)?.to_le_bytes();
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&length);
    }
    Ok(())
}

/// Appends a text with its length before it.
fn put_plain(text: &[u8], out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&count(text.len())?.to_le_bytes());
    out.extend_from_slice(text);
    Ok(())
}

/// A text of no more than `length` bytes that is not above `text`, and whether it is `text`.
fn lower_bound(text: &[u8], length: Option<usize>) -> (Vec<u8>, bool) {
    match length.filter(|length| *length < text.len()) {
        Some(length) => {
            (text.get(..character_start(text, length)).unwrap_or_default().into(), false)
        }
        None => (text.to_vec(), true),
    }
}

/// A text of no more than `length` bytes that is not below `text`, and whether it is `text`. It may
/// be longer where there is none.
fn upper_bound(text: &[u8], length: Option<usize>) -> (Vec<u8>, bool) {
    let Some(length) = length.filter(|length| *length < text.len()) else {
        return (text.to_vec(), true);
    };
    let mut bound = text.get(..character_start(text, length)).unwrap_or_default().to_vec();
    // The last character that has a next one in ASCII is raised, and what follows it left out.
    while let Some(last) = bound.pop() {
        if last < 0x7f {
            bound.push(last + 1);
            return (bound, false);
        }
    }
    (text.to_vec(), true)
}

/// Where the character begins that has the byte `at` of a text, or is behind it.
fn character_start(text: &[u8], at: usize) -> usize {
    let is_start = |at: &usize| text.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80);
    (0..=at).rev().find(is_start).unwrap_or_default()
}

/// Whether the bounds of pages ascend or descend.
fn boundary_order(bounds: &[(Vec<u8>, Vec<u8>)]) -> BoundaryOrder {
    if bounds.is_sorted_by(|a, b| a.0 <= b.0 && a.1 <= b.1) {
        BoundaryOrder::ASCENDING
    } else if bounds.is_sorted_by(|a, b| a.0 >= b.0 && a.1 >= b.1) {
        BoundaryOrder::DESCENDING
    } else {
        BoundaryOrder::UNORDERED
    }
}

fn too_large<E>(_: E) -> ParquetError {
    ParquetError::General("a column has more texts or bytes than Parquet can count".to_owned())
}

fn count(number: usize) -> Result<u32> {
    // Readers take them for signed ones.
    u32::try_from(to_i32(number)?).map_err(too_large)
}

fn to_i32(number: impl TryInto<i32>) -> Result<i32> {
    number.try_into().map_err(too_large)
}

fn to_i64(number: impl TryInto<i64>) -> Result<i64> {
    number.try_into().map_err(too_large)
}

fn to_u64(number: usize) -> Result<u64> {
    u64::try_from(number).map_err(too_large)
}
