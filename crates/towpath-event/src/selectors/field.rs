//! The fields that selectors can name, and what CloudTrail allows for each.

use crate::kind::EventKind;

/// What an event is compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    EventCategory,
    ReadOnly,
    EventSource,
    EventName,
    EventType,
    SessionCredentialFromConsole,
    UserIdentityArn,
    ResourcesType,
    ResourcesArn,
    ErrorCode,
    VpcEndpointId,
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operator {
    Equals,
    StartsWith,
    EndsWith,
    NotEquals,
    NotStartsWith,
    NotEndsWith,
}

/// Fields by their names in CloudTrail's API.
const FIELDS: [(&str, Field); 11] = [
    ("eventCategory", Field::EventCategory),
    ("readOnly", Field::ReadOnly),
    ("eventSource", Field::EventSource),
    ("eventName", Field::EventName),
    ("eventType", Field::EventType),
    ("sessionCredentialFromConsole", Field::SessionCredentialFromConsole),
    ("userIdentity.arn", Field::UserIdentityArn),
    ("resources.type", Field::ResourcesType),
    ("resources.ARN", Field::ResourcesArn),
    ("errorCode", Field::ErrorCode),
    ("vpcEndpointId", Field::VpcEndpointId),
];

/// Operators by their names in CloudTrail's API.
pub(super) const OPERATORS: [(&str, Operator); 6] = [
    ("Equals", Operator::Equals),
    ("StartsWith", Operator::StartsWith),
    ("EndsWith", Operator::EndsWith),
    ("NotEquals", Operator::NotEquals),
    ("NotStartsWith", Operator::NotStartsWith),
    ("NotEndsWith", Operator::NotEndsWith),
];

const ANY: &[Operator] = &[
    Operator::Equals,
    Operator::StartsWith,
    Operator::EndsWith,
    Operator::NotEquals,
    Operator::NotStartsWith,
    Operator::NotEndsWith,
];
const EQUALS: &[Operator] = &[Operator::Equals];
const EQUALS_OR_NOT: &[Operator] = &[Operator::Equals, Operator::NotEquals];

/// The categories of events that a selector can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Category {
    Management,
    Data,
    NetworkActivity,
    /// Everything whose store has a schema of its own: the category is its only field.
    Other(EventKind),
}

impl Category {
    pub(super) const NAMES: [&str; 7] = [
        "Management",
        "Data",
        "NetworkActivity",
        "Insight",
        "ConfigurationItem",
        "Evidence",
        "ActivityAuditLog",
    ];

    pub(super) fn of(name: &str) -> Option<Category> {
        match name {
            "Management" => Some(Category::Management),
            "Data" => Some(Category::Data),
            "NetworkActivity" => Some(Category::NetworkActivity),
            _ => EventKind::of_category(name)
                .filter(|kind| *kind != EventKind::CloudTrail)
                .map(Category::Other),
        }
    }

    pub(super) fn kind(self) -> EventKind {
        match self {
            Category::Management | Category::Data | Category::NetworkActivity => {
                EventKind::CloudTrail
            }
            Category::Other(kind) => kind,
        }
    }

