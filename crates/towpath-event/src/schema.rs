//! The table of CloudTrail events: its columns, their types, and how data files lay them out.
//!
//! [`TABLE`] is the only place where a column is defined. It lists the columns of CloudTrail Lake's
//! own table, in the documented order and in CloudTrail's spelling, and after them the fields that
//! AWS has added to events since and that the Lake's table lacks.
//!
//! A reader is presented with `TABLE`: rows nest (`userIdentity.sessionContext.attributes`). Data
//! files hold the same values **flat**, one column per leaf, named by the leaf's path joined with
//! `_` (`userIdentity_sessionContext_attributes_creationDate`), because predicates on flat columns
//! prune Parquet pages and row groups, and predicates on leaves of a struct do not. The event's text
//! is stored as [`EVENT_TEXT_PARTS`], a [`Shape::Derived`] column not at all. [`leaves`] and [`data_file_schema`] are computed
//! from `TABLE`.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field as ArrowField, Fields, Schema, SchemaRef, TimeUnit};

/// One column of the table that a user queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// The column's name in CloudTrail's spelling, which is also the event's JSON key: `eventTime`.
    pub name: &'static str,
    /// What the column holds.
    pub shape: Shape,
    /// One sentence for the user.
    pub doc: &'static str,
}

/// One field of a [`Shape::Row`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The field's name in CloudTrail's spelling: `accessKeyId`.
    pub name: &'static str,
    /// What the field holds.
    pub shape: Shape,
    /// One sentence for the user.
    pub doc: &'static str,
}

/// What a column or a field of a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// `varchar`. A number or boolean in the event is kept as its exact text, an object or array
    /// as its JSON text.
    Varchar,
    /// `boolean`. The strings `"true"` and `"false"` count too.
    Boolean,
    /// `timestamp`: microseconds since 1970-01-01T00:00:00Z.
    Timestamp,
    /// `map(varchar, varchar)`. Scalars are plain text, nested values their exact JSON text.
    MapOfVarchar,
    /// `array(row(accountId, type, arn, arnPrefix))`, all varchar.
    Resources,
    /// `double`. A string that is a number counts too.
    Double,
    /// `integer`. A string that is a number counts too.
    Integer,
    /// `array(row(...))`. Stored as it is. A single row in its place counts as an array of one.
    Array(&'static [Field]),
    /// `varchar`: the event's exact text. Data files hold [`EVENT_TEXT_PARTS`] of it, from which and
    /// the other columns [`event_texts`](crate::event_texts) puts it together.
    EventText,
    /// Computed when read, never stored.
    Derived(Derived),
    /// `row(...)`. Data files hold its leaves, not the row itself.
    Row(&'static [Field]),
}

/// How a column that is not stored is computed from those that are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Derived {
    /// `varchar`: the lower-case hexadecimal SHA-256 of the event's text, `eventJson`.
    EventJsonChecksum,
    /// `bigint`: the UTC day of the column `eventTime` as the number YYYYMMDD.
    CalendarDay,
}

pub(crate) const fn column(name: &'static str, shape: Shape, doc: &'static str) -> TableColumn {
    TableColumn { name, shape, doc }
}

pub(crate) const fn field(name: &'static str, shape: Shape, doc: &'static str) -> Field {
    Field { name, shape, doc }
}

