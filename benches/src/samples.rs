//! What the benchmarks work on: log files, a lake of them, and fifteen questions.
//!
//! The log files are those of the bundled trail, or of the folder that [`FOLDER_VARIABLE`] names.

use std::error::Error;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::{env, io};

use chrono::{DateTime, Utc};
use flate2::read::MultiGzDecoder;
use tempfile::TempDir;
use towpath::arrow::array::AsArray;
use towpath::{IndexPolicy, IngestOptions, Lake, LakeOptions, NewStore, QueryLimits, Retention};
use towpath_event::EventBatchBuilder;

/// Names the folder of log files to measure with.
pub const FOLDER_VARIABLE: &str = "TOWPATH_BENCH_LOGS";

/// The store of [`lake`].
pub const STORE: &str = "bench";

/// Bytes of JSON that are kept in memory for the stages that work on it, at most.
const TEXT_BYTES_MAX: u64 = 64 << 20;

/// Why there is nothing to measure.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Limits that no question comes near.
pub const LIMITS: QueryLimits = QueryLimits { run_secs_max: 600, result_rows_max: None };

/// The time that it is for the lakes: before anything of the bundled trail expires.
#[must_use]
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap_or_default()
}

/// The folder of the log files.
#[must_use]
pub fn folder() -> PathBuf {
    let bundled = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data/trail");
    env::var_os(FOLDER_VARIABLE).map_or_else(bundled, PathBuf::from)
}

/// The texts of the log files in `folder`, by path, up to 64 MiB; what is none is passed over.
///
/// # Errors
///
/// If the folder cannot be read.
pub fn texts(folder: &Path) -> io::Result<Vec<Vec<u8>>> {
    let (mut texts, mut left) = (Vec::new(), TEXT_BYTES_MAX);
    for path in files(folder)? {
        let mut text = Vec::new();
        let read = match path.extension().and_then(OsStr::to_str) {
            Some("gz") => MultiGzDecoder::new(File::open(&path)?).take(left).read_to_end(&mut text),
            Some("json") => File::open(&path)?.take(left).read_to_end(&mut text),
            _ => continue,
        };
        // The bundled trail has a log file that was cut off, digests, and other files beside it.
        if read.is_ok() && EventBatchBuilder::new().append_log_file(&text).is_ok() {
            left = left.saturating_sub(text.len() as u64);
            texts.push(text);
        }
        if left == 0 {
            texts.pop();
            break;
        }
    }
    Ok(texts)
}

/// The files below `folder`, sorted.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut folders, mut files) = (vec![folder.to_path_buf()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let into = if entry.file_type()?.is_dir() { &mut folders } else { &mut files };
            into.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// How a lake is opened here.
#[must_use]
pub fn options() -> LakeOptions {
    LakeOptions::new(now)
}

/// A lake of the log files in `folder`, with its index, in a folder that goes away with the first.
///
/// # Errors
///
/// Those of the library.
pub async fn lake(folder: &Path) -> Result<(TempDir, Lake), Failure> {
    let home = tempfile::tempdir()?;
    let url = home.path().join("lake").display().to_string();
    let lake = Lake::open_or_create(&url, options()).await?;
    let store = lake.create_store(NewStore::new(STORE, Retention::days(3653)?)).await?;
    let source = folder.display().to_string();
    store.ingest(&[source], &IngestOptions::default(), &|_| ()).await?;
    store.index(&IndexPolicy::THOROUGH).await?;
    Ok((home, lake))
}

/// Values that the questions ask for, out of the lake itself.
struct Values {
    arn: String,
    key: String,
    rare_key: String,
    rare_address: String,
    event_id: String,
    bucket: String,
    last: String,
    day_before: String,
    week_before: String,
}

