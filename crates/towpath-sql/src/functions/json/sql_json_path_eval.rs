//! The path language of `json_exists`, `json_query` and `json_value`: evaluation.
//!
//! Trino: <https://trino.io/docs/current/functions/json.html#json-path-language>.
//!
//! * Lax mode unwraps arrays where an object or scalar is wanted, wraps items where an array is
//!   wanted, and finds nothing where strict mode errs.
//! * A predicate whose operands err or cannot be compared is unknown, and a filter drops it.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::functions::json::json_text::{Json, java_double};
use crate::functions::json::sql_json_path::{
    Arithmetic, Comparison, Method, PathNode, Predicate, SqlJsonPath,
};

/// Why a path has no result for a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("path evaluation failed: {0}")]
pub(crate) struct PathError(String);

type Items<'v> = Vec<Cow<'v, Json<'v>>>;
type Result<T> = std::result::Result<T, PathError>;

/// A named value for the path; `None` is the empty sequence, which SQL NULL stands for.
pub(crate) type Variable<'v> = (&'v str, Option<Json<'v>>);

/// Evaluates `path` on `context`.
///
/// # Errors
///
/// A structural error in strict mode, or a type error in arithmetic and methods.
pub(crate) fn evaluate<'v>(
    path: &SqlJsonPath,
    context: &'v Json<'v>,
    variables: &'v [Variable<'v>],
) -> Result<Vec<Json<'v>>> {
    let evaluation = Evaluation { lax: path.lax, context, variables };
    let items = evaluation.items(&path.root, None, None)?;
    Ok(items.into_iter().map(Cow::into_owned).collect())
}

struct Evaluation<'v> {
    lax: bool,
    context: &'v Json<'v>,
    variables: &'v [Variable<'v>],
}

fn structural(message: impl Into<String>) -> PathError {
    PathError(format!("structural error: {}", message.into()))
}

fn type_name(item: &Json<'_>) -> &'static str {
    match item {
        Json::Null => "NULL",
        Json::Bool(_) => "BOOLEAN",
        Json::Number(_) => "NUMBER",
        Json::String(_) => "STRING",
        Json::Array(_) => "ARRAY",
        Json::Object(_) => "OBJECT",
    }
}

/// Takes the elements of an array out of it, borrowed where the array is.
fn elements<'v>(item: Cow<'v, Json<'v>>) -> Items<'v> {
    match item {
        Cow::Borrowed(Json::Array(items)) => items.iter().map(Cow::Borrowed).collect(),
        Cow::Owned(Json::Array(items)) => items.into_iter().map(Cow::Owned).collect(),
        other => vec![other],
    }
}

/// Takes the members of an object out of it.
fn members<'v>(item: Cow<'v, Json<'v>>) -> Option<Vec<(Cow<'v, str>, Cow<'v, Json<'v>>)>> {
    match item {
        Cow::Borrowed(Json::Object(members)) => Some(
            members
                .iter()
                .map(|(key, value)| (Cow::Borrowed(key.as_ref()), Cow::Borrowed(value)))
                .collect(),
        ),
        Cow::Owned(Json::Object(members)) => {
            Some(members.into_iter().map(|(key, value)| (key, Cow::Owned(value))).collect())
        }
        _ => None,
    }
}

