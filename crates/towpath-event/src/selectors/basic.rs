//! Basic event selectors, the older form that only trails have.
//!
//! They are matched as the advanced selectors that they amount to.

use serde_json::{Value, json};

use super::advanced::{FieldSelector, Selector};
use super::document::Node;
use super::field::{Category, Field, Operator};
use super::{BASIC, Reading, SELECTORS_MAX, SelectorError, listed};

/// Values of all data resources of all selectors, as in CloudTrail.
const VALUES_MAX: usize = 250;

/// The management events that can be left out.
const EXCLUDABLE: [&str; 2] = ["kms.amazonaws.com", "rdsdata.amazonaws.com"];

/// The resource types that basic selectors know, and the service of their ARNs.
const TYPES: [(&str, &str); 3] = [
    ("AWS::S3::Object", "s3"),
    ("AWS::Lambda::Function", "lambda"),
    ("AWS::DynamoDB::Table", "dynamodb"),
];

/// Which of the events that read and that write are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadWriteType {
    All,
    ReadOnly,
    WriteOnly,
}

/// One selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BasicSelector {
    read_write: ReadWriteType,
    include_management: bool,
    excluded_sources: Vec<String>,
    data_resources: Vec<DataResource>,
}

/// Resources of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
struct DataResource {
    resource_type: &'static str,
    service: &'static str,
    values: Vec<String>,
}

/// Reads and checks a list of selectors.
pub(super) fn read(list: &[Node]) -> Result<Vec<BasicSelector>, SelectorError> {
    if list.is_empty() || list.len() > SELECTORS_MAX {
        let text = format!("there are {} selectors; expected 1 to {SELECTORS_MAX}", list.len());
        return Err(SelectorError::Together(text));
    }
    let selectors: Vec<BasicSelector> = list
        .iter()
        .enumerate()
        .map(|(index, node)| read_selector(&Reading::new(index), node))
        .collect::<Result<_, _>>()?;
    let resources = selectors.iter().flat_map(|selector| &selector.data_resources);
    let values: usize = resources.map(|resource| resource.values.len()).sum();
    if values > VALUES_MAX {
        let text = format!("the selectors have {values} values together; at most {VALUES_MAX}");
        return Err(SelectorError::Together(text));
    }
    Ok(selectors)
}

const MEMBERS: [&str; 4] =
    ["ReadWriteType", "IncludeManagementEvents", "ExcludeManagementEventSources", "DataResources"];

fn read_selector(reading: &Reading, node: &Node) -> Result<BasicSelector, SelectorError> {
    let mut selector = BasicSelector {
        read_write: ReadWriteType::All,
        include_management: true,
        excluded_sources: Vec::new(),
        data_resources: Vec::new(),
    };
    for (key, value) in reading.members(node, &MEMBERS)? {
        let mut reading = reading.clone();
        reading.field = Some(key.clone());
        match key.as_str() {
            _ if *value == Node::Null => {}
            "ReadWriteType" => {
                selector.read_write = match reading.text(key, value)? {
                    "All" => ReadWriteType::All,
                    "ReadOnly" => ReadWriteType::ReadOnly,
                    "WriteOnly" => ReadWriteType::WriteOnly,
                    _ => return Err(reading.error("expected `All`, `ReadOnly` or `WriteOnly`")),
                }
            }
            "IncludeManagementEvents" => {
                selector.include_management = match reading.text(key, value)? {
                    "true" | "True" => true,
                    "false" | "False" => false,
                    _ => return Err(reading.error("expected `true` or `false`")),
                }
            }
            "ExcludeManagementEventSources" => {
                selector.excluded_sources = reading.texts(key, value)?;
                let unknown = |source: &&String| !EXCLUDABLE.contains(&source.as_str());
                if let Some(source) = selector.excluded_sources.iter().find(unknown) {
                    let known = listed(&EXCLUDABLE);
                    return Err(reading.error(format!("`{source}` is not {known}")));
                }
            }
            _ => {
                let list = reading.list(key, value)?.iter();
                let list = list.map(|resource| read_resource(&reading, resource));
                selector.data_resources = list.collect::<Result<_, _>>()?;
            }
        }
    }
    if !selector.include_management && selector.data_resources.is_empty() {
        return Err(reading.error("it takes no events: neither management nor data events"));
    }
    Ok(selector)
}

