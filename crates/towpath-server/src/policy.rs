//! [`Policy`]: what the policy of a resource lets whom do with it, as far as this server has such
//! principals and conditions.
//!
//! A principal of this server is the user of that name in its account,
//! `arn:aws:iam::<account>:user/<principal>`. As in AWS, a `Deny` that matches wins over everything,
//! an `Allow` lets one principal do what no grant lets it, and an `Allow` for the whole account
//! leaves it to the grants. Conditions are not evaluated: with one, an `Allow` allows nothing and a
//! `Deny` always denies.

use serde::Deserialize;
use serde_json::Value;

use crate::access::matches;

/// Operations that AWS lets the policy of an event data store allow.
pub(crate) const ALLOWED_BY_POLICIES: [&str; 7] = [
    "CancelQuery",
    "DescribeQuery",
    "GenerateQuery",
    "GetEventDataStore",
    "GetQueryResults",
    "ListQueries",
    "StartQuery",
];

/// A condition that is checked elsewhere, for the whole policy.
const EXTERNAL_ID: &str = "cloudtrail:ExternalId";

/// The policy of one resource.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Policy {
    statement: OneOrMany<Statement>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: Effect,
    principal: Option<Principal>,
    not_principal: Option<Principal>,
    action: Option<OneOrMany<String>>,
    not_action: Option<OneOrMany<String>>,
    resource: Option<OneOrMany<String>>,
    not_resource: Option<OneOrMany<String>>,
    condition: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Principal {
    /// `*`: everybody.
    Any(String),
    Named {
        #[serde(rename = "AWS")]
        aws: Option<OneOrMany<String>>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn all(&self) -> &[T] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

/// Who asks for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) account_id: &'a str,
    pub(crate) principal: &'a str,
    /// With its service: `cloudtrail:StartQuery`.
    pub(crate) action: &'a str,
    pub(crate) resource_arn: &'a str,
}

/// What a policy says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Denied,
    Allowed,
    /// The grants decide.
    Silent,
}

impl Policy {
    /// Reads a policy; none if it is not one.
    pub(crate) fn parse(text: &str) -> Option<Policy> {
        serde_json::from_str(text).ok()
    }

    /// What the policy says of the call.
    pub(crate) fn verdict(&self, asking: Asking<'_>) -> Verdict {
        let applies = |effect| {
            let statements = self.statement.all().iter();
            statements.filter(|it| it.effect == effect).any(|it| it.applies(asking))
        };
        if applies(Effect::Deny) {
            Verdict::Denied
        } else if applies(Effect::Allow) {
            Verdict::Allowed
        } else {
            Verdict::Silent
        }
    }
}

impl Statement {
    fn applies(&self, asking: Asking<'_>) -> bool {
        let is_allow = self.effect == Effect::Allow;
        let is_about = match (&self.principal, &self.not_principal) {
            (Some(principal), None) => principal.is(asking, is_allow),
            // An Allow for all but some would reach who nobody thought of.
            (None, Some(others)) => !is_allow && !others.is(asking, is_allow),
            _ => !is_allow,
        };
        let is_action = listed(self.action.as_ref(), self.not_action.as_ref(), asking.action);
        let arn = asking.resource_arn;
        // Without a resource, the policy is about what it is on.
        let is_resource = (self.resource.is_none() && self.not_resource.is_none())
            || listed(self.resource.as_ref(), self.not_resource.as_ref(), arn);
        let holds = !is_allow || self.condition.as_ref().is_none_or(is_checked_elsewhere);
        is_about && is_action && is_resource && holds
    }
}

impl Principal {
    fn is(&self, Asking { account_id, principal, .. }: Asking<'_>, is_allow: bool) -> bool {
        let names: &[String] = match self {
            Principal::Any(name) => std::slice::from_ref(name),
            Principal::Named { aws: Some(names) } => names.all(),
            Principal::Named { aws: None } => &[],
        };
        let user = format!("arn:aws:iam::{account_id}:user/{principal}");
        let root = format!("arn:aws:iam::{account_id}:root");
        names.iter().any(|name| {
            let is_account = *name == root || name == account_id;
            name == "*" || *name == user || (is_account && !is_allow)
        })
    }
}

