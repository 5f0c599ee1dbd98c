//! `chart`: a drawing of a label or a time and a number, for a look at the shape of an answer.
//!
//! The first column says what is drawn, the first column of numbers after it how much. Times
//! become columns along an axis, with gaps where the answer has gaps; anything else becomes a bar
//! per row. Block characters and no colours, so that it can be pasted.

use std::io::Write;

use anyhow::{Result, anyhow, bail};
use arrow::array::cast::AsArray;
use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, Schema, TimeUnit};
use console::{measure_text_width, truncate_str};

use super::RowWriter;
use super::printable::one_line;
use super::text::{is_null, push_text};
use crate::error::Hinted;

/// Rows that a drawing is made of. More points than any terminal has columns; an answer with more
/// is to be grouped.
const ROWS_MAX: usize = 10_000;

/// Width of a drawing that does not go to a terminal.
const WIDTH_DEFAULT: usize = 80;

/// Least width that something can be seen in.
const WIDTH_MIN: usize = 30;

/// Lines of a drawing over time.
const HEIGHT: usize = 12;

/// Columns and bars end in an eighth of a character.
const EIGHTHS: u64 = 8;

/// Parts of a character from the bottom up.
const UPWARD: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Parts of a character from the left on.
const RIGHTWARD: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// Draws the rows when all have come.
pub(crate) struct ChartWriter<W> {
    sink: W,
    width: usize,
    /// The column of the numbers.
    number: usize,
    is_over_time: bool,
    points: Vec<Point>,
}

/// One row.
#[derive(Clone, Debug)]
struct Point {
    label: String,
    /// Milliseconds since 1970, of a time that is not `NULL`.
    at: Option<i64>,
    /// What is drawn; `None` for `NULL` and what is not finite.
    number: Option<f64>,
    /// The number as every other format writes it.
    text: String,
}

impl<W: Write> ChartWriter<W> {
    /// # Errors
    ///
    /// If there is no column of numbers after the first column.
    pub(crate) fn new(sink: W, schema: &Schema, width: Option<usize>) -> Result<ChartWriter<W>> {
        let mut numbers = schema.fields().iter().skip(1);
        let Some(number) = numbers.position(|field| field.data_type().is_numeric()) else {
            let error = anyhow!("a chart needs a label or a time, and then a number");
            let hint = "SELECT date_trunc('day', eventTime), count(*) … GROUP BY 1 is one";
            return Err(Hinted::new(error, hint).into());
        };
        let is_over_time = schema.fields().first().is_some_and(|field| is_time(field.data_type()));
        let width = width.unwrap_or(WIDTH_DEFAULT).max(WIDTH_MIN);
        Ok(ChartWriter { sink, width, number: number + 1, is_over_time, points: Vec::new() })
    }
}

impl<W: Write> RowWriter for ChartWriter<W> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        if self.points.len() + batch.num_rows() > ROWS_MAX {
            bail!("a chart holds {ROWS_MAX} rows at most; group them, or add a LIMIT");
        }
        let schema = batch.schema_ref();
        let (labels, numbers) = (batch.column(0), batch.column(self.number));
        let values = cast(numbers, &DataType::Float64)?;
        let values = values.as_primitive::<Float64Type>();
        let times = self.is_over_time.then(|| millis(labels)).transpose()?;
        for row in 0..batch.num_rows() {
            let text = |column: &ArrayRef, index: usize| {
                let mut text = String::new();
                if is_null(column, row) {
                    text.push_str("NULL");
                } else {
                    push_text(&mut text, column, schema.field(index), row);
                }
                one_line(&text).into_owned()
            };
            self.points.push(Point {
                label: text(labels, 0),
                at: times.as_ref().and_then(|times| {
                    let times = times.as_primitive::<Int64Type>();
                    times.is_valid(row).then(|| times.value(row))
                }),
                number: values
                    .is_valid(row)
                    .then(|| values.value(row))
                    .filter(|number| number.is_finite()),
                text: text(numbers, self.number),
            });
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        let drawing = if self.points.is_empty() {
            "(no rows to draw)\n".to_owned()
        } else if self.is_over_time {
            over_time(&self.points, self.width)
        } else {
            bars(&self.points, self.width)
        };
        self.sink.write_all(drawing.as_bytes())?;
        Ok(())
    }
}

fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(_, _) | DataType::Date32 | DataType::Date64)
}

/// Times of either kind as milliseconds since 1970.
fn millis(times: &ArrayRef) -> Result<ArrayRef> {
    let moments = cast(times, &DataType::Timestamp(TimeUnit::Millisecond, None))?;
    Ok(cast(&moments, &DataType::Int64)?)
}

/// The least and the greatest number, with zero between or among them.
fn range(points: &[Point]) -> (f64, f64) {
    let numbers = points.iter().filter_map(|point| point.number);
    numbers.fold((0.0, 0.0), |(least, most): (f64, f64), n| (least.min(n), most.max(n)))
}

/// How many of `eighths` the part of `number` in `least` to `most` takes up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of at most a few thousand eighths of a character"
)]
fn share(number: f64, (least, most): (f64, f64), eighths: u64) -> u64 {
    // Halves, so that the span of the greatest and the least double is still finite.
    let span = most / 2.0 - least / 2.0;
    if span <= 0.0 {
        return 0;
    }
    let part = ((number / 2.0 - least / 2.0) / span).clamp(0.0, 1.0);
    let drawn = (part * eighths as f64).round() as u64;
    // What is there is seen, however little it is.
    if number > least { drawn.max(1) } else { drawn }
}

/// A line per row: label, bar, number.
fn bars(points: &[Point], width: usize) -> String {
    let widest = |texts: fn(&Point) -> &str| {
        points.iter().map(|point| measure_text_width(texts(point))).max().unwrap_or(0)
    };
    let number_width = widest(|point| &point.text);
    let label_width = widest(|point| &point.label).min(width / 2);
    // A space before the label, a bar and spaces around it.
    let room = width.saturating_sub(label_width + number_width + 5).max(4);
    let range = range(points);
    let mut out = String::new();
    for point in points {
        let label = truncate_str(&point.label, label_width, "…");
        let missing = label_width.saturating_sub(measure_text_width(&label));
        let eighths = point.number.map_or(0, |number| share(number, range, room as u64 * EIGHTHS));
        out.push_str(&format!(" {label}{} │{}", " ".repeat(missing), bar(eighths)));
        out.push_str(&format!(" {}\n", point.text));
    }
    out
}

fn bar(eighths: u64) -> String {
    let whole = usize::try_from(eighths / EIGHTHS).unwrap_or(0);
    let mut bar = "█".repeat(whole);
    if let Some(part) = partial(RIGHTWARD, eighths % EIGHTHS).filter(|part| *part != ' ') {
        bar.push(part);
    }
    bar
}

fn partial(characters: [char; 9], eighths: u64) -> Option<char> {
    characters.get(usize::try_from(eighths).ok()?).copied()
}

