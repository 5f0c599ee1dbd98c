use crate::support::{WAIT, append, local_store, now, store_folder};
use serde_json::Value;
use std::fs;
use towpath_store::{Error, Retention};

#[tokio::test]
async fn retention_acts_on_the_next_snapshot_and_changes_nothing_else() {
    let (folder, catalog, store) = local_store().await;
    append(&store, &["a"]).await.unwrap();
    let before = store.snapshot().await.unwrap();

    let week = Retention::days(7).unwrap();
    store.set_retention(week, now(), WAIT).await.unwrap();
    store.set_retention(week, now(), WAIT).await.unwrap();

    let after = store.snapshot().await.unwrap();
    assert_eq!(after.version(), 2, "the same again is no commit");
    assert_eq!(after.retention(), week);
    assert_eq!(after.cutoff(now()), now().timestamp_micros() - 7 * 86_400_000_000);
    assert_eq!(before.retention(), Retention::default());
    assert_eq!(after.data_files(), before.data_files());
    assert_eq!(after.settings().name, "trail");
    assert_eq!(after.settings().created_at, before.settings().created_at);
    assert_eq!(catalog.store("trail").await.unwrap().retention(), week);
    let text = fs::read_to_string(
        store_folder(&folder, &store).join("_delta_log/00000000000000000002.json"),
    )
    .unwrap();
    let metadata = text.lines().nth(1).unwrap();
    let metadata: Value = serde_json::from_str(metadata).unwrap();
    let properties = &metadata["metaData"]["configuration"];
    assert_eq!(properties["delta.enableExpiredLogCleanup"], "false");
}

#[tokio::test]
async fn retention_outside_of_the_limits_cannot_be_made() {
    for days in [0, 6, 3_654, u32::MAX] {
        let err = Retention::days(days).unwrap_err();
        assert!(matches!(err, Error::InvalidRetention { days: refused } if refused == days));
    }
}
