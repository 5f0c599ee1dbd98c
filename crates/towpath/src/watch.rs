//! [`Store::watch`]: ingesting what arrives, until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use towpath_ingest::{Error as IngestError, IngestOptions, NotificationQueue, SqsQueue};
use towpath_ingest::{WatchEvent, WatchReport};
use towpath_store::Location;

use crate::error::Result;
use crate::store::Store;

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
    /// happen, from the task that runs the watch.
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
        Ok(Box::pin(watch).await?)
    }
}