/// Columns along an axis of time.
fn over_time(points: &[Point], width: usize) -> String {
    let range @ (least, most) = range(points);
    let (top, bottom) = (number_text(most), number_text(least));
    let axis_width = measure_text_width(&top).max(measure_text_width(&bottom));
    // A space, the numbers, a space, the axis.
    let room = width.saturating_sub(axis_width + 3).max(1);
    let slots = Slots::of(points, room);
    let heights: Vec<Option<u64>> = slots
        .largest(points)
        .iter()
        .map(|number| number.map(|number| share(number, range, HEIGHT as u64 * EIGHTHS)))
        .collect();
    let mut out = String::new();
    for line in (0..HEIGHT).rev() {
        let number = match line {
            line if line + 1 == HEIGHT => top.as_str(),
            0 => bottom.as_str(),
            _ => "",
        };
        out.push_str(&format!(
            " {number:>axis_width$} {}",
            if number.is_empty() { '│' } else { '┤' }
        ));
        let below = line as u64 * EIGHTHS;
        let mut drawn = String::new();
        for height in &heights {
            let eighths = height.unwrap_or(0).saturating_sub(below).min(EIGHTHS);
            let character = partial(UPWARD, eighths).unwrap_or(' ');
            drawn.extend(std::iter::repeat_n(character, slots.columns));
        }
        out.push_str(drawn.trim_end());
        out.push('\n');
    }
    let drawn_width = heights.len() * slots.columns;
    out.push_str(&format!(" {:>axis_width$} └{}\n", "", "─".repeat(drawn_width)));
    out.push_str(&format!(" {:>axis_width$}  {}\n", "", ends(points, room)));
    if slots.millis_per_slot > slots.gap {
        out.push_str(" each column is the largest of the times that fall on it\n");
    }
    let undated = points.iter().filter(|point| point.at.is_none()).count();
    if undated > 0 {
        out.push_str(&format!(" {undated} rows without a time are not drawn\n"));
    }
    out
}

/// The first and the last time, at both ends of the axis.
fn ends(points: &[Point], room: usize) -> String {
    let dated = || points.iter().filter(|point| point.at.is_some());
    let first = dated().min_by_key(|point| point.at).map_or("", |point| point.label.as_str());
    let last = dated().max_by_key(|point| point.at).map_or("", |point| point.label.as_str());
    if first == last {
        return first.to_owned();
    }
    let between = room.saturating_sub(measure_text_width(first) + measure_text_width(last));
    if between == 0 {
        return format!("{first} … {last}");
    }
    format!("{first}{}{last}", " ".repeat(between))
}

/// Spans of time of one length, each drawn as a column.
#[derive(Clone, Copy, Debug)]
struct Slots {
    start: i64,
    /// The least time between two points.
    gap: i64,
    millis_per_slot: i64,
    count: usize,
    /// Characters that each slot is wide.
    columns: usize,
}

impl Slots {
    /// A slot per point and gap if `room` has a column for each, else as many as it has columns.
    fn of(points: &[Point], room: usize) -> Slots {
        let mut times: Vec<i64> = points.iter().filter_map(|point| point.at).collect();
        times.sort_unstable();
        times.dedup();
        let (Some(start), Some(end)) = (times.first().copied(), times.last().copied()) else {
            return Slots { start: 0, gap: 1, millis_per_slot: 1, count: 1, columns: 1 };
        };
        let gap =
            times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).min().unwrap_or(1).max(1);
        let span = end.saturating_sub(start);
        let wanted = usize::try_from(span / gap).unwrap_or(usize::MAX).saturating_add(1);
        if wanted <= room {
            let columns = (room / wanted).clamp(1, 8);
            return Slots { start, gap, millis_per_slot: gap, count: wanted, columns };
        }
        let per_slot = span / i64::try_from(room).unwrap_or(i64::MAX) + 1;
        Slots { start, gap, millis_per_slot: per_slot, count: room, columns: 1 }
    }

    /// The largest number of each slot.
    fn largest(&self, points: &[Point]) -> Vec<Option<f64>> {
        let mut numbers = vec![None; self.count];
        for (at, number) in points.iter().filter_map(|point| point.at.zip(point.number)) {
            let index = at.saturating_sub(self.start) / self.millis_per_slot;
            if let Some(slot) = usize::try_from(index).ok().and_then(|i| numbers.get_mut(i)) {
                *slot = Some(slot.map_or(number, |other: f64| other.max(number)));
            }
        }
        numbers
    }
}

