//! Which events are the same event.

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// What makes an event the same as another, and whether the two texts agree.
///
/// Two events with equal `key` are one event that was delivered twice. If their `content` differs,
/// the deliveries disagree, and neither may be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventIdentity {
    /// XXH3-128 of `recipientAccountId`, a zero byte, and `eventID`. A missing account counts as
    /// empty. Where the `eventID` is missing or empty, as in event version 1.00, XXH3-128 of the
    /// event's exact text.
    pub key: u128,
    /// XXH3-64 of the event's exact text.
    pub content: u64,
}

/// The identity of an event, computed from its columns `recipientAccountId` and `eventID` as a data
/// file stores them, and its exact text, which is [`event_texts`](crate::event_texts).
///
/// The same as [`EventBatch::identities`](crate::EventBatch::identities) holds for the event. Part
/// of the format of a store: never change it.
pub fn event_identity(
    account: Option<&str>,
    event_id: Option<&str>,
    event_json: &str,
) -> EventIdentity {
    let (account, event_id) = (account.map(str::as_bytes), event_id.map(str::as_bytes));
    identity_of_bytes(account, event_id, event_json.as_bytes())
}

/// As [`event_identity`].
#[inline]
pub(crate) fn identity_of_bytes(
    account: Option<&[u8]>,
    event_id: Option<&[u8]>,
    event_json: &[u8],
) -> EventIdentity {
    let key = match event_id {
        None | Some([]) => xxh3_128(event_json),
        Some(event_id) => xxh3_128_of_pair(account.unwrap_or_default(), event_id),
    };
    EventIdentity { key, content: xxh3_64(event_json) }
}

/// Room for an account (12 digits), the zero byte and an id (36 characters); longer pairs allocate.
const PAIR_BYTES: usize = 64;

fn xxh3_128_of_pair(account: &[u8], event_id: &[u8]) -> u128 {
    let length = account.len() + 1 + event_id.len();
    let mut short = [0; PAIR_BYTES];
    let Some(pair) = short.get_mut(..length) else {
        return xxh3_128(&[account, &[0], event_id].concat());
    };
    let (first, second) = pair.split_at_mut(account.len());
    first.copy_from_slice(account);
    if let Some((_, second)) = second.split_first_mut() {
        second.copy_from_slice(event_id);
    }
    xxh3_128(pair)
}

#[cfg(test)]
mod tests {
    use super::{event_identity, xxh3_64, xxh3_128};

    const TEXT: &str = r#"{"eventID":"e"}"#;

    #[test]
    fn the_key_is_of_account_and_id_and_the_content_of_the_text() {
        let long = "e".repeat(100);
        for (account, id, hashed) in [
            (Some("123456789012"), "e", "123456789012\0e"),
            (None, "e", "\0e"),
            (Some(""), "e", "\0e"),
            (Some("1"), long.as_str(), &format!("1\0{long}")),
        ] {
            let identity = event_identity(account, Some(id), TEXT);
            assert_eq!(identity.key, xxh3_128(hashed.as_bytes()), "{hashed}");
            assert_eq!(identity.content, xxh3_64(TEXT.as_bytes()));
        }
    }

    #[test]
    fn without_an_id_the_text_is_the_key() {
        for id in [None, Some("")] {
            let identity = event_identity(Some("123456789012"), id, TEXT);
            assert_eq!(identity.key, xxh3_128(TEXT.as_bytes()));
        }
    }

    #[test]
    fn the_boundary_between_account_and_id_counts() {
        let one = event_identity(Some("1"), Some("23"), TEXT);
        let other = event_identity(Some("12"), Some("3"), TEXT);
        assert_ne!(one.key, other.key);
        assert_eq!(one.content, other.content);
    }

    #[test]
    fn the_hashes_are_the_ones_stores_already_hold() {
        let identity = event_identity(Some("123456789012"), Some("7ec7f858"), TEXT);
        // As the reference implementation of xxHash has them.
        assert_eq!(identity.key, 124_087_496_739_683_889_808_034_568_194_198_407_032);
        assert_eq!(identity.content, 9_697_615_455_359_761_807);
    }
}