/// The fifteen questions of the comparison with other engines, by name: a mix of counts, needles,
/// maps and spans of time.
///
/// # Errors
///
/// If the lake has too little to ask for.
pub async fn questions(lake: &Lake) -> Result<Vec<(&'static str, String)>, Failure> {
    let values = values(lake).await?;
    let Values { arn, key, rare_key, rare_address, event_id, bucket, .. } = &values;
    let Values { last, day_before, week_before, .. } = &values;
    let (who, map) = ("userIdentity.arn", "element_at(requestParameters, 'bucketName')");
    let since = format!("eventTime > '{week_before}'");
    Ok([
        (
            "deleted buckets",
            format!(
                "SELECT eventTime, {who}, sourceIPAddress FROM bench \
                 WHERE eventName = 'DeleteBucket' AND {since} ORDER BY eventTime DESC"
            ),
        ),
        ("top calls", top("eventName", 20)),
        ("top principals", top(who, 20)),
        ("access key", of(&format!("userIdentity.accessKeyId = '{rare_key}'"))),
        ("source address", of(&format!("sourceIPAddress = '{rare_address}'"))),
        ("event id", format!("SELECT * FROM bench WHERE eventID = '{event_id}'")),
        ("bucket", of(&format!("{map} = '{bucket}'"))),
        (
            "denied per day",
            "SELECT date_trunc('day', eventTime), count(*) FROM bench \
             WHERE errorCode = 'AccessDenied' GROUP BY 1 ORDER BY 1"
                .to_owned(),
        ),
        (
            "principals per service",
            "SELECT eventSource, count(DISTINCT userIdentity.principalId) AS n FROM bench \
             GROUP BY eventSource ORDER BY n DESC, eventSource"
                .to_owned(),
        ),
        (
            "login without MFA",
            of("eventName = 'ConsoleLogin' AND element_at(additionalEventData, 'MFAUsed') = 'No'"),
        ),
        (
            "last 24 hours",
            format!(
                "SELECT eventTime, eventID, eventName, errorCode FROM bench WHERE {who} = '{arn}' \
                 AND eventTime >= '{day_before}' AND eventTime <= '{last}' \
                 ORDER BY eventTime, eventID LIMIT 100"
            ),
        ),
        (
            "week by hour",
            format!(
                "SELECT date_trunc('hour', eventTime), eventSource, count(*) FROM bench \
                 WHERE {since} GROUP BY 1, 2 ORDER BY 1, 2"
            ),
        ),
        (
            "addresses of a key",
            format!(
                "SELECT sourceIPAddress, min(eventTime), max(eventTime) FROM bench \
                 WHERE userIdentity.accessKeyId = '{key}' GROUP BY 1 ORDER BY 2, 1"
            ),
        ),
        (
            "failed calls",
            "SELECT errorCode, eventName, count(*) AS n FROM bench WHERE errorCode IS NOT NULL \
             GROUP BY 1, 2 ORDER BY n DESC, 1, 2 LIMIT 50"
                .to_owned(),
        ),
        ("extent", "SELECT count(*), min(eventTime), max(eventTime) FROM bench".to_owned()),
    ]
    .into())
}

/// The values of `what` with the most events.
fn top(what: &str, rows: u32) -> String {
    format!("SELECT {what}, count(*) AS n FROM bench GROUP BY 1 ORDER BY n DESC, 1 LIMIT {rows}")
}

/// The events of which `filter` is true.
fn of(filter: &str) -> String {
    format!("SELECT eventTime, eventName, userIdentity.arn FROM bench WHERE {filter}")
}

async fn values(lake: &Lake) -> Result<Values, Failure> {
    let by_count = |what: &str, order: &str| {
        format!(
            "SELECT v FROM (SELECT {what} AS v, count(*) AS n FROM bench GROUP BY 1) \
             WHERE v IS NOT NULL ORDER BY n {order}, v LIMIT 1"
        )
    };
    let before = |days: u32| {
        format!("SELECT CAST(max(eventTime) - INTERVAL '{days}' DAY AS varchar) FROM bench")
    };
    let bucket = "element_at(requestParameters, 'bucketName')";
    Ok(Values {
        arn: text(lake, &by_count("userIdentity.arn", "DESC")).await?,
        key: text(lake, &by_count("userIdentity.accessKeyId", "DESC")).await?,
        rare_key: text(lake, &by_count("userIdentity.accessKeyId", "ASC")).await?,
        rare_address: text(lake, &by_count("sourceIPAddress", "ASC")).await?,
        event_id: text(lake, "SELECT max(eventID) FROM bench").await?,
        bucket: text(lake, &by_count(bucket, "DESC")).await?,
        last: text(lake, &before(0)).await?,
        day_before: text(lake, &before(1)).await?,
        week_before: text(lake, &before(7)).await?,
    })
}

/// The one text that is the answer.
async fn text(lake: &Lake, statement: &str) -> Result<String, Failure> {
    let batches = lake.query(statement, LIMITS).await?.collect().await?;
    let answer = batches.iter().find(|batch| batch.num_rows() > 0).and_then(|batch| {
        let column = batch.columns().first()?;
        let column = column
            .as_string_opt::<i32>()
            .map(|texts| texts.value(0))
            .or_else(|| column.as_string_view_opt().map(|texts| texts.value(0)));
        column.map(str::to_owned)
    });
    answer.ok_or_else(|| format!("no text answers `{statement}`").into())
}
