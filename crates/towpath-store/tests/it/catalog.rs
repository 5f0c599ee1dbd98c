use crate::support::{local_lake, local_store, new_store, now, open_or_create};
use std::fs;
use towpath_store::{Catalog, Error, Location, Retention};
use uuid::Uuid;

#[tokio::test]
async fn created_store_is_found_by_name_id_and_arn() {
    let (folder, catalog) = local_lake().await;
    let mut new = new_store("Org-Trail");
    new.retention = Retention::days(90).unwrap();
    let store = catalog.create_store(new, now()).await.unwrap();

    let catalog = Catalog::open(Location::local(folder.path()).unwrap()).await.unwrap();
    let id = store.id();
    let arn = format!("arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/{id}");
    for asked in ["Org-Trail", "org-trail", "ORG-TRAIL", &id.to_string(), &arn] {
        let found = catalog.store(asked).await.unwrap();
        assert_eq!(found.id(), id, "{asked}");
        assert_eq!(found.name(), "Org-Trail");
        assert_eq!(found.retention().as_days(), 90);
        assert_eq!(found.created_at(), now());
    }
}

#[tokio::test]
async fn stores_are_listed_by_name() {
    let (_folder, catalog) = local_lake().await;
    assert!(catalog.stores().await.unwrap().is_empty());
    for name in ["zebra", "Ant", "middle"] {
        catalog.create_store(new_store(name), now()).await.unwrap();
    }
    let stores = catalog.stores().await.unwrap();
    let names: Vec<String> = stores.iter().map(towpath_store::EventDataStore::name).collect();
    assert_eq!(names, ["Ant", "middle", "zebra"]);
}

#[tokio::test]
async fn missing_store_is_an_error_with_a_near_name() {
    let (_folder, catalog, _store) = local_store().await;
    let err = catalog.store("trial").await.unwrap_err();
    assert!(
        matches!(&err, Error::StoreNotFound { name, near } if name == "trial" && near.as_deref() == Some("trail")),
        "{err:?}"
    );
    for asked in [Uuid::new_v4().to_string().as_str(), "no/such name", "", "x"] {
        let err = catalog.store(asked).await.unwrap_err();
        assert!(matches!(err, Error::StoreNotFound { .. }), "{asked}: {err:?}");
    }
}

#[tokio::test]
async fn name_is_unique_without_regard_to_case() {
    let (_folder, catalog, _store) = local_store().await;
    let err = catalog.create_store(new_store("TRAIL"), now()).await.unwrap_err();
    assert!(matches!(&err, Error::StoreExists { store } if store == "trail"), "{err:?}");
    assert_eq!(catalog.stores().await.unwrap().len(), 1);
}

#[tokio::test]
async fn given_id_is_kept_and_taken_only_once() {
    let (_folder, catalog) = local_lake().await;
    let id = Uuid::new_v4();
    let mut new = new_store("first");
    new.id = Some(id);
    assert_eq!(catalog.create_store(new, now()).await.unwrap().id(), id);

    let mut again = new_store("second");
    again.id = Some(id);
    let err = catalog.create_store(again, now()).await.unwrap_err();
    assert!(matches!(&err, Error::StoreExists { store } if *store == id.to_string()), "{err:?}");
    assert!(matches!(catalog.store("second").await, Err(Error::StoreNotFound { .. })));
    catalog.create_store(new_store("second"), now()).await.unwrap();
}

#[tokio::test]
async fn name_that_a_crash_left_reserved_is_free() {
    let (folder, catalog) = local_lake().await;
    let names = folder.path().join("names");
    fs::create_dir_all(&names).unwrap();
    let reserved = format!(r#"{{"id":"{}","name":"trail"}}"#, Uuid::new_v4());
    fs::write(names.join("trail.json"), reserved).unwrap();
    assert!(matches!(catalog.store("trail").await, Err(Error::StoreNotFound { .. })));

    let store = catalog.create_store(new_store("trail"), now()).await.unwrap();

    assert_eq!(catalog.store("trail").await.unwrap().id(), store.id());
}

#[tokio::test]
async fn of_racing_creators_of_one_name_exactly_one_wins() {
    let (folder, _catalog) = local_lake().await;
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let catalog = open_or_create(folder.path()).await;
        racing.spawn(async move { catalog.create_store(new_store("trail"), now()).await });
    }
    let created = racing.join_all().await;
    assert_eq!(created.iter().filter(|created| created.is_ok()).count(), 1);
    for err in created.into_iter().filter_map(Result::err) {
        assert!(matches!(err, Error::StoreExists { .. }), "{err:?}");
    }
}

#[tokio::test]
async fn bad_names_are_refused() {
    let (folder, catalog) = local_lake().await;
    for name in ["ab", "a b c", "../../etc", "trail/x", &Uuid::new_v4().to_string()] {
        let err = catalog.create_store(new_store(name), now()).await.unwrap_err();
        assert!(matches!(err, Error::InvalidName { .. }), "{name}: {err:?}");
    }
    assert!(!folder.path().join("stores").try_exists().unwrap());
}

#[tokio::test]
async fn missing_or_empty_folder_may_become_a_lake_and_is_none_before() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("not/yet")] {
        let err = Catalog::open(Location::local(&path).unwrap()).await.unwrap_err();
        assert!(
            matches!(&err, Error::NotALake { reason, .. } if reason.contains("nothing")),
            "{err:?}"
        );
    }
    open_or_create(&folder.path().join("not/yet")).await;
    let lake = Location::local(&folder.path().join("not/yet")).unwrap();
    assert!(Catalog::open(lake).await.is_ok());
}

#[tokio::test]
async fn folder_with_other_files_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("photo.jpg"), "x").unwrap();
    let location = || Location::local(folder.path()).unwrap();
    for err in [
        Catalog::open(location()).await.unwrap_err(),
        Catalog::create(location(), now()).await.unwrap_err(),
    ] {
        assert!(
            matches!(&err, Error::NotALake { reason, .. } if reason.contains("other files")),
            "{err:?}"
        );
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    let file = Location::local(&folder.path().join("photo.jpg")).unwrap();
    let err = Catalog::create(file, now()).await.unwrap_err();
    assert!(
        matches!(&err, Error::NotALake { reason, .. } if reason.contains("is a file")),
        "{err:?}"
    );
}

#[tokio::test]
async fn lake_of_a_newer_format_is_refused() {
    let (folder, _catalog) = local_lake().await;
    fs::write(folder.path().join("towpath.json"), r#"{"format":99}"#).unwrap();
    let err = Catalog::open(Location::local(folder.path()).unwrap()).await.unwrap_err();
    assert!(matches!(err, Error::UnsupportedFormat { found: 99, newest: 1, .. }), "{err:?}");

    fs::write(folder.path().join("towpath.json"), "").unwrap();
    let err = Catalog::open(Location::local(folder.path()).unwrap()).await.unwrap_err();
    assert!(matches!(err, Error::Damaged { .. }), "{err:?}");
}

#[tokio::test]
async fn lake_may_be_in_a_folder_of_any_name() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["my lake", "käse #1", "50%41 full", "a?b", "x#1/y"] {
        let path = folder.path().join(name);
        let catalog = open_or_create(&path).await;
        let store = catalog.create_store(new_store("trail"), now()).await.unwrap();
        crate::support::append(&store, &["a", "b"]).await.unwrap();
        let store = open_or_create(&path).await.store("trail").await.unwrap();
        let snapshot = store.latest();
        assert_eq!(snapshot.rows(), 2, "{name}");
        store.verify_data_file(&snapshot.data_files()[0]).await.unwrap();
    }
}
