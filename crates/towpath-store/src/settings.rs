//! The settings of a store, as they stand in the metadata of its Delta table.

use std::collections::{BTreeMap, HashMap};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::{Metadata, Protocol, StructType};
use serde_json::json;
use uuid::Uuid;

use crate::data_file::{STATISTICS_COLUMNS, is_event_time};
use crate::delta_log::CHECKPOINT_COMMITS;
use crate::error::{Error, Result};
use crate::hold::Hold;
use crate::layout::{EVENT_TIME_COLUMN, PARTITION_COLUMN};
use crate::time::Retention;

const RETENTION_DAYS: &str = "towpath.retentionDays";
const CREATED_AT: &str = "towpath.createdAt";
const UPDATED_AT: &str = "towpath.updatedAt";
const TERMINATION_PROTECTION: &str = "towpath.terminationProtection";
const DELETED_AT: &str = "towpath.deletedAt";
const EXPIRED_BEFORE: &str = "towpath.expiredBeforeMicros";
/// Stands before the id of a hold.
const HOLD_PREFIX: &str = "towpath.hold.";
/// Stands before the name of an attribute.
const ATTRIBUTE_PREFIX: &str = "towpath.attribute.";

/// Attributes of one store. Each is read with every snapshot.
const ATTRIBUTES_MAX: usize = 64;
/// Longest name of an attribute, in bytes.
const ATTRIBUTE_NAME_BYTES_MAX: usize = 128;
/// Bytes of all attributes of a store, names and values. The longest selectors that CloudTrail
/// takes, 500 values of 2048 characters, fit with room to spare.
const ATTRIBUTES_BYTES_MAX: usize = 4 << 20;

/// The shortest name, as in CloudTrail Lake.
const NAME_CHARS_MIN: usize = 3;
/// The longest name, as in CloudTrail Lake.
const NAME_CHARS_MAX: usize = 128;

/// The settings of a store at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreSettings {
    /// The name, unique in the lake without regard to case.
    pub name: String,
    /// For how long events are kept.
    pub retention: Retention,
    /// When the store was made.
    pub created_at: DateTime<Utc>,
    /// When its settings were last changed.
    pub updated_at: DateTime<Utc>,
    /// What the caller keeps with the store, by name. Not looked into here.
    pub attributes: BTreeMap<String, String>,
    /// Whether deleting the store is refused.
    pub termination_protection: bool,
    /// When the store was deleted, if it was. It can be restored for [`RESTORE_DAYS`].
    pub deleted_at: Option<DateTime<Utc>>,
    /// The legal holds on the store, in the order they were placed.
    pub holds: Vec<Hold>,
    /// Event times, in microseconds since 1970 UTC, before which everything has expired for good:
    /// a longer retention does not bring back what a shorter one let expire.
    pub expired_before: i64,
}

/// Days for which a deleted store can be restored, as in CloudTrail Lake.
pub const RESTORE_DAYS: i64 = 7;

/// What is to change in the settings of a store. What is `None` or absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingsChange {
    /// The name from now on.
    pub name: Option<String>,
    /// Whether deleting the store is refused from now on.
    pub termination_protection: Option<bool>,
    /// For how long events are kept from now on.
    pub retention: Option<Retention>,
    /// Attributes by name, with their new value or `None` to take them away.
    pub attributes: BTreeMap<String, Option<String>>,
}

impl StoreSettings {
    /// The settings of a new store.
    pub(crate) fn new(name: String, retention: Retention, created_at: DateTime<Utc>) -> Self {
        StoreSettings {
            name,
            retention,
            created_at,
            updated_at: created_at,
            attributes: BTreeMap::new(),
            termination_protection: false,
            deleted_at: None,
            holds: Vec::new(),
            expired_before: i64::MIN,
        }
    }

    /// When a deleted store is over its time and can no longer be restored.
    #[must_use]
    pub fn restorable_until(&self) -> Option<DateTime<Utc>> {
        Some(self.deleted_at? + TimeDelta::days(RESTORE_DAYS))
    }

    /// Refuses what cannot be done to a deleted store.
    pub(crate) fn check_not_deleted(&self) -> Result<()> {
        match self.deleted_at.zip(self.restorable_until()) {
            None => Ok(()),
            Some((deleted_at, restorable_until)) => {
                Err(Error::StoreDeleted { store: self.name.clone(), deleted_at, restorable_until })
            }
        }
    }

    /// The first event time, in microseconds since 1970 UTC, that retention keeps at `now`.
    ///
    /// Holds may keep older events.
    #[must_use]
    pub fn cutoff(&self, now: DateTime<Utc>) -> i64 {
        self.retention.cutoff(now).max(self.expired_before)
    }

