//! Counting while the parts of the pipeline work: the report and the progress.

use std::sync::{Mutex, MutexGuard, PoisonError};

use towpath_store::{DigestMark, Source as StoredSource};
use tracing::warn;

use crate::{
    append::Appended,
    find::{Found, LogFile},
    read::{Batch, ReadLogFile},
    refusal::Refused,
    report::{IngestReport, Progress, REJECTED_NAMED_MAX, RejectReason, Rejected},
};

/// Who is told what happens, as it happens.
pub(crate) trait Listener: Sync {
    /// The counts have changed.
    fn progress(&self, _progress: &Progress) {}

    /// Log files are in the store: what was appended with them.
    fn appended(&self, _log_files: u64, _appended: &Appended) {}

    /// A log file cannot be taken, or a folder not be looked into.
    fn rejected(&self, rejected: &Rejected, _log_file: Option<&LogFile>) {
        warn!(path = %rejected.path, error = %rejected.message, "log file rejected");
    }
}

/// Tells progress to a function.
pub(crate) struct ProgressOnly<'a>(pub(crate) &'a (dyn Fn(&Progress) + Sync));

impl Listener for ProgressOnly<'_> {
    fn progress(&self, progress: &Progress) {
        (self.0)(progress);
    }
}

/// The counts of an ingest under way.
pub(crate) struct Tally<'a> {
    counts: Mutex<Counts>,
    listener: &'a dyn Listener,
}

#[derive(Default)]
struct Counts {
    report: IngestReport,
    progress: Progress,
    /// Log files that are not what a valid digest says, the first so many of them.
    altered: Vec<StoredSource>,
}

