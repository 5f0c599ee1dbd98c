//! Who may do what: access keys, the principals behind them, and what these are granted.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use towpath::Visible;

use crate::sigv4::Secret;
use crate::wire::ApiError;

/// An access key and what its holder may do.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// The part of the key that is no secret.
    pub access_key_id: String,

    /// The holder, as logs and records of queries name it.
    pub principal: String,

    /// What the holder may do. Nothing, if it is empty.
    pub grants: Vec<Grant>,

    secret: Secret,
}

/// Operations on event data stores that a principal may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Names of operations, with `*` for any run of characters: `StartQuery`, `Get*`, `*`.
    pub operations: Vec<String>,

    /// Names, ids or ARNs of the event data stores on which they may be called, `*` for all.
    /// Operations that name no store need `*`, or any store if they only list or describe.
    pub stores: Vec<String>,

    /// The accounts whose events may be seen, by `recipientAccountId`. Empty: all. A grant with
    /// accounts is for looking alone: whatever its operations say, it lets nobody change a store
    /// that others share, or see what is about all of it.
    pub accounts: Vec<String>,

    /// Where results may be delivered to, with the server's own rights: `s3://audit-results/*`. Empty:
    /// nowhere.
    pub deliver_to: Vec<String>,
}

/// What a grant of some accounts can let its holder do.
const OPERATIONS_OF_ACCOUNTS: [&str; 10] = [
    "CancelQuery",
    "DescribeQuery",
    "GenerateQuery",
    "GetEventDataStore",
    "GetQueryResults",
    "ListEventDataStores",
    "ListQueries",
    "LookupEvents",
    "SearchSampleQueries",
    "StartQuery",
];

impl AccessKey {
    /// A key whose holder may do everything.
    pub fn administrator(
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
    ) -> AccessKey {
        let everything = Grant {
            operations: vec!["*".to_owned()],
            stores: vec!["*".to_owned()],
            accounts: Vec::new(),
            deliver_to: vec!["*".to_owned()],
        };
        AccessKey::new(access_key_id, secret_access_key, "administrator", vec![everything])
    }

    /// Who asks where no keys are needed.
    pub(crate) fn anonymous() -> AccessKey {
        AccessKey::administrator("anonymous", "")
    }

