//! [`Principal`]: who does something to a lake, as its audit trail names them.

use serde_json::{Map, Value, json};

use super::event::cut;

/// Longest text of a principal that is recorded, in bytes. Some of it comes from outside: a header
/// of a request, the name of a program.
const TEXT_BYTES_MAX: usize = 1_024;

/// The account of events where nobody says one.
const ACCOUNT_DEFAULT: &str = "000000000000";

/// The Region of events where nobody says one, the one that the server has too.
const REGION_DEFAULT: &str = "us-east-1";

/// Who does something to a lake, as the events of its audit trail say it in `userIdentity`.
///
/// The library believes what it is told: who may open the lake's files may call themselves anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    kind: Kind,
    name: String,
    access_key_id: Option<String>,
    source: String,
    user_agent: String,
    account_id: String,
    region: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Application,
    OsUser,
    AccessKey,
}

impl Principal {
    /// A program that has the library in it.
    pub fn application(name: &str) -> Principal {
        Principal::new(Kind::Application, name, "library")
    }

    /// A user of an operating system, on the machine called `host`.
    pub fn os_user(name: &str, host: &str) -> Principal {
        Principal::new(Kind::OsUser, name, host)
    }

    /// The holder of an access key of a server.
    pub fn access_key(name: &str, access_key_id: &str) -> Principal {
        let principal = Principal::new(Kind::AccessKey, name, "server");
        Principal { access_key_id: Some(cut(access_key_id, TEXT_BYTES_MAX)), ..principal }
    }

    fn new(kind: Kind, name: &str, source: &str) -> Principal {
        Principal {
            kind,
            name: cut(name, TEXT_BYTES_MAX),
            access_key_id: None,
            source: cut(source, TEXT_BYTES_MAX),
            user_agent: concat!("towpath/", env!("CARGO_PKG_VERSION")).to_owned(),
            account_id: ACCOUNT_DEFAULT.to_owned(),
            region: REGION_DEFAULT.to_owned(),
        }
    }

    /// The same at `source`, an address, which events have as `sourceIPAddress`.
    #[must_use]
    pub fn at(self, source: &str) -> Principal {
        Principal { source: cut(source, TEXT_BYTES_MAX), ..self }
    }

    /// The same with the program `user_agent`.
    #[must_use]
    pub fn with_user_agent(self, user_agent: &str) -> Principal {
        Principal { user_agent: cut(user_agent, TEXT_BYTES_MAX), ..self }
    }

    /// The same in an account, 12 digits, and a Region, as the events and their ARNs name them.
    #[must_use]
    pub fn in_account(self, account_id: &str, region: &str) -> Principal {
        let (account_id, region) = (cut(account_id, TEXT_BYTES_MAX), cut(region, TEXT_BYTES_MAX));
        Principal { account_id, region, ..self }
    }

    /// The account that the events are of.
    pub(super) fn account_id(&self) -> &str {
        &self.account_id
    }

    pub(super) fn region(&self) -> &str {
        &self.region
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }

    pub(super) fn user_agent(&self) -> &str {
        &self.user_agent
    }

    /// The `userIdentity` of events.
    pub(super) fn identity(&self) -> Value {
        let Principal { kind, name, source, account_id, .. } = self;
        let (kind, principal, arn) = match kind {
            Kind::Application => {
                ("Application", name.clone(), format!("arn:towpath:library:::application/{name}"))
            }
            Kind::OsUser => (
                "OsUser",
                format!("{name}@{source}"),
                format!("arn:towpath:os::{source}:user/{name}"),
            ),
            Kind::AccessKey => {
                ("AccessKey", name.clone(), format!("arn:towpath:server:::principal/{name}"))
            }
        };
        let mut identity = Map::new();
        for (member, value) in [
            ("type", Some(kind)),
            ("principalId", Some(principal.as_str())),
            ("arn", Some(arn.as_str())),
            ("accountId", Some(account_id)),
            ("accessKeyId", self.access_key_id.as_deref()),
            ("userName", Some(name)),
        ] {
            if let Some(value) = value {
                identity.insert(member.to_owned(), json!(value));
            }
        }
        Value::Object(identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_says_of_what_kind_it_is() {
        let user = Principal::os_user("ana", "laptop").identity();
        assert_eq!(user["arn"], "arn:towpath:os::laptop:user/ana");
        assert_eq!(user["principalId"], "ana@laptop");
        let key = Principal::access_key("ci", "AKIAEXAMPLE").identity();
        assert_eq!(
            (&key["type"], &key["accessKeyId"]),
            (&json!("AccessKey"), &json!("AKIAEXAMPLE"))
        );
        assert_eq!(Principal::application("x").identity().get("accessKeyId"), None);
    }

    #[test]
    fn what_comes_from_outside_is_cut() {
        let principal = Principal::application("a").with_user_agent(&"ü".repeat(5_000));
        assert!(principal.user_agent().len() < TEXT_BYTES_MAX + 64);
    }
}
