//! Lakes and stores: where they may be, what they are called.

use std::fs;

use chrono::Utc;
use towpath::{
    Column, ErrorKind, EventKind, Intake, Lake, LakeOptions, NewStore, Retention, function_names,
};
use uuid::Uuid;

use crate::support::{Fixture, event, lake_at, now, rows};

#[tokio::test]
async fn a_folder_of_other_things_is_not_a_lake_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    let url = folder.path().to_str().unwrap();

    let opened = Lake::open(url, LakeOptions::new(Utc::now)).await.unwrap_err();
    let created = Lake::open_or_create(url, LakeOptions::new(Utc::now)).await.unwrap_err();

    assert_eq!(opened.kind(), ErrorKind::NotALake);
    assert_eq!(created.kind(), ErrorKind::NotALake);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_store_keeps_the_id_that_it_had_in_the_lake() {
    let fixture = Fixture::new().await;
    let id = Uuid::parse_str("1f0c9b7e-5d3a-4c0e-9b1e-2a7d6c4e8f10").unwrap();
    let mut new = NewStore::new("kept", Retention::days(366).unwrap());
    new.id = Some(id);
    assert_eq!(fixture.lake.create_store(new.clone()).await.unwrap().id(), id);

    let statement = "SELECT count(*) FROM 1f0c9b7e-5d3a-4c0e-9b1e-2a7d6c4e8f10";
    assert_eq!(fixture.rows(statement).await, [["0"]]);
    let again = fixture.lake.create_store(new).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::StoreExists);
}

#[tokio::test]
async fn two_lakes_in_one_process_do_not_meet() {
    let (here, there) = (Fixture::new().await, Fixture::new().await);
    here.ingest(&[&event("1", "PutObject", "2024-01-01T00:00:00Z", "")]).await;
    assert_eq!(here.rows("SELECT count(*) FROM trail").await, [["1"]]);
    assert_eq!(there.rows("SELECT count(*) FROM trail").await, [["0"]]);
}

#[tokio::test]
async fn a_lake_is_found_again_with_its_stores_and_events() {
    let fixture = Fixture::new().await;
    fixture.ingest(&[&event("1", "PutObject", "2024-01-01T00:00:00Z", "")]).await;

    let again = lake_at(&fixture.folder.path().join("lake"), now()).await;
    let stores = again.stores().await.unwrap();
    assert_eq!(stores.len(), 1);
    assert_eq!((stores[0].name().as_str(), stores[0].id()), ("trail", fixture.store.id()));
    let summary = stores[0].summary().await.unwrap();
    assert_eq!((summary.events, summary.data_files), (1, 1));
    assert_eq!(rows(&again, "SELECT eventID FROM trail").await, [["1"]]);
}

#[test]
fn options_are_printed_without_their_secrets() {
    let mut options = LakeOptions::new(Utc::now);
    options.storage_options.insert("aws_secret_access_key".into(), "canary-7f3a".into());
    let printed = format!("{options:?}");
    assert!(printed.contains("aws_secret_access_key"));
    assert!(!printed.contains("canary-7f3a"));
}

#[tokio::test]
async fn the_columns_of_a_store_are_spelled_typed_and_described() {
    let fixture = Fixture::new().await;
    let columns = fixture.lake.columns("trail").await.unwrap();
    assert_eq!(columns.len(), 36);
    let column = |name: &str| columns.iter().find(|column| column.name == name).unwrap();
    assert_eq!(column("eventTime").data_type, "timestamp(3)");
    assert_eq!(column("requestParameters").data_type, "map(varchar, varchar)");
    assert!(!column("eventName").description.is_empty());
    let fields = |column: &Column| -> Vec<String> {
        column.fields.iter().map(|field| field.name.clone()).collect()
    };
    assert!(fields(column("userIdentity")).contains(&"sessionContext".to_owned()));
    assert!(fields(column("resources")).contains(&"arn".to_owned()));

    let error = fixture.lake.columns("trial").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StoreNotFound);
    let names = function_names();
    assert!(names.contains(&"element_at".to_owned()) && names.is_sorted(), "{names:?}");
}

#[tokio::test]
async fn the_columns_of_other_kinds_of_events_are_described_too() {
    let fixture = Fixture::new().await;
    let mut new = NewStore::new("insights", Retention::days(365).unwrap());
    new.intake = Intake::of_kind(EventKind::Insight);
    fixture.lake.create_store(new).await.unwrap();
    let columns = fixture.lake.columns("insights").await.unwrap();
    let context = columns.iter().find(|column| column.name == "insightContext").unwrap();
    assert!(!context.description.is_empty(), "{context:?}");
}
