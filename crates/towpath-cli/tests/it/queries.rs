//! Every question of `queries/` runs on `data/trail` and has an answer, which is a snapshot.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::Dir;

const QUERIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../queries");

/// Where the answers are kept, beside this file.
const EXPECTED: &str = "expected";

/// Stands in the output between two answers; no event contains it.
const MARK: &str = "=== end of the answer to ";

fn questions() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(QUERIES)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    files.sort();
    files
}

fn name(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

#[test]
fn every_question_of_the_catalogue_has_its_answer_on_the_bundled_trail() {
    let questions = questions();
    assert!(questions.len() >= 30, "{} questions", questions.len());
    let dir = Dir::new();
    dir.towpath(["--lake", "lake", "demo"]).run().success();

    // One shell for all of them: the engine starts once.
    let mut input = String::new();
    for question in &questions {
        input.push_str(&fs::read_to_string(question).unwrap());
        input.push_str(&format!("\n;\n.print {MARK}{}\n", name(question)));
    }
    let ran = dir.towpath(["shell", "--format", "csv"]).stdin(input).run().success();
    assert_eq!(ran.stderr, "");
    let text = ran.text();
    let mut rest = text.as_str();
    for question in &questions {
        let name = name(question);
        let (answer, after) = rest.split_once(&format!("{MARK}{name}\n")).unwrap();
        rest = after;
        assert!(answer.lines().count() > 1, "{name} has no row");
        insta::with_settings!({
            snapshot_path => EXPECTED,
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(name, answer);
        });
    }
    assert_eq!(rest, "");
}

#[test]
fn every_question_says_what_it_answers() {
    let index = fs::read_to_string(Path::new(QUERIES).join("README.md")).unwrap();
    for question in questions() {
        let text = fs::read_to_string(&question).unwrap();
        let name = name(&question);
        assert!(text.starts_with("-- "), "{name} has no title");
        assert!(text.contains("\n-- category: "), "{name} has no category");
        assert!(index.contains(&format!("{name}.sql")), "{name} is not in queries/README.md");
    }
}
