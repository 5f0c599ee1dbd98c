//! The table of evidence of AWS Audit Manager.
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
    column("eventData", Shape::Row(EVENT_DATA), "The evidence."),
    EVENT_JSON,
    EVENT_JSON_CHECKSUM,
    CALENDAR_DAY,
];

static EVENT_DATA: &[Field] = &[
    field("attributes", Shape::MapOfVarchar, "What the evidence consists of."),
    field("awsAccountId", Shape::Varchar, "The account it is from."),
    field("awsOrganization", Shape::Varchar, "The organisation of that account."),
    field("complianceCheck", Shape::Varchar, "What the check of the resource came to."),
    field("dataSource", Shape::Varchar, "Where it was collected."),
    field("eventName", Shape::Varchar, "The name of the event it is of."),
    field("eventSource", Shape::Varchar, "The service of the event it is of."),
    field("evidenceAwsAccountId", Shape::Varchar, "The account that collected it."),
    field("evidenceByType", Shape::Varchar, "The kind of evidence."),
    field("iamId", Shape::Varchar, "The identity it is about."),
    field("evidenceId", Shape::Varchar, "The id of the evidence."),
    field("time", Shape::Timestamp, "When it was collected."),
    field("assessmentId", Shape::Varchar, "The assessment."),
    field("controlSetId", Shape::Varchar, "The set of controls."),
    field("controlId", Shape::Varchar, "The control."),
    field("controlName", Shape::Varchar, "The name of the control."),
    field("controlDomainName", Shape::Varchar, "The domain of the control."),
    field("frameworkName", Shape::Varchar, "The name of the framework."),
    field("frameworkId", Shape::Varchar, "The framework."),
    field("service", Shape::Varchar, "The service it is about."),
    field("serviceCategory", Shape::Varchar, "The category of the service."),
    field("resourceArn", Shape::Varchar, "The resource."),
    field("resourceType", Shape::Varchar, "The type of the resource."),
    field("evidenceFolderId", Shape::Varchar, "The folder of the evidence."),
    field("description", Shape::Varchar, "What the control is about."),
    field("manualEvidenceS3ResourcePath", Shape::Varchar, "Where evidence given by hand is."),
    field("evidenceFolderName", Shape::Varchar, "The name of the folder."),
    field("resourceComplianceCheck", Shape::Varchar, "What the check of the resource came to."),
];

pub(super) static FORMS: &[FormSpec] = &[PLAIN];
