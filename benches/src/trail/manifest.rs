//! What is in the trail, counted from the finished log files.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::{Value, json};

use super::TrailFile;
use super::beside::sha256_hex;
use super::delivery::LogFile;

/// The fields of an event that are counted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counted {
    #[serde(rename = "eventID")]
    event_id: Option<String>,
    recipient_account_id: Option<String>,
    event_version: Option<String>,
    event_time: String,
    event_name: String,
    aws_region: Option<String>,
    error_code: Option<String>,
    event_category: Option<String>,
    #[serde(default)]
    user_identity: Value,
}

/// The counts of the readable `log_files`, and of all `files` of the trail.
///
/// An event is identified by recipient account and event id, or by its whole text if it has no id.
/// Events of one identity and different texts all count, as they do in a store.
pub(crate) fn manifest(log_files: &[LogFile], files: &[TrailFile]) -> Value {
    let mut seen: HashMap<String, BTreeSet<&str>> = HashMap::new();
    let mut tallies = Tallies::default();
    let (mut records, mut without_id) = (0_u64, 0_u64);
    for record in log_files.iter().flat_map(|file| &file.records) {
        records += 1;
        let Ok(event) = serde_json::from_str::<Counted>(&record.text) else { continue };
        let account = event.recipient_account_id.as_deref().unwrap_or_default();
        let identity = match &event.event_id {
            Some(id) => format!("{account} {id}"),
            None => record.text.clone(),
        };
        if seen.entry(identity).or_default().insert(&record.text) {
            without_id += u64::from(event.event_id.is_none());
            tallies.add(&event);
        }
    }
    let rows: usize = seen.values().map(BTreeSet::len).sum();
    let rows = u64::try_from(rows).unwrap_or(u64::MAX);
    let identities = u64::try_from(seen.len()).unwrap_or(u64::MAX);
    json!({
        "sha256": set_sha256(files),
        "files": file_counts(files),
        "records": {
            "inLogFiles": records,
            "rows": rows,
            "duplicate": records - rows,
            "identities": identities,
            "sameIdentityOtherContent": rows - identities,
            "withoutEventID": without_id,
        },
        "eventTime": { "oldest": tallies.oldest, "newest": tallies.newest },
        "rowsBy": tallies.by,
        "deleteBucketAfter2024": tallies.delete_bucket_after_2024,
    })
}

/// Counts of the rows that a store of the whole trail has.
#[derive(Default)]
struct Tallies {
    by: BTreeMap<&'static str, BTreeMap<String, u64>>,
    oldest: Option<String>,
    newest: Option<String>,
    /// The answer of `queries/delete-bucket.sql`.
    delete_bucket_after_2024: u64,
}

impl Tallies {
    fn add(&mut self, event: &Counted) {
        let none = || String::from("(none)");
        let identity = event.user_identity.get("type").and_then(Value::as_str);
        let month = event.event_time.chars().take(7).collect();
        for (field, value) in [
            ("eventName", event.event_name.clone()),
            ("eventCategory", event.event_category.clone().unwrap_or_else(none)),
            ("eventVersion", event.event_version.clone().unwrap_or_else(none)),
            ("recipientAccountId", event.recipient_account_id.clone().unwrap_or_else(none)),
            ("awsRegion", event.aws_region.clone().unwrap_or_else(none)),
            ("errorCode", event.error_code.clone().unwrap_or_else(none)),
            ("userIdentity.type", identity.map_or_else(none, String::from)),
            ("month", month),
        ] {
            *self.by.entry(field).or_default().entry(value).or_default() += 1;
        }
        let time = &event.event_time;
        if event.event_name == "DeleteBucket" && time.as_str() > "2024-01-01T00:00:00Z" {
            self.delete_bucket_after_2024 += 1;
        }
        if self.oldest.as_ref().is_none_or(|oldest| time < oldest) {
            self.oldest = Some(time.clone());
        }
        if self.newest.as_ref().is_none_or(|newest| time > newest) {
            self.newest = Some(time.clone());
        }
    }
}

/// How many files there are of each kind.
fn file_counts(files: &[TrailFile]) -> Value {
    let count = |wanted: &str| files.iter().filter(|file| file.kind() == wanted).count();
    let broken = files.iter().filter(|file| file.is_cut()).count();
    json!({
        "all": files.len(),
        "logFiles": count("CloudTrail") + count("CloudTrail-NetworkActivity"),
        "logFilesBroken": broken,
        "networkActivity": count("CloudTrail-NetworkActivity"),
        "insight": count("CloudTrail-Insight"),
        "digest": count("CloudTrail-Digest"),
        "aggregated": count("CloudTrail-Aggregated"),
        "foreign": count("Config"),
    })
}

/// SHA-256 over the lines `<sha256 of the uncompressed content> <key>`, sorted by key.
fn set_sha256(files: &[TrailFile]) -> String {
    let mut keys: Vec<&TrailFile> = files.iter().collect();
    keys.sort_by(|one, two| one.key.cmp(&two.key));
    let lines =
        keys.iter().map(|file| format!("{} {}\n", sha256_hex(file.content.as_bytes()), file.key));
    sha256_hex(lines.collect::<String>().as_bytes())
}
