//! Log files → batches of events, off the async threads.
//!
//! A [`Reader`] belongs to one lane of the pipeline. It gathers the events of log file after log
//! file, whole ones only, until the batch is large enough to be handed on.

use std::{
    fs::File,
    io::{self, Read},
    mem,
    path::Path,
};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::sync::OwnedSemaphorePermit;
use towpath_event::{DecodeError, EventBatch, EventKind, KindDecoder};
use towpath_store::{Source as StoredSource, sha256_hex};

use crate::{
    budget::Budget,
    find::{LogFile, Place},
    gunzip::{Gunzip, is_one_member},
    refusal::{Refusal, Refused},
};

/// Text of the events that are committed together, in bytes, by default.
///
/// About 35,000 events. More make larger and better compressed data files; this is what leaves room
/// for half as many being gathered while those are encoded, each at worst the size of its text,
/// within 512 MB.
pub(crate) const COMMIT_TEXT_BYTES: u64 = 48 << 20;

/// Text of a log file, in bytes, above which it is not decoded as a whole but in parts.
///
/// Twice what CloudTrail's largest files have, which is rare enough: parts cannot be gathered with
/// other log files, and are read by one thread.
pub(crate) const WHOLE_TEXT_BYTES_MAX: usize = 32 << 20;

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

/// A log file that was read.
#[derive(Clone, Debug)]
pub(crate) struct ReadLogFile {
    pub(crate) log_file: LogFile,
    /// What is to be recorded of it. Only what reading tells is filled in.
    pub(crate) recorded: StoredSource,
    /// Its decompressed size.
    pub(crate) text_bytes: u64,
}

/// Events of whole log files, to be appended together.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) events: EventBatch,
    /// The log files, in the order of their events.
    pub(crate) log_files: Vec<ReadLogFile>,
    /// The share of the budget that the batch holds until it is dropped.
    held: Option<OwnedSemaphorePermit>,
}

impl Batch {
    /// Some of the events of a large log file, not all of which are read yet.
    pub(crate) fn part(events: EventBatch, log_file: &LogFile) -> Batch {
        let recorded = StoredSource {
            key: log_file.place.checkpoint_key(),
            events: to_u64(events.identities.len()),
            ..StoredSource::default()
        };
        let log_file = ReadLogFile { log_file: log_file.clone(), recorded, text_bytes: 0 };
        Batch { events, log_files: vec![log_file], held: None }
    }

    /// The decompressed size of its log files, in bytes.
    pub(crate) fn text_bytes(&self) -> u64 {
        self.log_files.iter().map(|log_file| log_file.text_bytes).sum()
    }

    /// One batch for each log file.
    pub(crate) fn into_single_log_files(self) -> impl Iterator<Item = Batch> {
        let Batch { events, log_files, held } = self;
        let mut start = 0;
        log_files.into_iter().map(move |log_file| {
            // The share of the whole is held until the last of them is made.
            let _held = &held;
            let rows = usize::try_from(log_file.recorded.events).unwrap_or(usize::MAX);
            let rows = rows.min(events.identities.len() - start);
            let identities = events.identities.iter().skip(start).take(rows).copied().collect();
            let columns = events.columns.slice(start, rows);
            start += rows;
            let events = EventBatch { columns, identities };
            Batch { events, log_files: vec![log_file], held: None }
        })
    }
}

/// What became of one log file.
#[derive(Debug)]
pub(crate) enum Taken {
    /// Its events are in the batch that is being gathered.
    Gathered {
        size_bytes: u64,
        events: u64,
    },
    Refused(Refused),
    /// It has more text than is decoded as a whole.
    Large(LogFile),
    /// There is no room for its text beside what is being gathered: the batch has to be handed on
    /// first. The log file is given back.
    NoRoom {
        job: Job,
        text_bytes: u64,
    },
}

/// Reads, decompresses and decodes log files, one at a time.
pub(crate) struct Reader {
    gunzip: Gunzip,
    gathering: KindDecoder,
    log_files: Vec<ReadLogFile>,
    held: Option<OwnedSemaphorePermit>,
    batch_text_bytes: u64,
    budget: Budget,
}

