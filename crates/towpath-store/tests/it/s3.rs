//! The same promises on a real S3 server, named by `TOWPATH_TEST_S3`.
//!
//! It is the server's URL, such as `http://127.0.0.1:5569`. Its credentials may be anything it takes
//! for `test`/`test`; the bucket `towpath-test` must be there. Without it this test does nothing,
//! and says so.

use crate::support::{append, new_store, now, writer};
use std::collections::HashMap;
use towpath_store::{Append, Catalog, Location};
use uuid::Uuid;

fn lake() -> Option<Location> {
    #[expect(clippy::disallowed_methods, reason = "how the script that starts a server says so")]
    let Ok(endpoint) = std::env::var("TOWPATH_TEST_S3") else {
        println!("skipped: TOWPATH_TEST_S3 names no S3 server");
        return None;
    };
    let options = [
        ("AWS_ENDPOINT", endpoint.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ];
    let options: HashMap<String, String> =
        options.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let url = format!("s3://towpath-test/{}/my lake", Uuid::new_v4());
    Some(Location::parse(&url, &options).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_lose_no_append_on_s3() {
    let Some(lake) = lake() else { return };
    let catalog = Catalog::create(lake.clone(), now()).await.unwrap();
    catalog.create_store(new_store("trail"), now()).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for name in ["one", "two"] {
        let lake = lake.clone();
        writers.spawn(async move {
            let store = Catalog::open(lake).await.unwrap().store("trail").await.unwrap();
            for number in 0..10 {
                append(&store, &[&format!("{name}-{number}")]).await.unwrap();
            }
        });
    }
    writers.join_all().await;

    let store = catalog.store("trail").await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!((snapshot.version(), snapshot.rows()), (20, 20));
    assert_eq!(store.sources(&snapshot).await.unwrap().len(), 20);
    for file in snapshot.data_files() {
        store.verify_data_file(file).await.unwrap();
    }
    let writer = writer(&store).await.unwrap();
    writer.commit(Append::default(), now()).await.unwrap();
}
