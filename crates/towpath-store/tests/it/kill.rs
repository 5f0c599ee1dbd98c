//! SIGKILL at any moment loses no acknowledged append and leaves none half done.

use crate::support::{append_within, new_store, now, open_or_create};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use towpath_store::Error;

/// Kills of one run. More find nothing new in the time that a test may take.
const KILLS: u32 = 12;

/// Appends that a process may do before it is killed.
const APPENDS_MAX: u32 = 200;

/// Names the lake to the process that is to be killed; without it, that test does nothing.
const LAKE: &str = "TOWPATH_TEST_KILLED_LAKE";

/// Run by [`killed_process_loses_nothing`] in a process of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn append_until_killed() {
    #[expect(clippy::disallowed_methods, reason = "how the parent process talks to this one")]
    let Ok(lake) = std::env::var(LAKE) else { return };
    let catalog = open_or_create(Path::new(&lake)).await;
    let store = match catalog.store("trail").await {
        Ok(store) => store,
        Err(Error::StoreNotFound { .. }) => {
            catalog.create_store(new_store("trail"), now()).await.unwrap()
        }
        Err(err) => panic!("{err:?}"),
    };
    for number in 0..APPENDS_MAX {
        let id = format!("{}-{number}", std::process::id());
        append_within(Duration::from_secs(5), &store, &[&id]).await.unwrap();
        println!("acknowledged {id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_process_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for kill in 0..KILLS {
        let mut child = appending(folder.path());
        let output = BufReader::new(child.stdout.take().unwrap());
        // Killed while it creates the lake, then after more and more appends.
        let lines = output.lines().map_while(Result::ok);
        let ids =
            lines.filter_map(|line| line.split_once("acknowledged ").map(|(_, id)| id.to_owned()));
        let mut ids = ids;
        let before: Vec<String> = ids.by_ref().take(kill as usize).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(before.into_iter().chain(ids));

        let catalog = open_or_create(folder.path()).await;
        let Ok(store) = catalog.store("trail").await else {
            assert!(acknowledged.is_empty());
            continue;
        };
        let snapshot = store.snapshot().await.unwrap();
        let index = store.sources(&snapshot).await.unwrap();
        let missing: Vec<&String> =
            acknowledged.iter().filter(|id| !index.contains(id.as_str(), 101)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert_eq!(snapshot.rows(), index.len() as u64);
        let unacknowledged = index.len() - acknowledged.len();
        assert!(unacknowledged <= kill as usize + 1, "at most one for each kill");
    }
    assert!(acknowledged.len() > KILLS as usize, "{}", acknowledged.len());
}

fn appending(lake: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::append_until_killed", "--nocapture"])
        .env(LAKE, lake)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
