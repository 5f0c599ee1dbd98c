//! Counts from the summaries of a store's index instead of from its events.
//!
//! A summary has one row for all events of a data file that have the same values in a few columns,
//! and says how many they are. An aggregation that names no other columns, and asks of the event
//! time no more than the summary tells, is the same over these rows, if each counts for as many
//! events as it stands for: `count(*)` becomes a sum, and what does not care how often a value
//! occurs (`DISTINCT`, `min`, `max`, the groups themselves) stays.
//!
//! The row of a summary has the event time of one of its events. A comparison of times gives the
//! same for all events of a row unless it **cuts** through the time that they are of: through a day
//! of a summary by day, say. Data files with a cut inside of them, those that the index does not
//! cover, and those whose counts do not add up to their rows are read as ever, event by event, and
//! the aggregation runs over both (`CountedFiles`). So retention, holds and odd hours are exact.
//!
//! | file | what |
//! |---|---|
//! | `rule.rs` | finds such an aggregation in a logical plan and puts a summary under it |
//! | `flat.rs` | an aggregation's input as expressions over the columns of data files |
//! | `time.rs` | what an expression asks of the event time |
//! | `counted_files.rs` | the table of a summary's rows and of the events that are not in it |

mod counted_files;
mod flat;
mod rule;
mod time;

pub(crate) use flat::Flat;
pub(crate) use rule::CountFromSummaries;
pub(crate) use time::is_event_time;