    pub(crate) fn read(metadata: &Metadata) -> Result<StoreSettings, String> {
        let setting = |key: &str| {
            let value = metadata.configuration().get(key).map(String::as_str);
            value.ok_or_else(|| format!("its table has no property `{key}`"))
        };
        let name = metadata.name().ok_or("its table has no name")?;
        let retention = setting(RETENTION_DAYS)?
            .parse()
            .ok()
            .and_then(|days| Retention::days(days).ok())
            .ok_or_else(|| format!("its property `{RETENTION_DAYS}` is not 7 to 3653"))?;
        let time = |key: &str| {
            let time = DateTime::parse_from_rfc3339(setting(key)?);
            let time = time.map_err(|_err| format!("its property `{key}` is not a time"))?;
            Ok::<_, String>(time.to_utc())
        };
        let has = |key: &str| metadata.configuration().contains_key(key);
        let flag = |key: &str| match setting(key).unwrap_or("false").parse() {
            Ok(value) => Ok(value),
            Err(_) => Err(format!("its property `{key}` is not true or false")),
        };
        let expired_before = match has(EXPIRED_BEFORE) {
            true => setting(EXPIRED_BEFORE)?
                .parse()
                .map_err(|_err| format!("its property `{EXPIRED_BEFORE}` is not a number"))?,
            false => i64::MIN,
        };
        let attribute = |(key, value): (&String, &String)| {
            Some((key.strip_prefix(ATTRIBUTE_PREFIX)?.to_owned(), value.clone()))
        };
        Ok(StoreSettings {
            name: name.to_owned(),
            retention,
            created_at: time(CREATED_AT)?,
            updated_at: time(if has(UPDATED_AT) { UPDATED_AT } else { CREATED_AT })?,
            attributes: metadata.configuration().iter().filter_map(attribute).collect(),
            termination_protection: flag(TERMINATION_PROTECTION)?,
            deleted_at: has(DELETED_AT).then(|| time(DELETED_AT)).transpose()?,
            holds: read_holds(metadata)?,
            expired_before,
        })
    }

    /// These settings with `change` made to them at `now`.
    pub(crate) fn changed(&self, change: &SettingsChange, now: DateTime<Utc>) -> StoreSettings {
        let mut changed = self.clone();
        changed.name = change.name.clone().unwrap_or_else(|| self.name.clone());
        changed.termination_protection =
            change.termination_protection.unwrap_or(self.termination_protection);
        changed.retention = change.retention.unwrap_or(self.retention);
        if changed.retention > self.retention {
            changed.expired_before = self.cutoff(now);
        }
        for (name, value) in &change.attributes {
            match value {
                Some(value) => changed.attributes.insert(name.clone(), value.clone()),
                None => changed.attributes.remove(name),
            };
        }
        changed
    }

    /// The table's properties that these settings are.
    fn properties(&self) -> HashMap<String, String> {
        self.attributes
            .iter()
            .map(|(name, value)| (format!("{ATTRIBUTE_PREFIX}{name}"), value.clone()))
            .chain(
                self.holds
                    .iter()
                    .map(|hold| (format!("{HOLD_PREFIX}{}", hold.id), hold.to_json().to_string())),
            )
            .chain([
                (RETENTION_DAYS.to_owned(), self.retention.as_days().to_string()),
                (CREATED_AT.to_owned(), time_text(self.created_at)),
                (UPDATED_AT.to_owned(), time_text(self.updated_at)),
                (TERMINATION_PROTECTION.to_owned(), self.termination_protection.to_string()),
            ])
            .chain(self.deleted_at.map(|at| (DELETED_AT.to_owned(), time_text(at))))
            .chain(
                Some((EXPIRED_BEFORE.to_owned(), self.expired_before.to_string()))
                    .filter(|_| self.expired_before > i64::MIN),
            )
            .collect()
    }

    /// The properties of a new table: these settings and Delta's own.
    fn configuration(&self) -> HashMap<String, String> {
        let mut properties = self.properties();
        // By default a plain append deletes commits older than 30 days, and with them the record of
        // what was ingested. The second alone does not stop an explicit clean-up.
        for (key, value) in [
            ("delta.logRetentionDuration", "interval 3660 days".to_owned()),
            ("delta.enableExpiredLogCleanup", "false".to_owned()),
            ("delta.checkpointInterval", CHECKPOINT_COMMITS.to_string()),
        ] {
            properties.insert(key.to_owned(), value);
        }
        properties
    }
}

/// Whether a property of the table is one of [`StoreSettings::properties`].
fn is_setting(key: &str) -> bool {
    matches!(
        key,
        RETENTION_DAYS
            | CREATED_AT
            | UPDATED_AT
            | TERMINATION_PROTECTION
            | DELETED_AT
            | EXPIRED_BEFORE
    ) || key.starts_with(ATTRIBUTE_PREFIX)
        || key.starts_with(HOLD_PREFIX)
}

fn time_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn read_holds(metadata: &Metadata) -> Result<Vec<Hold>, String> {
    let mut holds = Vec::new();
    for (key, value) in metadata.configuration() {
        let Some(id) = key.strip_prefix(HOLD_PREFIX) else { continue };
        let hold = Hold::from_json(id, value);
        holds.push(hold.ok_or_else(|| format!("its property `{key}` is not a hold"))?);
    }
    holds.sort_by_key(|hold| (hold.placed_at, hold.id));
    Ok(holds)
}

