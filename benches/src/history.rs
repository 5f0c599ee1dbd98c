//! Lakes with years of history, and how long the command takes on them from start to first row.
//!
//! A store that was fed every day for years has thousands of commits and of data files. [`make`]
//! makes such a lake through the library, one ingest and so one commit for each log file; [`time`]
//! starts the `towpath` command on it again and again.

use std::error::Error;
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use chrono::{DateTime, Days, SecondsFormat, TimeDelta, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use towpath::{IngestOptions, Lake, LakeOptions, NewStore, Retention};

use crate::trail;

/// The store that is made.
pub const STORE: &str = "history";

/// Different events that the log files take turns in. They are those of the bundled trail, each
/// time with another id and time.
const EVENTS_MAX: usize = 4_096;

/// Log files of one lake, at most: one a day for eleven years is 4,000.
const FILES_MAX: u64 = 100_000;

/// What a lake is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Log files, each of which is a commit and, but at the turn of a month, a data file.
    pub files: u64,
    /// Minutes of events in each; the last one ends today.
    pub minutes: u64,
    /// Events in each.
    pub events: u64,
}

impl FromStr for Plan {
    type Err = Box<dyn Error>;

    /// As `400x1440x500`: files, minutes, events.
    fn from_str(text: &str) -> Result<Plan, Box<dyn Error>> {
        let numbers: Vec<u64> = text.split('x').map(str::parse).collect::<Result<_, _>>()?;
        let [files, minutes, events] = numbers.as_slice() else {
            return Err(format!("`{text}` is not FILESxMINUTESxEVENTS").into());
        };
        Ok(Plan { files: *files, minutes: *minutes, events: *events })
    }
}

/// How long one statement took, in whole processes.
#[derive(Clone, Debug)]
pub struct Timing {
    /// What was asked.
    pub name: &'static str,
    /// From the start of the process to the first byte of its answer, least first.
    pub first: Vec<Duration>,
    /// To the end of the process, least first.
    pub whole: Vec<Duration>,
    /// Lines of the answer, which has to be the same in every run.
    pub rows: usize,
}

/// Makes a lake in `folder`, which must be empty or missing.
///
/// `told` is called with the number of log files that are in, now and then.
///
/// # Errors
///
/// If the plan makes no sense or is too large, and those of the library.
pub async fn make(
    folder: &Path,
    plan: Plan,
    now: DateTime<Utc>,
    told: &(dyn Fn(u64) + Sync),
) -> Result<(), Box<dyn Error>> {
    let minutes = i64::try_from(plan.files.checked_mul(plan.minutes).ok_or("too long")?)?;
    let is_kept = minutes <= i64::from(Retention::DAYS_MAX - 1) * 24 * 60;
    if plan.files == 0 || plan.files > FILES_MAX || plan.events == 0 || !is_kept {
        return Err("say how many files, of how many minutes and events, of ten years".into());
    }
    let today = now.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    let first = today - TimeDelta::try_minutes(minutes).ok_or("too long")?;
    let events = templates();
    let url = folder.display().to_string();
    let lake = Lake::open_or_create(&url, LakeOptions::new(move || now)).await?;
    let retention = Retention::days(Retention::DAYS_MAX)?;
    let store = lake.create_store(NewStore::new(STORE, retention)).await?;
    let logs = tempfile::tempdir()?;
    for number in 0..plan.files {
        let path = logs.path().join(format!("{number:06}.json.gz"));
        let start =
            first + TimeDelta::try_minutes(i64::try_from(number * plan.minutes)?).ok_or("")?;
        fs::write(&path, packed(&log_file(&events, plan, number, start)?)?)?;
        let source = path.display().to_string();
        let report = store.ingest(&[source], &IngestOptions::default(), &|_| ()).await?;
        if report.events.stored != plan.events {
            return Err(format!("log file {number} is not in whole: {:?}", report.events).into());
        }
        fs::remove_file(&path)?;
        if (number + 1).is_multiple_of(100) {
            told(number + 1);
        }
    }
    Ok(())
}

/// The events of the bundled trail as far as they can be told from each other by an id.
fn templates() -> Vec<Value> {
    let mut events = Vec::new();
    for file in trail::build().files {
        let is_log_file = file.key.contains("/CloudTrail/") && file.key.contains(".json");
        let Ok(mut content) = serde_json::from_str::<Value>(&file.content) else { continue };
        let Some(records) = content.get_mut("Records").filter(|_| is_log_file) else { continue };
        let records = records.as_array_mut().into_iter().flat_map(std::mem::take);
        events.extend(records.filter(|event| event.get("eventID").is_some_and(Value::is_string)));
    }
    events.truncate(EVENTS_MAX);
    events
}

/// The id of an event, which tells where it is.
fn event_id(file: u64, event: u64) -> String {
    format!("{file:08x}-0000-4000-8000-{event:012x}")
}

