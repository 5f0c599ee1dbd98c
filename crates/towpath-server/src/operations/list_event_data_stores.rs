//! `ListEventDataStores`.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::input::{read, without_nulls};
use super::page::page;
use crate::api::{Call, ResourceKind};
use crate::wire::ApiError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    next_token: Option<String>,
    max_results: Option<usize>,
}

/// Names and ARNs of the stores that the caller may list; AWS gives no more of them either.
pub(super) async fn run(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let Input { next_token, max_results } = read(input)?;
    let mut stores = Vec::new();
    for store in call.api.lake.stores().await? {
        if call.may_use(&store).await? {
            stores.push(store);
        }
    }
    stores.sort_by_key(|store| store.name().to_ascii_lowercase());
    let key = |store: &towpath::Store| store.name().to_ascii_lowercase();
    let (stores, next) = page(stores, key, "stores", next_token.as_deref(), max_results)?;
    let stores: Vec<Value> = stores
        .iter()
        .map(|store| {
            let arn = call.api.arn(ResourceKind::EventDataStore, store.id());
            json!({"EventDataStoreArn": arn, "Name": store.name()})
        })
        .collect();
    Ok(without_nulls(json!({"EventDataStores": stores, "NextToken": next})))
}