impl<'v> Evaluation<'v> {
    /// The items of `node`; `current` is `@`, `last` the index of the last element.
    fn items(
        &self,
        node: &PathNode,
        current: Option<&Cow<'v, Json<'v>>>,
        last: Option<i128>,
    ) -> Result<Items<'v>> {
        match node {
            PathNode::Literal(json) => Ok(vec![Cow::Owned(json.clone())]),
            PathNode::Context => Ok(vec![Cow::Borrowed(self.context)]),
            PathNode::Variable(name) => self.variable(name),
            PathNode::Current => current.map(|item| vec![item.clone()]).ok_or_else(|| {
                PathError("accessing current filter item with no enclosing filter".to_owned())
            }),
            PathNode::Last => last
                .map(|last| vec![Cow::Owned(number_item(Number::Integer(last)))])
                .ok_or_else(|| {
                    PathError("accessing the last array index with no enclosing array".to_owned())
                }),
            PathNode::Negate(inner) => {
                self.each_number(inner, current, last, "negation", Number::negate)
            }
            PathNode::Plus(inner) => self.each_number(inner, current, last, "plus", Some),
            PathNode::Arithmetic(left, operator, right) => {
                let left = self.single_number(left, current, last)?;
                let right = self.single_number(right, current, last)?;
                let result = arithmetic(left, *operator, right)?;
                Ok(vec![Cow::Owned(number_item(result))])
            }
            PathNode::Member(base, name) => self.member(self.unwrapped(base, current, last)?, name),
            PathNode::WildcardMember(base) => {
                let mut found = Vec::new();
                for item in self.unwrapped(base, current, last)? {
                    let actual = type_name(&item);
                    match members(item) {
                        Some(members) => found.extend(members.into_iter().map(|(_, value)| value)),
                        None if self.lax => {}
                        None => return Err(wrong_type("OBJECT", actual)),
                    }
                }
                Ok(found)
            }
            PathNode::Descendant(base, name) => {
                let mut found = Vec::new();
                for item in self.items(base, current, last)? {
                    descendants(item, name, &mut found);
                }
                Ok(found)
            }
            PathNode::Subscripts(base, subscripts) => {
                let mut found = Vec::new();
                for item in self.items(base, current, last)? {
                    self.subscripts(item, subscripts, current, &mut found)?;
                }
                Ok(found)
            }
            PathNode::WildcardArray(base) => {
                let mut found = Vec::new();
                for item in self.items(base, current, last)? {
                    if !self.lax && !matches!(*item, Json::Array(_)) {
                        return Err(wrong_type("ARRAY", type_name(&item)));
                    }
                    found.extend(elements(item));
                }
                Ok(found)
            }
            PathNode::Filter(base, predicate) => {
                let mut items = self.unwrapped(base, current, last)?;
                items.retain(|item| self.holds(predicate, Some(item), last) == Some(true));
                Ok(items)
            }
            PathNode::Method(base, method) => self.method(base, *method, current, last),
        }
    }

    fn variable(&self, name: &str) -> Result<Items<'v>> {
        let (_, value) = self
            .variables
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| PathError(format!("no value passed for parameter {name}")))?;
        Ok(value.iter().map(Cow::Borrowed).collect())
    }

    /// The items of `node`, with arrays opened in lax mode.
    fn unwrapped(
        &self,
        node: &PathNode,
        current: Option<&Cow<'v, Json<'v>>>,
        last: Option<i128>,
    ) -> Result<Items<'v>> {
        let items = self.items(node, current, last)?;
        Ok(if self.lax { items.into_iter().flat_map(elements).collect() } else { items })
    }

    fn member(&self, items: Items<'v>, name: &str) -> Result<Items<'v>> {
        let mut found = Vec::new();
        for item in items {
            let actual = type_name(&item);
            let Some(members) = members(item) else {
                if self.lax {
                    continue;
                }
                return Err(wrong_type("OBJECT", actual));
            };
            match members.into_iter().find(|(key, _)| key == name) {
                Some((_, value)) => found.push(value),
                None if self.lax => {}
                None => {
                    return Err(structural(format!("missing member '{name}' in JSON object")));
                }
            }
        }
        Ok(found)
    }

    fn subscripts(
        &self,
        item: Cow<'v, Json<'v>>,
        subscripts: &[(PathNode, Option<PathNode>)],
        current: Option<&Cow<'v, Json<'v>>>,
        found: &mut Items<'v>,
    ) -> Result<()> {
        if !self.lax && !matches!(*item, Json::Array(_)) {
            return Err(wrong_type("ARRAY", type_name(&item)));
        }
        let items = elements(item);
        let size = i128::try_from(items.len()).unwrap_or(i128::MAX);
        for (from, to) in subscripts {
            let from = self.index(from, current, size - 1)?;
            let to = to.as_ref().map_or(Ok(from), |to| self.index(to, current, size - 1))?;
            if !self.lax && (from < 0 || from >= size || to < from || to >= size) {
                return Err(structural(format!(
                    "invalid array subscript: [{from}, {to}] for array of size {size}"
                )));
            }
            for index in from.max(0)..=to.min(size - 1) {
                let item = usize::try_from(index).ok().and_then(|index| items.get(index));
                found.extend(item.cloned());
            }
        }
        Ok(())
    }

    fn index(
        &self,
        node: &PathNode,
        current: Option<&Cow<'v, Json<'v>>>,
        last: i128,
    ) -> Result<i128> {
        match self.single_number(node, current, Some(last))? {
            Number::Integer(index) => Ok(index),
            // Trino cuts the fraction off; a double outside of every array's range stays outside.
            #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is meant")]
            Number::Double(index) => Ok(index.trunc() as i128),
        }
    }

    /// The one number that `node` gives.
    fn single_number(
        &self,
        node: &PathNode,
        current: Option<&Cow<'v, Json<'v>>>,
        last: Option<i128>,
    ) -> Result<Number> {
        let items = self.unwrapped(node, current, last)?;
        let [item] = items.as_slice() else {
            return Err(PathError("arithmetic needs a single item as operand".to_owned()));
        };
        number(item).ok_or_else(|| wrong_type("NUMBER", type_name(item)))
    }

    #[expect(clippy::too_many_arguments, reason = "what surrounds a node goes with it everywhere")]
    fn each_number(
        &self,
        node: &PathNode,
        current: Option<&Cow<'v, Json<'v>>>,
        last: Option<i128>,
        name: &str,
        compute: impl Fn(Number) -> Option<Number>,
    ) -> Result<Items<'v>> {
        let mut found = Vec::new();
        for item in self.unwrapped(node, current, last)? {
            let operand = number(&item).ok_or_else(|| wrong_type("NUMBER", type_name(&item)))?;
            let result = compute(operand)
                .ok_or_else(|| PathError(format!("{name}: number out of range")))?;
            found.push(Cow::Owned(number_item(result)));
        }
        Ok(found)
    }

    fn method(
        &self,
        base: &PathNode,
        method: Method,
        current: Option<&Cow<'v, Json<'v>>>,
        last: Option<i128>,
    ) -> Result<Items<'v>> {
        let numeric = |name, compute: fn(Number) -> Option<Number>| {
            self.each_number(base, current, last, name, compute)
        };
        match method {
            Method::Abs => {
                numeric(
                    "abs()",
                    |number| {
                        if number.as_f64() < 0.0 { number.negate() } else { Some(number) }
                    },
                )
            }
            Method::Ceiling => numeric("ceiling()", |number| Some(number.rounded(f64::ceil))),
            Method::Floor => numeric("floor()", |number| Some(number.rounded(f64::floor))),
            Method::Double => {
                let items = self.unwrapped(base, current, last)?;
                items.iter().map(|item| double_of(item).map(Cow::Owned)).collect()
            }
            Method::Type => {
                let name = |item: &Json<'_>| Json::String(type_name(item).to_lowercase().into());
                let items = self.items(base, current, last)?;
                Ok(items.iter().map(|item| Cow::Owned(name(item))).collect())
            }
            Method::Size => {
                let items = self.items(base, current, last)?;
                items.iter().map(|item| self.size(item).map(Cow::Owned)).collect()
            }
            Method::KeyValue => {
                let mut found = Vec::new();
                for item in self.unwrapped(base, current, last)? {
                    let actual = type_name(&item);
                    let members = members(item).ok_or_else(|| wrong_type("OBJECT", actual))?;
                    found.extend(members.into_iter().map(|(key, value)| {
                        Cow::Owned(Json::Object(vec![
                            ("name".into(), Json::String(key)),
                            ("value".into(), value.into_owned()),
                            ("id".into(), Json::Number("0".into())),
                        ]))
                    }));
                }
                Ok(found)
            }
        }
    }

    fn size(&self, item: &Json<'_>) -> Result<Json<'v>> {
        match item {
            Json::Array(items) => Ok(Json::Number(items.len().to_string().into())),
            _ if self.lax => Ok(Json::Number("1".into())),
            other => Err(wrong_type("ARRAY", type_name(other))),
        }
    }

    /// Three-valued: `None` is unknown.
    fn holds(
        &self,
        predicate: &Predicate,
        current: Option<&Cow<'v, Json<'v>>>,
        last: Option<i128>,
    ) -> Option<bool> {
        match predicate {
            Predicate::And(left, right) => {
                match (self.holds(left, current, last), self.holds(right, current, last)) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                }
            }
            Predicate::Or(left, right) => {
                match (self.holds(left, current, last), self.holds(right, current, last)) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    _ => None,
                }
            }
            Predicate::Not(inner) => self.holds(inner, current, last).map(|holds| !holds),
            Predicate::IsUnknown(inner) => Some(self.holds(inner, current, last).is_none()),
            Predicate::Exists(path) => {
                self.items(path, current, last).ok().map(|items| !items.is_empty())
            }
            Predicate::Compare(left, comparison, right) => {
                let left = self.unwrapped(left, current, last).ok()?;
                let right = self.unwrapped(right, current, last).ok()?;
                self.any_pair(&left, &right, |a, b| compare(a, *comparison, b))
            }
            Predicate::StartsWith(whole, prefix) => {
                let whole = self.unwrapped(whole, current, last).ok()?;
                let prefix = self.unwrapped(prefix, current, last).ok()?;
                self.any_pair(&whole, &prefix, |a, b| match (a, b) {
                    (Json::String(a), Json::String(b)) => Some(a.starts_with(b.as_ref())),
                    _ => None,
                })
            }
        }
    }

    /// True if `test` holds for a pair. An unknown pair counts if none holds, or in strict mode.
    fn any_pair(
        &self,
        left: &Items<'v>,
        right: &Items<'v>,
        test: impl Fn(&Json<'_>, &Json<'_>) -> Option<bool>,
    ) -> Option<bool> {
        let (mut found, mut unknown) = (false, false);
        for a in left {
            for b in right {
                match test(a, b) {
                    Some(true) if self.lax => return Some(true),
                    Some(true) => found = true,
                    Some(false) => {}
                    None => unknown = true,
                }
            }
        }
        if unknown { None } else { Some(found) }
    }
}

