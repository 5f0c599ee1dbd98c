//! The index of a store: where the values that people look for are, and how often others occur.
//!
//! Each file of it is a **span**: it covers some data files, and says of every value of the
//! [columns people look in](Needle) in which blocks of rows it is, and of every combination of a few
//! columns how many events have it ([`SUMMARIES`]). A query for one access key then reads a few
//! kilobytes for each span and the blocks that are named, and a count by day reads no event.
//!
//! The data files stay the truth. A span is made from data files whose SHA-256 was compared with
//! the log, names them by path and SHA-256, and is named after its own SHA-256; making it again
//! gives the same bytes, which is how it is verified. One that is missing, torn or of another form
//! is passed over, and the data files that no span covers are read as if there were no index.
//!
//! | file | what |
//! |---|---|
//! | `needles.rs` | value → blocks of rows, as a table on the storage |
//! | `summary.rs` | counts by some columns, as a table on the storage |
//! | `span.rs` | the file both are in: its head, reading parts of it |
//! | `build.rs` | data files → a span |
//! | `search.rs` | all spans of a snapshot: looking for values, taking counts |
//! | `upkeep.rs` | which spans are to be made and removed |

mod build;
mod needles;
mod search;
mod span;
mod summary;
mod upkeep;

pub use needles::{Needle, Wanted};
pub(crate) use search::Known;
pub use search::{Counts, RowRanges, StoreIndex};
pub use summary::{SUMMARIES, SUMMARY_EVENTS_COLUMN, Summary, SummaryPer};
pub use upkeep::{IndexPolicy, IndexReport};

/// Rows of a data file that a value is found in together: as many as a page of Parquet has, so that
/// reading less would not read less.
pub(crate) const BLOCK_ROWS: u64 = 8_192;

/// Blocks that one span covers, at most: what twelve bits number. Of full blocks they are 33
/// million rows, of data files of a few rows each four thousand files.
pub(crate) const SPAN_BLOCKS_MAX: u64 = 1 << BLOCK_BITS;

/// Bits that number a block within its span.
pub(crate) const BLOCK_BITS: u32 = 12;

/// Rows that one span covers, at most. It is made in memory, some eight bytes for each value and
/// block, so this bounds a maker's memory: some 30 MB of usual events, 150 MB if no event had any
/// value in common with others. A larger data file has a span of its own.
pub(crate) const SPAN_ROWS_MAX: u64 = 1 << 20;
