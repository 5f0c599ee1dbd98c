//! Selectors and a batch of events: which rows are taken.

use arrow::array::{Array, AsArray, BooleanArray, ListArray, RecordBatch, StringArray};

use super::advanced::{FieldSelector, Selector};
use super::field::{Field, Operator};

/// For each row of `columns`, whether one of `selectors` takes it.
pub(super) fn matches(selectors: &[Selector], columns: &RecordBatch) -> Vec<bool> {
    let events = Events::of(columns);
    let takes = |row: usize| selectors.iter().any(|selector| selector.takes(&events, row));
    (0..columns.num_rows()).map(takes).collect()
}

/// The columns of a batch that selectors ask for. One that the batch lacks is null in every row.
struct Events<'b> {
    category: Option<&'b StringArray>,
    source: Option<&'b StringArray>,
    name: Option<&'b StringArray>,
    event_type: Option<&'b StringArray>,
    from_console: Option<&'b StringArray>,
    identity_arn: Option<&'b StringArray>,
    error_code: Option<&'b StringArray>,
    vpc_endpoint: Option<&'b StringArray>,
    read_only: Option<&'b BooleanArray>,
    resources: Option<Resources<'b>>,
}

/// The resources of the events of a batch.
struct Resources<'b> {
    lists: &'b ListArray,
    types: Option<&'b StringArray>,
    arns: Option<&'b StringArray>,
    arn_prefixes: Option<&'b StringArray>,
}

impl<'b> Events<'b> {
    fn of(columns: &'b RecordBatch) -> Events<'b> {
        let text = |name: &str| columns.column_by_name(name)?.as_string_opt::<i32>();
        let read_only = columns.column_by_name("readOnly");
        let resources = columns.column_by_name("resources");
        Events {
            category: text("eventCategory"),
            source: text("eventSource"),
            name: text("eventName"),
            event_type: text("eventType"),
            from_console: text("sessionCredentialFromConsole"),
            identity_arn: text("userIdentity_arn"),
            error_code: text("errorCode"),
            vpc_endpoint: text("vpcEndpointId"),
            read_only: read_only.and_then(|column| column.as_boolean_opt()),
            resources: resources.and_then(|column| Resources::of(column.as_list_opt::<i32>()?)),
        }
    }

    /// The text that a field other than those of resources has in `row`.
    fn text(&self, field: Field, row: usize) -> Option<&'b str> {
        let column = match field {
            Field::EventCategory => self.category,
            Field::EventSource => self.source,
            Field::EventName => self.name,
            Field::EventType => self.event_type,
            Field::SessionCredentialFromConsole => self.from_console,
            Field::UserIdentityArn => self.identity_arn,
            Field::ErrorCode => self.error_code,
            Field::VpcEndpointId => self.vpc_endpoint,
            Field::ReadOnly => {
                let column = self.read_only.filter(|column| column.is_valid(row))?;
                return Some(if column.value(row) { "true" } else { "false" });
            }
            Field::ResourcesType | Field::ResourcesArn => None,
        };
        value(column, row)
    }
}

impl<'b> Resources<'b> {
    fn of(lists: &'b ListArray) -> Option<Resources<'b>> {
        let entries = lists.values().as_struct_opt()?;
        let text = |name: &str| entries.column_by_name(name)?.as_string_opt::<i32>();
        Some(Resources {
            lists,
            types: text("type"),
            arns: text("arn"),
            arn_prefixes: text("arnPrefix"),
        })
    }

    /// The type and the ARN, or what there is of one, of each resource of `row`.
    fn of_row(&self, row: usize) -> impl Iterator<Item = (Option<&'b str>, Option<&'b str>)> {
        let bound = |at: usize| {
            let offset = self.lists.value_offsets().get(at).copied().unwrap_or_default();
            usize::try_from(offset).unwrap_or_default()
        };
        let entries = if self.lists.is_valid(row) { bound(row)..bound(row + 1) } else { 0..0 };
        let (types, arns, prefixes) = (self.types, self.arns, self.arn_prefixes);
        entries.map(move |entry| {
            let arn = value(arns, entry).or_else(|| value(prefixes, entry));
            (value(types, entry), arn)
        })
    }
}

fn value(column: Option<&StringArray>, row: usize) -> Option<&str> {
    column.filter(|column| column.is_valid(row)).map(|column| column.value(row))
}

impl Selector {
    fn takes(&self, events: &Events<'_>, row: usize) -> bool {
        self.fields.iter().all(|field| match field.field {
            Field::ResourcesType => {
                let resources = events.resources.iter().flat_map(|all| all.of_row(row));
                field.takes(resources.filter_map(|(kind, _)| kind))
            }
            Field::ResourcesArn => {
                let resources = events.resources.iter().flat_map(|all| all.of_row(row));
                let of_type = resources.filter(|(kind, _)| self.is_about(*kind));
                field.takes(of_type.filter_map(|(_, arn)| arn))
            }
            other => field.takes(events.text(other, row).into_iter()),
        })
    }

    /// Whether the selector's `resources.type`, if it has one, takes a resource of this type. An
    /// event about an object names its bucket too, and the ARN meant is that of the object.
    fn is_about(&self, resource_type: Option<&str>) -> bool {
        let types = self.fields.iter().find(|field| field.field == Field::ResourcesType);
        types.is_none_or(|types| types.takes(resource_type.into_iter()))
    }
}

impl FieldSelector {
    /// Whether an event with these values of the field is taken: none if it lacks the field.
    fn takes<'a>(&self, values: impl Iterator<Item = &'a str>) -> bool {
        let selects = |(operator, _): &&(Operator, Vec<String>)| operator.selects();
        let mut selected = !self.conditions.iter().any(|condition| selects(&condition));
        for text in values {
            for (operator, wanted) in &self.conditions {
                if wanted.iter().any(|value| operator.hits(text, value)) {
                    if !operator.selects() {
                        return false;
                    }
                    selected = true;
                }
            }
        }
        selected
    }
}
