//! The bundled trail: eighteen months at a company that does not exist.
//!
//! [`build`] tells the story in five steps, and each is a module:
//!
//! | step | module |
//! |---|---|
//! | who there is: accounts, people, roles, machines | `company` |
//! | what they call: ordinary days, and the planted stories | `background`, `stories`, `calls` |
//! | what an event of it looks like, and odd but valid forms | `event`, `json`, `oddities` |
//! | in which log files it is delivered, and what stands beside them | `delivery`, `beside` |
//! | what is in it all | `manifest` |
//!
//! There is no clock and no chance in it: every choice comes from a generator that is named after
//! the place where the choice is made.

mod background;
mod beside;
mod calls;
mod company;
mod delivery;
mod event;
mod json;
mod manifest;
mod moment;
mod oddities;
pub(crate) mod random;
mod stories;

use std::collections::BTreeSet;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use company::{DEVELOPMENT, IRELAND, PRODUCTION, SECURITY, VIRGINIA};
use delivery::{LogFile, WINDOW, deliver};
use event::{Event, Record};
use moment::{DAY, Moment};
use random::Random;

/// How the bytes of a file come from its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Compressed with gzip, in one member.
    Gzip,
    /// As it is.
    Plain,
    /// Compressed with gzip, and cut off before the end.
    CutGzip,
}

/// One file of the trail.
#[derive(Clone, Debug)]
pub struct TrailFile {
    /// The path below the trail's folder, which is the key in a bucket.
    pub key: String,
    /// The content before compression.
    pub content: String,
    /// How the content is stored.
    pub form: Form,
}

/// The whole trail.
#[derive(Clone, Debug)]
pub struct Trail {
    /// Its files, sorted by key.
    pub files: Vec<TrailFile>,
    /// What is in it, for tests to assert; see `data/README.md`.
    pub manifest: Value,
}

impl TrailFile {
    /// The bytes to be stored.
    ///
    /// The compressed bytes depend on the version of the compressor; the content does not.
    ///
    /// # Errors
    ///
    /// Those of the compressor, which has none when it writes to memory.
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        if self.form == Form::Plain {
            return Ok(self.content.clone().into_bytes());
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(self.content.as_bytes())?;
        let mut bytes = encoder.finish()?;
        if self.form == Form::CutGzip {
            bytes.truncate(bytes.len() * 3 / 5);
        }
        Ok(bytes)
    }

    /// The folder below the account: `CloudTrail`, `CloudTrail-Digest`, `Config` …
    fn kind(&self) -> &str {
        let is_kind = |part: &&str| part.starts_with("CloudTrail") || *part == "Config";
        self.key.split('/').find(is_kind).unwrap_or_default()
    }

    fn is_cut(&self) -> bool {
        self.form == Form::CutGzip
    }
}

/// Makes the trail: the same one every time.
#[must_use]
pub fn build() -> Trail {
    let mut records = ordinary_days();
    let planted = stories::all();
    records.extend(ordinary_around(&planted));
    records.extend(planted.into_iter().map(Event::into_record));
    records.extend(oddities::records());
    let log_files = deliver(records);
    let digests = beside::digests(&log_files);
    let mut log_files = with_copies(log_files);
    log_files.push(empty_log_file());

    let mut files: Vec<TrailFile> = log_files.iter().map(stored).collect();
    files.push(TrailFile { form: Form::CutGzip, ..stored(&broken_log_file()) });
    let beside = beside::insights().into_iter().chain(digests).chain([beside::aggregate()]);
    for (key, content) in beside.chain(beside::config()) {
        let form = if key.ends_with(".gz") { Form::Gzip } else { Form::Plain };
        files.push(TrailFile { key, content, form });
    }
    files.sort_by(|one, two| one.key.cmp(&two.key));
    let manifest = manifest::manifest(&log_files, &files);
    Trail { files, manifest }
}

