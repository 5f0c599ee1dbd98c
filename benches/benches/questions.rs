//! The fifteen questions of the comparison with other engines, over an open lake: plan and rows.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be made stops")]

use criterion::{Criterion, criterion_group, criterion_main};
use tokio::runtime::Builder;
use towpath_benches::samples::{self, LIMITS};

criterion_main!(benches);
criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = questions
}

fn questions(c: &mut Criterion) {
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let (_home, lake) = runtime.block_on(samples::lake(&samples::folder())).unwrap();
    let mut group = c.benchmark_group("questions");
    for (name, statement) in runtime.block_on(samples::questions(&lake)).unwrap() {
        group.bench_function(name, |b| {
            b.iter(|| {
                runtime.block_on(async {
                    lake.query(&statement, LIMITS).await.unwrap().collect().await.unwrap()
                })
            });
        });
    }
}