fn wrong_type(expected: &str, actual: &str) -> PathError {
    structural(format!("invalid item type. Expected: {expected}, actual: {actual}"))
}

/// Collects the values of every member `name` in `item`, outer before inner.
fn descendants<'v>(item: Cow<'v, Json<'v>>, name: &str, found: &mut Items<'v>) {
    if matches!(*item, Json::Array(_)) {
        for element in elements(item) {
            descendants(element, name, found);
        }
    } else if let Some(members) = members(item) {
        for (key, value) in members {
            if key == name {
                found.push(value.clone());
            }
            descendants(value, name, found);
        }
    }
}

/// A number of a path: exact as long as it is whole.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Number {
    Integer(i128),
    Double(f64),
}

impl Number {
    #[expect(clippy::cast_precision_loss, reason = "a double is asked for")]
    fn as_f64(self) -> f64 {
        match self {
            Number::Integer(value) => value as f64,
            Number::Double(value) => value,
        }
    }

    fn negate(self) -> Option<Number> {
        match self {
            Number::Integer(value) => value.checked_neg().map(Number::Integer),
            Number::Double(value) => Some(Number::Double(-value)),
        }
    }

    fn rounded(self, round: fn(f64) -> f64) -> Number {
        match self {
            Number::Integer(_) => self,
            Number::Double(value) => Number::Double(round(value)),
        }
    }
}

