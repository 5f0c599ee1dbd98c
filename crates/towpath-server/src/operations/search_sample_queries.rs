//! `SearchSampleQueries`.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use towpath::{SampleQuery, sample_queries};

use super::input::{read, without_nulls};
use super::page::{after, token};
use crate::wire::ApiError;

/// Samples of a page, where the request does not say: AWS's number.
const PAGE_SAMPLES: usize = 10;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    search_phrase: String,
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// The samples that have words of a phrase, the one with most of them first.
pub(super) fn run(input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: Input = read(input)?;
    let phrase = &input.search_phrase;
    let scored = sample_queries().iter().map(|sample| (sample, sample.relevance(phrase)));
    let mut found: Vec<(&SampleQuery, f64)> =
        scored.filter(|(_, relevance)| *relevance > 0.0).collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.name().cmp(b.0.name())));
    let begin = match after(input.next_token.as_deref(), phrase) {
        Ok(None) => 0,
        Ok(Some(begin)) => begin.parse().unwrap_or(usize::MAX),
        // The operation declares no error for tokens.
        Err(error) => return Err(ApiError::invalid_parameter(error.message)),
    };
    let end = input.max_results.unwrap_or(PAGE_SAMPLES).saturating_add(begin);
    let next = (end < found.len()).then(|| token(phrase, &end.to_string())).flatten();
    let results: Vec<Value> = found
        .iter()
        .take(end)
        .skip(begin)
        .map(|(sample, relevance)| {
            json!({
                "Name": sample.name(),
                "Description": sample.description(),
                "SQL": sample.statement("$EDS_ID"),
                "Relevance": relevance,
            })
        })
        .collect();
    Ok(without_nulls(json!({"SearchResults": results, "NextToken": next})))
}
