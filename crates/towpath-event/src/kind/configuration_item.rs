//! The table of configuration items of AWS Config.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-lake-schema.html>

use super::forms::{FormSpec, PLAIN};
use super::{
    AWS_REGION, CALENDAR_DAY, EVENT_CATEGORY, EVENT_ID, EVENT_JSON, EVENT_JSON_CHECKSUM,
    EVENT_TIME, EVENT_TYPE, EVENT_VERSION, RECIPIENT_ACCOUNT_ID,
};
use crate::schema::{Field, Shape, TableColumn, column, field};

pub(super) static TABLE: &[TableColumn] = &[
    EVENT_VERSION,
    EVENT_CATEGORY,
    EVENT_TYPE,
    EVENT_ID,
    EVENT_TIME,
    AWS_REGION,
    RECIPIENT_ACCOUNT_ID,
    column("addendum", Shape::MapOfVarchar, "Why an event was delayed or delivered again."),
    column("eventData", Shape::Row(EVENT_DATA), "The configuration item."),
    EVENT_JSON,
    EVENT_JSON_CHECKSUM,
    CALENDAR_DAY,
];

static EVENT_DATA: &[Field] = &[
    field("configurationItemVersion", Shape::Varchar, "Version of the item's format."),
    field("configurationItemCaptureTime", Shape::Varchar, "When the item was recorded."),
    field("configurationItemStatus", Shape::Varchar, "`OK`, `ResourceDeleted` and so on."),
    field("configurationItemStateId", Shape::Varchar, "Orders the items of a resource."),
    field("accountId", Shape::Varchar, "The account that owns the resource."),
    field("resourceType", Shape::Varchar, "The type of the resource."),
    field("resourceId", Shape::Varchar, "The id of the resource."),
    field("resourceName", Shape::Varchar, "The name of the resource."),
    field("arn", Shape::Varchar, "The ARN of the resource."),
    field("awsRegion", Shape::Varchar, "The Region of the resource."),
    field("availabilityZone", Shape::Varchar, "The zone of the resource."),
    field("resourceCreationTime", Shape::Varchar, "When the resource was created."),
    field("configuration", Shape::MapOfVarchar, "The configuration of the resource."),
    field("supplementaryConfiguration", Shape::MapOfVarchar, "What belongs to it besides."),
    field("relatedEvents", Shape::Varchar, "CloudTrail events that led to it."),
    field(
        "relationships",
        Shape::Row(RELATIONSHIPS),
        "The first related resource; all of them are in eventJson.",
    ),
    field("tags", Shape::MapOfVarchar, "The tags of the resource."),
];

static RELATIONSHIPS: &[Field] = &[
    field("name", Shape::Varchar, "What it is to the resource."),
    field("resourceType", Shape::Varchar, "The type of the related resource."),
    field("resourceId", Shape::Varchar, "The id of the related resource."),
    field("resourceName", Shape::Varchar, "The name of the related resource."),
];

/// AWS Config's own spelling of what stores have under another name.
const IN_EVENT_DATA: &[(&str, &str)] = &[
    ("eventData.awsAccountId", "eventData_accountId"),
    ("eventData.configurationStateId", "eventData_configurationItemStateId"),
];

/// An item as AWS Config delivers it, in a snapshot or a history: it is not in an event, and is
/// placed by the time at which it was recorded.
static DELIVERED: FormSpec = FormSpec {
    mark: Some("configurationItemCaptureTime"),
    whole: Some("eventData"),
    aliases: &[
        ("configurationItemCaptureTime", "eventTime"),
        ("awsAccountId", "recipientAccountId"),
        ("awsAccountId", "eventData_accountId"),
        ("configurationStateId", "eventData_configurationItemStateId"),
    ],
    time: "configurationItemCaptureTime",
    ..PLAIN
};

pub(super) static FORMS: &[FormSpec] = &[
    DELIVERED,
    FormSpec { aliases: IN_EVENT_DATA, lists: &["Records", "configurationItems"], ..PLAIN },
];