    /// The fields that a selector of this category must name.
    pub(super) fn required(self) -> &'static [Field] {
        match self {
            Category::Data => &[Field::ResourcesType],
            Category::NetworkActivity => &[Field::EventSource],
            Category::Management | Category::Other(_) => &[],
        }
    }

    /// The operators that this category allows for `field`; none if it does not have the field.
    pub(super) fn operators(self, field: Field) -> &'static [Operator] {
        let (management, data, network) = match field {
            Field::EventCategory => return EQUALS,
            Field::ReadOnly => (EQUALS, EQUALS, &[][..]),
            Field::EventSource => (ANY, ANY, EQUALS),
            Field::EventName => (ANY, ANY, ANY),
            Field::EventType | Field::UserIdentityArn => (ANY, ANY, &[][..]),
            Field::SessionCredentialFromConsole => (EQUALS_OR_NOT, EQUALS_OR_NOT, &[][..]),
            Field::ResourcesType => (&[][..], EQUALS, &[][..]),
            Field::ResourcesArn => (&[][..], ANY, &[][..]),
            Field::ErrorCode => (&[][..], &[][..], EQUALS),
            Field::VpcEndpointId => (&[][..], &[][..], ANY),
        };
        match self {
            Category::Management => management,
            Category::Data => data,
            Category::NetworkActivity => network,
            Category::Other(_) => &[],
        }
    }

    /// The names of the fields that this category has.
    pub(super) fn fields(self) -> Vec<&'static str> {
        let has = |(_, field): &&(&str, Field)| !self.operators(*field).is_empty();
        FIELDS.iter().filter(has).map(|(name, _)| *name).collect()
    }

    /// Whether a selector of this category takes but one value for `field`.
    pub(super) fn is_single(self, field: Field) -> bool {
        match field {
            Field::EventCategory | Field::ReadOnly | Field::ResourcesType => true,
            Field::EventSource => self == Category::NetworkActivity,
            _ => false,
        }
    }
}

impl Field {
    pub(super) fn of(name: &str) -> Option<Field> {
        FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
    }

    pub(super) fn name(self) -> &'static str {
        FIELDS.iter().find(|(_, field)| *field == self).map_or("", |(name, _)| *name)
    }

    pub(super) fn names() -> Vec<&'static str> {
        FIELDS.iter().map(|(name, _)| *name).collect()
    }

    /// What is wrong with comparing the field to `value`, if something is.
    pub(super) fn refusal(self, operator: Operator, value: &str) -> Option<String> {
        let one_of = |known: &[&str]| {
            let is_known = known.contains(&value);
            (!is_known).then(|| format!("`{value}` is not {}", super::listed(known)))
        };
        match self {
            Field::EventCategory => one_of(&Category::NAMES),
            Field::ReadOnly => one_of(&["true", "false"]),
            Field::SessionCredentialFromConsole => one_of(&["true"]),
            Field::ErrorCode => one_of(&["VpceAccessDenied"]),
            Field::ResourcesType if !is_resource_type(value) => {
                Some(format!("`{value}` is not a resource type such as `AWS::S3::Object`"))
            }
            Field::ResourcesArn
                if matches!(operator, Operator::Equals | Operator::NotEquals)
                    && !is_whole_arn(value) =>
            {
                Some(format!(
                    "`{value}` is not a whole ARN; `StartsWith` takes the beginning of one"
                ))
            }
            _ => None,
        }
    }
}

impl Operator {
    pub(super) fn of(name: &str) -> Option<Operator> {
        OPERATORS.iter().find(|(known, _)| *known == name).map(|(_, operator)| *operator)
    }

    pub(super) fn name(self) -> &'static str {
        OPERATORS.iter().find(|(_, operator)| *operator == self).map_or("", |(name, _)| *name)
    }

    /// Whether a hit takes the event, rather than excluding it.
    pub(super) fn selects(self) -> bool {
        matches!(self, Operator::Equals | Operator::StartsWith | Operator::EndsWith)
    }

    pub(super) fn hits(self, text: &str, value: &str) -> bool {
        match self {
            Operator::Equals | Operator::NotEquals => text == value,
            Operator::StartsWith | Operator::NotStartsWith => text.starts_with(value),
            Operator::EndsWith | Operator::NotEndsWith => text.ends_with(value),
        }
    }
}

/// `AWS::Service::Resource`. There are new ones every month, so they are not listed here.
fn is_resource_type(value: &str) -> bool {
    let mut parts = value.split("::");
    let is_word = |part: Option<&str>| {
        part.is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric()))
    };
    parts.next() == Some("AWS")
        && is_word(parts.next())
        && is_word(parts.next())
        && parts.next().is_none()
}

/// `arn:partition:service:region:account:resource`, of which region and account may be empty.
fn is_whole_arn(value: &str) -> bool {
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, service, _, _, resource] => {
            !partition.is_empty() && !service.is_empty() && !resource.is_empty()
        }
        _ => false,
    }
}