/// Refuses what CloudTrail Lake would not take for a name, and what reads as an id.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let invalid = |reason| Error::InvalidName { name: name.to_owned(), reason };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !(NAME_CHARS_MIN..=NAME_CHARS_MAX).contains(&name.len()) {
        return Err(invalid("a name has 3 to 128 characters"));
    }
    if !name.bytes().all(allowed) {
        return Err(invalid("a name consists of letters, digits, `.`, `_` and `-`"));
    }
    if Uuid::try_parse(name).is_ok() {
        return Err(invalid("a name must not look like an id"));
    }
    Ok(())
}

/// Refuses attributes that are too many, too large or without a name.
pub(crate) fn check_attributes(attributes: &BTreeMap<String, String>) -> Result<()> {
    let invalid = |reason: String| Err(Error::InvalidAttributes { reason });
    if attributes.len() > ATTRIBUTES_MAX {
        return invalid(format!("a store has at most {ATTRIBUTES_MAX}"));
    }
    if attributes.keys().any(|name| name.is_empty() || name.len() > ATTRIBUTE_NAME_BYTES_MAX) {
        return invalid(format!("a name has 1 to {ATTRIBUTE_NAME_BYTES_MAX} bytes"));
    }
    let bytes: usize = attributes.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > ATTRIBUTES_BYTES_MAX {
        return invalid(format!("they have {bytes} bytes, and at most {ATTRIBUTES_BYTES_MAX}"));
    }
    Ok(())
}

/// The table metadata of a new store. `schema` is that of its data files.
pub(crate) fn new_metadata(
    id: Uuid,
    settings: &StoreSettings,
    schema: &SchemaRef,
) -> Result<Metadata> {
    let invalid = |reason: String| Error::InvalidRows { store: id.to_string(), reason };
    let event_time = schema.field_with_name(EVENT_TIME_COLUMN).ok();
    if !event_time.is_some_and(|field| is_event_time(field.data_type())) {
        return Err(invalid(format!(
            "the schema has no column `{EVENT_TIME_COLUMN}` in UTC microseconds"
        )));
    }
    let mut fields = schema.fields().to_vec();
    fields.push(Field::new(PARTITION_COLUMN, DataType::Int64, true).into());
    let table = kernel_schema(&Schema::new(fields)).map_err(invalid)?;

    let mut configuration = settings.configuration();
    let statistics: Vec<&str> = STATISTICS_COLUMNS
        .iter()
        .copied()
        .filter(|name| schema.field_with_name(name).is_ok())
        .collect();
    configuration.insert("delta.dataSkippingStatsColumns".to_owned(), statistics.join(","));
    let schema = serde_json::to_string(&table).map_err(|err| invalid(err.to_string()))?;
    // The library makes this action only with an id and a time of its own choice; from its JSON it
    // takes ours.
    serde_json::from_value(json!({
        "id": id.to_string(),
        "name": settings.name,
        "description": null,
        "format": {"provider": "parquet", "options": {}},
        "schemaString": schema,
        "partitionColumns": [PARTITION_COLUMN],
        "configuration": configuration,
        "createdTime": settings.created_at.timestamp_millis(),
    }))
    .map_err(|err| invalid(err.to_string()))
}

/// `metadata` with `settings` in place of its own, and everything else as it is.
pub(crate) fn with_settings(metadata: &Metadata, settings: &StoreSettings) -> Result<Metadata> {
    let mut configuration = metadata.configuration().clone();
    configuration.retain(|key, _| !is_setting(key));
    configuration.extend(settings.properties());
    let changed = serde_json::to_value(metadata).and_then(|mut text| {
        text["configuration"] = serde_json::to_value(configuration)?;
        text["name"] = settings.name.as_str().into();
        serde_json::from_value(text)
    });
    changed.map_err(|err| Error::UnsupportedTable {
        store: metadata.id().to_owned(),
        reason: err.to_string(),
    })
}

/// The oldest protocol there is: what a store holds needs no newer one, and every reader has it.
pub(crate) fn protocol() -> Result<Protocol, serde_json::Error> {
    serde_json::from_value(json!({"minReaderVersion": 1, "minWriterVersion": 2}))
}

/// An Arrow schema as Delta's.
pub(crate) fn kernel_schema(schema: &Schema) -> Result<StructType, String> {
    let converted: Result<StructType, _> = schema.try_into_kernel();
    converted.map_err(|err| err.to_string())
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn names_are_those_of_the_lake() {
        for name in ["abc", "my-event-data-store", "A.b_C-9", "...", &"x".repeat(128)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "ab",
            &"x".repeat(129),
            "a/b",
            "a b c",
            "käse",
            "a\0b",
            "../x",
            "EXAMPLE1-1111-2222-3333-44444444444:",
            "01234567-89ab-cdef-0123-456789abcdef",
            "0123456789abcdef0123456789abcdef",
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
