//! A lake from its start to a plan.
//!
//! | name | what is timed |
//! |---|---|
//! | open | the lake, and the newest snapshot of its store, from its files |
//! | plan | a statement to the plan that runs, of an open lake: a count, a needle and a join |
//! | prune | one value to the blocks of rows that may have it, through the heads of an open index |

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be made stops")]

use std::collections::HashMap;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use towpath::Lake;
use towpath_benches::samples::{self, LIMITS, STORE};
use towpath_store::{Catalog, DataFile, Location, Needle, Wanted};

criterion_main!(benches);
criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = open, plan, prune
}

fn sample() -> (Runtime, TempDir, Lake) {
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let (home, lake) = runtime.block_on(samples::lake(&samples::folder())).unwrap();
    (runtime, home, lake)
}

fn url(home: &Path) -> String {
    home.join("lake").display().to_string()
}

fn open(c: &mut Criterion) {
    let (runtime, home, _) = sample();
    let url = url(home.path());
    c.benchmark_group("lake").bench_function("open", |b| {
        b.iter(|| {
            runtime.block_on(async {
                let lake = Lake::open(&url, samples::options()).await.unwrap();
                lake.store(STORE).await.unwrap().summary().await.unwrap()
            })
        });
    });
}

fn plan(c: &mut Criterion) {
    let (runtime, _home, lake) = sample();
    let questions = runtime.block_on(samples::questions(&lake)).unwrap();
    let joined = format!(
        "SELECT a.eventName, count(*) FROM {STORE} a JOIN {STORE} b ON a.requestID = b.requestID \
         WHERE a.errorCode IS NOT NULL GROUP BY a.eventName"
    );
    let questions = questions.into_iter().chain([("join", joined)]);
    let mut group = c.benchmark_group("plan");
    for (name, statement) in
        questions.filter(|(name, _)| ["top calls", "event id", "join"].contains(name))
    {
        group.bench_function(name, |b| {
            b.iter(|| runtime.block_on(lake.stores_of(&statement, LIMITS)).unwrap());
        });
    }
}

fn prune(c: &mut Criterion) {
    let (runtime, home, _) = sample();
    let location = Location::parse(&url(home.path()), &HashMap::new()).unwrap();
    let store = runtime
        .block_on(async { Catalog::open(location).await.unwrap().store(STORE).await.unwrap() });
    let snapshot = store.latest();
    let index = runtime.block_on(store.index(&snapshot));
    let files: Vec<&DataFile> = snapshot.data_files().iter().collect();
    assert!(files.iter().all(|file| index.covers(file)));
    let needle = Needle::in_column("eventID", "ffffffff-0000-4000-8000-000000000000").unwrap();
    let wanted = Wanted::Value(needle);
    c.benchmark_group("lake").bench_function("prune", |b| {
        b.iter(|| runtime.block_on(index.search(&files, &wanted)));
    });
}