fn read_resource(reading: &Reading, node: &Node) -> Result<DataResource, SelectorError> {
    reading.members(node, &["Type", "Values"])?;
    let Some(name) = node.member("Type") else {
        return Err(reading.error("a data resource has no `Type`"));
    };
    let name = reading.text("Type", name)?;
    let Some((resource_type, service)) = TYPES.into_iter().find(|(known, _)| *known == name) else {
        let known = listed(&TYPES.map(|(known, _)| known));
        return Err(reading.error(format!(
            "`{name}` is not {known}; advanced selectors take every resource type"
        )));
    };
    let values = match node.member("Values") {
        Some(values) => reading.texts("Values", values)?,
        None => Vec::new(),
    };
    if let Some(value) = values.iter().find(|value| !value.starts_with("arn:")) {
        return Err(reading.error(format!("`{value}` is not an ARN or the beginning of one")));
    }
    Ok(DataResource { resource_type, service, values })
}

impl BasicSelector {
    /// The advanced selectors that together take what this one takes.
    pub(super) fn advanced(&self) -> Vec<Selector> {
        let mut selectors = Vec::new();
        if self.include_management {
            let mut fields = self.fields("Management");
            if !self.excluded_sources.is_empty() {
                let excluded = self.excluded_sources.clone();
                fields.push(FieldSelector::new(Field::EventSource, Operator::NotEquals, excluded));
            }
            selectors.push(Selector { name: None, category: Category::Management, fields });
        }
        for resource in self.data_resources.iter().filter(|resource| !resource.values.is_empty()) {
            let mut fields = self.fields("Data");
            let resource_type = vec![resource.resource_type.to_owned()];
            fields.push(FieldSelector::new(Field::ResourcesType, Operator::Equals, resource_type));
            if !resource.values.iter().any(|value| resource.is_everything(value)) {
                // The objects of S3 by the beginning of their ARN, all else by the whole of it.
                let operator = match resource.service {
                    "s3" => Operator::StartsWith,
                    _ => Operator::Equals,
                };
                let values = resource.values.clone();
                fields.push(FieldSelector::new(Field::ResourcesArn, operator, values));
            }
            selectors.push(Selector { name: None, category: Category::Data, fields });
        }
        selectors
    }

    fn fields(&self, category: &str) -> Vec<FieldSelector> {
        let equals =
            |field, value: &str| FieldSelector::new(field, Operator::Equals, vec![value.into()]);
        let mut fields = vec![equals(Field::EventCategory, category)];
        match self.read_write {
            ReadWriteType::All => {}
            ReadWriteType::ReadOnly => fields.push(equals(Field::ReadOnly, "true")),
            ReadWriteType::WriteOnly => fields.push(equals(Field::ReadOnly, "false")),
        }
        fields
    }

    fn json(&self) -> Value {
        let read_write = match self.read_write {
            ReadWriteType::All => "All",
            ReadWriteType::ReadOnly => "ReadOnly",
            ReadWriteType::WriteOnly => "WriteOnly",
        };
        let resources: Vec<Value> = self
            .data_resources
            .iter()
            .map(|resource| json!({"Type": resource.resource_type, "Values": resource.values}))
            .collect();
        json!({
            "ReadWriteType": read_write,
            "IncludeManagementEvents": self.include_management,
            "ExcludeManagementEventSources": self.excluded_sources,
            "DataResources": resources,
        })
    }
}

impl DataResource {
    /// Whether `value` is `arn:aws:service`, in any partition, with nothing more than colons.
    fn is_everything(&self, value: &str) -> bool {
        let mut parts = value.trim_end_matches(':').split(':');
        parts.next() == Some("arn")
            && parts.next().is_some()
            && parts.next() == Some(self.service)
            && parts.next().is_none()
    }
}

/// Selectors in the JSON of CloudTrail's API.
pub(super) fn json(selectors: &[BasicSelector]) -> String {
    let selectors: Vec<Value> = selectors.iter().map(BasicSelector::json).collect();
    json!({BASIC: selectors}).to_string()
}