impl Reader {
    /// A reader of events of `kind` whose batches have about `batch_text_bytes` and, together with those of the other
    /// readers, stay within `budget`.
    pub(crate) fn new(kind: EventKind, batch_text_bytes: u64, budget: Budget) -> Reader {
        Reader {
            gunzip: Gunzip::new(),
            gathering: KindDecoder::new(kind),
            log_files: Vec::new(),
            held: None,
            batch_text_bytes,
            budget,
        }
    }

    /// Reads a log file into the batch. Blocks, for disk and for computing.
    pub(crate) fn take(&mut self, mut job: Job) -> Taken {
        if is_large(&job.log_file) {
            return Taken::Large(job.log_file);
        }
        let bytes = match read_bytes(&job) {
            Ok(bytes) => bytes,
            Err(err) => return Taken::Refused(Refusal::Unreadable(err).of(&job.log_file, 0)),
        };
        if bytes.len() > WHOLE_TEXT_BYTES_MAX {
            // It has grown since it was found, and may not have been read to its end.
            return Taken::Large(job.log_file);
        }
        let text = match self.gunzip.text(&bytes, WHOLE_TEXT_BYTES_MAX) {
            Ok(Some(text)) => text,
            Ok(None) => return Taken::Large(job.log_file),
            Err(err) => return Taken::Refused(Refusal::Gunzip(err).of(&job.log_file, 0)),
        };
        let proven = job.log_file.proof.and_then(|proof| proof.sha256);
        if let Some(proven) = proven
            && (<[u8; 32]>::from(Sha256::digest(text)) != proven || !is_one_member(&bytes))
        {
            return Taken::Refused(Refusal::Altered.of(&job.log_file, 0));
        }
        let text_bytes = to_u64(text.len());
        let Some(room) = job.room.take().or_else(|| self.budget.try_share(text_bytes)) else {
            return Taken::NoRoom { job, text_bytes };
        };
        let summary = match self.gathering.append_log_file(text) {
            Ok(summary) => summary,
            // The share is given back, to be asked for again when the batch is out of the way.
            Err(DecodeError::BatchFull) => return Taken::NoRoom { job, text_bytes },
            Err(err) => {
                return Taken::Refused(Refusal::Decode(err).of(&job.log_file, err.records_seen()));
            }
        };
        let size_bytes = job.log_file.size_bytes;
        self.log_files.push(ReadLogFile {
            recorded: StoredSource {
                key: job.log_file.place.checkpoint_key(),
                size: to_u64(bytes.len()),
                sha256: sha256_hex(&bytes),
                events: summary.events,
                digest: job.log_file.proof.map(|proof| proof.mark),
                ..StoredSource::default()
            },
            log_file: job.log_file,
            text_bytes,
        });
        match &mut self.held {
            Some(held) => held.merge(room),
            None => self.held = Some(room),
        }
        Taken::Gathered { size_bytes, events: summary.events }
    }

    /// Whether the batch is large enough to be handed on.
    pub(crate) fn is_full(&self) -> bool {
        to_u64(self.gathering.text_bytes()) >= self.batch_text_bytes
            || self.log_files.len() >= BATCH_LOG_FILES_MAX
    }

    /// Takes the batch out, if any log file is in it. The next log file begins a new one.
    pub(crate) fn finish(&mut self) -> Option<Batch> {
        if self.log_files.is_empty() {
            return None;
        }
        Some(Batch {
            events: self.gathering.finish(),
            log_files: mem::take(&mut self.log_files),
            held: self.held.take(),
        })
    }
}

/// Whether the log file need not even be read to know that its text is large.
pub(crate) fn is_large(log_file: &LogFile) -> bool {
    log_file.size_bytes > to_u64(WHOLE_TEXT_BYTES_MAX)
}

/// Reads the log file, unless it was downloaded.
fn read_bytes(job: &Job) -> io::Result<Bytes> {
    match (&job.downloaded, &job.log_file.place) {
        (Some((bytes, _)), _) => Ok(bytes.clone()),
        (None, Place::Local(root, below)) => read_file(&root.path_of(below)),
        (None, Place::Remote(..)) => Err(io::Error::other("it was not downloaded")),
    }
}

/// Reads a local file, which may have grown since it was found, but not beyond what is decoded as a
/// whole: the rest would be for nothing.
fn read_file(path: &Path) -> io::Result<Bytes> {
    let file = File::open(path)?;
    let size = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(size.min(WHOLE_TEXT_BYTES_MAX) + 1);
    file.take(to_u64(WHOLE_TEXT_BYTES_MAX) + 1).read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