/// Whether `text` is in a list of patterns, or not in the list of exceptions.
fn listed(
    list: Option<&OneOrMany<String>>,
    exceptions: Option<&OneOrMany<String>>,
    text: &str,
) -> bool {
    let text = text.to_ascii_lowercase();
    let is_in = |list: &OneOrMany<String>| {
        let mut patterns = list.all().iter().map(|pattern| pattern.to_ascii_lowercase());
        patterns.any(|pattern| matches(pattern.as_bytes(), text.as_bytes()))
    };
    match (list, exceptions) {
        (Some(list), _) => is_in(list),
        (None, Some(exceptions)) => !is_in(exceptions),
        (None, None) => false,
    }
}

/// Whether a condition is of external ids alone.
fn is_checked_elsewhere(condition: &Value) -> bool {
    let tests = condition.as_object();
    tests.is_some_and(|tests| {
        tests.values().all(|test| {
            let keys = test.as_object();
            keys.is_some_and(|keys| keys.keys().all(|key| key.eq_ignore_ascii_case(EXTERNAL_ID)))
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:cloudtrail:us-east-1:123456789012:eventdatastore/a";

    fn verdict(statements: &Value) -> Verdict {
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        Policy::parse(&policy).unwrap().verdict(Asking {
            account_id: "123456789012",
            principal: "jane",
            action: "cloudtrail:StartQuery",
            resource_arn: ARN,
        })
    }

    fn statement(effect: &str, principal: &Value, action: &str) -> Value {
        json!({"Effect": effect, "Principal": principal, "Action": action, "Resource": ARN})
    }

    #[test]
    fn a_policy_denies_before_it_allows() {
        let jane = json!({"AWS": "arn:aws:iam::123456789012:user/jane"});
        let account = json!({"AWS": ["123456789012"]});
        let allow = statement("Allow", &jane, "cloudtrail:*Query");
        for (statements, expected) in [
            (json!(allow), Verdict::Allowed),
            (json!([allow]), Verdict::Allowed),
            (json!([statement("Allow", &json!("*"), "*")]), Verdict::Allowed),
            (json!([statement("Allow", &account, "*")]), Verdict::Silent),
            (json!([statement("Deny", &account, "*"), allow]), Verdict::Denied),
            (
                json!([allow, statement("Deny", &json!("*"), "CloudTrail:startquery")]),
                Verdict::Denied,
            ),
            (json!([statement("Allow", &jane, "cloudtrail:GetQueryResults")]), Verdict::Silent),
            (json!([statement("Allow", &json!({"Service": "x"}), "*")]), Verdict::Silent),
            (json!([statement("Allow", &json!({"AWS": "jane"}), "*")]), Verdict::Silent),
        ] {
            assert_eq!(verdict(&statements), expected, "{statements}");
        }
    }

    #[test]
    fn what_is_not_evaluated_allows_nothing() {
        let jane = json!({"AWS": "arn:aws:iam::123456789012:user/jane"});
        for (effect, more, expected) in [
            (
                "Allow",
                json!({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}),
                Verdict::Silent,
            ),
            (
                "Deny",
                json!({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}),
                Verdict::Denied,
            ),
            ("Allow", json!({"Condition": {"StringEquals": {EXTERNAL_ID: "x"}}}), Verdict::Allowed),
            (
                "Allow",
                json!({"Resource": "arn:aws:cloudtrail:*:*:eventdatastore/b"}),
                Verdict::Silent,
            ),
            ("Allow", json!({"Principal": null, "NotPrincipal": {"AWS": "x"}}), Verdict::Silent),
            ("Deny", json!({"Principal": null, "NotPrincipal": {"AWS": "x"}}), Verdict::Denied),
            ("Deny", json!({"Principal": null, "NotPrincipal": jane}), Verdict::Silent),
            ("Deny", json!({"Action": null, "NotAction": "cloudtrail:Get*"}), Verdict::Denied),
            ("Deny", json!({"Action": null, "NotAction": "cloudtrail:Start*"}), Verdict::Silent),
            ("Deny", json!({"Resource": null, "NotResource": ARN}), Verdict::Silent),
        ] {
            let mut statement = statement(effect, &jane, "cloudtrail:StartQuery");
            for (name, value) in more.as_object().unwrap() {
                statement[name] = value.clone();
            }
            assert_eq!(verdict(&json!([statement])), expected, "{statement}");
        }
        assert!(Policy::parse(r#"{"Statement":{"Effect":"Maybe"}}"#).is_none());
    }
}