/// The columns of the table, in order: CloudTrail Lake's 34, then what is newer.
///
/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-lake-schema.html>.
/// Newer fields stand at the end of their row and newer columns at the end of the table, so that
/// a client that counts columns of the documented table still finds them where it expects them.
pub static TABLE: &[TableColumn] = &[
    column("eventVersion", Shape::Varchar, "Version of the event format, `major.minor`."),
    column("userIdentity", Shape::Row(USER_IDENTITY), "Who made the request."),
    column("eventTime", Shape::Timestamp, "When the request completed."),
    column("eventSource", Shape::Varchar, "The service the request was made to."),
    column("eventName", Shape::Varchar, "The requested action."),
    column("awsRegion", Shape::Varchar, "The Region the request was made to."),
    column("sourceIPAddress", Shape::Varchar, "Where the request came from: address or service."),
    column("userAgent", Shape::Varchar, "The program that made the request."),
    column("errorCode", Shape::Varchar, "The service's error, if the request failed."),
    column("errorMessage", Shape::Varchar, "The text of the error."),
    column("requestParameters", Shape::MapOfVarchar, "What was sent with the request."),
    column("responseElements", Shape::MapOfVarchar, "What a changing action answered."),
    column("additionalEventData", Shape::MapOfVarchar, "What is not part of request or answer."),
    column("requestID", Shape::Varchar, "The service's id of the request."),
    column("eventID", Shape::Varchar, "CloudTrail's id of the event."),
    column("readOnly", Shape::Boolean, "Whether the action changes nothing."),
    column("resources", Shape::Resources, "The resources the event touched."),
    column("eventType", Shape::Varchar, "What kind of thing caused the event."),
    column("apiVersion", Shape::Varchar, "Version of the service's API."),
    column("managementEvent", Shape::Boolean, "Whether the event is a management event."),
    column("recipientAccountId", Shape::Varchar, "The account that received the event."),
    column("sharedEventID", Shape::Varchar, "Common id of events of one action in many accounts."),
    column("annotation", Shape::Varchar, "What CloudTrail has to say about the event."),
    column("vpcEndpointId", Shape::Varchar, "The VPC endpoint the request passed."),
    column("vpcEndpointAccountId", Shape::Varchar, "The account that owns the VPC endpoint."),
    column("serviceEventDetails", Shape::MapOfVarchar, "Details of an event a service caused."),
    column("addendum", Shape::MapOfVarchar, "Why an event was delayed or delivered again."),
    column("edgeDeviceDetails", Shape::MapOfVarchar, "The edge device the request was made to."),
    column("insightDetails", Shape::MapOfVarchar, "The unusual activity an Insights event tells."),
    column("eventCategory", Shape::Varchar, "Management, Data, Insight and so on."),
    column("tlsDetails", Shape::Row(TLS_DETAILS), "The TLS connection of the request."),
    column("sessionCredentialFromConsole", Shape::Varchar, "`true` if a console session made it."),
    column("eventJson", Shape::EventText, "The event's exact JSON text."),
    column(
        "eventJsonChecksum",
        Shape::Derived(Derived::EventJsonChecksum),
        "SHA-256 of eventJson, in lower-case hexadecimal.",
    ),
    column("eventContext", Shape::Row(EVENT_CONTEXT), "What the store was told to enrich with."),
    column("calendarday", Shape::Derived(Derived::CalendarDay), "Day of eventTime, YYYYMMDD, UTC."),
];

static USER_IDENTITY: &[Field] = &[
    field("type", Shape::Varchar, "Kind of identity: IAMUser, AssumedRole, AWSService ..."),
    field("principalId", Shape::Varchar, "Unique id of the identity."),
    field("arn", Shape::Varchar, "ARN of the identity."),
    field("accountId", Shape::Varchar, "The account that owns the identity."),
    field("accessKeyId", Shape::Varchar, "The access key that signed the request."),
    field("userName", Shape::Varchar, "The identity's friendly name."),
    field("sessionContext", Shape::Row(SESSION_CONTEXT), "The session of temporary credentials."),
    field("onBehalfOf", Shape::Row(ON_BEHALF_OF), "The Identity Center user served."),
    field("inScopeOf", Shape::Row(IN_SCOPE_OF), "What the credentials were issued for."),
    field("invokedBy", Shape::Varchar, "The AWS service that made the request."),
    field("identityProvider", Shape::Varchar, "The external identity provider."),
    field("credentialId", Shape::Varchar, "Id of an Identity Center bearer token."),
    field("invokedByDelegate", Shape::Row(INVOKED_BY_DELEGATE), "The delegated product provider."),
];

static SESSION_CONTEXT: &[Field] = &[
    field("attributes", Shape::Row(SESSION_ATTRIBUTES), "Attributes of the session."),
    field("sessionIssuer", Shape::Row(SESSION_ISSUER), "Who issued the session's credentials."),
    field("webIdFederationData", Shape::Row(WEB_ID_FEDERATION), "Web identity federation."),
    field("sourceIdentity", Shape::Varchar, "The original identity behind a chain of roles."),
    field("ec2RoleDelivery", Shape::Varchar, "Version of the instance metadata service."),
    field("ec2IssuedInVpc", Shape::Varchar, "VPC in which the instance got its credentials."),
    field("assumedRoot", Shape::Varchar, "`true` for a session of sts:AssumeRoot."),
];

static SESSION_ATTRIBUTES: &[Field] = &[
    field("creationDate", Shape::Timestamp, "When the credentials were issued."),
    field("mfaAuthenticated", Shape::Varchar, "`true` if a second factor was used."),
];

static SESSION_ISSUER: &[Field] = &[
    field("type", Shape::Varchar, "Kind of issuer: Root, IAMUser, Role."),
    field("principalId", Shape::Varchar, "Unique id of the issuer."),
    field("arn", Shape::Varchar, "ARN of the issuer."),
    field("accountId", Shape::Varchar, "The account that owns the issuer."),
    field("userName", Shape::Varchar, "The issuer's friendly name: the role's name."),
];

