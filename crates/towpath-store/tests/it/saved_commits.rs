//! Starting does not read every commit of years one by one.

use crate::faulty_store::{Fault, FaultyStore};
use crate::support::{WAIT, bucket, new_store, now, source};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use std::sync::Arc;
use towpath_store::{Append, Catalog, EventDataStore, SourceIndex};

/// Enough for one block of 256 commits and the 64 after it that may still be made anew.
const COMMITS: u64 = 330;

/// Says how many commits to make, for a long run by hand.
const COMMITS_VARIABLE: &str = "TOWPATH_TEST_COMMITS";

/// Requests that opening a store takes, however many commits it has: one for each commit after the
/// newest checkpoint, of which there is one every hundred, and some to find and read that.
const OPEN_REQUESTS_MAX: u64 = 100 + 25;

async fn open(objects: Arc<dyn ObjectStore>) -> EventDataStore {
    Catalog::open(bucket(&objects)).await.unwrap().store("trail").await.unwrap()
}

/// The log files in the store, and the operations that it took to find out.
async fn sources(objects: &Arc<dyn ObjectStore>) -> (SourceIndex, u64) {
    let counting = FaultyStore::new(Arc::clone(objects), Fault::Before, u64::MAX);
    let store = open(Arc::clone(&counting) as _).await;
    let before = counting.operations();
    assert!(before <= OPEN_REQUESTS_MAX, "{before} operations to open the store");
    let index = store.sources(&store.latest()).await.unwrap();
    (index, counting.operations() - before)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn block_of_commits_is_read_as_one_and_made_anew_when_it_is_torn() {
    let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let catalog = Catalog::create(bucket(&objects), now()).await.unwrap();
    let store = catalog.create_store(new_store("trail"), now()).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "a long run is asked for by hand")]
    let commits = std::env::var(COMMITS_VARIABLE).ok().and_then(|commits| commits.parse().ok());
    let commits: u64 = commits.unwrap_or(COMMITS).max(COMMITS);
    for number in 0..commits {
        let sources = vec![source(&format!("log-{number}"), 0)];
        store.append(Append { data_files: vec![], sources }, now(), WAIT).await.unwrap();
    }
    let (index, one_by_one) = sources(&objects).await;
    assert_eq!(index.len() as u64, commits);
    assert!(one_by_one >= commits, "{one_by_one}");

    let (index, saved) = sources(&objects).await;
    assert_eq!(index.len() as u64, commits);
    assert!(index.contains("log-0", 100) && index.contains("log-329", 100));
    // One for each whole block, and one for each commit of the blocks that may still change.
    let blocks = (commits + 1 - 64) / 256;
    assert!(saved <= blocks + (commits + 1 - 256 * blocks), "{saved} operations");
    println!("{commits} commits: {one_by_one} operations the first time, then {saved}");

    let path = Path::from(format!(
        "some/lake/stores/{}/_towpath/commits/00000000000000000000.json.gz",
        store.id()
    ));
    let whole = objects.get(&path).await.unwrap().bytes().await.unwrap();
    for torn in
        [whole.slice(..whole.len() / 2), whole.slice(..whole.len() - 1), "".into(), "x".into()]
    {
        objects.put(&path, torn.into()).await.unwrap();
        assert_eq!(sources(&objects).await.0.len() as u64, commits);
        let mended = objects.get(&path).await.unwrap().bytes().await.unwrap();
        assert_eq!(mended, whole);
    }
}
