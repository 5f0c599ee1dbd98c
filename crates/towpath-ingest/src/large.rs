//! Reading a log file that is too large to be held as a whole.
//!
//! It is read, decompressed and cut into parts piece by piece (see [`crate::split`]), and each part
//! is decoded and handed on before the next is read. Whether the log file can be taken shows only at
//! its end; whoever appends the parts commits none of them before.

use std::{
    fs::File,
    io::{self, Read},
};

use bytes::Bytes;
use futures::StreamExt;
use object_store::ObjectStoreExt;
use sha2::{Digest, Sha256};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    try_join,
};
use towpath_event::{EventBatch, EventKind, KindDecoder};
use towpath_store::{Source as StoredSource, run_alone};

use crate::{
    error::{Error, Result},
    find::{LogFile, Place},
    gunzip::{Form, GunzipError, GzipStream, TEXT_BYTES_MAX},
    refusal::{Refusal, Refused, in_whole_text},
    split::{Part, Splitter},
};

/// Bytes read from the log file at a time.
const INPUT_BYTES: usize = 256 << 10;

/// Pieces of a download that wait to be decompressed. Each is some 16 kB.
const DOWNLOADED_PIECES_MAX: usize = 64;

/// What comes of reading a large log file: some events after another, and at last how it ended.
#[derive(Debug)]
pub(crate) enum LargePart {
    Events(EventBatch),
    /// It was read to its end, and all of it is good. Only what reading tells is filled in.
    End {
        log_file: StoredSource,
        text_bytes: u64,
    },
    /// It cannot be taken, and so neither can the parts before.
    Refused(Refused),
}

/// Reads `log_file`, of events of `kind`, and sends its parts, as fast as they are taken.
///
/// # Errors
///
/// [`Error::ReadLogFile`] if the object store fails. Then no end is sent.
pub(crate) async fn read(
    log_file: &LogFile,
    kind: EventKind,
    parts: Sender<LargePart>,
) -> Result<()> {
    let (pieces, downloaded) = mpsc::channel(DOWNLOADED_PIECES_MAX);
    let reader = LargeReader::new(log_file.clone(), kind, parts);
    let reading = async {
        let read = run_alone("decode", move || match &reader.log_file.place {
            Place::Local(root, below) => match File::open(root.path_of(below)) {
                Ok(file) => reader.run(file),
                Err(err) => reader.refuse(&Refusal::Unreadable(err)),
            },
            Place::Remote(..) => reader.run(Pieces { downloaded, piece: Bytes::new() }),
        });
        read.await.map_err(Error::Thread)
    };
    try_join!(download(log_file, pieces), reading)?;
    Ok(())
}