fn number(item: &Json<'_>) -> Option<Number> {
    let Json::Number(text) = item else {
        return None;
    };
    match text.parse::<i128>() {
        Ok(integer) => Some(Number::Integer(integer)),
        Err(_) => text.parse().ok().map(Number::Double),
    }
}

fn number_item<'v>(number: Number) -> Json<'v> {
    Json::Number(match number {
        Number::Integer(value) => value.to_string().into(),
        Number::Double(value) => java_double(value).into(),
    })
}

fn double_of<'v>(item: &Json<'_>) -> Result<Json<'v>> {
    let value = match item {
        Json::Number(_) => number(item).map(Number::as_f64),
        Json::String(text) => text.trim().parse().ok(),
        other => return Err(wrong_type("NUMBER or STRING", type_name(other))),
    };
    match value {
        Some(value) => Ok(number_item(Number::Double(value))),
        None => Err(PathError("double() needs a number".to_owned())),
    }
}

fn arithmetic(left: Number, operator: Arithmetic, right: Number) -> Result<Number> {
    let out_of_range = || PathError("arithmetic: number out of range".to_owned());
    if matches!(operator, Arithmetic::Divide | Arithmetic::Modulus) && right.as_f64() == 0.0 {
        return Err(PathError("division by zero".to_owned()));
    }
    if let (Number::Integer(a), Number::Integer(b)) = (left, right) {
        let result = match operator {
            Arithmetic::Add => a.checked_add(b),
            Arithmetic::Subtract => a.checked_sub(b),
            Arithmetic::Multiply => a.checked_mul(b),
            Arithmetic::Divide => a.checked_div(b),
            Arithmetic::Modulus => a.checked_rem(b),
        };
        return result.map(Number::Integer).ok_or_else(out_of_range);
    }
    let (a, b) = (left.as_f64(), right.as_f64());
    Ok(Number::Double(match operator {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide => a / b,
        Arithmetic::Modulus => a % b,
    }))
}

