//! Why a log file is not taken, in the words of a report.

use std::io;

use towpath_event::DecodeError;

use crate::{
    find::LogFile,
    gunzip::GunzipError,
    report::{RejectPlace, RejectReason, Rejected},
    split::{Part, SplitError},
};

/// Why a log file is not taken.
#[derive(Debug)]
pub(crate) enum Refusal {
    Unreadable(io::Error),
    Gunzip(GunzipError),
    Split(SplitError),
    Decode(DecodeError),
    /// What is left of a large log file without its events is not that of a log file.
    Shell(DecodeError),
    /// Its events are of more months than one commit can have data files.
    TooManyMonths,
    /// Its content is not what a valid digest says.
    Altered,
    /// No valid digest names it, and one was required.
    NotCovered,
}

/// A log file that is not taken, as it stands in the report.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) rejected: Rejected,
    /// As it was found; `None` if it could not even be looked at.
    pub(crate) log_file: Option<LogFile>,
    /// Events that were read of it, the first bad one included.
    pub(crate) events: u64,
}

impl Refusal {
    /// The report of `log_file`, of which `events` were read.
    pub(crate) fn of(&self, log_file: &LogFile, events: u64) -> Refused {
        let path = log_file.place.name();
        let (reason, message, place) = (self.reason(), self.message(), self.place());
        let rejected = Rejected { path, reason, message, place };
        Refused { rejected, log_file: Some(log_file.clone()), events }
    }

    fn reason(&self) -> RejectReason {
        match self {
            Refusal::Unreadable(_) => RejectReason::Unreadable,
            Refusal::Altered => RejectReason::Altered,
            Refusal::NotCovered => RejectReason::NotCovered,
            Refusal::Split(SplitError::Separator { .. })
            | Refusal::Decode(_)
            | Refusal::Shell(_) => RejectReason::Undecodable,
            Refusal::Split(_) | Refusal::TooManyMonths => RejectReason::TooLarge,
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

    fn message(&self) -> String {
        match self {
            Refusal::Unreadable(err) => err.to_string(),
            Refusal::Gunzip(err) => err.to_string(),
            Refusal::Split(err) => err.to_string(),
            Refusal::Decode(err) | Refusal::Shell(err @ DecodeError::NoRecords) => err.to_string(),
            // Its places are those of the shell, which nobody can look up.
            Refusal::Shell(_) => "log file is not JSON outside its events".to_owned(),
            Refusal::Altered => {
                "log file has been altered: its content is not what CloudTrail signed in a digest"
                    .to_owned()
            }
            Refusal::NotCovered => "no valid digest names the log file".to_owned(),
            Refusal::TooManyMonths => {
                "log file has events of more months than can be committed at once".to_owned()
            }
        }
    }

    fn place(&self) -> Option<RejectPlace> {
        match self {
            Refusal::Gunzip(err) => err.at().map(RejectPlace::FileByte),
            Refusal::Split(SplitError::Separator { at, .. }) => {
                Some(RejectPlace::Text { byte: *at, record: None })
            }
            Refusal::Decode(err) => {
                let place = err.place()?;
                Some(RejectPlace::Text { byte: place.offset, record: place.record })
            }
            _ => None,
        }
    }
}

/// The error in a part of a large log file, as an error of the log file.
pub(crate) fn in_whole_text(mut err: DecodeError, part: &Part, events_before: u64) -> DecodeError {
    match &mut err {
        DecodeError::Truncated { place }
        | DecodeError::Syntax { place, .. }
        | DecodeError::NotUtf8 { place }
        | DecodeError::RecordNotObject { place }
        | DecodeError::NoEventTime { place }
        | DecodeError::EventTimeNotATime { place } => {
            place.offset = part.whole_offset(place.offset);
            place.record = place.record.map(|record| record + events_before);
            place.records_before += events_before;
        }
        _ => {}
    }
    err
}
