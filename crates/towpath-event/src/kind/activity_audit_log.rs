//! The table of events from outside of AWS, as channels take them.
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
    column("addendum", Shape::Row(ADDENDUM), "Why an event was delayed or delivered again."),
    column("metadata", Shape::Row(METADATA), "How the event came in."),
    column("eventData", Shape::Row(EVENT_DATA), "The event as it was given."),
    EVENT_JSON,
    EVENT_JSON_CHECKSUM,
    CALENDAR_DAY,
];

static ADDENDUM: &[Field] = &[
    field("reason", Shape::Varchar, "The reason."),
    field("updatedFields", Shape::Varchar, "Which fields were updated."),
    field("originalUID", Shape::Varchar, "The `uid` of the event before."),
    field("originalEventID", Shape::Varchar, "The `eventID` of the event before."),
];

static METADATA: &[Field] = &[
    field("ingestionTime", Shape::Varchar, "When it came in."),
    field("channelArn", Shape::Varchar, "The channel it came through."),
];

static EVENT_DATA: &[Field] = &[
    field("version", Shape::Varchar, "Version of the event as it was given."),
    field("userIdentity", Shape::Row(USER_IDENTITY), "Who did it."),
    field("userAgent", Shape::Varchar, "The program that did it."),
    field("eventSource", Shape::Varchar, "Where it was done."),
    field("eventName", Shape::Varchar, "What was done."),
    field("eventTime", Shape::Varchar, "When, as it was given."),
    field("uid", Shape::Varchar, "The id that its source gave it."),
    field("requestParameters", Shape::MapOfVarchar, "What was asked for."),
    field("responseElements", Shape::MapOfVarchar, "What was answered."),
    field("errorCode", Shape::Varchar, "The error, if there was one."),
    field("errorMessage", Shape::Varchar, "The text of the error."),
    field("sourceIPAddress", Shape::Varchar, "Where the request came from."),
    field("recipientAccountId", Shape::Varchar, "The account it was given to."),
    field("additionalEventData", Shape::MapOfVarchar, "What else was given."),
];

static USER_IDENTITY: &[Field] = &[
    field("type", Shape::Varchar, "The kind of identity."),
    field("principalId", Shape::Varchar, "The id of the identity."),
    field("details", Shape::MapOfVarchar, "What else is known of it."),
];

/// An event as it is given to a channel, before CloudTrail puts it into one of its own.
static GIVEN: FormSpec = FormSpec { mark: Some("UID"), whole: Some("eventData"), ..PLAIN };

pub(super) static FORMS: &[FormSpec] = &[
    GIVEN,
    FormSpec {
        // As AWS's own documentation spells it.
        aliases: &[("eventData.errorMssage", "eventData_errorMessage")],
        ..PLAIN
    },
];
