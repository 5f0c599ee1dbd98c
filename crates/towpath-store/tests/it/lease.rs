use crate::support::{WAIT, append, bucket, local_store, new_store, now, open_or_create, writer};
use chrono::TimeDelta;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use std::sync::Arc;
use std::time::Duration;
use towpath_store::{Append, Catalog, Error};

const SHORT: Duration = Duration::from_millis(50);

async fn bucket_store() -> (Arc<dyn ObjectStore>, towpath_store::EventDataStore) {
    let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let catalog = Catalog::create(bucket(&objects), now()).await.unwrap();
    let store = catalog.create_store(new_store("trail"), now()).await.unwrap();
    (objects, store)
}

#[tokio::test]
async fn second_writer_waits_and_gives_up() {
    let (folder, _catalog, store) = local_store().await;
    let (objects, on_bucket) = bucket_store().await;
    let again = open_or_create(folder.path()).await.store("trail").await.unwrap();
    let bucket_again = Catalog::open(bucket(&objects)).await.unwrap().store("trail").await.unwrap();
    for (first, second) in [(&store, &store), (&store, &again), (&on_bucket, &bucket_again)] {
        let held = writer(first).await.unwrap();
        let err = second.writer(now(), SHORT).await.unwrap_err();
        assert!(matches!(err, Error::LeaseTimeout { .. }), "{err:?}");
        assert!(err.to_string().contains(&first.id().to_string()), "{err}");
        held.release().await;
        second.writer(now(), WAIT).await.unwrap().release().await;
    }
}

#[tokio::test]
async fn dropped_writer_gives_the_store_back() {
    let (_folder, _catalog, store) = local_store().await;
    let (_objects, on_bucket) = bucket_store().await;
    for store in [store, on_bucket] {
        drop(writer(&store).await.unwrap());
        store.writer(now(), WAIT).await.unwrap().release().await;
        assert_eq!(append(&store, &["a"]).await.unwrap(), 1);
    }
}

#[test]
fn dead_holder_is_taken_over_when_its_lease_is_over() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let dying = runtime();
    let (objects, writer) = dying.block_on(async {
        let (objects, store) = bucket_store().await;
        (objects, store.writer(now(), WAIT).await.unwrap())
    });
    // Its renewals end with the runtime, and nothing gives the lease back: as after SIGKILL.
    dying.shutdown_background();
    drop(writer);

    runtime().block_on(async {
        let store = Catalog::open(bucket(&objects)).await.unwrap().store("trail").await.unwrap();
        let soon = now() + TimeDelta::seconds(20);
        let err = store.writer(soon, SHORT).await.unwrap_err();
        assert!(matches!(err, Error::LeaseTimeout { .. }), "still held: {err:?}");

        let later = now() + TimeDelta::seconds(60);
        let writer = store.writer(later, SHORT).await.unwrap();
        assert_eq!(writer.commit(Append::default(), later).await.unwrap(), 1);
    });
}
