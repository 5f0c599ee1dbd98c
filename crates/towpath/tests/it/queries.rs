//! Statements over events: names, headings, times, maps, errors.

use towpath::arrow::array::RecordBatch;
use towpath::{ErrorKind, QueryLimits};

use crate::support::{Fixture, LIMITS, event};

async fn three_events() -> Fixture {
    let fixture = Fixture::new().await;
    let who = r#","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ana"}"#;
    let bucket = r#","requestParameters":{"bucketName":"logs","Host":null,"size":12345678901234567890123,"tags":[{"k":"v"}]},"resources":[{"ARN":"arn:aws:s3:::logs","accountId":"111122223333","type":"AWS::S3::Bucket"}]"#;
    fixture
        .ingest(&[
            &event("1", "DeleteBucket", "2024-03-01T10:00:00Z", &format!("{who}{bucket}")),
            &event("2", "DeleteBucket", "2023-12-31T23:59:59Z", ""),
            &event("3", "PutObject", "2024-03-01T10:00:00.5Z", ""),
        ])
        .await;
    fixture
}

#[tokio::test]
async fn headings_are_spelled_as_in_the_statement() {
    let fixture = three_events().await;
    let statement = "SELECT eventTime, userIdentity.arn, USERIDENTITY.Type, count(*) OVER (), eventid AS ID FROM trail";
    let rows = fixture.lake.query(statement, LIMITS).await.unwrap();
    let schema = rows.schema();
    let headings: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(headings, ["eventTime", "arn", "Type", "_col3", "ID"]);
}

#[tokio::test]
async fn event_time_compares_with_strings_of_every_form() {
    let fixture = three_events().await;
    for literal in [
        "2024-03-01",
        "2024-03-01 10:00:00",
        "2024-03-01T10:00:00Z",
        "2024-03-01T10:00:00",
        "2024-03-01 09:59:59.999",
        "2024-03-01T12:00:00+02:00",
    ] {
        let statement =
            format!("SELECT eventID FROM trail WHERE eventTime >= '{literal}' ORDER BY eventTime");
        assert_eq!(fixture.rows(&statement).await, [["1"], ["3"]], "{literal}");
    }
    let exact = "SELECT eventID FROM trail WHERE eventTime = '2024-03-01 10:00:00.500'";
    assert_eq!(fixture.rows(exact).await, [["3"]]);
}

#[tokio::test]
async fn maps_rows_and_arrays_read_as_in_the_lake() {
    let fixture = three_events().await;
    let statement = "SELECT element_at(requestParameters, 'bucketName'), requestParameters['size'], \
         element_at(requestParameters, 'tags'), element_at(requestParameters, 'none'), \
         element_at(resources, 1).arn, cardinality(resources), calendarday \
         FROM trail WHERE userIdentity.arn LIKE '%/ana'";
    assert_eq!(
        fixture.rows(statement).await,
        [[
            "logs",
            "12345678901234567890123",
            r#"[{"k":"v"}]"#,
            "NULL",
            "arn:aws:s3:::logs",
            "1",
            "20240301"
        ]]
    );
}

#[tokio::test]
async fn a_store_answers_to_its_name_id_and_arn() {
    let fixture = three_events().await;
    let id = fixture.store.id();
    for name in [
        "trail".to_owned(),
        "\"trail\"".to_owned(),
        id.to_string(),
        format!("\"{id}\""),
        format!("arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/{id}"),
    ] {
        let statement = format!("SELECT count(*) FROM {name}");
        assert_eq!(fixture.rows(&statement).await, [["3"]], "{name}");
    }
}

#[tokio::test]
async fn the_checksum_is_that_of_the_events_text() {
    let fixture = three_events().await;
    let statement = "SELECT count(*) FROM trail \
         WHERE eventJsonChecksum = lower(to_hex(sha256(to_utf8(eventJson))))";
    assert_eq!(fixture.rows(statement).await, [["3"]]);
}

#[tokio::test]
async fn errors_have_a_place_a_kind_and_a_hint() {
    let fixture = three_events().await;
    for (statement, kind, text, hint) in [
        (
            "SELECT evntName FROM trail",
            ErrorKind::InvalidStatement,
            "line 1:8: Column 'evntName' cannot be resolved",
            Some("eventname"),
        ),
        (
            "SELECT 1 FROM trial",
            ErrorKind::StoreNotFound,
            "line 1:15: Table 'trial' does not exist",
            Some("trail"),
        ),
        ("DROP TABLE trail", ErrorKind::InvalidStatement, "line 1:1: ", None),
        ("SELECT 1 +", ErrorKind::InvalidStatement, "line 1:11: ", None),
    ] {
        let error = fixture.lake.query(statement, LIMITS).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{statement}: {error}");
        assert!(error.to_string().starts_with(text), "{statement}: {error}");
        if let Some(near) = hint {
            assert!(error.hint().unwrap().contains(near), "{statement}: {:?}", error.hint());
        }
        assert!(error.caret(statement).unwrap().contains('^'), "{statement}");
    }
}

#[tokio::test]
async fn an_empty_store_has_columns_and_no_rows() {
    let fixture = Fixture::new().await;
    let rows = fixture.lake.query("SELECT * FROM trail", LIMITS).await.unwrap();
    assert_eq!(rows.schema().fields().len(), 36);
    assert!(rows.collect().await.unwrap().iter().all(|batch| batch.num_rows() == 0));
    assert_eq!(fixture.rows("SELECT count(*), max(eventTime) FROM trail").await, [["0", "NULL"]]);
}

#[tokio::test]
async fn a_reader_keeps_its_snapshot_while_events_arrive() {
    let fixture = three_events().await;
    let limits = QueryLimits { run_secs_max: 60, result_rows_max: None };
    let rows = fixture.lake.query("SELECT eventID FROM trail", limits).await.unwrap();
    fixture.ingest(&[&event("4", "PutObject", "2024-03-02T00:00:00Z", "")]).await;

    let seen: usize = rows.collect().await.unwrap().iter().map(RecordBatch::num_rows).sum();
    assert_eq!(seen, 3);
    assert_eq!(fixture.rows("SELECT count(*) FROM trail").await, [["4"]]);
}

#[tokio::test]
async fn an_error_of_evaluation_is_in_trinos_words_alone() {
    let fixture = three_events().await;
    for (statement, words) in [
        ("SELECT 1 / (length(eventName) - length(eventName)) FROM trail", "Division by zero"),
        // This one fails while Parquet is read.
        (
            "SELECT eventID FROM trail WHERE 1 / (length(eventName) - length(eventName)) > 0",
            "Division by zero",
        ),
        (
            "SELECT eventID FROM trail WHERE cast(substr(eventID, 2) || '(\"a\")' AS bigint) > 0",
            "Cannot cast '(\"a\")' to BIGINT",
        ),
    ] {
        let rows = fixture.lake.query(statement, LIMITS).await.unwrap();
        let error = rows.collect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Evaluation, "{statement}");
        assert_eq!(error.to_string(), words, "{statement}");
    }
}
