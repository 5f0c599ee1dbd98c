//! Batch queries: their life, their rows, and the deaths of their workers.

use std::collections::HashSet;
use std::fs;
use std::future::ready;
use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use flate2::bufread::GzDecoder;
use towpath::arrow::array::{Array, AsArray, RecordBatch};
use towpath::arrow::datatypes::{DataType, Int32Type, Int64Type};
use towpath::{
    Delivery, DeliveryStatus, ErrorKind, Lake, NewQuery, NewStore, PAGE_ROWS_MAX, ParameterValue,
    ParameterValues, QueryFilter, QueryLimits, QueryStatus, Retention, WorkerOptions,
    verify_results,
};
use uuid::Uuid;

use crate::lab::{Lab, reaches, start, status, work};
use crate::support::{LIMITS, now};

/// A statement that computes for minutes and reads next to nothing.
const ENDLESS: &str = "SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a(x), \
     UNNEST(sequence(1, 10000)) AS b(y), UNNEST(sequence(1, 10000)) AS c(z) WHERE x * y + z = 7";

fn numbers(batches: &[RecordBatch]) -> Vec<i64> {
    let column = |batch: &RecordBatch| match batch.column(0).data_type() {
        DataType::Int32 => {
            batch.column(0).as_primitive::<Int32Type>().iter().map(|n| n.unwrap().into()).collect()
        }
        _ => batch.column(0).as_primitive::<Int64Type>().values().to_vec(),
    };
    batches.iter().flat_map(column).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_queued_run_and_read_page_by_page() {
    let lab = Lab::new();
    let lake = lab.lake().await;
    let mut new =
        NewQuery::new("SELECT n, 'x' AS X FROM UNNEST(sequence(1, 2500)) AS t(n)", LIMITS);
    new.submitter = Some("alice".into());
    let id = lake.start_query(new).await.unwrap();

    let page = lake.query_results(id, None, 10).await.unwrap();
    assert_eq!(
        (page.query.status, page.schema, page.batches.len()),
        (QueryStatus::Queued, None, 0)
    );
    assert_eq!(work(&lake).await, 1);

    // Another process reads it.
    let reader = lab.lake().await;
    let query = reader.describe_query(id).await.unwrap();
    assert_eq!((query.status, query.statistics.rows), (QueryStatus::Finished, 2_500));
    assert_eq!(query.submitter.as_deref(), Some("alice"));
    assert_eq!((query.created_at, query.ended_at), (lab.now(), Some(lab.now())));
    let (mut token, mut sizes, mut seen) = (None, Vec::new(), Vec::new());
    loop {
        let page = reader.query_results(id, token.as_deref(), PAGE_ROWS_MAX).await.unwrap();
        let schema = page.schema.unwrap();
        assert_eq!((schema.field(0).name().as_str(), schema.field(1).name().as_str()), ("n", "X"));
        let numbers = numbers(&page.batches);
        sizes.push(numbers.len());
        seen.extend(numbers);
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [1_000, 1_000, 500]);
    assert_eq!(seen, (1..=2_500).collect::<Vec<i64>>());
    assert!(lab.files("queries/open").is_empty(), "nothing is left to do");
}

#[tokio::test]
async fn a_page_is_asked_for_with_a_token_of_this_result_and_a_size_within_bounds() {
    let lab = Lab::new();
    let lake = lab.lake().await;
    let id = start(&lake, "SELECT n FROM UNNEST(sequence(1, 20)) AS t(n)").await;
    let other = start(&lake, "SELECT n FROM UNNEST(sequence(1, 20)) AS t(n)").await;
    work(&lake).await;
    let token = lake.query_results(id, None, 10).await.unwrap().next_token.unwrap();
    assert!((4..=1_000).contains(&token.len()), "{token}");
    let kind = async |id, token: &str, rows| {
        lake.query_results(id, Some(token), rows).await.map_err(|error| error.kind()).err()
    };
    assert_eq!(kind(id, &token, 10).await, None);
    assert_eq!(kind(other, &token, 10).await, Some(ErrorKind::InvalidPageToken));
    for broken in
        ["", "x", "é", token.get(1..).unwrap(), &format!("{token}0000"), &"9".repeat(1_000)]
    {
        assert_eq!(kind(id, broken, 10).await, Some(ErrorKind::InvalidPageToken), "{broken}");
    }
    for rows in [0, PAGE_ROWS_MAX + 1] {
        assert_eq!(kind(id, &token, rows).await, Some(ErrorKind::InvalidArgument));
    }
    let unknown = lake.query_results(Uuid::from_u128(1), None, 10).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::QueryNotFound);
}

