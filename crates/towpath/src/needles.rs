//! Filters that ask for single values, answered by the index of the store: which data files may
//! hold them, and where in these.

use std::ops::Range;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{InList, ScalarFunction};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use towpath_store::{DataFile, Needle, StoreIndex, Wanted};

use crate::data_files::ChosenFile;

/// The function by which a statement names the value of a key. `map[key]` is not the same: it
/// fails where the key is missing, and what fails must not depend on an index.
const VALUE_OF_KEY: &str = "element_at";

/// What the index did for one scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct IndexUse {
    /// Data files that were looked up in it.
    pub(crate) covered: u64,
    /// Data files that it does not cover, or could not tell of.
    pub(crate) uncovered: u64,
    /// Data files that it left out.
    pub(crate) left_out: u64,
    /// Rows of the data files that it kept.
    pub(crate) rows: u64,
    /// Those of them that may match.
    pub(crate) rows_chosen: u64,
}

/// The values that a row must have for which all of `filters` are true, as far as they are ones
/// that are indexed. `None`: the index cannot help.
pub(crate) fn wanted(filters: &[Expr]) -> Option<Wanted> {
    all(filters.iter().filter_map(of_filter).collect())
}

fn all(mut parts: Vec<Wanted>) -> Option<Wanted> {
    match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(Wanted::All(parts)),
    }
}

fn of_filter(filter: &Expr) -> Option<Wanted> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::Eq => is(left, right).or_else(|| is(right, left)),
            // What one side says of the rows is true of them, whatever the other side is.
            Operator::And => all(of_filter(left).into_iter().chain(of_filter(right)).collect()),
            Operator::Or => Some(Wanted::Any(vec![of_filter(left)?, of_filter(right)?])),
            _ => None,
        },
        Expr::InList(InList { expr, list, negated: false }) if !list.is_empty() => {
            let values: Option<Vec<Wanted>> = list.iter().map(|value| is(expr, value)).collect();
            values.map(Wanted::Any)
        }
        _ => None,
    }
}

/// The condition that `what` is `value`.
fn is(what: &Expr, value: &Expr) -> Option<Wanted> {
    let value = text(value)?;
    let needle = match what {
        Expr::Column(column) => Needle::in_column(&column.name, value),
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == VALUE_OF_KEY => {
            match args.as_slice() {
                [Expr::Column(map), key] => Needle::in_map(&map.name, text(key)?, value),
                _ => None,
            }
        }
        _ => None,
    };
    needle.map(Wanted::Value)
}

fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(
            ScalarValue::Utf8(Some(text))
            | ScalarValue::Utf8View(Some(text))
            | ScalarValue::LargeUtf8(Some(text)),
            _,
        ) => Some(text),
        _ => None,
    }
}

/// Those of `files` that may hold what is wanted, each with the rows that may.
pub(crate) async fn choose<'a>(
    index: &StoreIndex,
    wanted: &Wanted,
    files: Vec<&'a DataFile>,
) -> (Vec<ChosenFile<'a>>, IndexUse) {
    let mut found = index.search(&files, wanted).await;
    let mut used = IndexUse::default();
    let kept = files.into_iter().filter_map(|file| {
        let Some(ranges) = found.remove(&file.path) else {
            used.uncovered += 1;
            return Some(ChosenFile::whole(file));
        };
        used.covered += 1;
        if ranges.is_empty() {
            used.left_out += 1;
            return None;
        }
        used.rows += file.rows;
        used.rows_chosen += ranges.iter().map(|range| range.end - range.start).sum::<u64>();
        Some(ChosenFile { file, rows: selection(&ranges, file.rows) })
    });
    let kept = kept.collect();
    (kept, used)
}

/// The rows of a data file of `rows` rows to be read; `None`: all.
fn selection(ranges: &[Range<u64>], rows: u64) -> Option<RowSelection> {
    let mut selectors = Vec::new();
    let mut at = 0;
    for range in ranges {
        selectors.push(RowSelector::skip(usize::try_from(range.start.checked_sub(at)?).ok()?));
        selectors.push(RowSelector::select(usize::try_from(range.end - range.start).ok()?));
        at = range.end;
    }
    selectors.push(RowSelector::skip(usize::try_from(rows.checked_sub(at)?).ok()?));
    selectors.retain(|selector| selector.row_count > 0);
    Some(RowSelection::from(selectors))
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{Expr, col, lit};
    use datafusion::prelude::in_list;
    use towpath_store::{Needle, Wanted};

    use super::wanted;

    fn value(column: &str, value: &str) -> Wanted {
        Wanted::Value(Needle::in_column(column, value).unwrap())
    }

    fn id() -> Expr {
        col("\"eventID\"")
    }

    fn address() -> Expr {
        col("\"sourceIPAddress\"")
    }

    #[test]
    fn only_what_a_row_must_have_is_wanted() {
        let other = || col("\"userAgent\"").eq(lit("x"));
        for (filters, expected) in [
            (vec![id().eq(lit("a"))], Some(value("eventID", "a"))),
            (vec![lit("a").eq(id()), other()], Some(value("eventID", "a"))),
            (vec![id().eq(lit("a")).and(other())], Some(value("eventID", "a"))),
            (vec![id().eq(lit("a")).or(other())], None),
            (vec![id().not_eq(lit("a"))], None),
            (vec![id().eq(lit(1))], None),
            (vec![in_list(id(), vec![lit("a")], true)], None),
            (vec![in_list(id(), vec![lit("a"), id()], false)], None),
            (
                vec![in_list(id(), vec![lit("a"), lit("b")], false)],
                Some(Wanted::Any(vec![value("eventID", "a"), value("eventID", "b")])),
            ),
            (
                vec![id().eq(lit("a")).or(address().eq(lit("b")))],
                Some(Wanted::Any(vec![value("eventID", "a"), value("sourceIPAddress", "b")])),
            ),
            (
                vec![id().eq(lit("a")), address().eq(lit("b"))],
                Some(Wanted::All(vec![value("eventID", "a"), value("sourceIPAddress", "b")])),
            ),
            (vec![], None),
        ] {
            assert_eq!(wanted(&filters), expected, "{filters:?}");
        }
    }
}
