//! [`PlanNode`]: one operator of a shown plan.

use serde_json::{Map, Value, json};

/// An operator under Trino's name, and what feeds it.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlanNode {
    /// `InnerJoin`, `TableScan` and so on.
    pub(crate) name: String,
    /// What is in brackets after the name.
    pub(crate) descriptor: Vec<(&'static str, String)>,
    /// The columns that it hands on, as `name:type`.
    pub(crate) layout: Vec<(String, String)>,
    /// Lines below it.
    pub(crate) details: Vec<String>,
    pub(crate) children: Vec<PlanNode>,
}

impl PlanNode {
    pub(crate) fn new(name: impl Into<String>) -> PlanNode {
        PlanNode { name: name.into(), ..PlanNode::default() }
    }

    /// With `value` in brackets, if it says anything.
    pub(crate) fn with(mut self, key: &'static str, value: impl Into<String>) -> PlanNode {
        let value = value.into();
        if !value.is_empty() {
            self.descriptor.push((key, value));
        }
        self
    }

    /// The tree with Trino's lines: an operator a line, its inputs below it and to the right.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, "", "");
        text
    }

    fn write(&self, text: &mut String, first: &str, rest: &str) {
        let descriptor: Vec<String> =
            self.descriptor.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        let brackets = if descriptor.is_empty() {
            String::new()
        } else {
            format!("[{}]", descriptor.join(", "))
        };
        text.push_str(&format!("{first}{}{brackets}\n", self.name));
        let below = if self.children.is_empty() { "    " } else { "│   " };
        for detail in self.layout_line().iter().chain(&self.details) {
            text.push_str(&format!("{rest}{below}{detail}\n"));
        }
        for (at, child) in self.children.iter().enumerate() {
            let last = at + 1 == self.children.len();
            let (branch, beyond) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            child.write(text, &format!("{rest}{branch}"), &format!("{rest}{beyond}"));
        }
    }

    fn layout_line(&self) -> Option<String> {
        let columns: Vec<String> =
            self.layout.iter().map(|(name, data_type)| format!("{name}:{data_type}")).collect();
        (!columns.is_empty()).then(|| format!("Layout: [{}]", columns.join(", ")))
    }

    /// The tree under the keys of Trino's `FORMAT JSON`.
    pub(crate) fn to_json(&self) -> String {
        format!("{:#}", self.json(&mut 0))
    }

    fn json(&self, next_id: &mut usize) -> Value {
        let id = next_id.to_string();
        *next_id += 1;
        let descriptor: Map<String, Value> = self
            .descriptor
            .iter()
            .map(|(key, value)| ((*key).to_owned(), Value::from(value.as_str())))
            .collect();
        let outputs: Vec<Value> = self
            .layout
            .iter()
            .map(|(name, data_type)| json!({"name": name, "type": data_type}))
            .collect();
        let children: Vec<Value> = self.children.iter().map(|child| child.json(next_id)).collect();
        json!({
            "id": id,
            "name": self.name,
            "descriptor": descriptor,
            "outputs": outputs,
            "details": self.details,
            "estimates": [],
            "children": children,
        })
    }
}
