//! Ingest, queries, compaction and expiry at once on one store, in processes that are killed.
//!
//! Log files keep arriving. Several processes of the `towpath` command work on one lake, and half
//! of them are killed at a random moment. Every query must be exact for its snapshot: each log file
//! is in it whole or not at all, no event is in it twice, and whatever an ingest acknowledged before
//! the query began is in it. A process that is not killed must not fail.

use std::error::Error;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde_json::{Value, json};

/// Events that only one log file has. It also has those of the one before, as CloudTrail delivers
/// some events twice.
const EVENTS_PER_FILE: u64 = 20;

/// The days that an event is kept, as short as it can be for events of ten years ago to expire.
const RETENTION_DAYS: i64 = 3653;

/// Seconds after which the one event of each log file that is to expire does.
const EXPIRES_AFTER_SECS: i64 = 15;

/// Milliseconds between two log files, so that a run of ten minutes has a thousand or so.
const FILE_EVERY_MILLIS: u64 = 500;

/// The longest time before a process is killed, in milliseconds.
const KILL_MILLIS_MAX: u64 = 2_500;

/// How long a process that is not killed may take. None takes a tenth of it.
const RUN_SECS_MAX: u64 = 300;

/// Log files of one run, at most.
const FILES_MAX: u64 = 100_000;

/// What a run is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// The `towpath` command.
    pub towpath: PathBuf,
    /// An empty folder to work in.
    pub folder: PathBuf,
    /// How long.
    pub runs_for: Duration,
    /// What the moments of the kills are derived from.
    pub seed: u64,
    /// The clock: seconds since 1970.
    pub now: fn() -> i64,
}

/// What happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Log files that arrived.
    pub log_files: u64,
    /// Processes that were run, by command.
    pub ingests: u64,
    /// Processes that compacted.
    pub compactions: u64,
    /// Processes that expired.
    pub expiries: u64,
    /// Queries, none of them killed.
    pub queries: u64,
    /// Processes killed while they worked.
    pub kills: u64,
    /// Events that were acknowledged or written at the end and are not there.
    pub lost: u64,
    /// Events that are there more than once.
    pub doubled: u64,
    /// Queries that were not exact for their snapshot, with what they said.
    pub inexact: Vec<String>,
    /// Processes that failed without being killed, with what they said.
    pub false_errors: Vec<String>,
    /// Data files at the end, before the last compaction.
    pub data_files: u64,
    /// Expired events that were still in an answer at the end.
    pub not_expired: u64,
}

impl Report {
    /// Whether every promise was kept.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.lost == 0
            && self.doubled == 0
            && self.not_expired == 0
            && self.inexact.is_empty()
            && self.false_errors.is_empty()
    }
}

/// What the threads of a run share.
struct Run<'a> {
    options: &'a Options,
    is_over: AtomicBool,
    /// Log files written.
    written: AtomicU64,
    /// Log files that a successful ingest has found.
    acknowledged: AtomicU64,
    report: Mutex<Report>,
}

/// Runs until the time is over, and looks at what came of it.
///
/// # Errors
///
/// If the folder cannot be written to or the command cannot be started.
pub fn run(options: &Options) -> Result<Report, Box<dyn Error>> {
    let run = Run {
        options,
        is_over: AtomicBool::new(false),
        written: AtomicU64::new(0),
        acknowledged: AtomicU64::new(0),
        report: Mutex::default(),
    };
    fs::create_dir_all(run.logs())?;
    let days = RETENTION_DAYS.to_string();
    run.must(&["store", "create", "trail", "--retention-days", &days])?;
    thread::scope(|scope| {
        scope.spawn(|| run.deliver());
        for worker in 0..2 {
            let run = &run;
            scope.spawn(move || run.repeat(worker, Run::ingest));
        }
        scope.spawn(|| run.repeat(2, Run::compact));
        scope.spawn(|| run.repeat(3, Run::expire));
        scope.spawn(|| run.repeat(4, |run, _| run.query()));
        thread::sleep(options.runs_for);
        run.is_over.store(true, Ordering::SeqCst);
    });
    run.conclude()
}

