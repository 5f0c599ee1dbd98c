//! A newest commit that a power loss tore is refused, and repaired only when asked to.

use crate::support::{WAIT, append, local_store, now, open_or_create, store_folder};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;
use towpath_store::{Error, EventDataStore, TornReason};

fn commit(folder: &TempDir, store: &EventDataStore, version: u64) -> PathBuf {
    store_folder(folder, store).join(format!("_delta_log/{version:020}.json"))
}

#[tokio::test]
async fn torn_newest_commit_is_refused_however_it_is_torn() {
    let (folder, catalog, store) = local_store().await;
    append(&store, &["a"]).await.unwrap();
    append(&store, &["b"]).await.unwrap();
    let path = commit(&folder, &store, 2);
    let whole = fs::read(&path).unwrap();
    let lines: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').collect();
    assert_eq!(lines.len(), 3, "commitInfo, add, txn");

    let torn = [
        (Vec::new(), TornReason::Empty),
        (vec![0; whole.len()], TornReason::BrokenLine { line: 1 }),
        (whole[..10].to_vec(), TornReason::BrokenLine { line: 1 }),
        (whole[..whole.len() - 2].to_vec(), TornReason::BrokenLine { line: 3 }),
        (whole[..whole.len() - 1].to_vec(), TornReason::Unfinished),
        (whole[..=lines[0]].to_vec(), TornReason::Unfinished),
        (whole[..=lines[1]].to_vec(), TornReason::Unfinished),
    ];
    for (content, expected) in torn {
        fs::write(&path, &content).unwrap();
        let err = catalog.store("trail").await.unwrap_err();
        let refused = matches!(
            &err,
            Error::TornCommit { version: 2, reason, .. } if *reason == expected
        );
        assert!(refused, "{expected}: {err:?}");
        assert!(err.to_string().contains("towpath doctor --repair"), "{err}");
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes, content, "refusing changes nothing");
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(catalog.store("trail").await.unwrap().latest().rows(), 2);
}

#[tokio::test]
async fn open_store_refuses_a_torn_commit_too() {
    let (folder, _catalog, store) = local_store().await;
    append(&store, &["a"]).await.unwrap();
    store.snapshot().await.unwrap();
    fs::write(commit(&folder, &store, 2), "").unwrap();

    let err = store.snapshot().await.unwrap_err();
    assert!(matches!(err, Error::TornCommit { version: 2, .. }), "{err:?}");
    let err = append(&store, &["b"]).await.unwrap_err();
    assert!(matches!(err, Error::TornCommit { version: 2, .. }), "{err:?}");
    assert!(!commit(&folder, &store, 3).try_exists().unwrap(), "nothing goes on top");
}

#[tokio::test]
async fn repair_says_what_it_will_do_and_moves_aside_only_that() {
    let (folder, catalog, store) = local_store().await;
    for id in ["a", "b", "c"] {
        append(&store, &[id]).await.unwrap();
    }
    fs::write(commit(&folder, &store, 3), "").unwrap();
    fs::write(commit(&folder, &store, 2), "{\"add\":").unwrap();

    let plan = catalog.repair_plan(store.id()).await.unwrap();
    assert_eq!((plan.steps.len(), plan.version_after), (2, Some(1)));
    let text = plan.to_string();
    assert!(text.contains("commit 3: its file is empty"), "{text}");
    assert!(text.contains("commit 2: its line 1 is not JSON"), "{text}");
    assert!(text.contains("then at version 1"), "{text}");
    assert!(commit(&folder, &store, 3).try_exists().unwrap(), "a plan changes nothing");

    catalog.repair(&plan, now(), WAIT).await.unwrap();

    // Opened anew: what tears a commit ends the processes that had read it whole.
    let repaired = open_or_create(folder.path()).await.store("trail").await.unwrap();
    assert_eq!((repaired.latest().version(), repaired.latest().rows()), (1, 1));
    assert_eq!(append(&repaired, &["b"]).await.unwrap(), 2);
    let aside = store_folder(&folder, &store).join("_towpath/aside");
    assert_eq!(fs::read_dir(aside).unwrap().count(), 2, "nothing is thrown away");
    let plan = catalog.repair_plan(store.id()).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    assert!(plan.to_string().contains("nothing to repair"));
}

#[tokio::test]
async fn process_that_has_the_store_open_goes_on_from_what_a_repair_left() {
    for looks_in_between in [true, false] {
        let (folder, catalog, store) = local_store().await;
        append(&store, &["a"]).await.unwrap();
        append(&store, &["b"]).await.unwrap();
        let mut index = store.sources(&store.snapshot().await.unwrap()).await.unwrap();
        assert!(index.contains("b", 101));

        fs::write(commit(&folder, &store, 2), "").unwrap();
        let other = open_or_create(folder.path()).await;
        let plan = other.repair_plan(store.id()).await.unwrap();
        other.repair(&plan, now(), WAIT).await.unwrap();
        if looks_in_between {
            let repaired = store.snapshot().await.unwrap();
            assert_eq!((repaired.version(), repaired.rows(), repaired.repairs()), (1, 1, 1));
        }
        // The same versions, but other commits.
        let there = other.store("trail").await.unwrap();
        append(&there, &["c"]).await.unwrap();
        append(&there, &["d"]).await.unwrap();

        let snapshot = store.snapshot().await.unwrap();
        assert_eq!((snapshot.version(), snapshot.rows(), snapshot.repairs()), (3, 3, 1));
        index.refresh(&store, &snapshot).await.unwrap();
        let known = ["a", "b", "c", "d"].map(|id| index.contains(id, 101));
        assert_eq!(known, [true, false, true, true], "what was moved aside is no longer in");
        assert_eq!(append(&store, &["b"]).await.unwrap(), 4);
        assert_eq!(catalog.store("trail").await.unwrap().latest().rows(), 4);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn torn_checkpoint_is_moved_aside_and_nothing_is_lost() {
    let (folder, catalog, store) = local_store().await;
    for number in 1..=100 {
        append(&store, &[&format!("id-{number}")]).await.unwrap();
    }
    let checkpoint =
        store_folder(&folder, &store).join("_delta_log/00000000000000000099.checkpoint.parquet");
    let content = fs::read(&checkpoint).unwrap();
    fs::write(&checkpoint, &content[..content.len() / 2]).unwrap();
    // Opened anew: the process that read the log whole need not read the checkpoint.
    let anew = open_or_create(folder.path()).await;
    assert!(anew.store("trail").await.is_err());

    let plan = catalog.repair_plan(store.id()).await.unwrap();
    assert_eq!((plan.steps.len(), plan.version_after), (2, Some(100)), "{plan}");
    catalog.repair(&plan, now(), WAIT).await.unwrap();
    assert_eq!(anew.store("trail").await.unwrap().latest().rows(), 100);
}

#[tokio::test]
async fn store_without_a_whole_commit_is_none() {
    let (folder, _catalog, store) = local_store().await;
    fs::write(commit(&folder, &store, 0), "").unwrap();
    let catalog = open_or_create(folder.path()).await;
    assert!(matches!(catalog.store("trail").await, Err(Error::TornCommit { version: 0, .. })));

    let plan = catalog.repair_plan(store.id()).await.unwrap();
    assert_eq!(plan.version_after, None);
    catalog.repair(&plan, now(), WAIT).await.unwrap();
    assert!(matches!(catalog.store("trail").await, Err(Error::StoreNotFound { .. })));
    catalog.create_store(crate::support::new_store("trail"), now()).await.unwrap();
}
