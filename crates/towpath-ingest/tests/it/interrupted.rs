//! An ingest that is killed at any moment is completed by running it again.

use std::sync::Arc;

use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path};
use towpath_ingest::{IngestOptions, ingest};
use towpath_store::{Catalog, Retention};

use crate::{
    support::{
        NOW, bucket, clock_at, create_store, ingest_folder, ingest_location, local_store,
        open_store, sorted, stored_events,
    },
    trail::{self, events, key, log_file},
    watched_store::{StopAt, WatchedStore},
};

/// Long enough after [`NOW`] for a lease to have ended whose holder was killed.
const LATER: &str = "2024-06-01T01:00:00Z";

/// A bucket with a trail of five days, each event delivered twice, and what is in it.
async fn trail_bucket() -> (Arc<dyn ObjectStore>, Vec<String>) {
    let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let mut all = Vec::new();
    for day in 10..15 {
        let day = format!("2024-01-{day}");
        let of_day = events(&day, &day, 6);
        for region in ["eu-west-1", "us-east-1"] {
            let path = Path::from(format!("trail/{}", key(region, &day, 1)));
            objects.put(&path, log_file(&of_day).into()).await.unwrap();
        }
        all.extend(of_day);
    }
    (objects, all)
}

/// Two or three commits for the trail of [`trail_bucket`].
fn options() -> IngestOptions {
    IngestOptions { commit_text_bytes: 9_000, ..IngestOptions::default() }
}

/// Ingests until the store stops answering. Returns whether that was before the end.
async fn ingest_until_stopped(objects: &Arc<dyn ObjectStore>, stop_at: StopAt) -> bool {
    let watched = WatchedStore::new(objects, Some(stop_at));
    let through: Arc<dyn ObjectStore> = Arc::clone(&watched) as Arc<dyn ObjectStore>;
    let ingest = async {
        let store = Catalog::open(bucket(&through, "lake")).await?.store("org-trail").await?;
        let sources = [bucket(objects, "trail")];
        ingest(&store, &sources, &options(), clock_at(NOW), &|_| ()).await
    };
    tokio::select! {
        biased;
        () = watched.stopped() => true,
        result = ingest => {
            assert!(result.is_ok() || watched.has_stopped());
            watched.has_stopped()
        }
    }
}

#[tokio::test]
async fn killed_at_any_operation_and_run_again_nothing_is_lost_or_doubled() {
    for is_done in [false, true] {
        let mut operation = 0;
        loop {
            let (objects, all) = trail_bucket().await;
            create_store(bucket(&objects, "lake"), Retention::DAYS_DEFAULT).await;
            let stop_at = StopAt { operation, is_done };
            let was_stopped = ingest_until_stopped(&objects, stop_at).await;

            let store = open_store(bucket(&objects, "lake")).await;
            let found = stored_events(&store).await;
            let mut once = found.clone();
            once.dedup();
            assert_eq!(found, once, "doubled after {stop_at:?}");

            let sources = [bucket(&objects, "trail")];
            let report =
                ingest(&store, &sources, &options(), clock_at(LATER), &|_| ()).await.unwrap();
            assert!(report.events.reconcile());
            assert_eq!(stored_events(&store).await, sorted(&all), "after {stop_at:?}");
            if !was_stopped {
                assert_eq!(report.log_files.already_ingested, 10);
                break;
            }
            operation += 1;
        }
        assert!(operation > 20, "only {operation} operations were tried");
    }
}

#[tokio::test]
async fn a_dropped_ingest_leaves_the_store_to_the_next() {
    let (local, trail) = (local_store().await, tempfile::tempdir().unwrap());
    let mut all = Vec::new();
    for day in 10..30 {
        let day = format!("2024-01-{day}");
        let of_day = events(&day, &day, 10);
        trail::write(trail.path(), &key("eu-west-1", &day, 1), &log_file(&of_day));
        all.extend(of_day);
    }
    // Polled a few times more each time, then dropped wherever it is.
    for polls in 0..40 {
        let source = towpath_store::Location::local(trail.path()).unwrap();
        let options = IngestOptions { commit_text_bytes: 5_000, ..IngestOptions::default() };
        let mut ingest = Box::pin(ingest_location(&local.store, &source, &options));
        for _ in 0..polls {
            let poll = futures::poll!(ingest.as_mut());
            if poll.is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(ingest);
    }
    let report = ingest_folder(&local.store, trail.path()).await;
    assert_eq!(report.log_files.found, 20);
    assert_eq!(stored_events(&local.store).await, sorted(&all));
}
