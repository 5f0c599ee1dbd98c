//! [`Store::watch`]: ingesting what arrives, until it is told to stop.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::select;
use tokio::time::sleep;
use towpath_ingest::{Error as IngestError, IngestOptions, NotificationQueue, SqsQueue};
use towpath_ingest::{WatchEvent, WatchReport};
use towpath_store::Location;

use crate::audit::check_not_audit;
use crate::error::Result;
use crate::store::{Store, import_parameters};
use crate::upkeep::{MAINTAIN_EVERY, MAINTAIN_FIRST_AFTER};

/// What a watch takes in, and how it learns of it.
#[derive(Clone, Debug)]
pub struct WatchOptions {
    /// What to ingest. A range of event times is for good here: a log file of which only a part was
    /// in the range is not read again.
    pub ingest: IngestOptions,

    /// Time between two looks at the sources. A log file is visible after it and the time of a
    /// commit, some seconds. Each look that finds something makes a commit. Some requests for each
    /// account and region of a bucket are made at each look.
    pub look_every: Duration,

    /// URL of an Amazon SQS queue that is told of every object that is written: by S3 itself, by S3
    /// or CloudTrail through SNS, or by `EventBridge`. The sources, one of them a bucket on S3, are
    /// then looked at only now and then. The queue must be there for this watch alone: its messages
    /// are deleted once the log files are in the store.
    pub notifications: Option<String>,
}

impl Store {
    /// Ingests what is in `sources` and whatever arrives there, until `stop` completes; then ends
    /// the running commit and returns the account of it.
    ///
    /// The store's selectors apply, whatever the options say: what arrives is not history.
    /// What fails after the first look is told and tried again and ends nothing. A watch that was
    /// ended in any way goes on where it was when it is begun again. `tell` is called as things
    /// happen, from the task that runs the watch. The store is [maintained](Store::maintain)
    /// meanwhile, every few minutes.
    ///
    /// # Errors
    ///
    /// A source or a queue that is not there, and storage errors at the first look that waiting
    /// would not mend.
    pub async fn watch<S: AsRef<str> + Sync>(
        &self,
        sources: &[S],
        options: &WatchOptions,
        tell: &(dyn Fn(&WatchEvent) + Sync),
        stop: impl Future<Output = ()>,
    ) -> Result<WatchReport> {
        check_not_audit(self.id())?;
        let event =
            self.event("StartEventDataStoreIngestion", import_parameters(sources, &options.ingest));
        let begun = self.audit.begin(event, false).await?;
        begun.end(&Ok(Value::Null)).await;
        let storage_options = &self.options.storage_options;
        let locations = sources
            .iter()
            .map(|source| Location::parse(source.as_ref(), storage_options))
            .collect::<std::result::Result<Vec<Location>, _>>()?;
        let mut queue: Option<Arc<dyn NotificationQueue>> = None;
        if let Some(url) = &options.notifications {
            if locations.iter().all(|location| location.url().scheme() != "s3") {
                let reason = "no source is a bucket on S3 that it could tell of".to_owned();
                return Err(IngestError::InvalidQueue { text: url.clone(), reason }.into());
            }
            queue = Some(Arc::new(SqsQueue::open(url, storage_options)?));
        }
        let options = towpath_ingest::WatchOptions {
            ingest: IngestOptions { apply_selectors: true, ..options.ingest },
            look_every: options.look_every,
            queue,
            clock: Arc::clone(&self.options.now),
        };
        let watch = towpath_ingest::watch(&self.store, &locations, &options, tell, stop);
        select! {
            report = Box::pin(watch) => Ok(report?),
            never = Box::pin(self.maintain_for_ever(tell)) => match never {},
        }
    }

    /// Maintains the store every few minutes. What fails is told, and tried again the next time.
    async fn maintain_for_ever(&self, tell: &(dyn Fn(&WatchEvent) + Sync)) -> Infallible {
        let mut pause = MAINTAIN_FIRST_AFTER;
        loop {
            sleep(pause).await;
            pause = MAINTAIN_EVERY;
            match Box::pin(self.maintain()).await {
                Ok((compacted, expired)) => {
                    let files_dropped = expired.dropped.len() as u64;
                    if compacted.files_before + files_dropped > 0 {
                        let (files_before, files_after) =
                            (compacted.files_before, compacted.files_after);
                        tell(&WatchEvent::Maintained { files_before, files_after, files_dropped });
                    }
                }
                Err(err) => {
                    let error = format!("could not maintain the store: {err}");
                    let retry_ms = u64::try_from(MAINTAIN_EVERY.as_millis()).unwrap_or(u64::MAX);
                    tell(&WatchEvent::Failed { error, retry_ms });
                }
            }
        }
    }
}