static WEB_ID_FEDERATION: &[Field] = &[
    field("federatedProvider", Shape::Varchar, "The identity provider."),
    field("attributes", Shape::MapOfVarchar, "What the provider told of the user."),
];

static ON_BEHALF_OF: &[Field] = &[
    field("userId", Shape::Varchar, "Id of the Identity Center user."),
    field("identityStoreArn", Shape::Varchar, "ARN of the identity store."),
];

static IN_SCOPE_OF: &[Field] = &[
    field("sourceArn", Shape::Varchar, "ARN of the resource."),
    field("sourceAccount", Shape::Varchar, "Account that owns the resource."),
    field("issuerType", Shape::Varchar, "Kind of the resource."),
    field("credentialsIssuedTo", Shape::Varchar, "Resource that got the credentials."),
];

static INVOKED_BY_DELEGATE: &[Field] =
    &[field("accountId", Shape::Varchar, "Account of the product provider.")];

static TLS_DETAILS: &[Field] = &[
    field("tlsVersion", Shape::Varchar, "TLS version."),
    field("cipherSuite", Shape::Varchar, "Cipher suite."),
    field("clientProvidedHostHeader", Shape::Varchar, "Host name the client asked for."),
    field("keyExchange", Shape::Varchar, "Key exchange."),
];

static EVENT_CONTEXT: &[Field] = &[
    field("requestContext", Shape::MapOfVarchar, "Condition keys of the request."),
    field("tagContext", Shape::MapOfVarchar, "Tags of principal and resources."),
];

/// What data files hold of a [`Shape::EventText`], both varchar: the text with a mark in place of
/// each value that another column holds, and the values that none holds. See
/// [`event_texts`](crate::event_texts) for the marks.
pub const EVENT_TEXT_PARTS: [&str; 2] = ["template", "rest"];

/// The fields of one element of [`Shape::Resources`], in order.
pub(crate) const RESOURCE_FIELDS: [&str; 4] = ["accountId", "type", "arn", "arnPrefix"];

/// One physical column of a data file: a leaf of [`TABLE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Name of the physical column: the path joined by `_`.
    pub column: String,
    /// Names from the table's column down to the leaf, in CloudTrail's spelling.
    pub path: Vec<&'static str>,
    /// What the leaf holds; never [`Shape::Row`], [`Shape::EventText`] or [`Shape::Derived`].
    pub shape: Shape,
    /// One sentence for the user.
    pub doc: &'static str,
    /// Arrow type of the physical column.
    pub data_type: DataType,
}

impl Leaf {
    /// Whether events have few different texts in it, so that a batch holds each of them once, in a
    /// dictionary with keys of type `Int32`.
    pub fn is_repeated(&self) -> bool {
        self.column == "eventJson_template"
    }

    /// The Arrow type of the column in an [`EventBatch`](crate::EventBatch).
    pub fn batch_type(&self) -> DataType {
        if self.is_repeated() {
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(self.data_type.clone()))
        } else {
            self.data_type.clone()
        }
    }
}

/// The physical columns of a data file, in order.
pub fn leaves() -> impl ExactSizeIterator<Item = &'static Leaf> + Clone {
    LEAVES.iter()
}

/// As [`leaves`].
pub(crate) fn leaves_slice() -> &'static [Leaf] {
    &LEAVES
}

/// The leaves of any table.
pub(crate) fn leaves_of(table: &[TableColumn]) -> Vec<Leaf> {
    let mut found = Vec::new();
    for column in table {
        collect_leaves(&[column.name], column.shape, column.doc, &mut found);
    }
    found
}

/// The Arrow schema of a data file: one nullable field per leaf of [`TABLE`], in order.
///
/// A timestamp is `Timestamp(Microsecond, "UTC")`. The entries of a map are named `key_value`,
/// `key` and `value`, and the elements of an array `element`, as Delta and Parquet have them.
pub fn data_file_schema() -> SchemaRef {
    Arc::clone(&DATA_FILE_SCHEMA)
}

static LEAVES: LazyLock<Vec<Leaf>> = LazyLock::new(|| leaves_of(TABLE));

/// The Arrow schema of a batch: as [`data_file_schema`], but for [`Leaf::batch_type`].
pub(crate) fn batch_schema() -> SchemaRef {
    Arc::clone(&BATCH_SCHEMA)
}

static BATCH_SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let fields: Fields =
        leaves().map(|leaf| ArrowField::new(&leaf.column, leaf.batch_type(), true)).collect();
    Arc::new(Schema::new(fields))
});

