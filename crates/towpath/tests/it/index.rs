//! With and without the index of a store, and whatever has become of it, answers are the same.

use std::fs;
use std::path::PathBuf;

use towpath::{CompactionPolicy, IndexPolicy};

use crate::support::{Fixture, bundled_trail, event, lake_at, now, rows};

/// The files of the index.
pub(crate) fn spans(fixture: &Fixture) -> Vec<PathBuf> {
    let store = fixture.folder.path().join(format!("lake/stores/{}", fixture.store.id()));
    let Ok(listed) = fs::read_dir(store.join("_towpath/index")) else { return Vec::new() };
    listed.map(|entry| entry.unwrap().path()).collect()
}

/// The plan of a statement, as a process that starts now makes it.
async fn plan(fixture: &Fixture, statement: &str) -> String {
    let lake = lake_at(&fixture.folder.path().join("lake"), now()).await;
    rows(&lake, &format!("EXPLAIN {statement}")).await[0][0].clone()
}

#[tokio::test]
async fn index_leaves_out_files_for_names_of_every_form() {
    let fixture = Fixture::new().await;
    for number in 1..=3 {
        let more = format!(
            r#","sourceIPAddress":"192.0.2.{number}","userIdentity":{{"type":"IAMUser","arn":"arn:{number}","accessKeyId":"AKIA{number}","sessionContext":{{"sessionIssuer":{{"arn":"role:{number}"}}}}}},"requestParameters":{{"bucketName":"b{number}","key":"{:x<number$}"}}"#,
            "k"
        );
        let id = format!("id-{number}");
        fixture.ingest(&[&event(&id, "PutObject", "2024-01-15T00:00:00Z", &more)]).await;
    }
    assert_eq!(spans(&fixture).len(), 0, "three events are not worth an index by themselves");
    fixture.store.index(&IndexPolicy::THOROUGH).await.unwrap();
    for (condition, expected) in [
        ("eventID = 'id-2'", vec!["id-2"]),
        ("'id-2' = eventid", vec!["id-2"]),
        ("eventID IN ('id-2', 'id-9', 'x', 'y', 'z')", vec!["id-2"]),
        ("sourceIPAddress = '192.0.2.2' AND eventName LIKE 'Put%'", vec!["id-2"]),
        ("userIdentity.accessKeyId = 'AKIA2'", vec!["id-2"]),
        ("userIdentity.sessionContext.sessionIssuer.arn = 'role:2'", vec!["id-2"]),
        ("userIdentity.arn = 'arn:2' OR eventID = 'id-2'", vec!["id-2"]),
        ("element_at(requestParameters, 'bucketName') = 'b2'", vec!["id-2"]),
    ] {
        let statement = format!("SELECT eventID FROM trail WHERE {condition}");
        let plan = plan(&fixture, &statement).await;
        assert!(plan.contains("Index: left out 2 of 3 data files"), "{condition}\n{plan}");
        assert!(plan.contains("Data files: 1 of 3 "), "{condition}\n{plan}");
        let found = fixture.rows(&statement).await;
        assert_eq!(found.concat(), expected, "{condition}");
    }
    for condition in
        ["eventID = 'id-2' OR eventName = 'x'", "eventID <> 'id-2'", "eventID > 'id-2'"]
    {
        let plan = plan(&fixture, &format!("SELECT eventID FROM trail WHERE {condition}")).await;
        assert!(!plan.contains("Index:"), "{condition}\n{plan}");
    }
}

/// What a person looks for in the bundled trail.
const STATEMENTS: [&str; 6] = [
    "SELECT count(*) FROM trail WHERE sourceIPAddress = '{address}'",
    "SELECT eventName, count(*) FROM trail WHERE userIdentity.arn = '{arn}' GROUP BY 1 ORDER BY 1",
    "SELECT eventName FROM trail WHERE eventID = '{id}'",
    "SELECT count(*), min(eventTime) FROM trail WHERE userIdentity.accessKeyId = '{key}'",
    "SELECT count(*) FROM trail WHERE element_at(requestParameters, 'bucketName') = '{bucket}'",
    "SELECT count(*) FROM trail WHERE eventID = '{id}' OR userIdentity.accessKeyId = '{key}'",
];

async fn answers(fixture: &Fixture) -> Vec<Vec<Vec<String>>> {
    let lake = lake_at(&fixture.folder.path().join("lake"), now()).await;
    let sample = "SELECT eventID, sourceIPAddress, userIdentity.arn, userIdentity.accessKeyId,
            element_at(requestParameters, 'bucketName')
        FROM trail
        WHERE element_at(requestParameters, 'bucketName') IS NOT NULL
            AND userIdentity.accessKeyId IS NOT NULL
        ORDER BY eventTime DESC, eventID LIMIT 1";
    let sample = rows(&lake, sample).await;
    let mut answers = Vec::new();
    for statement in STATEMENTS {
        let names = ["{id}", "{address}", "{arn}", "{key}", "{bucket}"];
        let statement = names
            .iter()
            .zip(&sample[0])
            .fold(statement.to_owned(), |text, (name, value)| text.replace(name, value));
        answers.push(rows(&lake, &statement).await);
    }
    answers
}

#[tokio::test]
async fn answers_are_the_same_with_an_index_without_one_and_with_a_damaged_one() {
    let fixture = Fixture::new().await;
    fixture.ingest_from(&bundled_trail()).await;
    for span in spans(&fixture) {
        fs::remove_file(span).unwrap();
    }
    let expected = answers(&fixture).await;
    assert!(expected.iter().all(|rows| !rows.is_empty() && rows[0][0] != "0"), "{expected:?}");

    fixture.store.compact(&CompactionPolicy::THOROUGH).await.unwrap();
    let spans = spans(&fixture);
    assert!(!spans.is_empty());
    assert_eq!(answers(&fixture).await, expected);

    let contents: Vec<Vec<u8>> = spans.iter().map(|span| fs::read(span).unwrap()).collect();
    for step in [1, 4] {
        for (span, content) in spans.iter().zip(&contents) {
            let mut damaged = content.clone();
            let middle = content.len() * step / 5;
            damaged[middle..].iter_mut().step_by(900).for_each(|byte| *byte ^= 1);
            fs::write(span, damaged).unwrap();
        }
        assert_eq!(answers(&fixture).await, expected, "damaged from {step} fifths on");
        for (span, content) in spans.iter().zip(&contents) {
            fs::write(span, &content[..content.len() * step / 5]).unwrap();
        }
        assert_eq!(answers(&fixture).await, expected, "cut to {step} fifths");
    }
    // An index of data files that are not those of the store any more.
    for (span, content) in spans.iter().zip(&contents) {
        fs::write(span, content).unwrap();
    }
    fixture.ingest(&[&event("late", "PutObject", "2024-01-15T00:00:00Z", "")]).await;
    let found = fixture.rows("SELECT eventName FROM trail WHERE eventID = 'late'").await;
    assert_eq!(found, [["PutObject"]]);
}
