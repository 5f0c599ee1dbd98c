//! How a data file is laid out as Parquet, and why.

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;

use crate::layout::EVENT_TIME_COLUMN;

/// Rows in one row group.
///
/// A query that a bloom filter or the statistics cannot rule out reads whole pages of a row group,
/// and the filters are per row group, so smaller ones answer needles faster; larger ones compress
/// better. This is where the first measurements stood (see the design); the benchmark may move it.
pub(crate) const ROW_GROUP_ROWS: usize = 131_072;

/// Rows in one data page, at most: what a needle in a page index costs to read.
const PAGE_ROWS_MAX: usize = 8_192;

/// How long a data file is to last, which is how much time its compression is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasting {
    /// Until it is compacted.
    Fresh,
    /// For years, as a rule.
    Compacted,
}

impl Lasting {
    /// The zstd level. Level 9 saves five per cent of bytes for three times the time to compress.
    fn zstd_level(self) -> i32 {
        match self {
            Lasting::Fresh => 3,
            Lasting::Compacted => 9,
        }
    }
}

/// The false positives a bloom filter may have. A filter's size is a power of two, so this makes
/// those of a full row group half as large as one in a hundred would: a byte for each event.
const BLOOM_FPP: f64 = 0.03;

/// The columns that people look for one value in.
///
/// A filter begins with room for a different value in each row and is folded to what the row group
/// turned out to have. A column that a store's schema does not have is passed over by the writer.
const NEEDLES: &[&str] = &[
    "eventID",
    "eventName",
    "requestID",
    "sharedEventID",
    "sourceIPAddress",
    "userIdentity_accessKeyId",
    "userIdentity_arn",
    "userIdentity_principalId",
    "userIdentity_userName",
    "userIdentity_sessionContext_sessionIssuer_arn",
];

/// Whether a data file's bloom filters say more of this column than its statistics do.
///
/// A bloom filter is read for each row group that is asked. Those of names are for readers that
/// know no statistics: rows are in the order of sources and names, so a name that is between the
/// least and the greatest is nearly always there.
#[must_use]
pub fn is_told_by_bloom_filter(column: &str) -> bool {
    column != "eventName" && NEEDLES.contains(&column)
}

/// Columns of ids, whose values nearly all differ, so that a dictionary only costs.
///
/// Lengths apart from the text, and a zstd level that looks for no repetition, take 18.6 bytes for a
/// UUID; plain at level 3 takes 20.7 and four times as long. Sixteen bytes in binary would save two
/// more, but every comparison would have to be rewritten, and ids that are no UUIDs be kept apart.
const IDS: &[&str] = &["eventID", "requestID", "sharedEventID"];
const IDS_ZSTD_LEVEL: i32 = 1;

/// Bytes of different values up to which a column of a row group holds each only once. Principals'
/// ARNs reach two megabytes, and then take 5.1 bytes for each event, where half of them in a
/// dictionary take 7.2.
const DICTIONARY_BYTES_MAX: usize = 4 << 20;

/// Columns of long text, where the least and greatest value prune nothing but fill the footer.
const WITHOUT_STATISTICS: &[&str] = &[TEMPLATE, "eventJson_rest", TEXT];

/// The events' texts, where they are stored as they are. No two are the same.
const TEXT: &str = "eventJson";

/// The templates of the events' texts: some hundred in a row group, each up to two kilobytes.
const TEMPLATE: &str = "eventJson_template";

/// Bytes of different templates up to which a row group holds each only once. Beyond, the events of
/// a row group have so little in common that a dictionary does not pay.
const TEMPLATE_DICTIONARY_BYTES_MAX: usize = 16 << 20;

/// The properties of a data file.
#[must_use]
pub(crate) fn writer_properties(lasting: Lasting) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(format!("towpath {}", env!("CARGO_PKG_VERSION")))
        .set_compression(zstd(lasting.zstd_level()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS_MAX)
        .set_write_batch_size(1024)
        .set_dictionary_enabled(true)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES_MAX)
        .set_column_dictionary_page_size_limit(
            ColumnPath::from(TEMPLATE),
            TEMPLATE_DICTIONARY_BYTES_MAX,
        )
        .set_statistics_enabled(EnabledStatistics::Page);
    for name in NEEDLES {
        let column = ColumnPath::from(*name);
        properties = properties
            .set_column_bloom_filter_enabled(column.clone(), true)
            .set_column_bloom_filter_fpp(column, BLOOM_FPP);
    }
    for name in IDS {
        let column = ColumnPath::from(*name);
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column.clone(), Encoding::DELTA_LENGTH_BYTE_ARRAY)
            .set_column_compression(column, zstd(IDS_ZSTD_LEVEL));
    }
    properties = properties.set_column_dictionary_enabled(ColumnPath::from(TEXT), false);
    // Times ascend among the events of one name: 3.5 bytes each, where plain ones take 4.2.
    let event_time = ColumnPath::from(EVENT_TIME_COLUMN);
    properties = properties
        .set_column_dictionary_enabled(event_time.clone(), false)
        .set_column_encoding(event_time, Encoding::DELTA_BINARY_PACKED);
    for name in WITHOUT_STATISTICS {
        properties = properties
            .set_column_statistics_enabled(ColumnPath::from(*name), EnabledStatistics::None);
    }
    properties.build()
}

/// The levels are constants in range; a wrong one would fail the first test that writes.
fn zstd(level: i32) -> Compression {
    Compression::ZSTD(ZstdLevel::try_new(level).unwrap_or_default())
}
