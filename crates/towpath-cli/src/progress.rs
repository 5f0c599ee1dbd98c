//! How far it has come: an ingest, as a bar with files, events, rate and time left; a statement, as
//! a line with its time and rows.
//!
//! Shown only if stderr is a terminal; elsewhere nothing is drawn.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use towpath::{Progress, QueryStatistics};

/// How often the bar moves of itself, so that a slow source does not look like a dead program.
const TICK: Duration = Duration::from_millis(200);

/// While log files are still being found, there is no total to show.
const SEARCHING: &str = "{spinner} {msg} [{elapsed_precise}]";

/// Once all are found. The bar counts bytes, because log files differ a thousandfold in size.
const INGESTING: &str = "{bar:24} {percent}% {msg}, {eta} left [{elapsed_precise}]";

/// A bar that shows the [`Progress`] it is given.
pub(crate) struct ProgressLine {
    bar: ProgressBar,
}

impl ProgressLine {
    /// A bar on stderr, or one that is never seen if stderr is no terminal.
    pub(crate) fn start() -> ProgressLine {
        let is_terminal = io::stderr().is_terminal();
        let target =
            if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        set_style(&bar, SEARCHING);
        if is_terminal {
            bar.enable_steady_tick(TICK);
        }
        ProgressLine { bar }
    }

    /// Shows `progress`.
    pub(crate) fn show(&self, progress: &Progress) {
        if progress.found_all && self.bar.length().is_none() {
            self.bar.set_length(progress.bytes_found);
            set_style(&self.bar, INGESTING);
        }
        self.bar.set_position(progress.bytes_done);
        self.bar.set_message(message(progress, self.bar.elapsed()));
    }
}

impl Drop for ProgressLine {
    /// Takes the bar off the terminal; what came of it is said in words.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// How long a statement runs before it is worth a line.
const QUERY_SHOWN_AFTER: Duration = Duration::from_secs(1);

/// While a statement runs.
const QUERYING: &str = "{spinner} {elapsed}, {msg}; Ctrl-C stops it";

/// A line that tells how far a slow statement has come.
pub(crate) struct QueryLine {
    /// `None` where there is no line to show, or no longer.
    bar: Option<ProgressBar>,
    /// Whether rows go to the terminal as they come, and the line must make way for the first.
    is_in_the_way: bool,
    is_shown: bool,
}

impl QueryLine {
    /// A line on stderr, if that is a terminal. `is_in_the_way` says that the rows will be written
    /// to the same terminal as they come.
    pub(crate) fn new(is_in_the_way: bool) -> QueryLine {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            set_style(&bar, QUERYING);
            bar
        });
        QueryLine { bar, is_in_the_way, is_shown: false }
    }

    /// Says what has been read; shows the line once it is worth it.
    pub(crate) fn tick(&mut self, statistics: &QueryStatistics) {
        let Some(bar) = self.bar.as_ref().filter(|bar| bar.elapsed() >= QUERY_SHOWN_AFTER) else {
            return;
        };
        bar.set_message(read_so_far(statistics));
        if !self.is_shown {
            self.is_shown = true;
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.enable_steady_tick(TICK);
        }
    }

    /// Takes the line away for good if rows are about to be written over it.
    pub(crate) fn make_way(&mut self) {
        if self.is_in_the_way {
            self.clear();
        }
    }

    /// Takes the line away for good.
    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for QueryLine {
    /// A statement that is stopped leaves no line.
    fn drop(&mut self) {
        self.clear();
    }
}

/// `12.3 MB read, 4,000 rows`.
fn read_so_far(statistics: &QueryStatistics) -> String {
    format!("{} read, {} rows", size(statistics.bytes_scanned), grouped(statistics.rows))
}

/// `12345678` bytes as `12.3 MB`.
pub(crate) fn size(bytes: u64) -> String {
    let mut rest = u128::from(bytes) * 10;
    for unit in ["bytes", "kB", "MB", "GB", "TB"] {
        if rest < 10_000 {
            return match unit {
                "bytes" => format!("{bytes} bytes"),
                unit => format!("{}.{} {unit}", rest / 10, rest % 10),
            };
        }
        rest /= 1000;
    }
    format!("{} PB", rest / 10)
}

/// Sets a template; all of ours are well formed, and a bar without one is still a bar.
fn set_style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

fn message(progress: &Progress, elapsed: Duration) -> String {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = progress.events_seen.saturating_mul(1000) / millis;
    format!(
        "{}/{} log files, {} events, {}/s",
        grouped(progress.log_files_done),
        grouped(progress.log_files_found),
        grouped(progress.events_seen),
        grouped(rate)
    )
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (12_241, "12,241"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn bytes_are_told_in_units() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (12_345_678, "12.3 MB"),
            (u64::MAX, "18446 PB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn the_message_says_files_events_and_rate() {
        let mut progress = Progress::default();
        progress.log_files_done = 700;
        progress.log_files_found = 1_442;
        progress.events_seen = 7_000;
        assert_eq!(
            message(&progress, Duration::from_secs(2)),
            "700/1,442 log files, 7,000 events, 3,500/s"
        );
    }

    #[test]
    fn all_templates_are_well_formed() {
        assert!(ProgressStyle::with_template(QUERYING).is_ok());
        assert!(ProgressStyle::with_template(SEARCHING).is_ok());
        assert!(ProgressStyle::with_template(INGESTING).is_ok());
    }
}
