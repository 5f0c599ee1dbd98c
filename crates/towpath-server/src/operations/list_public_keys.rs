//! `ListPublicKeys`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::input::{EpochSeconds, epoch_seconds, read};
use crate::api::Call;
use crate::wire::ApiError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    start_time: Option<EpochSeconds>,
    end_time: Option<EpochSeconds>,
    next_token: Option<String>,
}

/// The keys that were valid at some time of a span; without one, those that are valid now.
pub(super) async fn run(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let Input { start_time, end_time, next_token } = read(input)?;
    if next_token.is_some() {
        // All keys are one page, so that no token was ever given out.
        return Err(ApiError::user("InvalidTokenException", "The token is not valid."));
    }
    let now = call.api.now();
    let (start, end) = match (start_time, end_time) {
        (None, None) => (now, now),
        (Some(start), None) => (start.0, now.max(start.0)),
        (None, Some(end)) => (end.0.min(now), end.0),
        (Some(start), Some(end)) => (start.0, end.0),
    };
    if start > end {
        let text = "StartTime must not be after EndTime";
        return Err(ApiError::user("InvalidTimeRangeException", text));
    }
    let keys = call.api.lake.public_keys().await?;
    let keys: Vec<Value> = keys
        .iter()
        .filter(|key| key.valid_from <= end && key.valid_to > start)
        .map(|key| {
            json!({
                "Value": STANDARD.encode(&key.der),
                "ValidityStartTime": epoch_seconds(key.valid_from),
                "ValidityEndTime": epoch_seconds(key.valid_to),
                "Fingerprint": key.fingerprint,
            })
        })
        .collect();
    Ok(json!({"PublicKeyList": keys}))
}
