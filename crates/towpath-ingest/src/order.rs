//! The order of rows in a data file, and which data file a row goes to.
//!
//! Rows of one month are sorted by event source, event name and event time: the store's
//! [`ROW_ORDER`], which a merge of data files relies on.

use std::collections::BTreeMap;

use arrow::{
    array::{Array, AsArray, RecordBatch, StringArray},
    datatypes::TimestampMicrosecondType,
};
use hashbrown::HashMap;
use towpath_store::{ROW_ORDER, calendarmonth};

/// A row of one of several batches that are appended together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowAt {
    /// Which batch.
    pub(crate) batch: usize,
    /// Which row of it.
    pub(crate) row: usize,
}

/// Rows of one month in the order of a data file.
#[derive(Debug)]
pub(crate) struct MonthRows {
    /// The month of all their event times, YYYYMM.
    pub(crate) calendarmonth: i64,
    pub(crate) rows: Vec<RowAt>,
}

/// The event times of a batch, in microseconds since 1970; none if it has no such column.
pub(crate) fn event_times(columns: &RecordBatch) -> &[i64] {
    let [_, _, time] = ROW_ORDER;
    let column = columns.column_by_name(time);
    match column.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>()) {
        Some(times) if times.null_count() == 0 => times.values().as_ref(),
        _ => &[],
    }
}

/// Splits `rows` of `batches` by month and puts each month in order.
///
/// An event whose time is in no month of any calendar is in none of them; decoding makes no such
/// event.
pub(crate) fn by_month(
    batches: &[RecordBatch],
    rows: impl Iterator<Item = RowAt>,
) -> Vec<MonthRows> {
    let times: Vec<&[i64]> = batches.iter().map(event_times).collect();
    let ranks = name_ranks(batches);
    let mut months: BTreeMap<i64, Vec<(u32, i64, RowAt)>> = BTreeMap::new();
    for at in rows {
        let Some(time) = times.get(at.batch).and_then(|times| times.get(at.row)) else { continue };
        let Some(month) = calendarmonth(*time) else { continue };
        let rank = ranks.get(at.batch).and_then(|ranks| ranks.get(at.row));
        months.entry(month).or_default().push((rank.copied().unwrap_or_default(), *time, at));
    }
    let sorted = |(calendarmonth, mut keys): (i64, Vec<(u32, i64, RowAt)>)| {
        // The place comes last: the same events in the same order give the same file.
        keys.sort_unstable();
        MonthRows { calendarmonth, rows: keys.into_iter().map(|(_, _, at)| at).collect() }
    };
    months.into_iter().map(sorted).collect()
}

/// For every row of every batch, the place of its event source and name among those of all.
fn name_ranks(batches: &[RecordBatch]) -> Vec<Vec<u32>> {
    let mut numbers = HashMap::new();
    let mut distinct = Vec::new();
    let mut number_of = |pair| {
        *numbers.entry(pair).or_insert_with(|| {
            distinct.push(pair);
            distinct.len() - 1
        })
    };
    let numbered: Vec<Vec<usize>> =
        batches.iter().map(|batch| source_and_name(batch).map(&mut number_of).collect()).collect();
    let mut order: Vec<usize> = (0..distinct.len()).collect();
    order.sort_unstable_by_key(|number| distinct.get(*number));
    let mut rank_of = vec![0; distinct.len()];
    for (rank, number) in (0..).zip(order) {
        if let Some(slot) = rank_of.get_mut(number) {
            *slot = rank;
        }
    }
    let rank = |number: usize| rank_of.get(number).copied().unwrap_or_default();
    numbered.into_iter().map(|numbers| numbers.into_iter().map(rank).collect()).collect()
}

/// The event source and the event name of every row.
fn source_and_name(batch: &RecordBatch) -> impl Iterator<Item = (Option<&str>, Option<&str>)> {
    let text = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
    let [source, name, _] = ROW_ORDER;
    let (source, name) = (text(source), text(name));
    (0..batch.num_rows()).map(move |row| (value(source, row), value(name, row)))
}

fn value(column: Option<&StringArray>, row: usize) -> Option<&str> {
    column.filter(|column| column.is_valid(row)).map(|column| column.value(row))
}

#[cfg(test)]
mod tests {
    use towpath_event::EventBatchBuilder;

    use super::*;

    fn batch(events: &[(&str, &str, &str)]) -> RecordBatch {
        let records: Vec<String> = events
            .iter()
            .map(|(time, source, name)| {
                format!(r#"{{"eventTime":"{time}","eventSource":{source},"eventName":{name}}}"#)
            })
            .collect();
        let text = format!(r#"{{"Records":[{}]}}"#, records.join(","));
        let mut builder = EventBatchBuilder::new();
        builder.append_log_file(text.as_bytes()).unwrap();
        builder.finish().columns
    }

    fn at(batch: usize, row: usize) -> RowAt {
        RowAt { batch, row }
    }

    #[test]
    fn rows_of_a_month_are_sorted_by_source_name_and_time_over_all_batches() {
        let batches = [
            batch(&[
                ("2023-07-02T00:00:00Z", r#""s3""#, r#""Put""#),
                ("2023-08-01T00:00:00Z", r#""ec2""#, r#""Run""#),
                ("2023-07-31T23:59:59Z", r#""ec2""#, r#""Run""#),
                ("2023-07-01T00:00:00Z", r#""s3""#, r#""Put""#),
            ]),
            batch(&[
                ("2023-07-03T00:00:00Z", r#""s3""#, r#""Get""#),
                ("2023-07-03T00:00:00Z", "null", r#""Get""#),
                ("2023-07-01T00:00:00Z", r#""s3""#, r#""Put""#),
            ]),
        ];
        let all = [at(0, 0), at(0, 1), at(0, 2), at(0, 3), at(1, 0), at(1, 1), at(1, 2)];
        let months = by_month(&batches, all.into_iter());
        let found: Vec<(i64, &[RowAt])> =
            months.iter().map(|month| (month.calendarmonth, &*month.rows)).collect();
        let july = [at(1, 1), at(0, 2), at(1, 0), at(0, 3), at(1, 2), at(0, 0)];
        assert_eq!(found, [(202_307, &july[..]), (202_308, &[at(0, 1)][..])]);
    }

    #[test]
    fn only_the_rows_asked_for_are_taken() {
        let batches = [batch(&[("2023-07-02T00:00:00Z", "null", "null"); 3])];
        let months = by_month(&batches, [at(0, 2), at(0, 0)].into_iter());
        assert_eq!(months.len(), 1);
        assert_eq!(months[0].rows, [at(0, 0), at(0, 2)]);
        assert!(by_month(&batches, std::iter::empty()).is_empty());
    }
}
