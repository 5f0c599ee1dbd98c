//! Pages of lists, and the tokens that lead from one to the next.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::wire::ApiError;

/// Members of a page, where the request does not say: AWS's most.
pub(super) const PAGE_MAX: usize = 1_000;

/// Where the next page begins, for the request that it belongs to.
#[derive(Debug, Deserialize, Serialize)]
struct Token {
    /// The hash of the parameters: a token is of use with no others.
    request: String,
    /// What the last page ended with.
    after: String,
}

/// The token of the page after `after`, of a request with these `parameters`.
pub(super) fn token(parameters: &str, after: &str) -> Option<String> {
    let token = Token { request: fingerprint(parameters), after: after.to_owned() };
    serde_json::to_vec(&token).ok().map(|text| URL_SAFE_NO_PAD.encode(text))
}

/// What the page before ended with.
///
/// # Errors
///
/// `InvalidNextTokenException` for what is no token, or one of other parameters.
pub(super) fn after(token: Option<&str>, parameters: &str) -> Result<Option<String>, ApiError> {
    let Some(token) = token else { return Ok(None) };
    let invalid = || {
        ApiError::user(
            "InvalidNextTokenException",
            "The token is not valid, or it was used in a request with different parameters.",
        )
    };
    let text = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
    let token: Token = serde_json::from_slice(&text).map_err(|_| invalid())?;
    if token.request != fingerprint(parameters) {
        return Err(invalid());
    }
    Ok(Some(token.after))
}

/// The page of `items`, which are sorted by `key`, that `next_token` asks for, and the token of the
/// page after it.
pub(super) fn page<T>(
    items: Vec<T>,
    key: impl Fn(&T) -> String,
    parameters: &str,
    next_token: Option<&str>,
    results_max: Option<usize>,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let after = after(next_token, parameters)?;
    let results_max = results_max.unwrap_or(PAGE_MAX);
    let mut rest = items
        .into_iter()
        .skip_while(|item| after.as_ref().is_some_and(|after| key(item) <= *after));
    let page: Vec<T> = rest.by_ref().take(results_max).collect();
    let next = match (rest.next(), page.last()) {
        (Some(_), Some(last)) => token(parameters, &key(last)),
        _ => None,
    };
    Ok((page, next))
}

fn fingerprint(parameters: &str) -> String {
    let digest = digest(&SHA256, parameters.as_bytes());
    URL_SAFE_NO_PAD.encode(digest.as_ref().get(..12).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_the_list_once() {
        let items: Vec<String> = (0..25).map(|number| format!("{number:02}")).collect();
        let mut found = Vec::new();
        let mut next = None;
        loop {
            let (page, token) =
                page(items.clone(), Clone::clone, "p", next.as_deref(), Some(10)).unwrap();
            found.extend(page);
            next = token;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(found, items);
    }

    #[test]
    fn a_token_of_another_request_is_refused() {
        let token = token("a", "x").unwrap();
        assert!((4..=1000).contains(&token.len()));
        assert_eq!(after(Some(&token), "a").unwrap().as_deref(), Some("x"));
        for (token, parameters) in [(token.as_str(), "b"), ("abcd", "a"), ("é", "a")] {
            let error = after(Some(token), parameters).unwrap_err();
            assert_eq!(error.code.name, "InvalidNextTokenException");
        }
    }
}