impl<'a> Tally<'a> {
    /// Starts from nothing. `listener` is told of every change.
    pub(crate) fn new(listener: &'a dyn Listener) -> Tally<'a> {
        Tally { counts: Mutex::default(), listener }
    }

    /// The report so far, and the log files that were altered.
    pub(crate) fn report(self) -> (IngestReport, Vec<StoredSource>) {
        let counts = self.counts.into_inner().unwrap_or_else(PoisonError::into_inner);
        (counts.report, counts.altered)
    }

    /// Digests were asked about a log file that was found.
    pub(crate) fn marked(&self, log_file: &LogFile) {
        let Some(proof) = log_file.proof else { return };
        let mut counts = self.counts();
        let marks = counts.report.digests.get_or_insert_default();
        match proof.mark {
            DigestMark::Covered => marks.covered += 1,
            DigestMark::Planted => {
                marks.planted += 1;
                if marks.planted_log_files.len() < REJECTED_NAMED_MAX {
                    marks.planted_log_files.push(log_file.place.name());
                }
            }
            _ => marks.unverified += 1,
        }
    }

    /// A log file was found.
    pub(crate) fn found(&self, size_bytes: u64) {
        self.change(|Counts { report, progress, .. }| {
            report.log_files.found += 1;
            progress.log_files_found += 1;
            progress.bytes_found += size_bytes;
        });
    }

    /// Something else was found.
    pub(crate) fn found_other(&self, found: Found) {
        match found {
            Found::LogFile(log_file) => self.found(log_file.size_bytes),
            Found::LeftOut(kind) => {
                *self.counts().report.log_files.left_out.entry(kind).or_default() += 1;
            }
            Found::Unreadable { path, is_folder, error } => {
                let message = error.to_string();
                let reason = RejectReason::Unreadable;
                let rejected = Rejected { path, reason, message, place: None };
                if is_folder {
                    self.listener.rejected(&rejected, None);
                    let mut counts = self.counts();
                    counts.report.folders_unreadable += 1;
                    counts.report.name(rejected);
                } else {
                    self.found(0);
                    self.refused(Refused { rejected, log_file: None, events: 0 });
                }
            }
        }
    }

    /// Every log file has been found.
    pub(crate) fn found_all(&self) {
        self.change(|counts| counts.progress.found_all = true);
    }

    /// A log file is in the store from an earlier ingest.
    pub(crate) fn already_ingested(&self, size_bytes: u64) {
        self.change(|Counts { report, progress, .. }| {
            report.log_files.already_ingested += 1;
            progress.log_files_done += 1;
            progress.bytes_done += size_bytes;
        });
    }

    /// A log file was read, and its events are on their way into the store.
    pub(crate) fn read(&self, size_bytes: u64, events: u64) {
        self.change(|Counts { progress, .. }| {
            progress.log_files_done += 1;
            progress.bytes_done += size_bytes;
            progress.events_seen += events;
        });
    }

    /// A log file cannot be taken.
    pub(crate) fn refused(&self, refused: Refused) {
        let Refused { rejected, log_file, events } = refused;
        let size_bytes = log_file.as_ref().map_or(0, |log_file| log_file.size_bytes);
        self.listener.rejected(&rejected, log_file.as_ref());
        self.change(|Counts { report, progress, altered }| {
            note_altered(report, altered, &rejected, log_file.as_ref());
            report.reject(rejected, events);
            progress.log_files_done += 1;
            progress.bytes_done += size_bytes;
            progress.events_seen += events;
        });
    }

    /// A log file that counts as read cannot be taken after all.
    pub(crate) fn refused_when_read(&self, refused: Refused) {
        let Refused { rejected, log_file, events } = refused;
        self.listener.rejected(&rejected, log_file.as_ref());
        self.change(|Counts { report, .. }| report.reject(rejected, events));
    }

    /// Some batches are in the store.
    pub(crate) fn appended(&self, batches: &[Batch], appended: &Appended) {
        self.change(|Counts { report, progress, .. }| {
            for ReadLogFile { recorded, text_bytes, .. } in
                batches.iter().flat_map(|batch| &batch.log_files)
            {
                report.log_files.ingested += 1;
                report.bytes.read += recorded.size;
                report.bytes.text += text_bytes;
            }
            report.add(appended);
            progress.events_stored += appended.events.stored;
        });
        let log_files: usize = batches.iter().map(|batch| batch.log_files.len()).sum();
        self.listener.appended(u64::try_from(log_files).unwrap_or(u64::MAX), appended);
    }

    /// A large log file is in the store.
    pub(crate) fn appended_large(
        &self,
        appended: &Appended,
        recorded: &StoredSource,
        text_bytes: u64,
    ) {
        self.change(|Counts { report, progress, .. }| {
            report.log_files.ingested += 1;
            report.bytes.read += recorded.size;
            report.bytes.text += text_bytes;
            report.add(appended);
            progress.log_files_done += 1;
            progress.bytes_done += recorded.size;
            progress.events_seen += appended.events.seen;
            progress.events_stored += appended.events.stored;
        });
        self.listener.appended(1, appended);
    }

    fn change(&self, change: impl FnOnce(&mut Counts)) {
        let progress = {
            let mut counts = self.counts();
            change(&mut counts);
            counts.progress
        };
        self.listener.progress(&progress);
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a log file as altered if it is refused for its content and a valid digest names it.
fn note_altered(
    report: &mut IngestReport,
    altered: &mut Vec<StoredSource>,
    rejected: &Rejected,
    log_file: Option<&LogFile>,
) {
    let proven = |log_file: &&LogFile| log_file.proof.is_some_and(|proof| proof.sha256.is_some());
    let Some(log_file) = log_file.filter(proven) else { return };
    let is_other_content = !matches!(
        rejected.reason,
        RejectReason::Unreadable | RejectReason::TooLarge | RejectReason::Undecodable
    );
    let Some(marks) = report.digests.as_mut().filter(|_| is_other_content) else { return };
    marks.covered = marks.covered.saturating_sub(1);
    marks.altered += 1;
    if altered.len() < REJECTED_NAMED_MAX {
        altered.push(StoredSource {
            key: log_file.place.checkpoint_key(),
            size: log_file.size_bytes,
            digest: Some(DigestMark::Altered),
            ..StoredSource::default()
        });
    }
}

impl IngestReport {
    fn add(&mut self, appended: &Appended) {
        self.events.add(&appended.events);
        self.store_version = appended.version.or(self.store_version);
    }

    fn reject(&mut self, rejected: Rejected, events: u64) {
        self.log_files.rejected += 1;
        self.events.seen += events;
        self.events.rejected += events;
        self.name(rejected);
    }

    /// Names a log file that is not in, as long as there is room for names.
    fn name(&mut self, rejected: Rejected) {
        if self.rejected.len() < REJECTED_NAMED_MAX {
            self.rejected.push(rejected);
        }
    }
}
