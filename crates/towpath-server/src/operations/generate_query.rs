//! `GenerateQuery`: the sample that fits a prompt best. There is no model behind it.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use towpath::sample_queries;
use uuid::Uuid;

use super::alias::QueryAlias;
use super::input::read;
use crate::api::Call;
use crate::state::Kind;
use crate::wire::ApiError;

/// How much of a prompt a sample must fit: a third of its words is chance.
const RELEVANCE_MIN: f64 = 0.4;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    event_data_stores: Vec<String>,
    prompt: String,
}

/// A statement over the store for what the prompt asks, and an alias to start it by.
pub(super) async fn run(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let Input { event_data_stores, prompt } = read(input)?;
    let store = event_data_stores.first().map(String::as_str).unwrap_or_default();
    let store = call.active_store(store).await?;
    let scored = sample_queries().iter().map(|sample| (sample, sample.relevance(&prompt)));
    let best = scored.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.name().cmp(a.0.name())));
    let sample =
        best.filter(|(_, relevance)| *relevance >= RELEVANCE_MIN).map(|(sample, _)| sample);
    let sample = sample.ok_or_else(|| {
        ApiError::user(
            "GenerateResponseException",
            "A valid query could not be generated for the provided prompt; SearchSampleQueries \
             lists what there is",
        )
    })?;
    let statement = sample.statement(&store.id().to_string());
    let alias = format!("AWSCloudTrail-{}", Uuid::new_v4());
    let kept =
        QueryAlias { statement: statement.clone(), prompt: Some(prompt), ..QueryAlias::default() };
    call.api.state.create(Kind::Alias, &alias, &kept).await?;
    Ok(json!({"QueryStatement": statement, "QueryAlias": alias}))
}
