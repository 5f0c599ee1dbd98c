//! Who may do what: access keys, the principals behind them, and what these are granted.

use std::collections::HashMap;
use std::sync::Arc;

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
}

impl AccessKey {
    /// A key whose holder may do everything.
    pub fn administrator(
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
    ) -> AccessKey {
        let everything = Grant { operations: vec!["*".to_owned()], stores: vec!["*".to_owned()] };
        AccessKey::new(access_key_id, secret_access_key, "administrator", vec![everything])
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
        self.grants_of(operation).any(|grant| grant.stores.iter().any(|store| store == "*"))
    }

    /// Whether the holder may call `operation` on the store of this name and id.
    pub(crate) fn may_call_on(&self, operation: &str, name: &str, id: &str) -> bool {
        self.grants_of(operation).flat_map(|grant| &grant.stores).any(|store| {
            let store = store.rsplit('/').next().unwrap_or(store);
            store == "*" || store.eq_ignore_ascii_case(name) || store.eq_ignore_ascii_case(id)
        })
    }

    fn grants_of<'a>(&'a self, operation: &'a str) -> impl Iterator<Item = &'a Grant> {
        self.grants.iter().filter(move |grant| {
            grant.operations.iter().any(|pattern| matches(pattern.as_bytes(), operation.as_bytes()))
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

/// Whether `text` is of `pattern`, in which `*` stands for any run of characters.
///
/// Takes time in proportion to the product of the lengths at most: what follows the last `*` that
/// was met is tried again one further, and earlier ones never.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut found) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(found) {
        match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at + 1, found));
                at += 1;
            }
            Some(expected) if expected == byte => {
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
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_not_granted_is_denied() {
        let grant = |operations: &[&str], stores: &[&str]| Grant {
            operations: operations.iter().map(|name| (*name).to_owned()).collect(),
            stores: stores.iter().map(|name| (*name).to_owned()).collect(),
        };
        let key = AccessKey::new("id", "s", "p", vec![grant(&["*Query*"], &["org-trail"])]);
        assert!(key.may_call_on("StartQuery", "Org-Trail", "id"));
        assert!(!key.may_call_on("StartQuery", "other", "id"));
        assert!(!key.may_call_on("DeleteEventDataStore", "org-trail", "id"));
        assert!(key.may_call("StartQuery") && !key.may_call_on_all("StartQuery"));
        assert!(!AccessKey::new("id", "s", "p", Vec::new()).may_call("GetTrail"));
        assert!(AccessKey::administrator("id", "s").may_call_on_all("DeleteTrail"));
    }
}