/// Compares two scalars. Nulls equal each other and nothing else; other mixtures are unknown.
fn compare(left: &Json<'_>, comparison: Comparison, right: &Json<'_>) -> Option<bool> {
    let ordering = match (left, right) {
        (Json::Null, Json::Null) => Ordering::Equal,
        (Json::Null, other) | (other, Json::Null)
            if !matches!(other, Json::Array(_) | Json::Object(_)) =>
        {
            return Some(comparison == Comparison::NotEqual);
        }
        (Json::Bool(a), Json::Bool(b)) => a.cmp(b),
        (Json::String(a), Json::String(b)) => a.cmp(b),
        (Json::Number(_), Json::Number(_)) => match (number(left)?, number(right)?) {
            (Number::Integer(a), Number::Integer(b)) => a.cmp(&b),
            (a, b) => a.as_f64().partial_cmp(&b.as_f64())?,
        },
        _ => return None,
    };
    Some(match comparison {
        Comparison::Equal => ordering.is_eq(),
        Comparison::NotEqual => ordering.is_ne(),
        Comparison::Less => ordering.is_lt(),
        Comparison::LessOrEqual => ordering.is_le(),
        Comparison::Greater => ordering.is_gt(),
        Comparison::GreaterOrEqual => ordering.is_ge(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Variable, evaluate};
    use crate::functions::json::json_text::Json;
    use crate::functions::json::sql_json_path::SqlJsonPath;

    fn run(path: &str, json: &str) -> Result<Vec<String>, String> {
        let path = SqlJsonPath::parse(path).unwrap();
        let json = Json::parse(json).unwrap();
        let variables: Vec<Variable<'_>> =
            vec![("p", Some(Json::Number("2".into()))), ("none", None)];
        evaluate(&path, &json, &variables)
            .map(|items| items.iter().map(Json::to_text).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn paths_select_compute_and_filter() {
        let json = r#"{"a":[1,2,3],"b":{"c":"x","a":null},"s":"abc"}"#;
        let cases: [(&str, &[&str]); 20] = [
            ("lax $.a[0]", &["1"]),
            ("lax $.a[1 to last]", &["2", "3"]),
            ("lax $.a[last, 0]", &["3", "1"]),
            ("lax $.a[*]", &["1", "2", "3"]),
            ("lax $.a ? (@ > 1)", &["2", "3"]),
            ("lax $.a ? (@ == $p)", &["2"]),
            ("lax $.*.c", &["\"x\""]),
            ("lax $..a", &["[1,2,3]", "null"]),
            ("lax $.a.size()", &["3"]),
            ("lax $.s.type()", &["\"string\""]),
            ("lax $.a[0] + 2 * 3", &["7"]),
            ("lax -$.a", &["-1", "-2", "-3"]),
            ("lax $.nothing", &[]),
            ("lax $none", &[]),
            ("lax $.s[0]", &["\"abc\""]),
            ("lax $.b ? (@.c starts with \"x\")", &[r#"{"c":"x","a":null}"#]),
            ("lax $.b ? (exists(@.d))", &[]),
            ("lax $.b ? ((@.c > 1) is unknown)", &[r#"{"c":"x","a":null}"#]),
            ("lax $.b.keyvalue().name", &["\"c\"", "\"a\""]),
            ("lax 7.5.floor()", &["7.0"]),
        ];
        for (path, expected) in cases {
            assert_eq!(run(path, json).unwrap(), expected, "{path}");
        }
    }

    #[test]
    fn strict_mode_says_what_is_missing() {
        let subscript = run("strict $[100]", r#"["a","b","c"]"#).unwrap_err();
        assert_eq!(
            subscript,
            "path evaluation failed: structural error: invalid array subscript: [100, 100] for array of size 3"
        );
        assert!(run("strict $.a", "{}").unwrap_err().contains("missing member 'a'"));
        assert!(run("lax $.a + 1", r#"{"a":"x"}"#).unwrap_err().contains("Expected: NUMBER"));
        assert!(run("lax 1 / 0", "1").unwrap_err().contains("division by zero"));
    }
}