/// Downloads a log file of a bucket piece by piece.
async fn download(log_file: &LogFile, pieces: Sender<io::Result<Bytes>>) -> Result<()> {
    let Place::Remote(bucket, key) = &log_file.place else { return Ok(()) };
    let failed = |source| Error::ReadLogFile { path: log_file.place.name(), source };
    let mut stream = match bucket.store.get(key).await {
        Ok(found) => found.into_stream(),
        Err(
            err @ (object_store::Error::NotFound { .. }
            | object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. }),
        ) => {
            // Nobody listening means that the ingest has ended.
            let _ended = pieces.send(Err(io::Error::other(err))).await.is_err();
            return Ok(());
        }
        Err(err) => return Err(failed(err)),
    };
    while let Some(piece) = stream.next().await {
        if pieces.send(Ok(piece.map_err(failed)?)).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// A download as something to read from, for a thread that may block.
struct Pieces {
    downloaded: Receiver<io::Result<Bytes>>,
    piece: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.downloaded.blocking_recv() {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let length = self.piece.len().min(buffer.len());
        let read = self.piece.split_to(length);
        if let Some(buffer) = buffer.get_mut(..length) {
            buffer.copy_from_slice(&read);
        }
        Ok(length)
    }
}

/// Reads one large log file. Blocks, for disk and for computing.
struct LargeReader {
    log_file: LogFile,
    parts: Sender<LargePart>,
    splitter: Splitter,
    decoder: KindDecoder,
    kind: EventKind,
    /// Whether anything was decoded yet.
    has_parts: bool,
    digest: Sha256,
    /// Of the text, if digests say what it is to be.
    text_digest: Option<Sha256>,
    /// Gzip members; none if it is not compressed.
    members: u32,
    size_bytes: u64,
    text_bytes: u64,
    events: u64,
}

/// Why reading ends before the log file does.
enum Stop {
    Refused(Refusal),
    /// Nobody takes the parts any more.
    Ended,
}

impl From<GunzipError> for Stop {
    fn from(err: GunzipError) -> Stop {
        Stop::Refused(Refusal::Gunzip(err))
    }
}

impl LargeReader {
    fn new(log_file: LogFile, kind: EventKind, parts: Sender<LargePart>) -> LargeReader {
        LargeReader {
            text_digest: log_file.proof.and_then(|proof| proof.sha256).map(|_| Sha256::new()),
            members: 0,
            log_file,
            parts,
            splitter: Splitter::new(kind),
            decoder: KindDecoder::new(kind),
            kind,
            has_parts: false,
            digest: Sha256::new(),
            size_bytes: 0,
            text_bytes: 0,
            events: 0,
        }
    }

    fn run(mut self, source: impl Read) {
        match self.read_all(source) {
            Ok(()) | Err(Stop::Ended) => {}
            Err(Stop::Refused(refusal)) => self.refuse(&refusal),
        }
    }

    fn refuse(&self, refusal: &Refusal) {
        let events = match refusal {
            Refusal::Decode(err) => err.records_seen(),
            _ => self.events,
        };
        let refused = refusal.of(&self.log_file, events);
        let _ended = self.parts.blocking_send(LargePart::Refused(refused)).is_err();
    }

    fn read_all(&mut self, mut source: impl Read) -> Result<(), Stop> {
        let mut input = vec![0; INPUT_BYTES];
        let mut length = self.fill(&mut source, &mut input)?;
        match Form::of(input.get(..length).unwrap_or_default())? {
            Form::Json => {
                while length > 0 {
                    self.take_text(input.get(..length).unwrap_or_default())?;
                    length = self.fill(&mut source, &mut input)?;
                }
            }
            Form::Gzip => {
                let (mut stream, mut text) = (GzipStream::new(), Vec::new());
                while length > 0 {
                    let mut rest = input.get(..length).unwrap_or_default();
                    while let Some(read) = stream.step(rest, &mut text)? {
                        rest = rest.get(read..).unwrap_or_default();
                        self.take_text(&text)?;
                        text.clear();
                    }
                    length = self.fill(&mut source, &mut input)?;
                }
                stream.end()?;
                self.members = stream.members;
            }
        }
        self.finish()
    }

    /// Reads as much as the buffer holds, or as there is.
    fn fill(&mut self, source: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Stop> {
        let mut length = 0;
        while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
            match source.read(rest) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(Stop::Refused(Refusal::Unreadable(err))),
            }
        }
        self.digest.update(buffer.get(..length).unwrap_or_default());
        self.size_bytes += to_u64(length);
        Ok(length)
    }

    fn take_text(&mut self, text: &[u8]) -> Result<(), Stop> {
        self.text_bytes += to_u64(text.len());
        if self.text_bytes > TEXT_BYTES_MAX {
            return Err(GunzipError::TooLarge.into());
        }
        if let Some(digest) = &mut self.text_digest {
            digest.update(text);
        }
        let parts = self.splitter.push(text).map_err(|err| Stop::Refused(Refusal::Split(err)))?;
        parts.iter().try_for_each(|part| self.decode(part))
    }

    fn decode(&mut self, part: &Part) -> Result<(), Stop> {
        let decoded = self.decoder.append_log_file(&part.text);
        let summary = decoded.map_err(|err| {
            Stop::Refused(match part.is_shell() {
                true => Refusal::Shell(err),
                false => Refusal::Decode(in_whole_text(err, part, self.events)),
            })
        })?;
        self.has_parts = true;
        self.send(summary.events)
    }

    /// Sends what was decoded, which is so many events.
    fn send(&mut self, events: u64) -> Result<(), Stop> {
        if events == 0 {
            return Ok(());
        }
        self.events += events;
        let batch = self.decoder.finish();
        self.parts.blocking_send(LargePart::Events(batch)).map_err(|_| Stop::Ended)
    }

    fn finish(&mut self) -> Result<(), Stop> {
        let splitter = std::mem::replace(&mut self.splitter, Splitter::new(self.kind));
        let (unfinished, shell) = splitter.end();
        unfinished.iter().try_for_each(|part| self.decode(part))?;
        // A text of nothing but events has no shell. One of nothing at all is no log file.
        let shell = shell.or_else(|| (!self.has_parts).then(Vec::new));
        if let Some(shell) = shell {
            let decoded = self.decoder.append_log_file(&shell);
            let summary = decoded.map_err(|err| Stop::Refused(Refusal::Shell(err)))?;
            // There are events in it if the key of a list was written with escapes.
            self.send(summary.events)?;
        }
        let proof = self.log_file.proof;
        if let Some(digest) = &self.text_digest {
            let sha256 = <[u8; 32]>::from(digest.clone().finalize());
            if proof.and_then(|proof| proof.sha256) != Some(sha256) || self.members != 1 {
                return Err(Stop::Refused(Refusal::Altered));
            }
        }
        let log_file = StoredSource {
            key: self.log_file.place.checkpoint_key(),
            size: self.size_bytes,
            sha256: hex(&self.digest.clone().finalize()),
            events: self.events,
            digest: proof.map(|proof| proof.mark),
            ..StoredSource::default()
        };
        let end = LargePart::End { log_file, text_bytes: self.text_bytes };
        self.parts.blocking_send(end).map_err(|_| Stop::Ended)
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
