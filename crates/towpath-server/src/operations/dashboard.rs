//! Dashboards: `CreateDashboard`, `GetDashboard`, `ListDashboards`, `UpdateDashboard`,
//! `DeleteDashboard` and `StartDashboardRefresh`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::alias::{QueryAlias, remember_run, substitute};
use super::dashboard_schedule::RefreshSchedule;
use super::input::{epoch_seconds, read, without_nulls};
use super::page::page;
use super::start_query::start;
use super::tags::{Tag, check_tags, put_tags};
use crate::api::{Call, ResourceKind, id_of};
use crate::state::Kind;
use crate::wire::ApiError;

/// Custom dashboards of one Region, and widgets of one dashboard: AWS's quotas.
const DASHBOARDS_MAX: usize = 100;
const WIDGETS_MAX: usize = 10;

/// What is kept of a dashboard.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct DashboardState {
    widgets: Vec<Widget>,
    /// As the request gave it.
    pub(super) refresh_schedule: Value,
    termination_protection: bool,
    created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    is_updated: bool,
    last_refresh_id: Option<String>,
    pub(super) last_refresh_failure: Option<String>,
    /// The access key that last made or changed it, whose rights its own refreshes have.
    pub(super) owner: String,
    /// The refresh of its schedule that was begun last.
    pub(super) last_due_at: Option<DateTime<Utc>>,
}

/// A widget, with the alias that its query is run by.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Widget {
    #[serde(default)]
    query_alias: String,
    query_statement: String,
    #[serde(default)]
    query_parameters: Vec<String>,
    #[serde(default)]
    view_properties: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateInput {
    name: String,
    refresh_schedule: Option<Value>,
    tags_list: Option<Vec<Tag>>,
    termination_protection_enabled: Option<bool>,
    widgets: Option<Vec<Widget>>,
}

