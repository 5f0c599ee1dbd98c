//! Deleting, restoring, removing, renaming and holding stores.

use crate::support::{
    WAIT, append, local_lake, local_store, new_store, now, open_or_create, store_folder, writer,
};
use chrono::TimeDelta;
use std::fs;
use towpath_store::{
    Error, EventDataStore, Hold, NewHold, RESTORE_DAYS, Retention, SettingsChange, TimeRange,
};

fn hold(range: TimeRange) -> NewHold {
    NewHold { range, reason: "case 7".into(), placed_by: "jdoe".into() }
}

async fn held(store: &EventDataStore) -> Hold {
    store.place_hold(hold(TimeRange::ALL), now(), WAIT).await.unwrap()
}

fn change(make: impl FnOnce(&mut SettingsChange)) -> SettingsChange {
    let mut change = SettingsChange::default();
    make(&mut change);
    change
}

#[tokio::test]
async fn deleted_store_takes_nothing_and_is_restored_whole() {
    let (_folder, catalog, store) = local_store().await;
    append(&store, &["a"]).await.unwrap();
    store.delete(now(), WAIT).await.unwrap();
    store.delete(now() + TimeDelta::days(1), WAIT).await.unwrap();

    let opened = catalog.store("trail").await.unwrap();
    assert_eq!(opened.settings().deleted_at, Some(now()), "deleting again changes nothing");
    let refused = opened.latest().check_readable().unwrap_err();
    assert!(matches!(refused, Error::StoreDeleted { .. }), "{refused}");
    let refused = writer(&opened).await.unwrap_err();
    assert!(matches!(refused, Error::StoreDeleted { .. }), "{refused}");
    let week = change(|change| change.retention = Retention::days(7).ok());
    let refused = opened.change_settings(&week, now(), WAIT).await.unwrap_err();
    assert!(matches!(refused, Error::StoreDeleted { .. }), "{refused}");

    let last = now() + TimeDelta::days(RESTORE_DAYS);
    let late = opened.restore(last, WAIT).await.unwrap_err();
    assert!(matches!(late, Error::RestoreTooLate { .. }), "{late}");
    opened.restore(last - TimeDelta::microseconds(1), WAIT).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!((snapshot.rows(), snapshot.settings().deleted_at), (1, None));
    let again = opened.restore(now(), WAIT).await.unwrap_err();
    assert!(matches!(again, Error::StoreNotDeleted { .. }), "{again}");
}

#[tokio::test]
async fn append_that_a_deletion_overtook_is_refused() {
    let (folder, catalog, store) = local_store().await;
    // As if the writer had been asleep and its lease been taken from it by another process.
    let slow = writer(&store).await.unwrap();
    let other = open_or_create(folder.path()).await.store("trail").await.unwrap();
    let lake = catalog.location().local_path().unwrap();
    fs::remove_dir_all(lake.join(format!("stores/{}/_towpath", store.id()))).unwrap();
    other.delete(now(), WAIT).await.unwrap();

    let refused = slow.commit(towpath_store::Append::default(), now()).await.unwrap_err();
    assert!(matches!(refused, Error::StoreDeleted { .. }), "{refused}");
}

#[tokio::test]
async fn protection_and_holds_keep_a_store_from_deletion() {
    let (_folder, _catalog, store) = local_store().await;
    let protect = |on| change(|change| change.termination_protection = Some(on));
    store.change_settings(&protect(true), now(), WAIT).await.unwrap();
    let refused = store.delete(now(), WAIT).await.unwrap_err();
    assert!(matches!(refused, Error::TerminationProtected { .. }), "{refused}");
    store.change_settings(&protect(false), now(), WAIT).await.unwrap();

    let hold = held(&store).await;
    let refused = store.delete(now(), WAIT).await.unwrap_err();
    assert!(matches!(refused, Error::OnHold { holds: 1, .. }), "{refused}");
    store.release_hold(hold.id, "judge", now(), WAIT).await.unwrap();
    let gone = store.release_hold(hold.id, "judge", now(), WAIT).await.unwrap_err();
    assert!(matches!(gone, Error::HoldNotFound { .. }), "{gone}");
    store.delete(now(), WAIT).await.unwrap();
}

