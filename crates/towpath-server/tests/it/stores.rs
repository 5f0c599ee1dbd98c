//! The life of an event data store.

use serde_json::{Value, json};

use crate::support::TestServer;

#[tokio::test(flavor = "multi_thread")]
async fn a_store_has_the_defaults_of_aws() {
    let server = TestServer::start().await;
    let created = server.ok("CreateEventDataStore", json!({"Name": "eds-a"})).await;
    let arn = created["EventDataStoreArn"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:cloudtrail:us-east-1:123456789012:eventdatastore/"), "{arn}");
    for (member, value) in [
        ("Name", json!("eds-a")),
        ("Status", json!("CREATED")),
        ("MultiRegionEnabled", json!(true)),
        ("OrganizationEnabled", json!(false)),
        ("RetentionPeriod", json!(366)),
        ("TerminationProtectionEnabled", json!(true)),
        ("BillingMode", json!("EXTENDABLE_RETENTION_PRICING")),
        ("TagsList", json!([])),
    ] {
        assert_eq!(created[member], value, "{member}");
    }
    assert_eq!(
        created["AdvancedEventSelectors"],
        json!([{
            "Name": "Default management events",
            "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
        }])
    );
    for id in [arn, arn.rsplit('/').next().unwrap()] {
        let found = server.ok("GetEventDataStore", json!({"EventDataStore": id})).await;
        assert_eq!((&found["Name"], &found["Status"]), (&json!("eds-a"), &json!("ENABLED")));
        assert_eq!(found["FederationStatus"], "DISABLED");
        assert_eq!(found["PartitionKeys"], json!([{"Name": "calendarday", "Type": "bigint"}]));
        assert!(found["UpdatedTimestamp"].as_f64() >= found["CreatedTimestamp"].as_f64());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_is_bounded_by_the_billing_mode() {
    let server = TestServer::start().await;
    let fixed = "FIXED_RETENTION_PRICING";
    let create = |name: &str, days: u32, mode: &str| json!({"Name": name, "RetentionPeriod": days, "BillingMode": mode});
    let extendable = "EXTENDABLE_RETENTION_PRICING";
    for (days, mode) in [(6, extendable), (3654, extendable), (2558, fixed)] {
        let code = server.refused("CreateEventDataStore", create("wrong", days, mode)).await;
        assert_eq!(code, "InvalidParameterException", "{days} {mode}");
    }
    for (name, days, mode) in
        [("aaa", 7, extendable), ("bbb", 3653, extendable), ("ccc", 2557, fixed)]
    {
        let created = server.ok("CreateEventDataStore", create(name, days, mode)).await;
        assert_eq!(created["RetentionPeriod"], days);
    }
    let default =
        server.ok("CreateEventDataStore", json!({"Name": "ddd", "BillingMode": fixed})).await;
    assert_eq!(default["RetentionPeriod"], 2557);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_unique_and_stores_have_a_quota() {
    let server = TestServer::start().await;
    server.store("same").await;
    let code = server.refused("CreateEventDataStore", json!({"Name": "same"})).await;
    assert_eq!(code, "EventDataStoreAlreadyExistsException");
    for number in 1..10 {
        server.store(&format!("store-{number}")).await;
    }
    let code = server.refused("CreateEventDataStore", json!({"Name": "eleventh"})).await;
    assert_eq!(code, "EventDataStoreMaxLimitExceededException");

    let mut names = Vec::new();
    let mut next = Value::Null;
    loop {
        let page = json!({"MaxResults": 4, "NextToken": next});
        let page = server.ok("ListEventDataStores", page).await;
        for store in page["EventDataStores"].as_array().unwrap() {
            assert_eq!(store.as_object().unwrap().len(), 2, "{store}");
            names.push(store["Name"].as_str().unwrap().to_owned());
        }
        next = page["NextToken"].clone();
        if next.is_null() {
            break;
        }
    }
    assert_eq!(names.len(), 10, "{names:?}");
    let code = server.refused("ListEventDataStores", json!({"NextToken": "abcdefgh"})).await;
    assert_eq!(code, "InvalidNextTokenException");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_what_it_names() {
    let server = TestServer::start().await;
    let id = server.store("before").await;
    let update = |members: Value| {
        let mut update = json!({"EventDataStore": id});
        update.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        update
    };
    let updated = server.ok("UpdateEventDataStore", update(json!({"Name": "after"}))).await;
    assert_eq!((&updated["Name"], &updated["RetentionPeriod"]), (&json!("after"), &json!(366)));
    let updated = server
        .ok("UpdateEventDataStore", update(json!({"RetentionPeriod": 100, "KmsKeyId": "alias/a"})))
        .await;
    assert_eq!(updated["RetentionPeriod"], 100);
    for wrong in [
        json!({}),
        json!({"BillingMode": "FIXED_RETENTION_PRICING"}),
        json!({"KmsKeyId": "alias/b"}),
        json!({"RetentionPeriod": 3654}),
    ] {
        let code = server.refused("UpdateEventDataStore", update(wrong.clone())).await;
        assert_eq!(code, "InvalidParameterException", "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_deleted_and_restored() {
    let server = TestServer::start().await;
    let id = server.store("store").await;
    let this = json!({"EventDataStore": id});
    let code = server.refused("DeleteEventDataStore", this.clone()).await;
    assert_eq!(code, "EventDataStoreTerminationProtectedException");
    let code = server.refused("RestoreEventDataStore", this.clone()).await;
    assert_eq!(code, "InvalidEventDataStoreStatusException");
    let open = json!({"EventDataStore": id, "TerminationProtectionEnabled": false});
    server.ok("UpdateEventDataStore", open).await;
    assert_eq!(server.ok("DeleteEventDataStore", this.clone()).await, json!({}));

    let found = server.ok("GetEventDataStore", this.clone()).await;
    assert_eq!(found["Status"], "PENDING_DELETION");
    let query = json!({"QueryStatement": format!("SELECT 1 FROM {id}")});
    for (operation, input) in [
        ("StartQuery", query.clone()),
        ("ListQueries", this.clone()),
        ("DeleteEventDataStore", this.clone()),
        ("UpdateEventDataStore", json!({"EventDataStore": id, "Name": "other"})),
    ] {
        let code = server.refused(operation, input).await;
        assert_eq!(code, "InactiveEventDataStoreException", "{operation}");
    }
    let restored = server.ok("RestoreEventDataStore", this.clone()).await;
    assert_eq!(restored["Status"], "ENABLED");
    server.ok("StartQuery", query).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ingestion_is_stopped_and_started() {
    let server = TestServer::start().await;
    let created = json!({"Name": "stopped", "StartIngestion": false});
    let created = server.ok("CreateEventDataStore", created).await;
    let this = json!({"EventDataStore": created["EventDataStoreArn"]});
    let status = async || {
        let found = server.ok("GetEventDataStore", this.clone()).await;
        found["Status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status().await, "STOPPED_INGESTION");
    let code = server.refused("StopEventDataStoreIngestion", this.clone()).await;
    assert_eq!(code, "InvalidEventDataStoreStatusException");
    server.ok("StartEventDataStoreIngestion", this.clone()).await;
    assert_eq!(status().await, "ENABLED");
    server.ok("StopEventDataStoreIngestion", this.clone()).await;
    assert_eq!(status().await, "STOPPED_INGESTION");
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_that_are_not_there_or_not_named_well() {
    let server = TestServer::start().await;
    let missing = "00000000-0000-4000-8000-000000000000";
    for (store, code) in [
        (missing, "EventDataStoreNotFoundException"),
        ("not-a-uuid", "EventDataStoreARNInvalidException"),
        ("arn:aws:s3:::bucket", "EventDataStoreARNInvalidException"),
        ("x x x", "EventDataStoreARNInvalidException"),
    ] {
        let found = server.refused("GetEventDataStore", json!({"EventDataStore": store})).await;
        assert_eq!(found, code, "{store}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_and_the_server_see_one_lake() {
    let server = TestServer::start().await;
    let retention = towpath::Retention::days(30).unwrap();
    let new = towpath::NewStore::new("made-elsewhere", retention);
    let store = server.lake().await.create_store(new).await.unwrap();
    let found = json!({"EventDataStore": store.id().to_string()});
    let found = server.ok("GetEventDataStore", found).await;
    assert_eq!((&found["Name"], &found["RetentionPeriod"]), (&json!("made-elsewhere"), &json!(30)));
}
