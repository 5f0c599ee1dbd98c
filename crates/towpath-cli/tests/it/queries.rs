//! Every question of `queries/` runs on `data/trail` and has an answer, which is a snapshot.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::ipc::reader::FileReader;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use towpath::{Lake, LakeOptions, QueryLimits};

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
    the_command_says_the_same(&dir, &text);
    the_library_says_the_same(&dir, &questions);
}

/// One run of `query` over all files gives the rows that the shell gave for each.
fn the_command_says_the_same(dir: &Dir, of_shell: &str) {
    let pattern = format!("{QUERIES}/*.sql");
    let args = ["query", "-f", &pattern, "--format", "csv"];
    let of_command = dir.towpath(args).run().success().text();
    let of_shell: Vec<&str> = of_shell.lines().filter(|line| !line.starts_with(MARK)).collect();
    assert!(of_command.lines().eq(of_shell), "the shell and `query` differ");
}

/// The rows of the library, cell by cell, for a few: in a file that keeps every type.
fn the_library_says_the_same(dir: &Dir, questions: &[PathBuf]) {
    let some: Vec<PathBuf> = questions.iter().step_by(10).cloned().collect();
    for (question, batches) in some.iter().zip(library_batches(dir, &some)) {
        let (sql, file) = (question.to_str().unwrap(), "rows.arrow");
        dir.towpath(["query", "-f", sql, "-o", file]).run().success();
        let file = FileReader::try_new(File::open(dir.path().join(file)).unwrap(), None).unwrap();
        let written: Vec<RecordBatch> = file.map(Result::unwrap).collect();
        assert_eq!(rows_as_text(&written), rows_as_text(&batches), "{}", name(question));
    }
}

/// What the library answers to each question.
fn library_batches(dir: &Dir, questions: &[PathBuf]) -> Vec<Vec<RecordBatch>> {
    let lake = dir.path().join("lake").to_str().unwrap().to_owned();
    let statements: Vec<String> =
        questions.iter().map(|question| fs::read_to_string(question).unwrap()).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_stack_size(8 * 1024 * 1024)
        .enable_all()
        .build()
        .unwrap();
    let work = async move {
        let lake = Lake::open(&lake, LakeOptions::new(chrono::Utc::now)).await.unwrap();
        let limits = QueryLimits { run_secs_max: 60, result_rows_max: None };
        let mut answers = Vec::new();
        for statement in &statements {
            answers.push(lake.query(statement, limits).await.unwrap().collect().await.unwrap());
        }
        answers
    };
    runtime.block_on(async { tokio::spawn(work).await.unwrap() })
}

fn rows_as_text(batches: &[RecordBatch]) -> Vec<Vec<String>> {
    let options = FormatOptions::default();
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        rows.extend((0..batch.num_rows()).map(|row| {
            columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>()
        }));
    }
    rows
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
