//! The table of Insights events.
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
    column("sharedEventID", Shape::Varchar, "Common id of the start and the end of an insight."),
    column("addendum", Shape::MapOfVarchar, "Why an event was delayed or delivered again."),
    column("insightSource", Shape::Varchar, "The event data store that was watched."),
    column("insightState", Shape::Varchar, "`Start` or `End`."),
    column("insightEventSource", Shape::Varchar, "The service with unusual activity."),
    column("insightEventName", Shape::Varchar, "The action with unusual activity."),
    column("insightErrorCode", Shape::Varchar, "The error with an unusual rate."),
    column("insightType", Shape::Varchar, "`ApiCallRateInsight` or `ApiErrorRateInsight`."),
    column("insightContext", Shape::Row(CONTEXT), "What was measured, and who was behind it."),
    EVENT_JSON,
    EVENT_JSON_CHECKSUM,
    CALENDAR_DAY,
];

static CONTEXT: &[Field] = &[
    field("baselineAverage", Shape::Double, "Calls or errors a minute before."),
    field("insightAverage", Shape::Double, "Calls or errors a minute meanwhile."),
    field("baselineDuration", Shape::Integer, "Minutes of the time before."),
    field("insightDuration", Shape::Integer, "Minutes of unusual activity."),
    field("attributions", Shape::Array(ATTRIBUTIONS), "Who and what was behind it."),
];

static ATTRIBUTIONS: &[Field] = &[
    field("attribute", Shape::Varchar, "`userIdentityArn`, `userAgent` or `errorCode`."),
    field("insightValue", Shape::Varchar, "The most frequent value meanwhile; no longer sent."),
    field("insightAverage", Shape::Double, "Its rate a minute; no longer sent."),
    field("baselineValue", Shape::Varchar, "The most frequent value before; no longer sent."),
    field("baselineAverage", Shape::Double, "Its rate a minute; no longer sent."),
    field("insight", Shape::Array(SHARES), "The most frequent values meanwhile."),
    field("baseline", Shape::Array(SHARES), "The most frequent values before."),
];

static SHARES: &[Field] = &[
    field("value", Shape::Varchar, "The value."),
    field("average", Shape::Double, "Its rate a minute."),
];

/// Trails deliver what stores have flat in an object `insightDetails`.
pub(super) static FORMS: &[FormSpec] = &[FormSpec {
    aliases: &[
        ("insightDetails.state", "insightState"),
        ("insightDetails.eventSource", "insightEventSource"),
        ("insightDetails.eventName", "insightEventName"),
        ("insightDetails.insightType", "insightType"),
        ("insightDetails.errorCode", "insightErrorCode"),
        (
            "insightDetails.insightContext.statistics.baseline.average",
            "insightContext_baselineAverage",
        ),
        (
            "insightDetails.insightContext.statistics.insight.average",
            "insightContext_insightAverage",
        ),
        (
            "insightDetails.insightContext.statistics.baselineDuration",
            "insightContext_baselineDuration",
        ),
        (
            "insightDetails.insightContext.statistics.insightDuration",
            "insightContext_insightDuration",
        ),
        ("insightDetails.insightContext.attributions", "insightContext_attributions"),
    ],
    ..PLAIN
}];
