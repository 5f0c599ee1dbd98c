use crate::support::{WAIT, append, local_store, new_store, now, store_folder};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use towpath_store::{Catalog, Error, Location, Retention, SettingsChange};

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

fn attributes(of: &[(&str, &str)]) -> BTreeMap<String, String> {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn attributes_are_kept_with_the_store_and_change_with_retention_in_one_commit() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Location::local(folder.path()).unwrap();
    let catalog = Catalog::create(lake, now()).await.unwrap();
    let mut new = new_store("trail");
    new.attributes = attributes(&[("eventCategory", "Insight"), ("selectors", "[\"ä\\n\"]")]);
    let store = catalog.create_store(new.clone(), now()).await.unwrap();
    assert_eq!(store.settings().attributes, new.attributes);

    let mut change = SettingsChange::default();
    change.retention = Some(Retention::days(9).unwrap());
    change.attributes.insert("selectors".into(), None);
    change.attributes.insert("owner".into(), Some("audit".into()));
    for _ in 0..2 {
        store.change_settings(&change, now(), WAIT).await.unwrap();
    }
    let opened = catalog.store("trail").await.unwrap();
    let expected = attributes(&[("eventCategory", "Insight"), ("owner", "audit")]);
    assert_eq!(opened.settings().attributes, expected);
    assert_eq!(opened.retention(), Retention::days(9).unwrap());
    assert_eq!(opened.latest().version(), 1, "the same again is no commit");
}

#[tokio::test]
async fn attributes_beyond_the_limits_are_refused_and_nothing_is_written() {
    let (_folder, catalog, store) = local_store().await;
    let many = (0..65).map(|number| (number.to_string(), String::new())).collect();
    let large = attributes(&[("a", &"x".repeat(4 << 20))]);
    let unnamed = attributes(&[("", "x")]);
    for refused in [many, large, unnamed] {
        let mut new = new_store("other");
        new.attributes = refused.clone();
        let err = catalog.create_store(new, now()).await.unwrap_err();
        assert!(matches!(err, Error::InvalidAttributes { .. }), "{err}");

        let mut change = SettingsChange::default();
        change.attributes = refused.into_iter().map(|(name, value)| (name, Some(value))).collect();
        let err = store.change_settings(&change, now(), WAIT).await.unwrap_err();
        assert!(matches!(err, Error::InvalidAttributes { .. }), "{err}");
    }
    assert_eq!(store.snapshot().await.unwrap().version(), 0);
    assert_eq!(catalog.store_ids().await.unwrap().len(), 1);
}