impl Run<'_> {
    fn logs(&self) -> PathBuf {
        self.options.folder.join("logs")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.options.towpath);
        command.arg("--lake").arg(self.options.folder.join("lake")).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn change(&self, change: impl FnOnce(&mut Report)) {
        let mut report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut report);
    }

    /// Writes log files until the run is over.
    fn deliver(&self) {
        for number in 1..=FILES_MAX {
            if self.is_over.load(Ordering::SeqCst) {
                break;
            }
            match write_log_file(&self.logs(), number, (self.options.now)()) {
                Ok(()) => self.written.store(number, Ordering::SeqCst),
                Err(err) => {
                    self.change(|report| report.false_errors.push(format!("log file: {err}")));
                    break;
                }
            }
            thread::sleep(Duration::from_millis(FILE_EVERY_MILLIS));
        }
    }

    /// Does one thing again and again; every other time with a moment to be killed at.
    fn repeat(&self, worker: u64, once: impl Fn(&Self, Option<Duration>)) {
        let mut state = self.options.seed.wrapping_mul(31).wrapping_add(worker + 1);
        while !self.is_over.load(Ordering::SeqCst) {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let random = state >> 33;
            let kill_after = Duration::from_millis(random / 2 % KILL_MILLIS_MAX);
            once(self, random.is_multiple_of(2).then_some(kill_after));
        }
    }

    fn ingest(&self, kill_after: Option<Duration>) {
        let there = self.written.load(Ordering::SeqCst);
        self.change(|report| report.ingests += 1);
        let logs = self.logs();
        let args = ["ingest", &logs.to_string_lossy(), "--store", "trail"];
        if self.work(&args, kill_after) && there > 0 {
            self.acknowledged.fetch_max(there, Ordering::SeqCst);
        }
    }

    fn compact(&self, kill_after: Option<Duration>) {
        self.change(|report| report.compactions += 1);
        self.work(&["compact"], kill_after);
    }

    fn expire(&self, kill_after: Option<Duration>) {
        self.change(|report| report.expiries += 1);
        self.work(&["expire"], kill_after);
    }

    /// Runs the command, and kills it after a while if that is asked for. Whether it ended well.
    fn work(&self, args: &[&str], kill_after: Option<Duration>) -> bool {
        match self.run_one(args, kill_after) {
            Ok(Ended::Well(_)) => true,
            Ok(Ended::Killed) => {
                self.change(|report| report.kills += 1);
                false
            }
            Ok(Ended::Failed(told)) => {
                self.change(|report| report.false_errors.push(format!("{args:?}: {told}")));
                false
            }
            Err(err) => {
                self.change(|report| report.false_errors.push(format!("{args:?}: {err}")));
                false
            }
        }
    }

    fn run_one(&self, args: &[&str], kill_after: Option<Duration>) -> io::Result<Ended> {
        let mut child = self.command(args).spawn()?;
        let patience = kill_after.unwrap_or(Duration::from_secs(RUN_SECS_MAX));
        let began = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                let (output, told) = (read(child.stdout.take())?, read(child.stderr.take())?);
                return Ok(if status.success() {
                    Ended::Well(output)
                } else {
                    Ended::Failed(told)
                });
            }
            if began.elapsed() >= patience {
                return kill(child, kill_after.is_some());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// One query, which must be exact for whatever snapshot it saw.
    fn query(&self) {
        let acknowledged = self.acknowledged.load(Ordering::SeqCst);
        let answer = self.answer();
        let written = self.written.load(Ordering::SeqCst) + 1;
        self.change(|report| report.queries += 1);
        match answer {
            Ok(Answer { events, different, files }) => {
                let is_exact = events == different
                    && events == EVENTS_PER_FILE * files
                    && (acknowledged..=written).contains(&files);
                if !is_exact {
                    let what = format!(
                        "{events} events, {different} different, of {files} log files; \
                         {acknowledged} acknowledged, {written} written"
                    );
                    self.change(|report| report.inexact.push(what));
                }
            }
            Err(err) => self.change(|report| report.false_errors.push(format!("query: {err}"))),
        }
    }

    fn answer(&self) -> Result<Answer, Box<dyn Error>> {
        let statement = "SELECT count(*) AS events, count(DISTINCT eventID) AS different, \
                         count(DISTINCT requestID) AS files \
                         FROM trail WHERE eventName = 'GetObject'";
        let row = self.row(statement)?;
        let number = |name: &str| row.get(name).and_then(Value::as_u64);
        let answer = || {
            Some(Answer {
                events: number("events")?,
                different: number("different")?,
                files: number("files")?,
            })
        };
        answer().ok_or_else(|| format!("not the columns asked for: {row}").into())
    }

    fn row(&self, statement: &str) -> Result<Value, Box<dyn Error>> {
        let text = self.must(&["query", statement, "--format", "ndjson"])?;
        Ok(serde_json::from_str(&text)?)
    }

    fn must(&self, args: &[&str]) -> Result<String, Box<dyn Error>> {
        match self.run_one(args, None)? {
            Ended::Well(output) => Ok(output),
            Ended::Killed => Err(format!("{args:?} did not end").into()),
            Ended::Failed(told) => Err(format!("{args:?}: {told}").into()),
        }
    }

    /// Completes what was begun and counts what is there.
    fn conclude(self) -> Result<Report, Box<dyn Error>> {
        self.must(&["ingest", &self.logs().to_string_lossy(), "--store", "trail"])?;
        let shown = self.must(&["store", "show", "trail", "--format", "json"])?;
        self.must(&["compact"])?;
        thread::sleep(Duration::from_secs(EXPIRES_AFTER_SECS.unsigned_abs() + 2));
        self.must(&["expire"])?;
        let answer = self.answer()?;
        let expiring = "SELECT count(*) AS n FROM trail WHERE eventName = 'Expiring'";
        let not_expired = self.row(expiring)?.get("n").and_then(Value::as_u64);
        let shown: Value = serde_json::from_str(&shown)?;
        let mut report = self.report.into_inner().unwrap_or_else(PoisonError::into_inner);
        report.log_files = self.written.into_inner();
        report.lost = (EVENTS_PER_FILE * report.log_files).saturating_sub(answer.different);
        report.doubled = answer.events - answer.different;
        report.data_files = shown.get("data_files").and_then(Value::as_u64).unwrap_or_default();
        report.not_expired = not_expired.unwrap_or(u64::MAX);
        Ok(report)
    }
}

