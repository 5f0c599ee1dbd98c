//! Log files → batches of events, off the async threads.
//!
//! A [`Reader`] belongs to one lane of the pipeline. It gathers the events of log file after log
//! file, whole ones only, until the batch is large enough to be appended.

use std::{
    fs::File,
    io::{self, Read},
    mem,
    path::Path,
};

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use towpath_event::{DecodeError, EventBatch, EventBatchBuilder};
use towpath_store::{Source as StoredSource, sha256_hex};

use crate::{
    budget::Budget,
    find::{LogFile, Place},
    gunzip::{Gunzip, GunzipError, TEXT_BYTES_MAX},
    report::{RejectPlace, RejectReason, Rejected},
};

/// Text of the events that are committed together, in bytes, by default.
///
/// About 36,000 events. More make larger and better compressed data files; this is what leaves room
/// for as many being gathered while those are sorted, each almost twice the size of its text, within
/// 512 MB.
pub(crate) const COMMIT_TEXT_BYTES: u64 = 48 << 20;

/// Log files in one batch. Each is a line of some 300 bytes in the commit.
const BATCH_LOG_FILES_MAX: usize = 4096;

/// A log file on its way to be decoded.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) log_file: LogFile,
    /// The bytes if they had to be downloaded, and the share of the budget that they hold.
    pub(crate) downloaded: Option<(Bytes, OwnedSemaphorePermit)>,
    /// The share of the budget for its text, if that had to be waited for.
    pub(crate) room: Option<OwnedSemaphorePermit>,
}

/// Events of whole log files, to be appended together.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) events: EventBatch,
    /// The log files, in the order of their events. Only what reading tells is filled in.
    pub(crate) log_files: Vec<StoredSource>,
    /// Decompressed size of the log files, in bytes.
    pub(crate) text_bytes: u64,
    /// The share of the budget that the batch holds until it is dropped.
    pub(crate) _held: Option<OwnedSemaphorePermit>,
}

/// What became of one log file.
#[derive(Debug)]
pub(crate) enum Taken {
    /// Its events are in the batch that is being gathered.
    Gathered { size_bytes: u64, events: u64 },
    /// It is refused. `events` were read, the first bad one included.
    Refused { rejected: Rejected, size_bytes: u64, events: u64 },
    /// There is no room for its text beside what is being gathered: the batch has to be appended
    /// first. The log file is given back.
    NoRoom { job: Job, text_bytes: u64 },
}

/// Why a log file is refused.
enum Refusal {
    Unreadable(io::Error),
    Gunzip(GunzipError),
    Decode(DecodeError),
}

/// Reads, decompresses and decodes log files, one at a time.
pub(crate) struct Reader {
    gunzip: Gunzip,
    gathering: EventBatchBuilder,
    log_files: Vec<StoredSource>,
    text_bytes: u64,
    held: Option<OwnedSemaphorePermit>,
    batch_text_bytes: u64,
    budget: Budget,
}

impl Reader {
    /// A reader whose batches have about `batch_text_bytes` and, together with those of the other
    /// readers, stay within `budget`.
    pub(crate) fn new(batch_text_bytes: u64, budget: Budget) -> Reader {
        Reader {
            gunzip: Gunzip::new(),
            gathering: EventBatchBuilder::new(),
            log_files: Vec::new(),
            text_bytes: 0,
            held: None,
            batch_text_bytes,
            budget,
        }
    }

