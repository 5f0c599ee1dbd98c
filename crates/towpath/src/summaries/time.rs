//! What an expression asks of the event time.

use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use towpath_store::{EVENT_TIME_COLUMN, SummaryPer};

use crate::functions::{CALENDAR_DAY, TIMESTAMP_MILLIS};

/// Trino's function that clears what is smaller than a unit, and those units of which each hour, or
/// each day, is in one.
const TRUNCATE: &str = "date_trunc";
const UNITS_OF_HOURS: [&str; 1] = ["hour"];
const UNITS_OF_DAYS: [&str; 5] = ["day", "week", "month", "quarter", "year"];

/// How finely an expression tells times apart that is not a condition on the time itself. `None`:
/// finer than any summary does.
pub(super) fn per(expr: &Expr) -> Option<SummaryPer> {
    if let Expr::ScalarFunction(function) = expr
        && let Some(per) = per_of_function(function)
    {
        return Some(per);
    }
    if is_event_time(expr) {
        return None;
    }
    let mut finest = Some(SummaryPer::File);
    let visited = expr.apply_children(|child| {
        finest = finest.zip(per(child)).map(|(a, b)| a.max(b));
        Ok(TreeNodeRecursion::Continue)
    });
    visited.ok().and(finest)
}

fn per_of_function(ScalarFunction { func, args }: &ScalarFunction) -> Option<SummaryPer> {
    match (func.name(), args.as_slice()) {
        (CALENDAR_DAY, [time]) if is_event_time(time) => Some(SummaryPer::Day),
        (TRUNCATE, [unit, time]) if is_time(time) => {
            let unit = text(unit)?.to_ascii_lowercase();
            if UNITS_OF_HOURS.contains(&unit.as_str()) {
                Some(SummaryPer::Hour)
            } else {
                UNITS_OF_DAYS.contains(&unit.as_str()).then_some(SummaryPer::Day)
            }
        }
        _ => None,
    }
}

/// Finds the cuts of a condition: the times, in microseconds, from which on a comparison in it
/// gives another answer than before. `None` if it asks something else of the time.
pub(super) fn cuts(condition: &Expr, found: &mut Vec<i64>) -> Option<SummaryPer> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And | Operator::Or, right }) => {
            let left = cuts(left, found)?;
            Some(left.max(cuts(right, found)?))
        }
        Expr::Not(inner) => cuts(inner, found),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_event_time(left) => {
            compared(*op, right, found)
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_event_time(right) => {
            compared(op.swap()?, left, found)
        }
        other => per(other),
    }
}

fn compared(op: Operator, with: &Expr, found: &mut Vec<i64>) -> Option<SummaryPer> {
    let Expr::Literal(ScalarValue::TimestampMicrosecond(Some(at), _), _) = with else {
        return None;
    };
    let after = at.checked_add(1)?;
    match op {
        Operator::Lt | Operator::GtEq => found.push(*at),
        Operator::Gt | Operator::LtEq => found.push(after),
        Operator::Eq | Operator::NotEq => found.extend([*at, after]),
        _ => return None,
    }
    Some(SummaryPer::File)
}

pub(crate) fn is_event_time(expr: &Expr) -> bool {
    matches!(expr, Expr::Column(column) if column.name == EVENT_TIME_COLUMN)
}

/// The event time as it is stored or as it is shown.
fn is_time(expr: &Expr) -> bool {
    match expr {
        Expr::ScalarFunction(ScalarFunction { func, args }) => {
            func.name() == TIMESTAMP_MILLIS
                && matches!(args.as_slice(), [time] if is_event_time(time))
        }
        expr => is_event_time(expr),
    }
}

pub(super) fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(literal, _) => literal.try_as_str().flatten(),
        _ => None,
    }
}