/// How a process ended.
enum Ended {
    Well(String),
    Failed(String),
    Killed,
}

/// What the query of a run says.
#[derive(Clone, Copy)]
struct Answer {
    events: u64,
    different: u64,
    files: u64,
}

fn kill(mut child: Child, is_meant: bool) -> io::Result<Ended> {
    child.kill()?;
    child.wait()?;
    Ok(if is_meant { Ended::Killed } else { Ended::Failed("it did not end".to_owned()) })
}

fn read(stream: Option<impl Read>) -> io::Result<String> {
    let mut text = String::new();
    if let Some(mut stream) = stream {
        stream.read_to_string(&mut text)?;
    }
    Ok(text)
}

/// Writes log file `number`, which appears when it is whole.
fn write_log_file(folder: &Path, number: u64, now: i64) -> io::Result<()> {
    let own = (0..EVENTS_PER_FILE).map(|place| event(number, place));
    let before = (0..EVENTS_PER_FILE).map(|place| event(number.saturating_sub(1).max(1), place));
    let expiring = expiring(number, now - RETENTION_DAYS * 86_400 + EXPIRES_AFTER_SECS);
    // Odd numbers repeat the one before, even ones do not, so that files differ in size.
    let repeated = before.filter(|_| number % 2 == 1 && number > 1);
    let events: Vec<Value> = own.chain(repeated).chain([expiring]).collect();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(json!({ "Records": events }).to_string().as_bytes())?;
    let staging = folder.join(format!("{number}.part"));
    fs::write(&staging, encoder.finish()?)?;
    fs::rename(staging, folder.join(format!("{number:06}.json.gz")))
}

/// An event of three months of 2026, told by its log file and its place in it.
fn event(number: u64, place: u64) -> Value {
    let (month, day) = (number % 3 + 1, (number / 3 + place) % 28 + 1);
    json!({
        "eventVersion": "1.08",
        "eventTime": format!("2026-{month:02}-{day:02}T{:02}:00:00Z", place % 24),
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "awsRegion": "eu-west-1",
        "eventID": format!("{number:08}-0000-4000-8000-{place:012}"),
        "requestID": format!("file-{number}"),
        "requestParameters": { "bucketName": format!("bucket-{place}"), "key": "k" },
        "recipientAccountId": "111122223333",
    })
}

/// An event that is past retention a few seconds after it came.
fn expiring(number: u64, secs: i64) -> Value {
    json!({
        "eventVersion": "1.08",
        "eventTime": rfc3339(secs),
        "eventSource": "s3.amazonaws.com",
        "eventName": "Expiring",
        "eventID": format!("{number:08}-1111-4000-8000-000000000000"),
        "recipientAccountId": "111122223333",
    })
}

/// Seconds since 1970 as CloudTrail writes a time.
fn rfc3339(secs: i64) -> String {
    let (days, rest) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
    // Days to a date of the Gregorian calendar, by eras of 400 years.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn seconds_are_written_as_times() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_709_251_199), "2024-02-29T23:59:59Z");
        assert_eq!(rfc3339(1_735_689_600), "2025-01-01T00:00:00Z");
    }
}
