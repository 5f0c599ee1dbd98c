//! Events of data files, gathered by region into log files.

use std::collections::BTreeMap;

use arrow::{
    array::{Array, AsArray, BooleanArray, RecordBatch, StringArray},
    datatypes::TimestampMicrosecondType,
};
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use hashbrown::HashSet;
use towpath_event::{EventIdentity, EventKind, event_identity};

use super::TrailRules;
use crate::{
    digest::{NewLogFile, TrailWriter, WrittenLogFile},
    error::Result,
    stored::StoredFile,
};

/// Text of one log file at which it is written, in bytes. CloudTrail's own end below 50 MB.
const LOG_FILE_TEXT_BYTES: usize = 8 << 20;

/// Text that is gathered for all regions together, in bytes; then the largest part is written.
const GATHERED_TEXT_BYTES_MAX: usize = 64 << 20;

/// Regions that have log files of their own: AWS has some forty. Events of further ones, whose
/// names somebody made up, go to the trail's own.
const REGIONS_MAX: usize = 64;

/// Bytes of the name of a region.
const REGION_BYTES_MAX: usize = 32;

/// Services whose events CloudTrail takes for global.
const GLOBAL_SERVICES: [&str; 3] =
    ["iam.amazonaws.com", "sts.amazonaws.com", "cloudfront.amazonaws.com"];

/// What begins and ends the text of a log file.
const RECORDS: &[u8] = br#"{"Records":["#;
const RECORDS_END: &[u8] = b"]}";

/// One delivery under way.
pub(super) struct Gathering<'a> {
    writer: &'a TrailWriter,
    rules: &'a TrailRules,
    at: DateTime<Utc>,
    /// The log file of each region that is not full yet.
    open: BTreeMap<String, Open>,
    written: Vec<(String, WrittenLogFile)>,
    /// Every event of this delivery: one in two stores is delivered once.
    seen: HashSet<EventIdentity>,
}

/// A log file that is not full yet.
#[derive(Default)]
struct Open {
    text: Vec<u8>,
    /// Microseconds since 1970.
    event_times: Option<(i64, i64)>,
}

impl<'a> Gathering<'a> {
    pub(super) fn new(
        writer: &'a TrailWriter,
        rules: &'a TrailRules,
        at: DateTime<Utc>,
    ) -> Gathering<'a> {
        let (open, written, seen) = (BTreeMap::new(), Vec::new(), HashSet::new());
        Gathering { writer, rules, at, open, written, seen }
    }

    /// Takes the events of a data file that the trail takes, and writes the log files that are full.
    pub(super) async fn take(&mut self, kind: EventKind, file: &StoredFile) -> Result<()> {
        let mut batches = file.batches()?;
        while let Some(batch) = batches.try_next().await.map_err(|err| file.error(err))? {
            let texts = file.event_texts(&batch)?;
            let taken = self.rules.takes(kind, &batch);
            let regions = Texts::of(&batch, "awsRegion");
            let (accounts, ids) =
                (Texts::of(&batch, "recipientAccountId"), Texts::of(&batch, "eventID"));
            let times = batch.column_by_name("eventTime");
            let times =
                times.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
            for (row, text) in texts.iter().enumerate() {
                let Some(text) = text.filter(|_| taken.get(row).copied().unwrap_or(false)) else {
                    continue;
                };
                let identity = event_identity(accounts.at(row), ids.at(row), text);
                if !self.seen.insert(identity) {
                    continue;
                }
                let time = times.filter(|times| times.is_valid(row)).map(|times| times.value(row));
                let region = self.region(regions.at(row));
                self.open.entry(region.clone()).or_default().push(text, time);
                self.write_full(&region).await?;
            }
        }
        Ok(())
    }

    /// Writes what is left, and returns all log files with their regions.
    pub(super) async fn finish(mut self) -> Result<Vec<(String, WrittenLogFile)>> {
        while let Some((region, open)) = self.open.pop_first() {
            self.write(region, open).await?;
        }
        Ok(self.written)
    }

    /// The region whose log files an event of `region` goes to.
    fn region(&self, region: Option<&str>) -> String {
        let home = &self.writer.home_region;
        let region = region.filter(|region| is_region(region)).unwrap_or(home);
        let is_known = region == home
            || self.open.contains_key(region)
            || self.written.iter().any(|(other, _)| other == region);
        let has_room = || self.regions() < REGIONS_MAX;
        if is_known || has_room() { region.to_owned() } else { home.clone() }
    }

    fn regions(&self) -> usize {
        let written = self.written.iter().map(|(region, _)| region.as_str());
        let mut all: Vec<&str> = written.chain(self.open.keys().map(String::as_str)).collect();
        all.sort_unstable();
        all.dedup();
        all.len()
    }

    async fn write_full(&mut self, region: &str) -> Result<()> {
        let is_full = |open: &Open| open.text.len() >= LOG_FILE_TEXT_BYTES;
        let gathered: usize = self.open.values().map(|open| open.text.len()).sum();
        let full = if self.open.get(region).is_some_and(is_full) {
            Some(region.to_owned())
        } else if gathered >= GATHERED_TEXT_BYTES_MAX {
            let largest = self.open.iter().max_by_key(|(_, open)| open.text.len());
            largest.map(|(region, _)| region.clone())
        } else {
            None
        };
        if let Some((region, open)) = full.and_then(|region| self.open.remove_entry(&region)) {
            self.write(region, open).await?;
        }
        Ok(())
    }

    async fn write(&mut self, region: String, open: Open) -> Result<()> {
        let Open { mut text, event_times } = open;
        text.extend_from_slice(RECORDS_END);
        let at = |micros: i64| DateTime::from_timestamp_micros(micros);
        let new = NewLogFile {
            region: &region,
            delivered_at: self.at,
            number: u64::try_from(self.written.len()).unwrap_or(u64::MAX),
            text: &text,
            event_times: event_times.and_then(|(oldest, newest)| at(oldest).zip(at(newest))),
        };
        let written = self.writer.write_log_file(&new).await?;
        self.written.push((region, written));
        Ok(())
    }
}

