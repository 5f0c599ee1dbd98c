//! The category of events older than the field `eventCategory`.

use crate::column::Column;
use crate::schema::leaf_index;

const INSIGHT_DETAILS: usize = leaf_index("insightDetails");
const MANAGEMENT_EVENT: usize = leaf_index("managementEvent");
const RESOURCES: usize = leaf_index("resources");

/// Resource types that only data events name.
///
/// Needed where an event has no `managementEvent` either: before event version 1.06. The only data
/// events of that time are those of S3 objects.
const DATA_RESOURCE_TYPES: &[&[u8]] = &[b"AWS::S3::Object"];

/// The category of the event in `row`, told from its other columns: `Insight` if it has
/// `insightDetails`; `Data` if it says that it is no management event, or says nothing and touched
/// a data resource; else `Management`.
pub(crate) fn derived_category(columns: &[Column], row: usize) -> &'static [u8] {
    if matches!(&columns[INSIGHT_DETAILS], Column::Map(details) if details.is_valid(row)) {
        return b"Insight";
    }
    let said = match &columns[MANAGEMENT_EVENT] {
        Column::Boolean(management) => management.get(row),
        _ => None,
    };
    let is_management = said.unwrap_or_else(|| !touched_data_resource(&columns[RESOURCES], row));
    if is_management { b"Management" } else { b"Data" }
}

fn touched_data_resource(resources: &Column, row: usize) -> bool {
    match resources {
        Column::Resources(resources) => {
            resources.types(row).any(|name| DATA_RESOURCE_TYPES.contains(&name))
        }
        _ => false,
    }
}