/// Shifts of a quarter of an hour, spread over all months, on other days each month.
fn ordinary_days() -> Vec<Record> {
    /// Shifts a month, and events a shift, of each account in each of its regions.
    const PLAN: [(&str, i64, i64); 3] =
        [(PRODUCTION, 3, 26), (DEVELOPMENT, 1, 20), (SECURITY, 1, 14)];
    let mut records = Vec::new();
    for month in 0..18 {
        let first = Moment::day(2024 + month / 12, month % 12 + 1, 1);
        for (account, shifts, events) in PLAN {
            for region in background::regions_of(account) {
                let mut random = Random::named(&format!("plan {account} {region} {first}"));
                for _ in 0..shifts {
                    let day = first.plus(random.between(0, 27) * DAY);
                    let hours = if day.is_weekend() { (0, 23) } else { (6, 18) };
                    let quarter = random.between(0, 3) * 15;
                    let start = day.at(random.between(hours.0, hours.1), quarter);
                    let count = events + random.between(-6, 6);
                    let shift = background::shift(account, region, start, WINDOW, count);
                    records.extend(shift.into_iter().map(Event::into_record));
                }
            }
        }
    }
    records
}

/// A few ordinary events in every window in which something planted happens.
fn ordinary_around(planted: &[Event]) -> Vec<Record> {
    let windows: BTreeSet<(String, String, Moment)> = planted
        .iter()
        .filter(|event| event.category != "NetworkActivity")
        .map(|event| (event.recipient.clone(), event.region.clone(), event.moment.floor(WINDOW)))
        .collect();
    let mut records = Vec::new();
    for (account, region, start) in windows {
        // Nothing ordinary happens where the company runs nothing, nor before the story begins.
        if !background::regions_of(&account).contains(&region.as_str())
            || start < Moment::day(2024, 1, 1)
        {
            continue;
        }
        let count = Random::named(&format!("around {account} {region} {start}")).between(3, 9);
        let shift = background::shift(&account, &region, start, WINDOW, count);
        records.extend(shift.into_iter().map(Event::into_record));
    }
    records
}

/// The log files, and one of them a second time under another name.
fn with_copies(mut log_files: Vec<LogFile>) -> Vec<LogFile> {
    let since = Moment::day(2024, 8, 1);
    let copied = log_files.iter().find(|file| file.delivered >= since && file.records.len() >= 12);
    if let Some(file) = copied.cloned() {
        let (stem, _) = file.key.rsplit_once('_').unwrap_or_default();
        let name = Random::named("copy of a log file").base32(16);
        log_files.push(LogFile { key: format!("{stem}_{name}.json.gz"), ..file });
    }
    log_files
}

/// A log file without events, which is whole all the same.
fn empty_log_file() -> LogFile {
    let delivered = Moment::day(2024, 12, 25).at(0, 10);
    let record = |moment| background::shift(SECURITY, VIRGINIA, moment, WINDOW, 1);
    let file = deliver(record(delivered).into_iter().map(Event::into_record).collect()).pop();
    let key = file.map(|file| file.key).unwrap_or_default();
    LogFile { key, delivered, records: Vec::new() }
}

/// The log file that is cut off. Its events are nowhere else.
fn broken_log_file() -> LogFile {
    let start = Moment::day(2025, 1, 8).at(11, 15);
    let shift = background::shift(PRODUCTION, IRELAND, start, WINDOW, 21);
    let mut files = deliver(shift.into_iter().map(Event::into_record).collect());
    files.pop().unwrap_or(LogFile { key: String::new(), delivered: start, records: Vec::new() })
}

/// The last log files are stored as somebody leaves them who looked inside: unpacked.
fn stored(file: &LogFile) -> TrailFile {
    let unpacked = file.delivered >= Moment::day(2025, 6, 24);
    let key = match file.key.strip_suffix(".gz") {
        Some(key) if unpacked => String::from(key),
        _ => file.key.clone(),
    };
    let form = if unpacked { Form::Plain } else { Form::Gzip };
    TrailFile { key, content: file.content(), form }
}