impl Open {
    fn push(&mut self, text: &str, time: Option<i64>) {
        self.text.extend_from_slice(if self.text.is_empty() { RECORDS } else { b"," });
        self.text.extend_from_slice(text.as_bytes());
        let Some(time) = time else { return };
        let (oldest, newest) = self.event_times.unwrap_or((time, time));
        self.event_times = Some((oldest.min(time), newest.max(time)));
    }
}

impl TrailRules {
    /// For each row of `columns`, whether the trail takes it.
    fn takes(&self, kind: EventKind, columns: &RecordBatch) -> Vec<bool> {
        let mut taken = match (&self.selectors, kind) {
            (Some(selectors), EventKind::CloudTrail) => selectors.matches(columns),
            (None, EventKind::CloudTrail) => management(columns),
            _ => vec![true; columns.num_rows()],
        };
        if !self.all_regions {
            let (regions, sources) =
                (Texts::of(columns, "awsRegion"), Texts::of(columns, "eventSource"));
            for (row, taken) in taken.iter_mut().enumerate() {
                let is_global = self.global_services
                    && sources.at(row).is_some_and(|source| GLOBAL_SERVICES.contains(&source));
                let is_own = regions.at(row).is_none_or(|region| region == self.home_region);
                *taken &= is_own || is_global;
            }
        }
        taken
    }
}

/// Which events are management events: those that say so, and those that say nothing about it, as
/// events of before 2019 do.
fn management(columns: &RecordBatch) -> Vec<bool> {
    let categories = Texts::of(columns, "eventCategory");
    let management: Option<&BooleanArray> =
        columns.column_by_name("managementEvent").and_then(|column| column.as_boolean_opt());
    let is_management = |row: usize| {
        let says = management.filter(|column| column.is_valid(row)).map(|column| column.value(row));
        match (categories.at(row), says) {
            (Some(category), _) => category == "Management",
            (None, says) => says.unwrap_or(true),
        }
    };
    (0..columns.num_rows()).map(is_management).collect()
}

/// A column of text, if the batch has it.
struct Texts<'b>(Option<&'b StringArray>);

impl<'b> Texts<'b> {
    fn of(columns: &'b RecordBatch, name: &str) -> Texts<'b> {
        Texts(columns.column_by_name(name).and_then(|column| column.as_string_opt::<i32>()))
    }

    fn at(&self, row: usize) -> Option<&'b str> {
        self.0.filter(|column| column.is_valid(row)).map(|column| column.value(row))
    }
}

/// Whether an event's region may be a part of a key: what events say is not to be trusted.
fn is_region(text: &str) -> bool {
    (1..=REGION_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::is_region;

    #[test]
    fn only_the_name_of_a_region_becomes_a_part_of_a_key() {
        for region in ["us-east-1", "us-gov-west-1", "ap-southeast-7"] {
            assert!(is_region(region), "{region}");
        }
        for other in ["", "..", "a/b", "US-EAST-1", "a b", "us_east", &"a".repeat(33)] {
            assert!(!is_region(other), "{other}");
        }
    }
}
