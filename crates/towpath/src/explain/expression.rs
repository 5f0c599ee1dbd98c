//! Physical expressions as SQL.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CastExpr, Column, DynamicFilterPhysicalExpr, InListExpr, IsNotNullExpr, IsNullExpr,
    LikeExpr, Literal, NotExpr,
};
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr, ScalarFunctionExpr};
use towpath_sql::Type;

/// Longest text of one expression: a list of 100,000 addresses helps nobody who reads a plan.
const EXPRESSION_CHARS_MAX: usize = 400;

/// `expr` as SQL, cut after [`EXPRESSION_CHARS_MAX`] characters.
pub(crate) fn sql(expr: &Arc<dyn PhysicalExpr>) -> String {
    let text = unbounded(expr);
    match text.char_indices().nth(EXPRESSION_CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// The sort keys as in `ORDER BY`, in brackets.
pub(crate) fn sort_keys<'a>(keys: impl IntoIterator<Item = &'a PhysicalSortExpr>) -> String {
    let key = |key: &PhysicalSortExpr| {
        let direction = if key.options.descending { "DESC" } else { "ASC" };
        let nulls = if key.options.nulls_first { "FIRST" } else { "LAST" };
        format!("{} {direction} NULLS {nulls}", sql(&key.expr))
    };
    list(keys.into_iter().map(key))
}

/// `[a, b]`.
pub(crate) fn list(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<String>>().join(", "))
}

/// What the binder calls the results of aggregations, all of them.
const AGGREGATION: &str = "agg";

/// The name of a column without the number that the binder makes it unique with; a name that means
/// nothing keeps its number.
pub(crate) fn plain_name(name: &str) -> &str {
    match name.rsplit_once('$') {
        Some(("" | AGGREGATION, _number)) => name,
        Some((plain, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => plain,
        _ => name,
    }
}

fn unbounded(expr: &Arc<dyn PhysicalExpr>) -> String {
    let negated = |is: bool| if is { "NOT " } else { "" };
    if let Some(column) = expr.downcast_ref::<Column>() {
        return plain_name(column.name()).to_owned();
    }
    if let Some(literal) = expr.downcast_ref::<Literal>() {
        return literal_sql(literal.value());
    }
    if let Some(binary) = expr.downcast_ref::<BinaryExpr>() {
        return format!(
            "({} {} {})",
            unbounded(binary.left()),
            binary.op(),
            unbounded(binary.right())
        );
    }
    if let Some(call) = expr.downcast_ref::<ScalarFunctionExpr>() {
        let arguments: Vec<String> = call.args().iter().map(unbounded).collect();
        return format!("{}({})", call.name(), arguments.join(", "));
    }
    if let Some(cast) = expr.downcast_ref::<CastExpr>() {
        return format!("CAST({} AS {})", unbounded(cast.expr()), Type::of_arrow(cast.cast_type()));
    }
    if let Some(not) = expr.downcast_ref::<NotExpr>() {
        return format!("(NOT {})", unbounded(not.arg()));
    }
    if let Some(is_null) = expr.downcast_ref::<IsNullExpr>() {
        return format!("({} IS NULL)", unbounded(is_null.arg()));
    }
    if let Some(is_not_null) = expr.downcast_ref::<IsNotNullExpr>() {
        return format!("({} IS NOT NULL)", unbounded(is_not_null.arg()));
    }
    if let Some(like) = expr.downcast_ref::<LikeExpr>() {
        let (value, pattern) = (unbounded(like.expr()), unbounded(like.pattern()));
        return format!("({value} {}LIKE {pattern})", negated(like.negated()));
    }
    if let Some(in_list) = expr.downcast_ref::<InListExpr>() {
        let items: Vec<String> = in_list.list().iter().map(unbounded).collect();
        let value = unbounded(in_list.expr());
        return format!("({value} {}IN ({}))", negated(in_list.negated()), items.join(", "));
    }
    if expr.downcast_ref::<DynamicFilterPhysicalExpr>().is_some() {
        return "dynamic filter".to_owned();
    }
    expr.to_string()
}

fn literal_sql(value: &ScalarValue) -> String {
    match value {
        ScalarValue::Utf8(Some(text))
        | ScalarValue::Utf8View(Some(text))
        | ScalarValue::LargeUtf8(Some(text)) => format!("'{}'", text.replace('\'', "''")),
        ScalarValue::TimestampMicrosecond(Some(micros), _) => {
            match chrono::DateTime::from_timestamp_micros(*micros) {
                Some(time) => format!("TIMESTAMP '{}'", time.format("%Y-%m-%d %H:%M:%S%.6f UTC")),
                None => value.to_string(),
            }
        }
        _ => value.to_string(),
    }
}
