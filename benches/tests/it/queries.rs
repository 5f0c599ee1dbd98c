//! The form of `queries/`; that each question has an answer is tested with the command.

use std::fs;

use crate::project;

/// The query of the project's purpose, to the letter.
const DELETE_BUCKET: &str = "SELECT eventTime, userIdentity.arn, eventName, sourceIPAddress \
    FROM my-event-data-store WHERE eventName = 'DeleteBucket' AND eventTime > '2024-01-01' \
    ORDER BY eventTime DESC";
const CATEGORIES: &[&str] = &["all", "data", "management", "network activity"];

/// Name and text of every question, by name.
fn questions() -> Vec<(String, String)> {
    let mut questions = Vec::new();
    for entry in fs::read_dir(project("queries")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            questions.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    questions.sort();
    questions
}

#[test]
fn there_are_questions_enough() {
    assert!(questions().len() >= 36);
}

#[test]
fn every_question_has_a_title_an_explanation_and_a_category() {
    for (name, text) in questions() {
        let (header, statement) = text.split_once("\n\n").unwrap();
        let lines: Vec<&str> = header.lines().collect();
        assert!(lines[0].starts_with("-- ") && lines[0].ends_with('.'), "{name}: {}", lines[0]);
        assert_eq!(lines[1], "--", "{name}");
        assert!(lines.iter().all(|line| line.starts_with("--") && line.len() <= 100), "{name}");
        let category = lines[lines.len() - 1].strip_prefix("-- category: ").unwrap();
        assert!(CATEGORIES.contains(&category), "{name}: {category}");
        assert!(statement.contains("my-event-data-store"), "{name}");
        assert!(!statement.trim_end().ends_with(';'), "{name}");
    }
}

#[test]
fn the_index_lists_every_question_once() {
    let index = fs::read_to_string(project("queries/README.md")).unwrap();
    for (name, _) in questions() {
        assert_eq!(index.matches(&format!("]({name}.sql)")).count(), 1, "{name}");
    }
    assert_eq!(index.matches(".sql)").count(), questions().len());
}

#[test]
fn the_delete_bucket_question_is_the_missions_to_the_letter() {
    let text = fs::read_to_string(project("queries/delete-bucket.sql")).unwrap();
    let (_, statement) = text.split_once("\n\n").unwrap();
    assert_eq!(statement.trim_end(), DELETE_BUCKET);
}
