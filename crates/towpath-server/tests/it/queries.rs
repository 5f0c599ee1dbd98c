//! Queries: start, poll, page, cancel, list.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::{TestServer, event};

#[tokio::test(flavor = "multi_thread")]
async fn the_loop_of_a_script_reads_all_rows_once() {
    let server = TestServer::start().await;
    let id = server.store("trail").await;
    server.ingest(&id, &(0..50).map(|n| event("GetObject", n)).collect::<Vec<_>>()).await;
    let statement = format!(
        "SELECT a.eventID AS id, row_number() OVER () AS n FROM {id} AS a CROSS JOIN {id} AS b"
    );
    let started = server.ok("StartQuery", json!({"QueryStatement": statement})).await;
    let query = started["QueryId"].as_str().unwrap();
    let described = server.ended(query).await;
    assert_eq!(described["QueryStatus"], "FINISHED", "{described}");
    assert_eq!(described["QueryString"], statement);
    assert!(described["QueryStatistics"]["BytesScanned"].as_u64().unwrap() > 0, "{described}");

    let mut numbers = HashSet::new();
    let mut pages = Vec::new();
    let mut next = Value::Null;
    loop {
        let page = json!({"QueryId": query, "NextToken": next});
        let page = server.ok("GetQueryResults", page).await;
        assert_eq!(page["QueryStatistics"]["TotalResultsCount"], 2500);
        let rows = page["QueryResultRows"].as_array().unwrap();
        pages.push(rows.len());
        for row in rows {
            let cells = row.as_array().unwrap();
            assert_eq!(cells.len(), 2);
            assert!(cells[0]["id"].is_string());
            numbers.insert(cells[1]["n"].as_str().unwrap().to_owned());
        }
        next = page["NextToken"].clone();
        if next.is_null() {
            break;
        }
    }
    assert_eq!((pages, numbers.len()), (vec![1000, 1000, 500], 2500));
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_the_text_that_presto_gives() {
    let server = TestServer::start().await;
    let id = server.store("trail").await;
    server.ingest(&id, &[event("PutObject", 1)]).await;
    let statement = format!(
        "SELECT eventName, requestParameters, errorCode, readOnly, 0.5E0 AS half, \
         ARRAY[1, 2] AS list, userIdentity.principalId, 1, 2 FROM {id}"
    );
    let rows = server.rows(&statement).await;
    assert_eq!(
        rows,
        json!([[
            {"eventName": "PutObject"},
            {"requestParameters": "{a={\"b\":1}, bucketName=canary}"},
            {"errorCode": null},
            {"readOnly": "false"},
            {"half": "0.5"},
            {"list": "[1, 2]"},
            {"principalId": "AROAEXAMPLE:jane"},
            {"_col7": "1"},
            {"_col8": "2"},
        ]])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_query_is_refused_at_once() {
    let server = TestServer::start().await;
    let id = server.store("trail").await;
    for statement in [
        format!("DELETE FROM {id}"),
        format!("DROP TABLE {id}"),
        format!("SELECT 1 FROM {id}; SELECT 2 FROM {id}"),
        format!("SELECT evntName FROM {id}"),
        "SELECT * FROM '/etc/passwd'".to_owned(),
        "COPY (SELECT 1) TO 's3://b/x'".to_owned(),
        "SELEC".to_owned(),
    ] {
        let code = server.refused("StartQuery", json!({"QueryStatement": statement})).await;
        assert_eq!(code, "InvalidQueryStatementException", "{statement}");
    }
    let other = "SELECT 1 FROM 00000000-0000-4000-8000-000000000000";
    let code = server.refused("StartQuery", json!({"QueryStatement": other})).await;
    assert_eq!(code, "EventDataStoreNotFoundException");
    for input in [
        json!({}),
        json!({"QueryStatement": "SELECT 1", "QueryAlias": "a"}),
        json!({"QueryStatement": "SELECT 1", "QueryParameters": ["a"]}),
        json!({"QueryStatement": "x".repeat(10_001)}),
        json!({"QueryAlias": "unknown"}),
        json!({"QueryAlias": "a".repeat(256)}),
    ] {
        let code = server.refused("StartQuery", input).await;
        assert_eq!(code, "InvalidParameterException");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_fails_later_says_why() {
    let server = TestServer::start().await;
    let id = server.store("trail").await;
    server.ingest(&id, &[event("PutObject", 1)]).await;
    let statement = format!("SELECT cast(eventName AS integer) FROM {id}");
    let started = server.ok("StartQuery", json!({"QueryStatement": statement})).await;
    let ended = server.ended(started["QueryId"].as_str().unwrap()).await;
    assert_eq!(ended["QueryStatus"], "FAILED");
    assert!(ended["ErrorMessage"].as_str().unwrap().contains("PutObject"), "{ended}");
    let results = server.ok("GetQueryResults", json!({"QueryId": started["QueryId"]})).await;
    assert_eq!(results["QueryStatus"], "FAILED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_query_is_cancelled() {
    let server = TestServer::start().await;
    let id = server.store("trail").await;
    server.ingest(&id, &(0..400).map(|n| event("GetObject", n)).collect::<Vec<_>>()).await;
    let statement = format!(
        "SELECT count(*) FROM {id} a CROSS JOIN {id} b CROSS JOIN {id} c CROSS JOIN {id} d \
         WHERE a.eventID || b.eventID || c.eventID || d.eventID LIKE '%xyz%'"
    );
    let started = server.ok("StartQuery", json!({"QueryStatement": statement})).await;
    let this = json!({"QueryId": started["QueryId"]});
    let cancelled = server.ok("CancelQuery", this.clone()).await;
    assert_eq!(cancelled["QueryStatus"], "CANCELLED");
    assert_eq!(server.refused("CancelQuery", this.clone()).await, "InactiveQueryException");
    let ended = server.ended(started["QueryId"].as_str().unwrap()).await;
    assert_eq!(ended["QueryStatus"], "CANCELLED");

    let list = json!({"EventDataStore": id, "QueryStatus": "CANCELLED"});
    let list = server.ok("ListQueries", list).await;
    assert_eq!(list["Queries"].as_array().unwrap().len(), 1);
    let finished = json!({"EventDataStore": id, "QueryStatus": "FINISHED"});
    assert_eq!(server.ok("ListQueries", finished).await["Queries"], json!([]));
    let backwards = json!({"EventDataStore": id, "StartTime": 2, "EndTime": 1});
    assert_eq!(server.refused("ListQueries", backwards).await, "InvalidDateRangeException");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_queries_at_once_are_refused() {
    let server = TestServer::with(|options| options.limits.queries_max = 1).await;
    let id = server.store("trail").await;
    server.ingest(&id, &(0..300).map(|n| event("GetObject", n)).collect::<Vec<_>>()).await;
    let slow = format!(
        "SELECT count(*) FROM {id} a CROSS JOIN {id} b CROSS JOIN {id} c \
         WHERE a.eventID || b.eventID || c.eventID LIKE '%xyz%'"
    );
    let first = server.ok("StartQuery", json!({"QueryStatement": slow})).await;
    let second = json!({"QueryStatement": format!("SELECT 1 FROM {id}")});
    assert_eq!(server.refused("StartQuery", second).await, "MaxConcurrentQueriesException");
    server.ok("CancelQuery", json!({"QueryId": first["QueryId"]})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_that_are_not_there() {
    let server = TestServer::start().await;
    let this = json!({"QueryId": "00000000-0000-4000-8000-000000000000"});
    for operation in ["DescribeQuery", "GetQueryResults", "CancelQuery"] {
        let code = server.refused(operation, this.clone()).await;
        assert_eq!(code, "QueryIdNotFoundException", "{operation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_gives_a_statement_that_runs_by_its_alias() {
    let server = TestServer::start().await;
    let id = server.store("trail").await;
    let prompt = json!({"EventDataStores": [id], "Prompt": "Which buckets were deleted?"});
    let generated = server.ok("GenerateQuery", prompt).await;
    assert!(generated["QueryStatement"].as_str().unwrap().contains("DeleteBucket"), "{generated}");
    let alias = &generated["QueryAlias"];
    let started = server.ok("StartQuery", json!({"QueryAlias": alias})).await;
    let described = server.ok("DescribeQuery", json!({"QueryAlias": alias})).await;
    assert_eq!(described["QueryId"], started["QueryId"]);
    assert_eq!(described["Prompt"], "Which buckets were deleted?");
    let nonsense = json!({"EventDataStores": [id], "Prompt": "xyzzy plugh"});
    assert_eq!(server.refused("GenerateQuery", nonsense).await, "GenerateResponseException");
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_are_found_by_their_words() {
    let server = TestServer::start().await;
    let phrase = json!({"SearchPhrase": "console sign in", "MaxResults": 3});
    let found = server.ok("SearchSampleQueries", phrase).await;
    let results = found["SearchResults"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    assert!(results[0]["Name"].as_str().unwrap().contains("console"), "{}", results[0]);
    assert!(results[0]["SQL"].as_str().unwrap().contains("$EDS_ID"));
    let next = json!({"SearchPhrase": "console sign in", "NextToken": found["NextToken"]});
    let next = server.ok("SearchSampleQueries", next).await;
    assert_ne!(next["SearchResults"][0]["Name"], results[0]["Name"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_delivered_to_an_allowed_folder_and_nowhere_else() {
    let server = TestServer::start().await;
    let id = server.store("trail").await;
    server.ingest(&id, &[event("GetObject", 1), event("PutObject", 2)]).await;
    let out = server.folder.path().join("out");
    let statement = format!("SELECT eventName FROM {id} ORDER BY eventName");
    let deliver = |uri: String| json!({"QueryStatement": statement, "DeliveryS3Uri": uri});
    for (uri, code) in [
        ("s3://B".to_owned(), "InvalidParameterException"),
        ("http://x/y".to_owned(), "InvalidParameterException"),
        ("file:///etc".to_owned(), "InvalidS3PrefixException"),
        (format!("file://{}/..", out.display()), "InvalidS3PrefixException"),
        (format!("file://{}", server.folder.path().display()), "InvalidS3PrefixException"),
        ("file://../etc".to_owned(), "InvalidS3PrefixException"),
    ] {
        assert_eq!(server.refused("StartQuery", deliver(uri.clone())).await, code, "{uri}");
    }
    let started = server.ok("StartQuery", deliver(format!("file://{}", out.display()))).await;
    let query = started["QueryId"].as_str().unwrap();
    assert_eq!(server.ended(query).await["QueryStatus"], "FINISHED");
    let delivered = server.delivered(query).await;
    assert_eq!(delivered["DeliveryStatus"], "SUCCESS", "{delivered}");
    let day = chrono::Utc::now().format("%Y/%m/%d");
    let folder = out.join(format!("AWSLogs/123456789012/CloudTrail-Lake/Query/{day}/{query}"));
    let file = std::fs::read(folder.join("result_1.csv.gz")).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&file[..]), &mut text).unwrap();
    assert_eq!(text, "eventName\nGetObject\nPutObject\n");
    let signed: Value =
        serde_json::from_slice(&std::fs::read(folder.join("result_sign.json")).unwrap()).unwrap();
    let keys = server.ok("ListPublicKeys", json!({})).await;
    let keys = keys["PublicKeyList"].as_array().unwrap();
    assert!(
        keys.iter().any(|key| key["Fingerprint"] == signed["publicKeyFingerprint"]),
        "{signed}"
    );
    let backwards = json!({"StartTime": 2, "EndTime": 1});
    assert_eq!(server.refused("ListPublicKeys", backwards).await, "InvalidTimeRangeException");
}
