//! The order of rows in a data file, and which data file a row goes to.
//!
//! Rows of one month are sorted by event source, event name and event time. Equal and similar values
//! then stand together, which Parquet compresses to less than any other order that was measured.

use std::collections::BTreeMap;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array},
    compute::take,
    datatypes::TimestampMicrosecondType,
    error::ArrowError,
};
use hashbrown::HashMap;
use towpath_store::calendarmonth;

/// Rows of one month in the order of a data file.
#[derive(Debug)]
pub(crate) struct MonthRows {
    /// The month of all their event times, YYYYMM.
    pub(crate) calendarmonth: i64,
    /// Their numbers in the batch, in the order of the data file.
    pub(crate) rows: Vec<u32>,
}

/// The event times of a batch, in microseconds since 1970; `None` if it has no such column.
pub(crate) fn event_times(columns: &RecordBatch) -> Option<&[i64]> {
    let column = columns.column_by_name("eventTime")?;
    let column = column.as_primitive_opt::<TimestampMicrosecondType>()?;
    (column.null_count() == 0).then(|| column.values().as_ref())
}

/// Splits `rows` of `columns` by month and puts each month in order.
///
/// An event whose time is in no month of any calendar is in none of them; decoding makes no such
/// event.
pub(crate) fn by_month(columns: &RecordBatch, rows: impl Iterator<Item = u32>) -> Vec<MonthRows> {
    let times = event_times(columns).unwrap_or_default();
    let ranks = name_ranks(columns);
    let mut months: BTreeMap<i64, Vec<(u32, i64, u32)>> = BTreeMap::new();
    for row in rows {
        let index = to_index(row);
        let Some((time, month)) =
            times.get(index).and_then(|time| Some((*time, calendarmonth(*time)?)))
        else {
            continue;
        };
        let rank = ranks.get(index).copied().unwrap_or_default();
        months.entry(month).or_default().push((rank, time, row));
    }
    let sorted = |(calendarmonth, mut keys): (i64, Vec<(u32, i64, u32)>)| {
        // The row number comes last: the same events in the same order give the same file.
        keys.sort_unstable();
        MonthRows { calendarmonth, rows: keys.into_iter().map(|(_, _, row)| row).collect() }
    };
    months.into_iter().map(sorted).collect()
}

/// For every row, the place of its event source and name among those of the batch.
fn name_ranks(columns: &RecordBatch) -> Vec<u32> {
    let text = |name: &str| columns.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
    let (Some(sources), Some(names)) = (text("eventSource"), text("eventName")) else {
        return Vec::new();
    };
    let mut numbers = HashMap::new();
    let mut distinct = Vec::new();
    let pairs = (0..columns.num_rows()).map(|row| (value(sources, row), value(names, row)));
    let mut ranks: Vec<u32> = pairs
        .map(|pair| {
            *numbers.entry(pair).or_insert_with(|| {
                distinct.push(pair);
                to_row(distinct.len() - 1)
            })
        })
        .collect();
    let mut order: Vec<u32> = (0..to_row(distinct.len())).collect();
    order.sort_unstable_by_key(|number| distinct.get(to_index(*number)));
    let mut rank_of = vec![0; distinct.len()];
    for (rank, number) in order.into_iter().enumerate() {
        if let Some(slot) = rank_of.get_mut(to_index(number)) {
            *slot = to_row(rank);
        }
    }
    for number in &mut ranks {
        *number = rank_of.get(to_index(*number)).copied().unwrap_or_default();
    }
    ranks
}

fn value(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

/// The given rows of `columns`, in the given order.
///
/// # Errors
///
/// Arrow's, if a column would exceed what its type can hold.
pub(crate) fn take_rows(columns: &RecordBatch, rows: &[u32]) -> Result<RecordBatch, ArrowError> {
    let rows = UInt32Array::from(rows.to_vec());
    let taken: Result<Vec<ArrayRef>, ArrowError> =
        columns.columns().iter().map(|column| take(column, &rows, None)).collect();
    RecordBatch::try_new(columns.schema(), taken?)
}

/// A row number as an index. A batch has less than 2^31 bytes, so less than 2^31 rows.
pub(crate) fn to_index(row: u32) -> usize {
    usize::try_from(row).unwrap_or(usize::MAX)
}

/// An index as a row number.
pub(crate) fn to_row(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
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

    #[test]
    fn rows_of_a_month_are_sorted_by_source_name_and_time() {
        let columns = batch(&[
            ("2023-07-02T00:00:00Z", r#""s3""#, r#""Put""#),
            ("2023-08-01T00:00:00Z", r#""ec2""#, r#""Run""#),
            ("2023-07-31T23:59:59Z", r#""ec2""#, r#""Run""#),
            ("2023-07-01T00:00:00Z", r#""s3""#, r#""Put""#),
            ("2023-07-03T00:00:00Z", r#""s3""#, r#""Get""#),
            ("2023-07-03T00:00:00Z", "null", r#""Get""#),
            ("2023-07-01T00:00:00Z", r#""s3""#, r#""Put""#),
        ]);
        let months = by_month(&columns, 0..7);
        let found: Vec<(i64, &[u32])> =
            months.iter().map(|month| (month.calendarmonth, &*month.rows)).collect();
        assert_eq!(found, [(202_307, &[5, 2, 4, 3, 6, 0][..]), (202_308, &[1][..])]);

        let sorted = take_rows(&columns, &months[0].rows).unwrap();
        let times = event_times(&sorted).unwrap();
        let expected: Vec<i64> =
            months[0].rows.iter().map(|row| event_times(&columns).unwrap()[to_index(*row)]).collect();
        assert_eq!(times, expected);
    }

    #[test]
    fn only_the_rows_asked_for_are_taken() {
        let columns = batch(&[("2023-07-02T00:00:00Z", "null", "null"); 3]);
        let months = by_month(&columns, [2, 0].into_iter());
        assert_eq!(months.len(), 1);
        assert_eq!(months[0].rows, [0, 2]);
        assert!(by_month(&columns, std::iter::empty()).is_empty());
    }
}