#[tokio::test]
async fn every_type_comes_back_as_it_was() {
    let lab = Lab::new();
    let lake = lab.lake().await;
    let sql = "SELECT 1 AS i, 1.5 AS d, 1e0 AS f, 'a' AS s, true AS b, NULL AS n, DATE '2024-01-31' \
         AS day, TIMESTAMP '2024-01-31 08:00:00.123' AS at, X'00ff' AS bytes, ARRAY['a', NULL] AS l, \
         MAP(ARRAY['k'], ARRAY[ARRAY['v']]) AS m, CAST(ROW('a', 2) AS ROW(x varchar, y bigint)) AS r, \
         INTERVAL '1' DAY AS span, uuid() AS u, 's' AS s";
    let id = start(&lake, sql).await;
    work(&lake).await;
    let page = lake.query_results(id, None, 10).await.unwrap();
    assert_eq!(page.query.status, QueryStatus::Finished, "{:?}", page.query.error);
    let direct = lake.query(sql, LIMITS).await.unwrap().collect().await.unwrap();
    let text = |batch: &RecordBatch| -> Vec<String> {
        let named = batch.schema_ref().fields().iter().zip(batch.columns());
        named
            .filter(|(field, _)| field.name() != "u")
            .map(|(field, column)| {
                let mut out = format!("{}: ", field.name());
                towpath::text::push_text(&mut out, column, field, 0);
                out
            })
            .collect()
    };
    assert_eq!(text(&page.batches[0]), text(&direct[0]));
    assert_eq!(page.batches[0].num_columns(), 15);
}

