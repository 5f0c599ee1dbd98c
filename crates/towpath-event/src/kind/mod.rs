//! The kinds of events that a store can keep. Each kind has a table of its own.
//!
//! Management, data and network activity events share the table of `crate::schema`. What other
//! services tell through CloudTrail has fewer columns and comes in other files: see [`forms`] for
//! what is read.

mod activity_audit_log;
mod configuration_item;
mod evidence;
mod insight;

mod columns;
mod decode;
mod forms;
mod keys;

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{Field as ArrowField, Fields, Schema, SchemaRef};

use crate::batch::{EventBatch, EventBatchBuilder, LogFileSummary};
use crate::error::DecodeError;
use crate::schema::{self, Derived, Leaf, Shape, TABLE, TableColumn, column};
use decode::OtherBuilder;
use forms::Form;

/// A kind of events: a store keeps one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EventKind {
    /// Management, data and network activity events.
    #[default]
    CloudTrail,
    /// Unusual activity that CloudTrail Insights found.
    Insight,
    /// Configuration items of AWS Config.
    ConfigurationItem,
    /// Evidence that AWS Audit Manager collected.
    Evidence,
    /// Events from outside of AWS, given to CloudTrail through a channel.
    ActivityAuditLog,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [EventKind; 5] = [
        EventKind::CloudTrail,
        EventKind::Insight,
        EventKind::ConfigurationItem,
        EventKind::Evidence,
        EventKind::ActivityAuditLog,
    ];

    /// The kind of events of a category, or with a [name](EventKind::name).
    pub fn of_category(category: &str) -> Option<EventKind> {
        match category {
            "Management" | "Data" | "NetworkActivity" => Some(EventKind::CloudTrail),
            _ => EventKind::ALL.into_iter().find(|kind| kind.name() == category),
        }
    }

    /// Its name: the `eventCategory` of its events, or `CloudTrail` for those that have several.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::CloudTrail => "CloudTrail",
            EventKind::Insight => "Insight",
            EventKind::ConfigurationItem => "ConfigurationItem",
            EventKind::Evidence => "Evidence",
            EventKind::ActivityAuditLog => "ActivityAuditLog",
        }
    }

    /// The `eventType` of its events, if they all have one.
    fn event_type(self) -> Option<&'static str> {
        match self {
            EventKind::CloudTrail => None,
            EventKind::Insight => Some("AwsCloudTrailInsight"),
            EventKind::ConfigurationItem => Some("AwsConfigurationItem"),
            EventKind::Evidence => Some("AwsAuditManagerEvidence"),
            EventKind::ActivityAuditLog => Some("ActivityLog"),
        }
    }

    /// The table of its events, as a user queries it.
    pub fn table(self) -> &'static [TableColumn] {
        match self.other() {
            None => TABLE,
            Some(other) => other.table,
        }
    }

    /// The physical columns of its data files, in order.
    pub fn leaves(self) -> &'static [Leaf] {
        match self.other() {
            None => schema::leaves_slice(),
            Some(other) => &other.leaves,
        }
    }

    /// The Arrow schema of its data files: one nullable field per leaf, in order.
    pub fn data_file_schema(self) -> SchemaRef {
        match self.other() {
            None => schema::data_file_schema(),
            Some(other) => Arc::clone(&other.schema),
        }
    }

    /// The keys under which a log file of its events lists them.
    pub fn lists(self) -> &'static [&'static str] {
        let last = self.other().and_then(|other| other.forms.last());
        last.map_or(forms::PLAIN.lists, |form| form.lists)
    }

    fn other(self) -> Option<&'static Other> {
        match self {
            EventKind::CloudTrail => None,
            EventKind::Insight => Some(&INSIGHT),
            EventKind::ConfigurationItem => Some(&CONFIGURATION_ITEM),
            EventKind::Evidence => Some(&EVIDENCE),
            EventKind::ActivityAuditLog => Some(&ACTIVITY_AUDIT_LOG),
        }
    }
}

/// A kind whose table is not CloudTrail's own.
#[derive(Debug)]
struct Other {
    kind: EventKind,
    table: &'static [TableColumn],
    /// How its events stand in files. The first whose mark an event has; the last has none.
    forms: Vec<Form>,
    leaves: Vec<Leaf>,
    schema: SchemaRef,
}

impl Other {
    fn new(kind: EventKind, table: &'static [TableColumn], forms: &[forms::FormSpec]) -> Other {
        let leaves = schema::leaves_of(table);
        let fields: Fields = leaves
            .iter()
            .map(|leaf| ArrowField::new(&leaf.column, leaf.data_type.clone(), true))
            .collect();
        let forms = forms.iter().map(|spec| Form::new(spec, table, &leaves)).collect();
        Other { kind, table, forms, leaves, schema: Arc::new(Schema::new(fields)) }
    }
}