/// A number beside the axis, short.
fn number_text(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-3..1e9).contains(&size) {
        format!("{number:.2e}")
    } else if number.fract() == 0.0 {
        format!("{number}")
    } else {
        format!("{number:.3}")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, StringArray, TimestampMillisecondArray};

    use super::*;

    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn drawn(batch: &RecordBatch, width: Option<usize>) -> String {
        let mut out = Vec::new();
        let mut writer = Box::new(ChartWriter::new(&mut out, batch.schema_ref(), width).unwrap());
        writer.batch(batch).unwrap();
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    fn by_name(names: &[&str], counts: &[i64]) -> RecordBatch {
        RecordBatch::try_from_iter([
            ("eventName", Arc::new(StringArray::from(names.to_vec())) as ArrayRef),
            ("n", Arc::new(Int64Array::from(counts.to_vec())) as ArrayRef),
        ])
        .unwrap()
    }

    fn by_day(days: &[i64], counts: &[f64]) -> RecordBatch {
        let times: Vec<i64> = days.iter().map(|day| 1_704_067_200_000 + day * DAY).collect();
        RecordBatch::try_from_iter([
            ("at", Arc::new(TimestampMillisecondArray::from(times)) as ArrayRef),
            ("n", Arc::new(Float64Array::from(counts.to_vec())) as ArrayRef),
        ])
        .unwrap()
    }

    #[test]
    fn a_bar_is_as_long_as_its_share() {
        let batch = by_name(&["DeleteBucket", "ListBuckets", "\u{1b}[2J", "x"], &[40, 20, 1, 0]);
        insta::assert_snapshot!(drawn(&batch, Some(40)), @r"
         DeleteBucket │█████████████████████ 40
         ListBuckets  │██████████▌ 20
         \u{1b}[2J    │▌ 1
         x            │ 0
        ");
        assert!(drawn(&batch, Some(40)).lines().all(|line| measure_text_width(line) <= 40));
    }

    #[test]
    fn times_stand_where_they_belong_and_gaps_stay_empty() {
        let batch = by_day(&[0, 1, 3], &[6.0, 12.0, 3.0]);
        let text = drawn(&batch, Some(40));
        insta::assert_snapshot!(text, @r"
         12 ┤        ████████
            │        ████████
            │        ████████
            │        ████████
            │        ████████
            │        ████████
            │████████████████
            │████████████████
            │████████████████
            │████████████████        ████████
            │████████████████        ████████
          0 ┤████████████████        ████████
            └────────────────────────────────
             2024-01-01 00:00:00.000 … 2024-01-04 00:00:00.000
        ");
    }

    #[test]
    fn more_times_than_columns_share_columns_and_that_is_said() {
        let days: Vec<i64> = (0..500).collect();
        let text = drawn(&by_day(&days, &vec![1.0; 500]), Some(60));
        assert!(
            text.ends_with("each column is the largest of the times that fall on it\n"),
            "{text}"
        );
        assert!(text.lines().all(|line| measure_text_width(line) <= 60), "{text}");
    }

    #[test]
    fn what_cannot_be_drawn_does_no_harm() {
        let odd = by_day(&[0, 0, 9], &[f64::NAN, f64::INFINITY, f64::MAX]);
        assert!(drawn(&odd, None).contains('█'));
        let negative = by_day(&[0, 1], &[f64::MIN, f64::MAX]);
        assert!(drawn(&negative, None).contains("-1.80e308"), "{}", drawn(&negative, None));
        assert_eq!(drawn(&by_name(&[], &[]), None), "(no rows to draw)\n");
        assert!(
            drawn(&by_day(&[i64::MIN / DAY / 2, i64::MAX / DAY / 2], &[1.0, 1.0]), None)
                .contains('█')
        );
    }

    #[test]
    fn without_a_number_there_is_no_chart() {
        let batch = by_name(&["a"], &[1]).project(&[0]).unwrap();
        let error = ChartWriter::new(Vec::new(), batch.schema_ref(), None).err().unwrap();
        assert_eq!(error.to_string(), "a chart needs a label or a time, and then a number");
    }
}
