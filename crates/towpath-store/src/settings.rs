//! The settings of a store, as they stand in the metadata of its Delta table.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::{DateTime, SecondsFormat, Utc};
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::{Metadata, Protocol, StructType};
use serde_json::json;
use uuid::Uuid;

use crate::data_file::{STATISTICS_COLUMNS, is_event_time};
use crate::delta_log::CHECKPOINT_COMMITS;
use crate::error::{Error, Result};
use crate::layout::{EVENT_TIME_COLUMN, PARTITION_COLUMN};
use crate::time::Retention;

const RETENTION_DAYS: &str = "towpath.retentionDays";
const CREATED_AT: &str = "towpath.createdAt";

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
}

impl StoreSettings {
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
        let created_at = DateTime::parse_from_rfc3339(setting(CREATED_AT)?)
            .map_err(|_err| format!("its property `{CREATED_AT}` is not a time"))?;
        Ok(StoreSettings { name: name.to_owned(), retention, created_at: created_at.to_utc() })
    }

    fn configuration(&self) -> HashMap<String, String> {
        let created_at = self.created_at.to_rfc3339_opts(SecondsFormat::Millis, true);
        [
            (RETENTION_DAYS, self.retention.as_days().to_string()),
            (CREATED_AT, created_at),
            // By default a plain append deletes commits older than 30 days, and with them the
            // record of what was ingested. The second alone does not stop an explicit clean-up.
            ("delta.logRetentionDuration", "interval 3660 days".to_owned()),
            ("delta.enableExpiredLogCleanup", "false".to_owned()),
            ("delta.checkpointInterval", CHECKPOINT_COMMITS.to_string()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
    }
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

/// `metadata` with another retention and everything else as it is.
pub(crate) fn with_retention(metadata: &Metadata, retention: Retention) -> Result<Metadata> {
    let changed = serde_json::to_value(metadata).and_then(|mut text| {
        text["configuration"][RETENTION_DAYS] = retention.as_days().to_string().into();
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