#[tokio::test]
async fn hold_says_who_when_and_why_and_the_log_says_who_released_it() {
    let (folder, catalog, store) = local_store().await;
    let placed = held(&store).await;
    let opened = catalog.store("trail").await.unwrap();
    assert_eq!(opened.settings().holds, std::slice::from_ref(&placed));
    assert_eq!((placed.reason.as_str(), placed.placed_by.as_str()), ("case 7", "jdoe"));
    assert_eq!(placed.placed_at, now());

    opened.release_hold(placed.id, "judge", now(), WAIT).await.unwrap();
    let log = store_folder(&folder, &store).join("_delta_log/00000000000000000002.json");
    let text = fs::read_to_string(log).unwrap();
    assert!(text.contains(&format!(r#""note":{{"by":"judge","holdReleased":"{}"}}"#, placed.id)));
    for (reason, who) in [("", "x"), ("x", " "), (&*"x".repeat(1025), "x")] {
        let new = NewHold { range: TimeRange::ALL, reason: reason.into(), placed_by: who.into() };
        let refused = store.place_hold(new, now(), WAIT).await.unwrap_err();
        assert!(matches!(refused, Error::InvalidHold { .. }), "{refused}");
    }
}

#[tokio::test]
async fn store_is_removed_only_after_its_days_and_never_under_a_hold() {
    let (folder, catalog, store) = local_store().await;
    append(&store, &["a"]).await.unwrap();
    store.delete(now(), WAIT).await.unwrap();
    let over = now() + TimeDelta::days(RESTORE_DAYS);
    let before = over - TimeDelta::microseconds(1);
    assert_eq!(catalog.remove_deleted(before, WAIT).await.unwrap(), []);

    let hold = held(&store).await;
    assert_eq!(catalog.remove_deleted(over, WAIT).await.unwrap(), []);
    store.release_hold(hold.id, "judge", now(), WAIT).await.unwrap();
    let removable = catalog.removable(over).await.unwrap();
    assert_eq!(removable.len(), 1);
    assert!(store_folder(&folder, &store).is_dir(), "a plan removes nothing");

    let removed = catalog.remove_deleted(over, WAIT).await.unwrap();
    assert_eq!(removed, removable);
    assert_eq!((removed[0].rows, removed[0].name.as_str()), (1, "trail"));
    assert!(!store_folder(&folder, &store).is_dir());
    let gone = catalog.store(&store.id().to_string()).await.unwrap_err();
    assert!(matches!(gone, Error::StoreNotFound { .. }), "{gone}");
    assert_eq!(catalog.remove_deleted(over, WAIT).await.unwrap(), []);

    let mut again = new_store("trail");
    catalog.create_store(again.clone(), over).await.unwrap();
    again.name = "other".into();
    again.id = Some(store.id());
    let taken = catalog.create_store(again, over).await.unwrap_err();
    assert!(matches!(taken, Error::StoreExists { .. }), "{taken}");
}

#[tokio::test]
async fn name_that_a_crash_left_reserved_finds_nothing_and_is_free() {
    let (folder, catalog) = local_lake().await;
    let store = catalog.create_store(new_store("old"), now()).await.unwrap();
    let rename = |name: &str| change(|change| change.name = Some(name.into()));
    store.change_settings(&rename("new"), now(), WAIT).await.unwrap();
    // As a crash between the commit and the removal of the old reservation leaves it.
    let names = folder.path().join("names");
    fs::copy(names.join("new.json"), names.join("old.json")).unwrap();

    let gone = catalog.store("old").await.unwrap_err();
    assert!(matches!(gone, Error::StoreNotFound { .. }), "{gone}");
    assert_eq!(catalog.store("NEW").await.unwrap().id(), store.id());
    let other = catalog.create_store(new_store("Old"), now()).await.unwrap();
    let taken = store.change_settings(&rename("OLD"), now(), WAIT).await.unwrap_err();
    assert!(matches!(taken, Error::StoreExists { .. }), "{taken}");
    assert_eq!(catalog.store("old").await.unwrap().id(), other.id());
    store.change_settings(&rename("New"), now(), WAIT).await.unwrap();
    assert_eq!(catalog.store("new").await.unwrap().name(), "New");
    let invalid = store.change_settings(&rename("a b"), now(), WAIT).await.unwrap_err();
    assert!(matches!(invalid, Error::InvalidName { .. }), "{invalid}");
}