#[tokio::test]
async fn what_cannot_be_planned_is_refused_and_what_fails_later_ends_failed() {
    let lab = Lab::new();
    let lake = lab.lake().await;
    for (sql, kind) in [
        ("SELECT nothing FROM UNNEST(ARRAY[1]) AS t(n)", ErrorKind::InvalidStatement),
        ("DROP TABLE x", ErrorKind::InvalidStatement),
        ("SELECT 1 FROM no-such-store", ErrorKind::StoreNotFound),
    ] {
        let error = lake.start_query(NewQuery::new(sql, LIMITS)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{sql}: {error}");
    }
    assert!(lab.files("queries").is_empty(), "nothing is kept of a refused query");

    let id = start(&lake, "SELECT 1 / (n - 3) FROM UNNEST(sequence(1, 5)) AS t(n)").await;
    work(&lake).await;
    let page = lake.query_results(id, None, 10).await.unwrap();
    assert_eq!(page.query.status, QueryStatus::Failed);
    assert_eq!(page.query.error.as_deref(), Some("Division by zero"));
    assert!(page.batches.is_empty() && page.schema.is_none());
    assert!(lab.files("queries/results").is_empty(), "no rows are kept of a failed query");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_cancelled_while_it_waits_and_while_it_runs() {
    let lab = Lab::new();
    let lake = lab.lake().await;
    let waiting = start(&lake, "SELECT 1").await;
    assert_eq!(lake.cancel_query(waiting).await.unwrap().status, QueryStatus::Cancelled);
    let again = lake.cancel_query(waiting).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::QueryEnded);

    let running = start(&lake, ENDLESS).await;
    let worker = tokio::spawn({
        let lake = lab.lake().await;
        async move { work(&lake).await }
    });
    reaches(&lake, running, QueryStatus::Running).await;
    let asked = Instant::now();
    assert_eq!(lake.cancel_query(running).await.unwrap().status, QueryStatus::Cancelled);
    // The worker ends because there is nothing left for it, so the query no longer runs.
    assert_eq!(worker.await.unwrap(), 0);
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_eq!(status(&lake, running).await, QueryStatus::Cancelled);
    assert!(lab.files("queries/results").is_empty());
    let error = lake.cancel_query(Uuid::from_u128(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QueryNotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_runs_too_long_is_timed_out() {
    let lab = Lab::new();
    let lake = lab.lake().await;
    let limits = QueryLimits { run_secs_max: 1, result_rows_max: None };
    let id = lake.start_query(NewQuery::new(ENDLESS, limits)).await.unwrap();
    work(&lake).await;
    let page = lake.query_results(id, None, 10).await.unwrap();
    assert_eq!(page.query.status, QueryStatus::TimedOut, "{:?}", page.query.error);
    assert!(page.query.statistics.run_millis >= 1_000);
    assert_eq!(page.next_token, None);

    let limits = QueryLimits { run_secs_max: 60, result_rows_max: Some(3) };
    let many = NewQuery::new("SELECT n FROM UNNEST(sequence(1, 5)) AS t(n)", limits);
    let id = lake.start_query(many).await.unwrap();
    work(&lake).await;
    assert_eq!(status(&lake, id).await, QueryStatus::Failed, "another limit is no lack of time");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_query_of_a_dead_worker_is_taken_over_once_and_then_has_failed() {
    let lab = Lab::new();
    let lake = lab.lake().await;
    let id = start(&lake, ENDLESS).await;
    for last in [false, true] {
        let dying = lab.lake().await;
        let worker = tokio::spawn(async move { work(&dying).await });
        reaches(&lake, id, QueryStatus::Running).await;
        // Without a word: nothing of the future's runs any more.
        worker.abort();
        assert!(worker.await.unwrap_err().is_cancelled());
        assert_eq!(status(&lake, id).await, QueryStatus::Running, "it may still live");
        lab.pass(TimeDelta::seconds(60));
        let expected = if last { QueryStatus::Failed } else { QueryStatus::Queued };
        assert_eq!(status(&lake, id).await, expected);
    }
    let error = lake.describe_query(id).await.unwrap().error.unwrap();
    assert_eq!(error, "its worker ended without a word, 2 times");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_taken_over_has_its_rows_once() {
    let lab = Lab::new();
    let lake = lab.lake().await;
    // Slow enough to be caught running, quick enough to end.
    let sql = "SELECT x FROM UNNEST(sequence(1, 4000)) AS a(x), UNNEST(sequence(1, 4000)) AS b(y) \
         WHERE x = y ORDER BY x";
    let id = start(&lake, sql).await;
    let dying = lab.lake().await;
    let worker = tokio::spawn(async move { work(&dying).await });
    while status(&lake, id).await == QueryStatus::Queued {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    worker.abort();
    drop(worker.await);
    lab.pass(TimeDelta::seconds(60));
    work(&lake).await;
    assert_eq!(status(&lake, id).await, QueryStatus::Finished);
    let mut rows = Vec::new();
    let mut token = None;
    loop {
        let page = lake.query_results(id, token.as_deref(), PAGE_ROWS_MAX).await.unwrap();
        rows.extend(numbers(&page.batches));
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(rows, (1..=4_000).collect::<Vec<i64>>());
    assert_eq!(lab.files("queries/results").len(), 1, "rows of one run");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_told_to_stop_gives_its_queries_back() {
    let lab = Lab::new();
    let lake = lab.lake().await;
    let id = start(&lake, ENDLESS).await;
    let watched = lab.lake().await;
    let shutdown = async move { reaches(&watched, id, QueryStatus::Running).await };
    assert_eq!(lake.run_queries(&WorkerOptions::default(), shutdown).await.unwrap(), 0);
    assert_eq!(status(&lake, id).await, QueryStatus::Queued, "and at once");
    lake.cancel_query(id).await.unwrap();
    assert_eq!(lake.run_queries(&WorkerOptions::default(), ready(())).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_run_each_query_once() {
    let lab = Lab::new();
    let lake = lab.lake().await;
    let mut ids = Vec::new();
    for n in 0..24 {
        ids.push(start(&lake, &format!("SELECT {n} AS n")).await);
    }
    assert!(ids.is_sorted_by_key(|id| id.as_u128() >> 80), "ids rise with time");
    let (one, two) = (lab.lake().await, lab.lake().await);
    let (one, two) = tokio::join!(
        tokio::spawn(async move { work(&one).await }),
        tokio::spawn(async move { work(&two).await })
    );
    assert_eq!(one.unwrap() + two.unwrap(), 24);
    let mut seen = HashSet::new();
    for id in ids {
        let page = lake.query_results(id, None, 10).await.unwrap();
        assert_eq!(page.query.status, QueryStatus::Finished);
        seen.extend(numbers(&page.batches));
    }
    assert_eq!(seen.len(), 24);
    assert_eq!(lab.files("queries/results").len(), 24);
}

#[tokio::test]
async fn values_of_parameters_are_kept_with_the_query() {
    let lab = Lab::new();
    let lake = lab.lake().await;
    let mut new = NewQuery::new("SELECT ? || ' OR ' || :name AS x", LIMITS);
    let missing = lake.start_query(new.clone()).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::InvalidStatement);
    new.parameters = ParameterValues::positional([ParameterValue::Varchar("1'='1".into())]);
    new.parameters.named.insert("name".into(), ParameterValue::Varchar(":name".into()));
    let id = lake.start_query(new).await.unwrap();
    work(&lab.lake().await).await;
    let page = lake.query_results(id, None, 10).await.unwrap();
    assert_eq!(page.batches[0].column(0).as_string::<i32>().value(0), "1'='1 OR :name");
}

#[tokio::test]
async fn only_so_many_queries_may_wait() {
    let lab = Lab::new();
    let lake = lab.lake().await;
    let mut new = NewQuery::new("SELECT 1", LIMITS);
    new.unfinished_max = 3;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(lake.start_query(new.clone()).await.unwrap());
        lab.pass(TimeDelta::milliseconds(1));
    }
    let full = lake.start_query(new.clone()).await.unwrap_err();
    assert_eq!(full.kind(), ErrorKind::QueueFull);
    lake.cancel_query(ids[0]).await.unwrap();
    lake.start_query(new).await.unwrap();
    assert_eq!(lab.files("queries/records").len(), 4);
}

#[tokio::test]
async fn queries_are_listed_newest_first_by_filter_and_page() {
    let lab = Lab::new();
    let lake = lab.lake().await;
    let store = NewStore::new("trail", Retention::days(30).unwrap());
    let store = lake.create_store(store).await.unwrap();
    let mut ids = Vec::new();
    for n in 0..6 {
        lab.pass(TimeDelta::minutes(1));
        let from = if n % 2 == 0 { " FROM trail" } else { "" };
        ids.push(start(&lake, &format!("SELECT {n}{from}")).await);
    }
    lake.cancel_query(ids[3]).await.unwrap();
    let list = async |filter: &QueryFilter| -> Vec<Uuid> {
        let list = lake.list_queries(filter, None, 100).await.unwrap();
        list.queries.into_iter().map(|query| query.id).collect()
    };
    assert_eq!(list(&QueryFilter::default()).await, ids.iter().rev().copied().collect::<Vec<_>>());
    let filter = QueryFilter { status: Some(QueryStatus::Cancelled), ..QueryFilter::default() };
    assert_eq!(list(&filter).await, [ids[3]]);
    let filter = QueryFilter { store: Some(store.id()), ..QueryFilter::default() };
    assert_eq!(list(&filter).await, [ids[4], ids[2], ids[0]]);
    let at = |minutes| Some(now() + TimeDelta::minutes(minutes));
    let filter = QueryFilter { from: at(2), to: at(4), ..QueryFilter::default() };
    assert_eq!(list(&filter).await, [ids[2], ids[1]]);

    let (mut token, mut pages) = (None, Vec::new());
    loop {
        let page = lake.list_queries(&QueryFilter::default(), token.as_deref(), 4).await.unwrap();
        pages.push(page.queries.iter().map(|query| query.id).collect::<Vec<_>>());
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(pages, [vec![ids[5], ids[4], ids[3], ids[2]], vec![ids[1], ids[0]]]);
    let broken = lake.list_queries(&QueryFilter::default(), Some("x"), 4).await.unwrap_err();
    assert_eq!(broken.kind(), ErrorKind::InvalidPageToken);
}

#[tokio::test]
async fn a_query_and_its_rows_are_gone_after_seven_days() {
    let lab = Lab::new();
    let lake = lab.lake().await;
    let old = start(&lake, "SELECT 1").await;
    work(&lake).await;
    lab.pass(TimeDelta::days(6));
    let young = start(&lake, "SELECT 2").await;
    work(&lake).await;
    assert_eq!(lake.query_results(old, None, 1).await.unwrap().batches.len(), 1);
    lab.pass(TimeDelta::days(1));
    let gone = lake.query_results(old, None, 1).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::QueryNotFound);
    let list = lake.list_queries(&QueryFilter::default(), None, 100).await.unwrap();
    assert_eq!(list.queries.iter().map(|query| query.id).collect::<Vec<_>>(), [young]);

    assert_eq!(lab.files("queries/results").len(), 2);
    assert_eq!(lake.remove_expired_queries().await.unwrap(), 1);
    assert_eq!(lab.files("queries/results").len(), 1);
    assert_eq!(lab.files("queries/records").len(), 1);
    assert_eq!(lake.remove_expired_queries().await.unwrap(), 0);
}

#[tokio::test]
async fn a_damaged_record_is_named_and_stops_no_other_query() {
    let lab = Lab::new();
    let lake = lab.lake().await;
    let broken = start(&lake, "SELECT 1").await;
    lab.pass(TimeDelta::milliseconds(1));
    let whole = start(&lake, "SELECT 2").await;
    fs::write(&lab.files("queries/records")[0], "{\"half\":").unwrap();
    work(&lake).await;
    assert_eq!(status(&lake, whole).await, QueryStatus::Finished);
    let error = lake.describe_query(broken).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.to_string().contains(&broken.to_string()), "{error}");
}

/// A query delivered to a folder: the lab, and the folder with its files.
async fn delivered(statement: &str) -> (Lab, Lake, PathBuf) {
    let lab = Lab::new();
    let lake = lab.lake().await;
    let mut new = NewQuery::new(statement, LIMITS);
    let url = lab.folder.path().join("out").to_str().unwrap().to_owned();
    let (account, region) = ("111122223333".to_owned(), "us-east-1".to_owned());
    new.delivery = Some(Delivery { url: url.clone(), account, region });
    let id = lake.start_query(new).await.unwrap();
    let pending = lake.describe_query(id).await.unwrap().delivery.unwrap();
    assert_eq!(pending.status, DeliveryStatus::Pending);
    work(&lake).await;
    let query = lake.describe_query(id).await.unwrap();
    assert_eq!(query.status, QueryStatus::Finished);
    let delivery = query.delivery.unwrap();
    assert_eq!(delivery.status, DeliveryStatus::Success, "{:?}", delivery.error);
    let folder = PathBuf::from(delivery.folder.unwrap());
    let layout = format!("AWSLogs/111122223333/CloudTrail-Lake/Query/2026/11/22/{id}");
    assert_eq!(folder, fs::canonicalize(url).unwrap().join(layout));
    (lab, lake, folder)
}

#[tokio::test]
async fn results_are_delivered_as_signed_csv() {
    let sql = "SELECT n, IF(n = 2, NULL, 'say \"hi\", ' || CAST(n AS varchar)) AS text, \
         MAP(ARRAY['k'], ARRAY[n]) AS m FROM UNNEST(sequence(1, 3)) AS t(n)";
    let (_lab, lake, folder) = delivered(sql).await;
    let compressed = fs::read(folder.join("result_1.csv.gz")).unwrap();
    let mut decoder = GzDecoder::new(compressed.as_slice());
    let mut text = String::new();
    decoder.read_to_string(&mut text).unwrap();
    assert!(decoder.into_inner().is_empty(), "one gzip member");
    assert_eq!(
        text,
        "n,text,m\n1,\"say \"\"hi\"\", 1\",{k=1}\n2,,{k=2}\n3,\"say \"\"hi\"\", 3\",{k=3}\n"
    );

    let url = folder.to_str().unwrap();
    let verified = lake.verify_results(url).await.unwrap();
    assert_eq!(verified.files, ["result_1.csv.gz"]);
    assert_eq!(verified.completed_at, "2026-11-22T12:00:00Z");
    // Without the lake, by the public key alone.
    let keys = lake.public_keys().await.unwrap();
    assert_eq!(keys.len(), 1);
    let alone = verify_results(url, &Default::default(), &keys[0]).await.unwrap();
    assert_eq!(alone, verified);
}

#[tokio::test]
async fn whatever_is_changed_in_delivered_results_is_noticed() {
    let (_lab, lake, folder) = delivered("SELECT 1 AS n WHERE false").await;
    let url = folder.to_str().unwrap();
    lake.verify_results(url).await.unwrap();
    for name in ["result_1.csv.gz", "result_sign.json"] {
        let path = folder.join(name);
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        let at = match name {
            // A digit of the signature, which stands near the end.
            "result_sign.json" => {
                let text = std::str::from_utf8(&whole).unwrap();
                text.find("hashSignature").unwrap() + 40
            }
            _ => whole.len() / 2,
        };
        changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
        fs::write(&path, changed).unwrap();
        let error = lake.verify_results(url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unverified, "{name}: {error}");
        fs::remove_file(&path).unwrap();
        let error = lake.verify_results(url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unverified, "{name}: {error}");
        fs::write(&path, whole).unwrap();
        lake.verify_results(url).await.unwrap();
    }
    let stranger = Lab::new().lake().await.verify_results(url).await.unwrap_err();
    assert_eq!(stranger.kind(), ErrorKind::Unverified);
    assert!(stranger.to_string().contains("no public key"), "{stranger}");
}

#[tokio::test]
async fn a_delivery_that_cannot_be_made_is_said_and_the_rows_stay() {
    let lab = Lab::new();
    let lake = lab.lake().await;
    let file = lab.folder.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let mut new = NewQuery::new("SELECT 1", LIMITS);
    let delivery = |url: &str, account: &str| Delivery {
        url: url.into(),
        account: account.into(),
        region: "us-east-1".into(),
    };
    new.delivery = Some(delivery(file.to_str().unwrap(), "111122223333"));
    let id = lake.start_query(new.clone()).await.unwrap();
    work(&lake).await;
    let query = lake.describe_query(id).await.unwrap();
    let failed = query.delivery.unwrap();
    assert_eq!((query.status, failed.status), (QueryStatus::Finished, DeliveryStatus::Failed));
    assert!(failed.error.is_some() && failed.folder.is_none());
    assert_eq!(lake.query_results(id, None, 1).await.unwrap().batches.len(), 1);

    for (url, account) in [("ftp://x/y", "111122223333"), ("out", "12"), ("out", "11112222333x")] {
        new.delivery = Some(delivery(url, account));
        let error = lake.start_query(new.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{url} {account}");
    }
}