fn log_file(
    templates: &[Value],
    plan: Plan,
    number: u64,
    start: DateTime<Utc>,
) -> Result<String, Box<dyn Error>> {
    let mut records = Vec::new();
    for place in 0..plan.events {
        let turn = usize::try_from(number * plan.events + place)? % templates.len().max(1);
        let mut event = templates.get(turn).cloned().unwrap_or_else(|| json!({}));
        let seconds = i64::try_from(plan.minutes * 60 * place / plan.events)?;
        let time = start + TimeDelta::try_seconds(seconds).ok_or("too long")?;
        if let Some(fields) = event.as_object_mut() {
            let time = time.to_rfc3339_opts(SecondsFormat::Secs, true);
            fields.insert("eventTime".to_owned(), json!(time));
            fields.insert("eventID".to_owned(), json!(event_id(number, place)));
        }
        records.push(event);
    }
    Ok(json!({ "Records": records }).to_string())
}

fn packed(text: &str) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

/// The questions that are timed: values that are in one data file, that are in none, a day, and
/// what the log of the store alone answers.
fn questions(plan: Plan, now: DateTime<Utc>) -> Vec<(&'static str, String)> {
    let needle = |id: &str| {
        format!("SELECT eventTime, eventName, userIdentity.arn FROM {STORE} WHERE eventID = '{id}'")
    };
    let day = (now.date_naive() - Days::new(2)).to_string();
    vec![
        ("one eventID of the oldest", needle(&event_id(0, plan.events / 2))),
        ("one eventID of the middle", needle(&event_id(plan.files / 2, 0))),
        ("an eventID of no event", needle("ffffffff-0000-4000-8000-000000000000")),
        (
            "ten events since two days",
            format!(
                "SELECT eventTime, eventName FROM {STORE} WHERE eventTime >= '{day} 00:00:00' \
                 ORDER BY eventTime, eventID LIMIT 10"
            ),
        ),
        ("count(*)", format!("SELECT count(*) FROM {STORE}")),
    ]
}

/// Asks each question `runs` times, in turn, each time in a new process of the command `towpath`.
///
/// # Errors
///
/// If the command cannot be started, fails, or answers another number of rows than before.
pub fn time(
    towpath: &Path,
    folder: &Path,
    plan: Plan,
    runs: usize,
    now: DateTime<Utc>,
) -> Result<Vec<Timing>, Box<dyn Error>> {
    let questions = questions(plan, now);
    let mut timings: Vec<Timing> = Vec::new();
    for run in 0..=runs {
        for (place, (name, statement)) in questions.iter().enumerate() {
            let (first, whole, rows) = ask(towpath, folder, statement)?;
            // The first time warms the page cache.
            if run == 0 {
                timings.push(Timing { name, first: Vec::new(), whole: Vec::new(), rows });
                continue;
            }
            let Some(timing) = timings.get_mut(place) else { continue };
            if timing.rows != rows {
                return Err(format!("{name}: {rows} rows, and {} before", timing.rows).into());
            }
            timing.first.push(first);
            timing.whole.push(whole);
        }
    }
    for timing in &mut timings {
        timing.first.sort_unstable();
        timing.whole.sort_unstable();
    }
    Ok(timings)
}

fn ask(
    towpath: &Path,
    folder: &Path,
    statement: &str,
) -> Result<(Duration, Duration, usize), Box<dyn Error>> {
    let began = Instant::now();
    let mut child = Command::new(towpath)
        .arg("--lake")
        .arg(folder)
        .args(["query", statement, "--format", "ndjson"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut answer = Vec::new();
    let mut stdout = child.stdout.take().ok_or("no output")?;
    let mut byte = [0_u8; 1];
    let read = stdout.read(&mut byte)?;
    let first = began.elapsed();
    answer.extend(byte.iter().take(read));
    stdout.read_to_end(&mut answer)?;
    let ended = child.wait_with_output()?;
    let whole = began.elapsed();
    if !ended.status.success() {
        return Err(format!("{statement}: {}", String::from_utf8_lossy(&ended.stderr)).into());
    }
    Ok((first, whole, answer.iter().filter(|byte| **byte == b'\n').count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_file_has_its_own_ids_and_times() {
        let plan = Plan { files: 4, minutes: 60, events: 30 };
        let start = DateTime::UNIX_EPOCH;
        let text = log_file(&templates(), plan, 3, start).unwrap();
        let content: Value = serde_json::from_str(&text).unwrap();
        let records = content["Records"].as_array().unwrap();
        assert_eq!(records.len(), 30);
        assert_eq!(records[0]["eventID"], "00000003-0000-4000-8000-000000000000");
        assert_eq!(records[29]["eventTime"], "1970-01-01T00:58:00Z");
        assert!(records.iter().all(|record| record["eventName"].is_string()));
    }
}
