//! From events to log files under CloudTrail's S3 keys, with the duplicates that trails deliver.

use std::collections::BTreeMap;

use super::company::{DEVELOPMENT, ORGANISATION};
use super::event::Record;
use super::moment::{DAY, MINUTE, Moment};
use super::random::Random;

/// Events of one account and region that are this close together arrive in one log file.
pub(crate) const WINDOW: i64 = 15 * MINUTE;
/// How many log files in a hundred are delivered in part a second time, under another region.
const REPEATED_PERCENT: u64 = 36;

/// One log file: its key, and the texts of its events.
#[derive(Clone, Debug)]
pub(crate) struct LogFile {
    pub(crate) key: String,
    pub(crate) delivered: Moment,
    pub(crate) records: Vec<Record>,
}

impl LogFile {
    /// The uncompressed content.
    pub(crate) fn content(&self) -> String {
        let texts: Vec<&str> = self.records.iter().map(|record| record.text.as_str()).collect();
        format!("{{\"Records\":[{}]}}", texts.join(","))
    }
}

/// Which trail delivers to which log file. The order is that of the delivered files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    window: Moment,
    account: String,
    region: String,
    network_activity: bool,
    organisation: bool,
}

/// Puts `records` into log files, some of them twice.
///
/// The organisation's trail delivers everything since 2024-02-01. The development account had a
/// trail of its own until the end of March 2024, so in between its events arrive twice.
pub(crate) fn deliver(records: Vec<Record>) -> Vec<LogFile> {
    let mut slots: BTreeMap<Slot, Vec<Record>> = BTreeMap::new();
    for record in records {
        for organisation in trails_of(&record) {
            let slot = Slot {
                window: record.moment.floor(WINDOW),
                account: record.account.clone(),
                region: record.region.clone(),
                network_activity: record.network_activity,
                organisation,
            };
            slots.entry(slot).or_default().push(record.clone());
        }
    }
    repeat_under_other_regions(&mut slots);
    slots.into_iter().map(|(slot, records)| log_file(&slot, records)).collect()
}

/// Whether the account's own trail (`false`) and the organisation's (`true`) have the event.
fn trails_of(record: &Record) -> Vec<bool> {
    if record.account != DEVELOPMENT {
        return vec![true];
    }
    let own = record.moment < Moment::day(2024, 4, 1);
    let organisation = record.moment >= Moment::day(2024, 2, 1);
    [(own, false), (organisation, true)]
        .into_iter()
        .filter_map(|(delivers, organisation)| delivers.then_some(organisation))
        .collect()
}

/// Delivers some events again, with the next log file of the same account in another region.
fn repeat_under_other_regions(slots: &mut BTreeMap<Slot, Vec<Record>>) {
    let keys: Vec<Slot> = slots.keys().cloned().collect();
    for (position, slot) in keys.iter().enumerate() {
        let mut random = Random::named(&format!("repeat {slot:?}"));
        if slot.network_activity || !random.chance(REPEATED_PERCENT) {
            continue;
        }
        let later = keys.iter().skip(position + 1).find(|other| {
            other.account == slot.account
                && other.region != slot.region
                && other.organisation == slot.organisation
                && other.window.0 - slot.window.0 < 40 * DAY
        });
        let Some(later) = later else { continue };
        let records = slots.get(slot).cloned().unwrap_or_default();
        let again = records.into_iter().filter(|record| record.region == slot.region);
        let again: Vec<Record> = again.filter(|_| random.chance(50)).take(40).collect();
        slots.entry(later.clone()).or_default().extend(again);
    }
}

fn log_file(slot: &Slot, mut records: Vec<Record>) -> LogFile {
    records.sort_by_key(|record| record.moment);
    let mut random = Random::named(&format!("log file {slot:?}"));
    let delivered = slot.window.plus(WINDOW + random.between(60, 8 * MINUTE));
    let (account, region) = (&slot.account, &slot.region);
    let kind = if slot.network_activity { "CloudTrail-NetworkActivity" } else { "CloudTrail" };
    let owner = if slot.organisation { format!("{ORGANISATION}/") } else { String::new() };
    let key = format!(
        "AWSLogs/{owner}{account}/{kind}/{region}/{}/{account}_{kind}_{region}_{}_{}.json.gz",
        delivered.key_day(),
        delivered.key_minute(),
        random.base32(16),
    );
    LogFile { key, delivered, records }
}
