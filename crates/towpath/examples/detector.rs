//! A detector that tails a lake: every event that arrives and matches is printed once, however
//! late it is and however often the detector is restarted.
//!
//!     towpath ingest ./AWSLogs --store my-event-data-store --watch &
//!     cargo run -p towpath --example detector -- ~/audit-lake detector.json
//!
//! What it has seen stands in the file that is its second argument. It is written after the rows
//! were handled: a detector that is killed in between tells of those again rather than not at all.

#![expect(clippy::print_stdout, reason = "an example talks to its terminal")]

use std::env;
use std::error::Error;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use futures::TryStreamExt;
use towpath::arrow::util::display::{ArrayFormatter, FormatOptions};
use towpath::{Lake, LakeOptions, ParameterValues, QueryLimits, Seen};

const SUSPICIOUS: &str = "\
    SELECT eventTime, eventName, userIdentity.arn, sourceIPAddress
    FROM my-event-data-store
    WHERE eventName IN ('StopLogging', 'DeleteTrail', 'DeleteBucket', 'PutBucketPolicy')
       OR (eventName = 'ConsoleLogin' AND userIdentity.type = 'Root')";

const LIMITS: QueryLimits = QueryLimits { run_secs_max: 60, result_rows_max: None };

/// How long it waits when it has seen everything.
const PAUSE: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let (Some(lake), Some(file)) = (args.next(), args.next()) else {
        return Err("usage: detector LAKE FILE [--once]".into());
    };
    let is_once = args.next().is_some();
    let file = Path::new(&file);
    let lake = Lake::open(&lake, LakeOptions::new(Utc::now)).await?;
    let mut seen = match fs::read_to_string(file) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Seen::default(),
        Err(error) => return Err(error.into()),
    };
    loop {
        let parameters = ParameterValues::default();
        let (mut rows, now_seen) =
            lake.query_arrived(SUSPICIOUS, &parameters, &seen, LIMITS).await?;
        while let Some(batch) = rows.try_next().await? {
            let options = FormatOptions::default();
            let columns = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
                .collect::<Result<Vec<ArrayFormatter<'_>>, _>>()?;
            for row in 0..batch.num_rows() {
                let texts: Vec<String> =
                    columns.iter().map(|column| column.value(row).to_string()).collect();
                println!("{}", texts.join("  "));
            }
        }
        if now_seen != seen {
            fs::write(file, serde_json::to_string(&now_seen)?)?;
            seen = now_seen;
        }
        if is_once {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}
