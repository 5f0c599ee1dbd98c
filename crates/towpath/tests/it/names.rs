//! A statement is planned over the columns that it names: each way to name one is understood.

use crate::support::{Fixture, event};

async fn two_events() -> Fixture {
    let fixture = Fixture::new().await;
    let more = r#","userIdentity":{"type":"IAMUser","arn":"ana","sessionContext":{"attributes":{"mfaAuthenticated":"true"}}},"requestParameters":{"bucketName":"logs"},"resources":[{"ARN":"logs"},{"ARN":"data"}]"#;
    fixture
        .ingest(&[
            &event("1", "PutObject", "2024-01-15T00:00:00Z", more),
            &event("2", "GetObject", "2024-01-16T00:00:00Z", ""),
        ])
        .await;
    fixture
}

#[tokio::test]
async fn a_column_is_found_however_it_is_named() {
    let fixture = two_events().await;
    for (statement, expected) in [
        ("SELECT count(*) FROM trail", "2"),
        ("SELECT 1 FROM trail WHERE \"EVENTID\" = '1'", "1"),
        ("SELECT trail.eventName FROM trail WHERE trail.eventID = '1'", "PutObject"),
        ("SELECT t.userIdentity.arn FROM trail t WHERE t.eventID = '1'", "ana"),
        ("SELECT userIdentity.eventName FROM trail userIdentity WHERE eventID = '1'", "PutObject"),
        (
            "SELECT userIdentity.sessionContext.attributes.mfaAuthenticated FROM trail \
             WHERE userIdentity.type = 'IAMUser'",
            "true",
        ),
        ("SELECT (userIdentity).arn FROM trail WHERE eventID = '1'", "ana"),
        (
            "SELECT u.arn FROM (SELECT userIdentity AS u, eventID FROM trail) WHERE eventID = '1'",
            "ana",
        ),
        ("SELECT arn FROM (SELECT userIdentity.*, eventID FROM trail) WHERE eventID = '1'", "ana"),
        ("SELECT eventName FROM (SELECT * FROM trail) WHERE eventID = '1'", "PutObject"),
        ("WITH t AS (TABLE trail) SELECT eventName FROM t WHERE eventID = '1'", "PutObject"),
        ("SELECT count(*) FROM trail a JOIN trail b USING (eventID)", "2"),
        ("SELECT max(b.eventName) FROM trail a JOIN trail b ON a.eventID < b.eventID", "GetObject"),
        ("SELECT r.arn FROM trail CROSS JOIN UNNEST(resources) AS r ORDER BY 1 LIMIT 1", "data"),
        ("SELECT v FROM trail CROSS JOIN UNNEST(map_values(requestParameters)) AS t (v)", "logs"),
        ("SELECT eventName FROM trail ORDER BY eventTime DESC LIMIT 1", "GetObject"),
        ("SELECT eventID FROM trail GROUP BY eventID HAVING max(eventName) = 'PutObject'", "1"),
        (
            "SELECT eventID FROM trail t WHERE NOT EXISTS \
             (SELECT 1 FROM trail u WHERE u.eventName < t.eventName)",
            "2",
        ),
        (
            "SELECT max(eventName) OVER (ORDER BY eventTime) FROM trail WHERE eventID = '1'",
            "PutObject",
        ),
        ("SELECT transform(resources, x -> x.arn)[2] FROM trail WHERE eventID = '1'", "data"),
        (
            "SELECT json_extract_scalar(eventJson, '$.eventName') FROM trail WHERE eventID = '2'",
            "GetObject",
        ),
        ("SELECT count(eventJsonChecksum) FROM trail WHERE calendarday = 20240115", "1"),
    ] {
        let rows = fixture.rows(statement).await;
        assert_eq!(rows.first().map(|row| row[0].as_str()), Some(expected), "{statement}");
    }
}

#[tokio::test]
async fn a_column_that_is_not_named_is_known_to_errors_all_the_same() {
    let fixture = two_events().await;
    for (statement, hint) in [
        ("SELECT evntName FROM trail", "did you mean 'eventname'?"),
        ("SELECT userIdentity.arm FROM trail", "did you mean 'arn'?"),
    ] {
        let error = fixture.lake.query(statement, crate::support::LIMITS).await.unwrap_err();
        assert_eq!(error.hint().as_deref().map(str::to_lowercase), Some(hint.into()), "{error}");
    }
}