    /// Reads a log file into the batch. Blocks, for disk and for computing.
    pub(crate) fn take(&mut self, mut job: Job) -> Taken {
        let bytes = match read_bytes(&job) {
            Ok(bytes) => bytes,
            Err(err) => return refused(&job, &Refusal::Unreadable(err)),
        };
        let text = match self.gunzip.text(&bytes) {
            Ok(text) => text,
            Err(err) => return refused(&job, &Refusal::Gunzip(err)),
        };
        let text_bytes = to_u64(text.len());
        let Some(room) = job.room.take().or_else(|| self.budget.try_share(text_bytes)) else {
            return Taken::NoRoom { job, text_bytes };
        };
        let summary = match self.gathering.append_log_file(text) {
            Ok(summary) => summary,
            // The share is given back, to be asked for again when the batch is out of the way.
            Err(DecodeError::BatchFull) => return Taken::NoRoom { job, text_bytes },
            Err(err) => return refused(&job, &Refusal::Decode(err)),
        };
        self.log_files.push(StoredSource {
            key: job.log_file.place.checkpoint_key(),
            size: to_u64(bytes.len()),
            sha256: sha256_hex(&bytes),
            events: summary.events,
            ..StoredSource::default()
        });
        self.text_bytes += text_bytes;
        match &mut self.held {
            Some(held) => held.merge(room),
            None => self.held = Some(room),
        }
        Taken::Gathered { size_bytes: job.log_file.size_bytes, events: summary.events }
    }

    /// Whether the batch is large enough to be appended.
    pub(crate) fn is_full(&self) -> bool {
        to_u64(self.gathering.text_bytes()) >= self.batch_text_bytes
            || self.log_files.len() >= BATCH_LOG_FILES_MAX
    }

    /// Takes the batch out, if any log file is in it. The next log file begins a new one.
    pub(crate) fn finish(&mut self) -> Option<Batch> {
        if self.log_files.is_empty() {
            self.held = None;
            return None;
        }
        Some(Batch {
            events: self.gathering.finish(),
            log_files: mem::take(&mut self.log_files),
            text_bytes: mem::take(&mut self.text_bytes),
            _held: self.held.take(),
        })
    }
}

/// Reads the log file, unless it was downloaded.
fn read_bytes(job: &Job) -> io::Result<Bytes> {
    match (&job.downloaded, &job.log_file.place) {
        (Some((bytes, _)), _) => Ok(bytes.clone()),
        (None, Place::Local(root, below)) => read_file(&root.path_of(below)),
        (None, Place::Remote(..)) => Err(io::Error::other("it was not downloaded")),
    }
}

/// Reads a whole local file. One that is larger than a log file can be is read only so far that
/// this shows.
fn read_file(path: &Path) -> io::Result<Bytes> {
    let file = File::open(path)?;
    let size = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(size.min(TEXT_BYTES_MAX).saturating_add(1));
    file.take(to_u64(TEXT_BYTES_MAX) + 1).read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

/// What a report says of a log file that is refused.
fn refused(job: &Job, refusal: &Refusal) -> Taken {
    let LogFile { place, size_bytes, .. } = &job.log_file;
    let (message, events) = match refusal {
        Refusal::Unreadable(err) => (err.to_string(), 0),
        Refusal::Gunzip(err) => (err.to_string(), 0),
        Refusal::Decode(err) => (err.to_string(), err.records_seen()),
    };
    let rejected =
        Rejected { path: place.name(), reason: refusal.reason(), message, place: refusal.place() };
    Taken::Refused { rejected, size_bytes: *size_bytes, events }
}

impl Refusal {
    fn reason(&self) -> RejectReason {
        match self {
            Refusal::Unreadable(_) => RejectReason::Unreadable,
            Refusal::Decode(_) => RejectReason::Undecodable,
            Refusal::Gunzip(err) => match err {
                GunzipError::Empty => RejectReason::Empty,
                GunzipError::NotGzip => RejectReason::NotGzip,
                GunzipError::Truncated { .. } => RejectReason::Truncated,
                GunzipError::Damaged { .. } => RejectReason::Damaged,
                GunzipError::ChecksumMismatch { .. } => RejectReason::ChecksumMismatch,
                GunzipError::TrailingBytes { .. } => RejectReason::TrailingBytes,
                GunzipError::Bomb => RejectReason::Bomb,
                GunzipError::TooLarge => RejectReason::TooLarge,
            },
        }
    }

    fn place(&self) -> Option<RejectPlace> {
        match self {
            Refusal::Unreadable(_) => None,
            Refusal::Gunzip(err) => err.at().map(RejectPlace::FileByte),
            Refusal::Decode(err) => err
                .place()
                .map(|place| RejectPlace::Text { byte: place.offset, record: place.record }),
        }
    }
}

fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
