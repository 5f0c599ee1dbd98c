//! What one statement may cost.

use std::ops::RangeInclusive;

use clap::{Args as ClapArgs, value_parser};

/// Seconds that can be asked for: up to a year, far from where a clock overflows.
pub(crate) const RUN_SECS: RangeInclusive<u64> = 1..=366 * 24 * 60 * 60;

/// MiB of memory that can be asked for: from what a plan needs to 16 TiB, more than a machine has.
pub(crate) const MEMORY_MIB: RangeInclusive<u64> = 16..=16 * 1024 * 1024;

/// Rows or bytes of a result that can be asked for.
pub(crate) const ROWS_OR_BYTES: RangeInclusive<u64> = 1..=u64::MAX;

/// Limits as they were typed. What is not typed comes from the environment, the file or a default.
#[derive(Clone, Copy, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Seconds that a statement may run [default: 3600]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(RUN_SECS))]
    pub(crate) run_secs_max: Option<u64>,

    /// MiB of memory that statements may use before they spill to disk [default: 1024]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(MEMORY_MIB))]
    pub(crate) memory_mib_max: Option<u64>,

    /// Rows that a result may have; a statement with more fails [default: no limit]
    #[arg(long, visible_alias = "max-rows", value_name = "N")]
    #[arg(value_parser = value_parser!(u64).range(ROWS_OR_BYTES))]
    pub(crate) result_rows_max: Option<u64>,

    /// Bytes that a result may be written in; a statement with more fails [default: no limit]
    #[arg(long, visible_alias = "max-bytes", value_name = "N")]
    #[arg(value_parser = value_parser!(u64).range(ROWS_OR_BYTES))]
    pub(crate) result_bytes_max: Option<u64>,
}