/// `CreateDashboard`.
pub(super) async fn create(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    call.check_may_call_on_all()?;
    let input: CreateInput = read(input)?;
    let tags = input.tags_list.unwrap_or_default();
    check_tags(&tags)?;
    if let Some(schedule) = &input.refresh_schedule {
        RefreshSchedule::read(schedule)?;
    }
    let widgets = with_aliases(call, input.widgets.unwrap_or_default()).await?;
    let dashboards: Vec<(String, DashboardState)> = call.api.state.all(Kind::Dashboard).await?;
    if dashboards.len() >= DASHBOARDS_MAX {
        let text = format!("There are {DASHBOARDS_MAX} dashboards, which is the maximum");
        return Err(ApiError::user("ServiceQuotaExceededException", text));
    }
    let now = call.api.now();
    let state = DashboardState {
        widgets,
        refresh_schedule: input.refresh_schedule.unwrap_or_default(),
        termination_protection: input.termination_protection_enabled.unwrap_or(false),
        created_at: now,
        updated_at: now,
        owner: call.key.access_key_id.clone(),
        ..DashboardState::default()
    };
    if !call.api.state.create(Kind::Dashboard, &input.name, &state).await? {
        let text = format!("A dashboard '{}' already exists", input.name);
        return Err(ApiError::user("ConflictException", text));
    }
    put_tags(call, ResourceKind::Dashboard, &input.name, &tags).await?;
    let mut answer = description(call, &input.name, &state);
    answer["Name"] = json!(input.name);
    answer["TagsList"] = json!(tags);
    Ok(answer)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IdInput {
    dashboard_id: String,
    #[serde(default)]
    query_parameter_values: Map<String, Value>,
    widgets: Option<Vec<Widget>>,
    refresh_schedule: Option<Value>,
    termination_protection_enabled: Option<bool>,
}

/// `GetDashboard`.
pub(super) async fn get(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: IdInput = read(input)?;
    let (name, state) = find(call, &input.dashboard_id).await?;
    let mut answer = description(call, &name, &state);
    answer["Status"] = json!(if state.is_updated { "UPDATED" } else { "CREATED" });
    answer["CreatedTimestamp"] = epoch_seconds(state.created_at);
    answer["UpdatedTimestamp"] = epoch_seconds(state.updated_at);
    answer["LastRefreshId"] = json!(state.last_refresh_id);
    answer["LastRefreshFailureReason"] = json!(state.last_refresh_failure);
    Ok(without_nulls(answer))
}

/// `UpdateDashboard`. Widgets that are given replace all that it has.
pub(super) async fn update(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: IdInput = read(input)?;
    let (name, _) = find(call, &input.dashboard_id).await?;
    if let Some(schedule) = &input.refresh_schedule {
        RefreshSchedule::read(schedule)?;
    }
    let widgets = match input.widgets {
        Some(widgets) => Some(with_aliases(call, widgets).await?),
        None => None,
    };
    let now = call.api.now();
    let set = |state: &mut DashboardState| {
        if let Some(widgets) = &widgets {
            state.widgets.clone_from(widgets);
        }
        if let Some(schedule) = &input.refresh_schedule {
            state.refresh_schedule = schedule.clone();
        }
        let protection = input.termination_protection_enabled;
        state.termination_protection = protection.unwrap_or(state.termination_protection);
        state.updated_at = now;
        state.is_updated = true;
        state.owner.clone_from(&call.key.access_key_id);
        Ok(())
    };
    let state = call.api.state.change(Kind::Dashboard, &name, set).await?;
    let mut answer = description(call, &name, &state);
    answer["Name"] = json!(name);
    answer["CreatedTimestamp"] = epoch_seconds(state.created_at);
    answer["UpdatedTimestamp"] = epoch_seconds(state.updated_at);
    Ok(answer)
}

/// `DeleteDashboard`.
pub(super) async fn delete(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: IdInput = read(input)?;
    let (name, state) = find(call, &input.dashboard_id).await?;
    if state.termination_protection {
        let text = "The dashboard has termination protection; turn it off first";
        return Err(ApiError::user("ConflictException", text));
    }
    for widget in &state.widgets {
        call.api.state.remove(Kind::Alias, &widget.query_alias).await?;
    }
    call.api.state.remove(Kind::Dashboard, &name).await?;
    let tags = format!("{}-{name}", ResourceKind::Dashboard.name());
    call.api.state.remove(Kind::Resource, &tags).await?;
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListInput {
    name_prefix: Option<String>,
    r#type: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

/// `ListDashboards`. All are custom: there are no managed ones.
pub(super) async fn list(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    call.check_may_call_on_all()?;
    let input: ListInput = read(input)?;
    let mut dashboards: Vec<(String, DashboardState)> = call.api.state.all(Kind::Dashboard).await?;
    let prefix = input.name_prefix.unwrap_or_default();
    let is_managed = input.r#type.as_deref() == Some("MANAGED");
    dashboards.retain(|(name, _)| name.starts_with(&prefix) && !is_managed);
    let key = |dashboard: &(String, DashboardState)| dashboard.0.clone();
    let parameters = format!("dashboards {prefix} {is_managed}");
    let (dashboards, next) =
        page(dashboards, key, &parameters, input.next_token.as_deref(), input.max_results)?;
    let dashboards: Vec<Value> = dashboards
        .iter()
        .map(|(name, _)| {
            let arn = call.api.arn(ResourceKind::Dashboard, name);
            json!({"DashboardArn": arn, "Type": "CUSTOM"})
        })
        .collect();
    Ok(without_nulls(json!({"Dashboards": dashboards, "NextToken": next})))
}

/// `StartDashboardRefresh`: one query for each widget, read by alias and refresh.
pub(super) async fn refresh(call: &Call, input: Map<String, Value>) -> Result<Value, ApiError> {
    let input: IdInput = read(input)?;
    let (name, state) = find(call, &input.dashboard_id).await?;
    let refresh_id = refresh_now(call, &name, &state, &input.query_parameter_values).await?;
    Ok(json!({"RefreshId": refresh_id}))
}

/// Starts the queries of all widgets and returns the id of the refresh.
pub(super) async fn refresh_now(
    call: &Call,
    name: &str,
    state: &DashboardState,
    values: &Map<String, Value>,
) -> Result<String, ApiError> {
    let digits = Uuid::new_v4().as_u128() % 10_u128.pow(20);
    let refresh_id = format!("{digits:020}");
    let mut statements = Vec::new();
    for widget in &state.widgets {
        statements.push(statement(widget, values)?);
    }
    for (widget, statement) in state.widgets.iter().zip(statements) {
        let query_id =
            start(call, statement, None).await.map_err(|error| match error.code.name.as_ref() {
                "MaxConcurrentQueriesException" => {
                    ApiError::user("ServiceQuotaExceededException", error.message)
                }
                _ => error,
            })?;
        remember_run(call, &widget.query_alias, &query_id, Some(&refresh_id)).await?;
    }
    let note = |state: &mut DashboardState| {
        state.last_refresh_id = Some(refresh_id.clone());
        Ok(())
    };
    call.api.state.change(Kind::Dashboard, name, note).await?;
    Ok(refresh_id)
}

/// The statement of a widget with its parameters, of which those like `$StartTime$` are named by
/// the refresh.
fn statement(widget: &Widget, values: &Map<String, Value>) -> Result<String, ApiError> {
    let value = |parameter: &String| match values.get(parameter).and_then(Value::as_str) {
        Some(value) => Ok(value.to_owned()),
        None if parameter.starts_with('$') && parameter.ends_with('$') => {
            let text = format!("QueryParameterValues has no value for {parameter}");
            Err(ApiError::user("InvalidParameterException", text))
        }
        None => Ok(parameter.clone()),
    };
    let values: Vec<String> =
        widget.query_parameters.iter().map(value).collect::<Result<_, _>>()?;
    substitute(&widget.query_statement, &values).ok_or_else(|| {
        let text = "A widget has not one query parameter for each ? of its statement";
        ApiError::user("InvalidQueryStatementException", text)
    })
}

async fn find(call: &Call, name_or_arn: &str) -> Result<(String, DashboardState), ApiError> {
    call.check_may_call_on_all()?;
    let not_found =
        || ApiError::user("ResourceNotFoundException", "The specified dashboard was not found.");
    let name = id_of(ResourceKind::Dashboard, name_or_arn).ok_or_else(not_found)?;
    let state: Option<DashboardState> = call.api.state.get(Kind::Dashboard, name).await?;
    Ok((name.to_owned(), state.ok_or_else(not_found)?))
}

/// Checks widgets and gives each an alias.
async fn with_aliases(call: &Call, mut widgets: Vec<Widget>) -> Result<Vec<Widget>, ApiError> {
    if widgets.len() > WIDGETS_MAX {
        let text = format!("A dashboard has at most {WIDGETS_MAX} widgets");
        return Err(ApiError::user("ServiceQuotaExceededException", text));
    }
    for widget in &widgets {
        let places = vec![String::new(); widget.query_parameters.len()];
        if substitute(&widget.query_statement, &places).is_none() {
            let text = "QueryParameters must have one value for each ? of the statement";
            return Err(ApiError::user("InvalidQueryStatementException", text));
        }
    }
    for widget in &mut widgets {
        widget.query_alias = format!("AWSCloudTrail-{}", Uuid::new_v4());
        let alias =
            QueryAlias { statement: widget.query_statement.clone(), ..QueryAlias::default() };
        call.api.state.create(Kind::Alias, &widget.query_alias, &alias).await?;
    }
    Ok(widgets)
}

fn description(call: &Call, name: &str, state: &DashboardState) -> Value {
    without_nulls(json!({
        "DashboardArn": call.api.arn(ResourceKind::Dashboard, name),
        "Type": "CUSTOM",
        "Widgets": state.widgets,
        "RefreshSchedule": state.refresh_schedule,
        "TerminationProtectionEnabled": state.termination_protection,
    }))
}
