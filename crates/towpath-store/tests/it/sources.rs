use crate::support::{append, local_store, source};
use futures::TryStreamExt;
use towpath_store::{CommitSummary, SourceIndex};

#[tokio::test]
async fn index_goes_on_from_what_it_knows() {
    let (_folder, catalog, store) = local_store().await;
    append(&store, &["one"]).await.unwrap();
    let mut index = SourceIndex::default();
    index.refresh(&store, &store.snapshot().await.unwrap()).await.unwrap();
    assert!(index.contains("one", 101));
    assert!(!index.contains("one", 102), "another size is another content");
    assert!(!index.contains("two", 101));

    append(&store, &["two", "b"]).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    index.refresh(&store, &snapshot).await.unwrap();
    index.refresh(&store, &snapshot).await.unwrap();

    assert_eq!(index.len(), 2);
    let sha256 = source("two", 2).sha256;
    assert!(index.contains_content("two", 102, &sha256));
    assert!(!index.contains_content("two", 102, &"0".repeat(64)));
    let again = catalog.store("trail").await.unwrap();
    assert_eq!(again.sources(&again.latest()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn commits_say_what_they_did() {
    let (_folder, _catalog, store) = local_store().await;
    append(&store, &["one", "x"]).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();

    let commits: Vec<CommitSummary> = store.commits(0, 1).try_collect().await.unwrap();

    assert_eq!(commits.len(), 2);
    assert!(commits.iter().all(|commit| commit.ours));
    assert_eq!(commits[0].operation.as_deref(), Some("CREATE TABLE"));
    assert_eq!(commits[1].sources, [source("one", 2)]);
    assert_eq!(commits[1].data_files[0].sha256, snapshot.data_files()[0].sha256);
    assert_eq!(commits[1].data_files[0].rows, 2);
}

#[tokio::test]
async fn missing_commit_is_an_error_rather_than_a_gap() {
    let (folder, _catalog, store) = local_store().await;
    for id in ["one", "two", "three"] {
        append(&store, &[id]).await.unwrap();
    }
    let snapshot = store.snapshot().await.unwrap();
    let log = crate::support::store_folder(&folder, &store).join("_delta_log");
    std::fs::remove_file(log.join("00000000000000000002.json")).unwrap();

    let err = store.sources(&snapshot).await.unwrap_err();
    assert!(matches!(err, towpath_store::Error::Damaged { .. }), "{err:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_and_files_survive_a_checkpoint() {
    let (folder, catalog, store) = local_store().await;
    for number in 1..=103 {
        append(&store, &[&format!("id-{number}")]).await.unwrap();
    }
    let log = crate::support::store_folder(&folder, &store).join("_delta_log");
    assert!(log.join("00000000000000000099.checkpoint.parquet").try_exists().unwrap());
    assert!(log.join("_last_checkpoint").try_exists().unwrap());
    for version in 0..=103 {
        assert!(log.join(format!("{version:020}.json")).try_exists().unwrap(), "{version}");
    }

    let again = catalog.store("trail").await.unwrap();
    let (snapshot, before) = (again.latest(), store.snapshot().await.unwrap());
    assert_eq!(snapshot.data_files(), before.data_files(), "as kept in memory since the start");
    assert_eq!((snapshot.version(), snapshot.rows()), (103, 103));
    assert!(snapshot.data_files().iter().all(|file| file.sha256.len() == 64));
    assert_eq!(again.sources(&snapshot).await.unwrap().len(), 103);
    append(&again, &["after"]).await.unwrap();
}