static INSIGHT: LazyLock<Other> =
    LazyLock::new(|| Other::new(EventKind::Insight, insight::TABLE, insight::FORMS));
static CONFIGURATION_ITEM: LazyLock<Other> = LazyLock::new(|| {
    use configuration_item::{FORMS, TABLE};
    Other::new(EventKind::ConfigurationItem, TABLE, FORMS)
});
static EVIDENCE: LazyLock<Other> =
    LazyLock::new(|| Other::new(EventKind::Evidence, evidence::TABLE, evidence::FORMS));
static ACTIVITY_AUDIT_LOG: LazyLock<Other> = LazyLock::new(|| {
    use activity_audit_log::{FORMS, TABLE};
    Other::new(EventKind::ActivityAuditLog, TABLE, FORMS)
});

const EVENT_VERSION: TableColumn =
    column("eventVersion", Shape::Varchar, "Version of the event format.");
const EVENT_CATEGORY: TableColumn =
    column("eventCategory", Shape::Varchar, "The category of the event.");
const EVENT_TYPE: TableColumn = column("eventType", Shape::Varchar, "The type of the event.");
const EVENT_ID: TableColumn = column("eventID", Shape::Varchar, "CloudTrail's id of the event.");
const EVENT_TIME: TableColumn = column("eventTime", Shape::Timestamp, "When it happened.");
const AWS_REGION: TableColumn = column("awsRegion", Shape::Varchar, "The Region it is about.");
const RECIPIENT_ACCOUNT_ID: TableColumn =
    column("recipientAccountId", Shape::Varchar, "The account that received the event.");
const EVENT_JSON: TableColumn = column("eventJson", Shape::Varchar, "The event's exact JSON text.");
const EVENT_JSON_CHECKSUM: TableColumn = column(
    "eventJsonChecksum",
    Shape::Derived(Derived::EventJsonChecksum),
    "SHA-256 of eventJson, in lower-case hexadecimal.",
);
const CALENDAR_DAY: TableColumn =
    column("calendarday", Shape::Derived(Derived::CalendarDay), "Day of eventTime, YYYYMMDD, UTC.");

/// Decodes log files of one kind of events into batches.
///
/// For CloudTrail's own events it is an [`EventBatchBuilder`]. Of the other kinds, a file may be
/// `{"Records":[...]}`, an array of events, or events one after another, as in NDJSON; and what the
/// services themselves deliver: Insights events of trails, snapshots and histories of AWS Config,
/// and the events that are given to a channel.
#[derive(Debug)]
pub struct KindDecoder {
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    CloudTrail(Box<EventBatchBuilder>),
    Other(Box<OtherBuilder>),
}

impl KindDecoder {
    /// Starts an empty batch of `kind`.
    pub fn new(kind: EventKind) -> KindDecoder {
        let inner = match kind.other() {
            None => Inner::CloudTrail(Box::default()),
            Some(other) => Inner::Other(Box::new(OtherBuilder::new(other))),
        };
        KindDecoder { inner }
    }

    /// Number of events in the batch so far.
    pub fn events(&self) -> usize {
        match &self.inner {
            Inner::CloudTrail(builder) => builder.events(),
            Inner::Other(builder) => builder.events(),
        }
    }

    /// Bytes of JSON text of the events in the batch so far.
    pub fn text_bytes(&self) -> usize {
        match &self.inner {
            Inner::CloudTrail(builder) => builder.text_bytes(),
            Inner::Other(builder) => builder.text_bytes(),
        }
    }

    /// Decodes the text of one log file and adds its events to the batch: all of them, or on an
    /// error none.
    ///
    /// What [`EventBatchBuilder::append_log_file`] says of shapes holds for every kind, but that in
    /// the other kinds keys match without regard to case, and that where a row is expected and an
    /// array stands, its first element counts.
    ///
    /// # Errors
    ///
    /// As [`EventBatchBuilder::append_log_file`].
    pub fn append_log_file(&mut self, text: &[u8]) -> Result<LogFileSummary, DecodeError> {
        match &mut self.inner {
            Inner::CloudTrail(builder) => builder.append_log_file(text),
            Inner::Other(builder) => builder.append_log_file(text),
        }
    }

    /// Returns the events appended so far. The decoder is empty afterwards and can be used again.
    pub fn finish(&mut self) -> EventBatch {
        match &mut self.inner {
            Inner::CloudTrail(builder) => builder.finish(),
            Inner::Other(builder) => builder.finish(),
        }
    }
}
