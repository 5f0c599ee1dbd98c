//! One failed operation of the storage, at every place it can fail.

use crate::faulty_store::{Fault, FaultyStore};
use crate::support::{append_within, bucket, new_store, now};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use std::sync::Arc;
use std::time::Duration;
use towpath_store::{Append, Catalog, EventDataStore};

/// How long an append waits for a lease that the same process could not give back.
const LEASE_WAIT: Duration = Duration::from_millis(200);

/// Opens a lake through `objects`, makes a store, appends three times; says what was acknowledged.
async fn create_and_append(objects: Arc<dyn ObjectStore>) -> (Vec<&'static str>, Vec<String>) {
    let (mut acknowledged, mut errors) = (Vec::new(), Vec::new());
    let created = async {
        let catalog = Catalog::create(bucket(&objects), now()).await?;
        catalog.create_store(new_store("trail"), now()).await
    };
    let store = match created.await {
        Ok(store) => store,
        Err(err) => return (acknowledged, vec![format!("{err:?}")]),
    };
    for id in ["first", "second", "third"] {
        match append_within(LEASE_WAIT, &store, &[id]).await {
            Ok(_) => acknowledged.push(id),
            // As a command would: it ends.
            Err(err) => {
                errors.push(format!("{err:?}"));
                break;
            }
        }
    }
    (acknowledged, errors)
}

/// The ids of the log files that the store has, which are in the same commits as the rows.
async fn present(store: &EventDataStore) -> Vec<&'static str> {
    let snapshot = store.snapshot().await.unwrap();
    let index = store.sources(&snapshot).await.unwrap();
    let present: Vec<_> =
        ["first", "second", "third"].into_iter().filter(|id| index.contains(id, 101)).collect();
    assert_eq!(snapshot.rows(), present.len() as u64, "rows and their sources are in together");
    present
}

/// A lake whose server has passed the self-test, which is not what these tests fail.
async fn tested_objects() -> Arc<dyn ObjectStore> {
    let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    Catalog::create(bucket(&objects), now()).await.unwrap();
    objects
}

async fn operations_without_a_fault() -> u64 {
    let faulty = FaultyStore::new(tested_objects().await, Fault::Before, u64::MAX);
    let (acknowledged, errors) = create_and_append(Arc::clone(&faulty) as _).await;
    assert_eq!((acknowledged.len(), errors.len()), (3, 0), "{errors:?}");
    faulty.operations()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_lost_operation_or_answer_anywhere_is_survived_without_a_false_error() {
    let operations = operations_without_a_fault().await;
    for fault in [Fault::Before, Fault::After] {
        for at in 0..operations {
            let objects = tested_objects().await;
            let faulty = FaultyStore::new(Arc::clone(&objects), fault, at);
            let (acknowledged, errors) = create_and_append(faulty).await;

            assert_eq!(acknowledged, ["first", "second", "third"], "{fault:?} {at}: {errors:?}");
            let catalog = Catalog::open(bucket(&objects)).await.unwrap();
            let store = catalog.store("trail").await.unwrap();
            assert_eq!(present(&store).await, acknowledged, "{fault:?} {at}");
            let snapshot = store.snapshot().await.unwrap();
            assert_eq!(snapshot.version(), 3, "{fault:?} {at}: nothing was committed twice");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_anywhere_leaves_what_was_acknowledged_and_can_be_gone_on_from() {
    let operations = operations_without_a_fault().await;
    for fault in [Fault::Crash, Fault::DiskFull] {
        for at in 0..operations {
            let objects = tested_objects().await;
            let faulty = FaultyStore::new(Arc::clone(&objects), fault, at);
            let (acknowledged, errors) = create_and_append(faulty).await;

            // A later process, an hour on, so that leases of the dead one are over.
            let later = now() + chrono::TimeDelta::hours(1);
            let catalog = Catalog::create(bucket(&objects), later).await.unwrap();
            let store = match catalog.store("trail").await {
                Ok(store) => store,
                Err(_) => catalog.create_store(new_store("trail"), later).await.unwrap(),
            };
            let found = present(&store).await;
            assert!(found.starts_with(&acknowledged), "{fault:?} {at}: {found:?} {acknowledged:?}");
            let unacknowledged = found.len() - acknowledged.len();
            assert!(unacknowledged <= 1, "{fault:?} {at}: {found:?} {errors:?}");
            if fault == Fault::DiskFull {
                assert_eq!(unacknowledged, 0, "{at}");
                let clear =
                    |err: &String| err.starts_with("OutOfSpace") || err.starts_with("LeaseTimeout");
                assert!(errors.iter().all(clear), "{errors:?}");
            }
            let writer = store.writer(later, crate::support::WAIT).await.unwrap();
            writer.commit(Append::default(), later).await.unwrap();
        }
    }
}
