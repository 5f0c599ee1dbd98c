//! A statement, run within its limits, and its rows as they are printed.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, anyhow};
use futures::StreamExt;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use towpath::{Lake, ParameterValues, QueryStatistics, Rows};

use crate::config::Limits;
use crate::error::{Hinted, InStatement};
use crate::output::Style;
use crate::progress::QueryLine;

/// How often the line that tells how far a statement has come is brought up to date.
const TICK: Duration = Duration::from_millis(200);

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) statement: &'a str,
    pub(crate) limits: Limits,
    /// The values of its parameters; none if it has none.
    pub(crate) parameters: Option<&'a ParameterValues>,
    /// Whether the plan is wanted instead of the rows.
    pub(crate) is_explained: bool,
    /// Rows that are written. Those that follow are counted and checked, and not seen.
    pub(crate) rows_shown_max: Option<u64>,
}

impl<'a> Question<'a> {
    /// The rows of `statement`, all of them.
    pub(crate) fn new(statement: &'a str, limits: Limits) -> Question<'a> {
        Question { statement, limits, parameters: None, is_explained: false, rows_shown_max: None }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) rows: u64,
    /// How many of the rows were written.
    pub(crate) shown: u64,
    pub(crate) statistics: QueryStatistics,
}

/// Runs the statement and writes its rows to `sink` as `style` has it, while `line` tells how far
/// it has come.
///
/// # Errors
///
/// Those of the statement, and those of writing. Rows that were written before are not the whole
/// result then.
pub(crate) async fn answer<W: Write + Send>(
    lake: &Lake,
    question: Question<'_>,
    style: Style,
    sink: W,
    line: &mut QueryLine,
) -> Result<Answer> {
    let bytes_max = question.limits.result_bytes_max;
    let is_too_large = AtomicBool::new(false);
    let sink = Bounded { sink, left: bytes_max, is_too_large: &is_too_large };
    let written = write_rows(lake, question, style, sink, line).await;
    line.clear();
    match written {
        Ok(answer) => Ok(answer),
        Err(_) if is_too_large.load(Ordering::Relaxed) => {
            let bytes = bytes_max.unwrap_or(u64::MAX);
            let error = anyhow!(
                "query stopped: the result is longer than {bytes} bytes (`result_bytes_max`)"
            );
            Err(Hinted::new(error, "`--result-bytes-max` raises the limit").into())
        }
        Err(error) => Err(error),
    }
}

async fn write_rows<W: Write + Send>(
    lake: &Lake,
    question: Question<'_>,
    style: Style,
    sink: Bounded<'_, W>,
    line: &mut QueryLine,
) -> Result<Answer> {
    let in_statement = |error| InStatement::new(error, question.statement);
    let mut ticks = interval_at(Instant::now() + TICK, TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut rows = {
        let mut starting = Box::pin(start(lake, &question));
        loop {
            tokio::select! {
                rows = &mut starting => break rows?,
                _ = ticks.tick() => line.tick(&QueryStatistics::default()),
            }
        }
    };
    let mut writer = style.writer(&rows.schema(), sink)?;
    let (mut count, mut shown) = (0_u64, 0_u64);
    loop {
        let batch = tokio::select! {
            batch = rows.next() => batch,
            _ = ticks.tick() => {
                line.tick(&rows.statistics());
                continue;
            }
        };
        let Some(batch) = batch else { break };
        let batch = batch.map_err(in_statement)?;
        count += batch.num_rows() as u64;
        let left = question.rows_shown_max.map_or(u64::MAX, |most| most - shown);
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(batch.num_rows());
        if taken > 0 {
            line.make_way();
            shown += taken as u64;
            writer.batch(&batch.slice(0, taken))?;
        }
    }
    line.clear();
    writer.finish()?;
    Ok(Answer { rows: count, shown, statistics: rows.statistics() })
}

/// Plans and starts the statement, or what explains it.
async fn start(lake: &Lake, question: &Question<'_>) -> Result<Rows> {
    let (statement, limits) = (question.statement, question.limits.of_query());
    let in_statement = |error| InStatement::new(error, statement);
    let none = ParameterValues::default();
    let values = question.parameters.unwrap_or(&none);
    if !question.is_explained {
        return Ok(lake.query_with(statement, values, limits).await.map_err(in_statement)?);
    }
    match lake.query_with(&format!("EXPLAIN {statement}"), values, limits).await {
        Ok(rows) => Ok(rows),
        Err(error) => {
            // The error of the statement alone has the places as they were typed.
            drop(lake.query_with(statement, values, limits).await.map_err(in_statement)?);
            Err(error.into())
        }
    }
}

/// A sink that takes so many bytes and then fails.
struct Bounded<'a, W> {
    sink: W,
    left: Option<u64>,
    is_too_large: &'a AtomicBool,
}

impl<W: Write> Write for Bounded<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left.is_some_and(|left| bytes.len() as u64 > left) {
            self.is_too_large.store(true, Ordering::Relaxed);
            return Err(io::Error::other("the result is too long"));
        }
        let written = self.sink.write(bytes)?;
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(written as u64);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
