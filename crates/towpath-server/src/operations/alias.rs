//! Query aliases: statements of dashboards and of `GenerateQuery` that are started by name.

use serde::{Deserialize, Serialize};

use crate::api::Call;
use crate::state::Kind;
use crate::wire::ApiError;

/// Runs of an alias that are remembered: a dashboard's refreshes of ten days at one an hour.
const RUNS_MAX: usize = 240;

/// A statement that has a name, and the queries that it was run as.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct QueryAlias {
    /// The statement, with `?` where values go.
    pub(super) statement: String,
    /// What the statement was made from, if it was generated.
    pub(super) prompt: Option<String>,
    /// Newest last.
    pub(super) runs: Vec<AliasRun>,
}

/// One run of an alias.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AliasRun {
    pub(super) query_id: String,
    /// The refresh of a dashboard that it was a part of.
    pub(super) refresh_id: Option<String>,
}

impl QueryAlias {
    /// The statement with `values` in place of its `?`, in order.
    ///
    /// # Errors
    ///
    /// `InvalidParameterException` if there are more or fewer values than places.
    pub(super) fn statement_with(&self, values: &[String]) -> Result<String, ApiError> {
        substitute(&self.statement, values).ok_or_else(|| {
            ApiError::invalid_parameter("QueryParameters must have one value for each ? in order")
        })
    }
}

/// `statement` with each `?` replaced. Inside of a string (`'?'`, as AWS writes it) the value is
/// text of that string; elsewhere it is a string of its own, so that no value can become SQL.
/// A `?` of a comment or a quoted name is none. `None`: the numbers differ.
pub(super) fn substitute(statement: &str, values: &[String]) -> Option<String> {
    let mut text = String::with_capacity(statement.len());
    let mut values = values.iter();
    let mut rest = statement.chars().peekable();
    // What the text is inside of: a string, a quoted name, a comment of either kind.
    let mut inside = None;
    while let Some(char) = rest.next() {
        let next = rest.peek().copied();
        match (inside, char) {
            (None, '?') => {
                text.push('\'');
                text.push_str(&values.next()?.replace('\'', "''"));
                text.push('\'');
                continue;
            }
            (Some('\''), '?') => {
                text.push_str(&values.next()?.replace('\'', "''"));
                continue;
            }
            (None, '\'' | '"') => inside = Some(char),
            (None, '-') if next == Some('-') => inside = Some('\n'),
            (None, '/') if next == Some('*') => inside = Some('*'),
            (Some('*'), '*') if next == Some('/') => inside = None,
            (Some(end), char) if end == char && end != '*' => inside = None,
            _ => {}
        }
        text.push(char);
    }
    values.next().is_none().then_some(text)
}

/// Notes that `query_id` is a run of `alias`.
pub(super) async fn remember_run(
    call: &Call,
    alias: &str,
    query_id: &str,
    refresh_id: Option<&str>,
) -> Result<(), ApiError> {
    let add = |state: &mut QueryAlias| {
        let run =
            AliasRun { query_id: query_id.to_owned(), refresh_id: refresh_id.map(str::to_owned) };
        state.runs.push(run);
        let extra = state.runs.len().saturating_sub(RUNS_MAX);
        state.runs.drain(..extra);
        Ok(())
    };
    call.api.state.change(Kind::Alias, alias, add).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::substitute;

    #[test]
    fn values_stay_values() {
        let cases = [
            ("a > '?'", vec!["x'y"], Some("a > 'x''y'")),
            ("a > ? AND b", vec!["x'; DROP"], Some("a > 'x''; DROP' AND b")),
            ("'it''s ?' || ?", vec!["1", "2"], Some("'it''s 1' || '2'")),
            ("\"a?\" -- ?\n/* ? */ ?", vec!["1"], Some("\"a?\" -- ?\n/* ? */ '1'")),
            ("a", vec![], Some("a")),
            ("a", vec!["1"], None),
            ("? ?", vec!["1"], None),
        ];
        for (statement, values, expected) in cases {
            let values: Vec<String> = values.into_iter().map(str::to_owned).collect();
            assert_eq!(substitute(statement, &values).as_deref(), expected, "{statement}");
        }
    }
}