static DATA_FILE_SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let fields: Fields =
        leaves().map(|leaf| ArrowField::new(&leaf.column, leaf.data_type.clone(), true)).collect();
    Arc::new(Schema::new(fields))
});

/// Appends the leaves of one column or field. Recursion is as deep as `TABLE` nests.
fn collect_leaves(path: &[&'static str], shape: Shape, doc: &'static str, found: &mut Vec<Leaf>) {
    match shape {
        Shape::Row(fields) => {
            for field in fields {
                let path = [path, &[field.name]].concat();
                collect_leaves(&path, field.shape, field.doc, found);
            }
        }
        Shape::EventText => {
            for part in EVENT_TEXT_PARTS {
                collect_leaves(&[path, &[part]].concat(), Shape::Varchar, doc, found);
            }
        }
        _ => {
            if let Some(data_type) = shape.data_type() {
                let path = path.to_vec();
                found.push(Leaf { column: path.join("_"), path, shape, doc, data_type });
            }
        }
    }
}

impl Shape {
    /// Arrow type of the physical column that holds this shape, or `None` if there is no such
    /// column: for rows and the event's text, whose parts are stored, and for what is derived.
    pub fn data_type(self) -> Option<DataType> {
        match self {
            Shape::Varchar => Some(DataType::Utf8),
            Shape::Boolean => Some(DataType::Boolean),
            Shape::Timestamp => Some(timestamp_type()),
            Shape::MapOfVarchar => Some(DataType::Map(map_entries_field(), false)),
            Shape::Resources => Some(DataType::List(resource_field())),
            Shape::Double => Some(DataType::Float64),
            Shape::Integer => Some(DataType::Int32),
            Shape::Array(fields) => Some(DataType::List(array_element_field(fields))),
            Shape::EventText | Shape::Derived(_) | Shape::Row(_) => None,
        }
    }
}

/// The type of every timestamp: microseconds in UTC.
pub(crate) fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")))
}

/// The entries of a map: key and value.
pub(crate) fn map_entries_field() -> Arc<ArrowField> {
    let entries = DataType::Struct(map_entry_fields());
    Arc::new(ArrowField::new("key_value", entries, false))
}

/// Key and value of a map.
pub(crate) fn map_entry_fields() -> Fields {
    Fields::from(vec![
        ArrowField::new("key", DataType::Utf8, false),
        ArrowField::new("value", DataType::Utf8, true),
    ])
}

/// One element of a [`Shape::Array`].
pub(crate) fn array_element_field(fields: &[Field]) -> Arc<ArrowField> {
    let typed = |field: &Field| Some(ArrowField::new(field.name, field.shape.data_type()?, true));
    let fields: Fields = fields.iter().filter_map(typed).collect();
    Arc::new(ArrowField::new("element", DataType::Struct(fields), true))
}

/// One element of the resources.
pub(crate) fn resource_field() -> Arc<ArrowField> {
    Arc::new(ArrowField::new("element", DataType::Struct(resource_fields()), true))
}

/// The fields of one element of the resources.
pub(crate) fn resource_fields() -> Fields {
    RESOURCE_FIELDS.map(|name| ArrowField::new(name, DataType::Utf8, true)).to_vec().into()
}

/// Number of leaves of `shape`. Recursion is as deep as `TABLE` nests, and ends at compile time.
const fn leaf_count(shape: Shape) -> usize {
    match shape {
        Shape::Derived(_) => 0,
        Shape::EventText => EVENT_TEXT_PARTS.len(),
        Shape::Row(fields) => {
            let mut count = 0;
            let mut i = 0;
            while i < fields.len() {
                count += leaf_count(fields[i].shape);
                i += 1;
            }
            count
        }
        _ => 1,
    }
}

/// Number of leaves before the table's column `end`.
const fn leaves_before(end: usize) -> usize {
    let mut count = 0;
    let mut i = 0;
    while i < end {
        count += leaf_count(TABLE[i].shape);
        i += 1;
    }
    count
}

/// Number of physical columns.
pub(crate) const LEAF_COUNT: usize = leaves_before(TABLE.len());

/// Position among the physical columns of the table's column `name`, which must not be a row. Of
/// the event's text it is the position of its first part.
/// A name that the table lacks does not compile.
pub(crate) const fn leaf_index(name: &str) -> usize {
    let mut i = 0;
    while i < TABLE.len() {
        if same_text(TABLE[i].name, name) {
            assert!(!matches!(TABLE[i].shape, Shape::Row(_)), "a row has no column of its own");
            return leaves_before(i);
        }
        i += 1;
    }
    assert!(i < TABLE.len(), "the table has no such column");
    LEAF_COUNT
}

const fn same_text(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}