    /// A key whose holder may do what `grants` say and nothing else.
    pub fn new(
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
        principal: impl Into<String>,
        grants: Vec<Grant>,
    ) -> AccessKey {
        AccessKey {
            access_key_id: access_key_id.into(),
            principal: principal.into(),
            grants,
            secret: Secret::new(secret_access_key),
        }
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Whether there is a store on which the holder may call `operation`.
    pub(crate) fn may_call(&self, operation: &str) -> bool {
        self.grants_of(operation).next().is_some()
    }

    /// Whether the holder may call `operation` on every store and without one.
    pub(crate) fn may_call_on_all(&self, operation: &str) -> bool {
        self.grants_of(operation)
            .filter(|grant| grant.accounts.is_empty())
            .any(|grant| grant.stores.iter().any(|store| store == "*"))
    }

    /// Whether the holder may have a result delivered to `url`.
    pub(crate) fn may_deliver_to(&self, operation: &str, url: &str) -> bool {
        self.grants_of(operation)
            .flat_map(|grant| &grant.deliver_to)
            .any(|pattern| matches(pattern.as_bytes(), url.as_bytes()))
    }

    /// What the holder may see with `operation` of the store of this name and id; none: nothing,
    /// and it may not be called on it.
    pub(crate) fn visible(&self, operation: &str, name: &str, id: &str) -> Option<Visible> {
        let is_of = |store: &String| {
            let store = store.rsplit('/').next().unwrap_or(store);
            store == "*" || store.eq_ignore_ascii_case(name) || store.eq_ignore_ascii_case(id)
        };
        let mut found: Option<BTreeSet<String>> = None;
        for grant in self.grants_of(operation).filter(|grant| grant.stores.iter().any(is_of)) {
            if grant.accounts.is_empty() {
                return Some(Visible::All);
            }
            found.get_or_insert_default().extend(grant.accounts.iter().cloned());
        }
        found.map(Visible::Accounts)
    }

    fn grants_of<'a>(&'a self, operation: &'a str) -> impl Iterator<Item = &'a Grant> {
        self.grants.iter().filter(move |grant| {
            let is_listed = |pattern: &String| matches(pattern.as_bytes(), operation.as_bytes());
            let is_for_all = grant.accounts.is_empty();
            grant.operations.iter().any(is_listed)
                && (is_for_all || OPERATIONS_OF_ACCOUNTS.contains(&operation))
        })
    }
}

/// The keys of a server.
#[derive(Debug)]
pub(crate) struct AccessKeys {
    by_id: HashMap<String, Arc<AccessKey>>,
}

impl AccessKeys {
    pub(crate) fn new(keys: Vec<AccessKey>) -> AccessKeys {
        let by_id =
            keys.into_iter().map(|key| (key.access_key_id.clone(), Arc::new(key))).collect();
        AccessKeys { by_id }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The key of this id.
    ///
    /// # Errors
    ///
    /// 403 `UnrecognizedClientException` if there is none.
    pub(crate) fn key(&self, access_key_id: &str) -> Result<&Arc<AccessKey>, ApiError> {
        self.by_id.get(access_key_id).ok_or_else(|| {
            ApiError::with_status(
                403,
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            )
        })
    }
}

/// Whether `text` is of `pattern`, in which `*` stands for any run of characters and `?` for one.
///
/// Takes time in proportion to the product of the lengths at most: what follows the last `*` that
/// was met is tried again one further, and earlier ones never.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut found) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(found) {
        match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at + 1, found));
                at += 1;
            }
            Some(expected) if expected == byte || *expected == b'?' => {
                at += 1;
                found += 1;
            }
            _ => {
                let Some((after_star, from)) = retry else { return false };
                retry = Some((after_star, from + 1));
                at = after_star;
                found = from + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_operations() {
        for (pattern, text, expected) in [
            ("StartQuery", "StartQuery", true),
            ("StartQuery", "StartQuery2", false),
            ("Get*", "GetQueryResults", true),
            ("Get*", "ListQueries", false),
            ("*Query*", "GetQueryResults", true),
            ("*Results", "GetQueryResultsResults", true),
            ("*", "", true),
            ("", "x", false),
            ("**a*b**", "xxaxxbxx", true),
            ("a?c*", "abcd", true),
            ("a?c", "ac", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_not_granted_is_denied() {
        let grant = |operations: &[&str], stores: &[&str]| Grant {
            operations: operations.iter().map(|name| (*name).to_owned()).collect(),
            stores: stores.iter().map(|name| (*name).to_owned()).collect(),
            accounts: Vec::new(),
            deliver_to: vec!["s3://out/*".to_owned()],
        };
        let key = AccessKey::new("id", "s", "p", vec![grant(&["*Query*"], &["org-trail"])]);
        assert_eq!(key.visible("StartQuery", "Org-Trail", "id"), Some(Visible::All));
        assert_eq!(key.visible("StartQuery", "other", "id"), None);
        assert!(key.may_deliver_to("StartQuery", "s3://out/a"));
        assert!(!key.may_deliver_to("StartQuery", "s3://outside/a"));
        assert_eq!(key.visible("DeleteEventDataStore", "org-trail", "id"), None);
        assert!(key.may_call("StartQuery") && !key.may_call_on_all("StartQuery"));
        assert!(!AccessKey::new("id", "s", "p", Vec::new()).may_call("GetTrail"));
        assert!(AccessKey::administrator("id", "s").may_call_on_all("DeleteTrail"));
    }

    #[test]
    fn a_grant_of_accounts_is_for_looking() {
        let grant = |store: &str, accounts: &[&str]| Grant {
            operations: vec!["*".to_owned()],
            stores: vec![store.to_owned()],
            accounts: accounts.iter().map(|name| (*name).to_owned()).collect(),
            deliver_to: Vec::new(),
        };
        let grants = vec![grant("*", &["1"]), grant("b", &["2"]), grant("c", &[])];
        let key = AccessKey::new("id", "s", "p", grants);
        let accounts = |names: &[&str]| {
            Some(Visible::Accounts(names.iter().map(|name| (*name).to_owned()).collect()))
        };
        assert_eq!(key.visible("StartQuery", "a", ""), accounts(&["1"]));
        assert_eq!(key.visible("StartQuery", "b", ""), accounts(&["1", "2"]));
        assert_eq!(key.visible("StartQuery", "c", ""), Some(Visible::All));
        assert_eq!(key.visible("StartImport", "a", ""), None);
        assert!(!key.may_call_on_all("StartQuery") && !key.may_call_on_all("CreateTrail"));
    }
}
