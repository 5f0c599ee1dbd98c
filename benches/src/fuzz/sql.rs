//! Statements: parse, bind parameters and plan.
//!
//! The corpus is the questions in `queries/` and the statements of the dialect's own tests. An
//! input must come back; what is refused must be refused with a place that is in the text.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use chrono::DateTime;
use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::catalog::TableProvider;
use datafusion::datasource::empty::EmptyTable;
use datafusion::execution::SessionState;
use datafusion::execution::context::SessionConfig;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use tokio::runtime::{Builder, Runtime};
use towpath_sql::{
    ParameterValue, ParameterValues, RelationError, RelationName, Relations, SqlError, Statement,
    Type, physical_plan, session_state,
};

use super::{Run, Target};

/// Memory that constants may take while they are folded.
const MEMORY_BYTES_MAX: usize = 256 << 20;

/// Words that no corpus entry may have and every grammar has a place for.
const WORDS: [&str; 46] = [
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    "*",
    "->",
    "?",
    ":a",
    "NULL",
    "''",
    "'x'",
    "1",
    "-1",
    "1e308",
    "nan()",
    "9223372036854775807",
    "X'00'",
    "NOT ",
    " AND ",
    " OR ",
    " IN ",
    " || ",
    " = ",
    " LATERAL ",
    "SELECT ",
    " FROM ",
    " WHERE ",
    " UNION ALL ",
    "WITH RECURSIVE ",
    " OVER () ",
    " FILTER (WHERE true) ",
    "TRY(",
    "CAST(",
    " AS json)",
    " AS row(a bigint))",
    "UNNEST(",
    " CROSS JOIN ",
    " GROUP BY CUBE (1, 2) ",
    " ORDER BY 1 ",
    " LIMIT 1 ",
    "ARRAY[",
    "MAP(",
    "transform(",
    "x -> x",
];

/// The target.
pub(super) fn target(project: &Path) -> Target {
    Target {
        name: "sql",
        corpus: corpus(project),
        dictionary: WORDS.iter().map(|word| word.as_bytes().to_vec()).collect(),
        tokens: Some(tokens),
        make,
    }
}

/// The questions, and each statement of the `.slt` files. What cannot be read is not in it.
fn corpus(project: &Path) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    find(&project.join("queries"), "sql", &mut files);
    let mut entries: Vec<Vec<u8>> = files.iter().filter_map(|path| fs::read(path).ok()).collect();
    files.clear();
    find(&project.join("crates/towpath-sql/tests/slt"), "slt", &mut files);
    for text in files.iter().filter_map(|path| fs::read_to_string(path).ok()) {
        for record in text.split("\n\n") {
            let lines = record.lines().skip_while(|line| !line.starts_with("query"));
            let sql: Vec<&str> = lines.skip(1).take_while(|line| *line != "----").collect();
            if !sql.is_empty() {
                entries.push(sql.join("\n").into_bytes());
            }
        }
    }
    entries
}

fn find(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    // The order of a folder's entries differs from machine to machine; the corpus must not.
    paths.sort();
    for path in paths {
        if path.is_dir() {
            find(&path, extension, files);
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
}

/// Words, quoted texts, runs of space, and single other characters.
fn tokens(input: &[u8]) -> Vec<Vec<u8>> {
    let mut tokens = Vec::new();
    let mut rest = input;
    while let Some(first) = rest.first() {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
        let length = match first {
            b'\'' | b'"' => 2 + rest.iter().skip(1).take_while(|byte| *byte != first).count(),
            byte if is_word(byte) => rest.iter().take_while(|byte| is_word(byte)).count(),
            byte if byte.is_ascii_whitespace() => {
                rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
            }
            _ => 1,
        };
        let (token, after) = rest.split_at(length.min(rest.len()));
        tokens.push(token.to_vec());
        rest = after;
    }
    tokens
}

fn make() -> Run {
    let runtime = Builder::new_current_thread().enable_time().build();
    let memory = RuntimeEnvBuilder::new().with_memory_limit(MEMORY_BYTES_MAX, 1.0).build_arc();
    let (Ok(runtime), Ok(memory)) = (runtime, memory) else {
        return Box::new(|_| Err("no runtime".to_owned()));
    };
    let session = session_state(SessionConfig::new(), memory, DateTime::UNIX_EPOCH);
    Box::new(move |input| match std::str::from_utf8(input) {
        Ok(sql) => check(sql, &session, &runtime),
        Err(_) => check(&String::from_utf8_lossy(input), &session, &runtime),
    })
}

fn check(sql: &str, session: &SessionState, runtime: &Runtime) -> Result<(), String> {
    let statement = match Statement::parse(sql) {
        Ok(statement) => statement,
        Err(error) => return check_error(&error, sql),
    };
    let wanted = statement.parameters();
    let text = || ParameterValue::Varchar("x".to_owned());
    let values = ParameterValues {
        positional: (0..wanted.positional).map(|_| text()).collect(),
        named: wanted.named.into_iter().map(|name| (name, text())).collect(),
        quoted_marks: false,
    };
    let statement = match statement.bind(&values) {
        Ok(statement) => statement,
        Err(error) => return check_error(&error, sql),
    };
    let planned = match runtime.block_on(statement.plan(session, &Anything)) {
        Ok(planned) => planned,
        Err(error) => return check_error(&error, sql),
    };
    let (columns, headings) = (planned.plan.schema().fields().len(), planned.headings.len());
    if columns != headings {
        return Err(format!("{columns} columns have {headings} headings"));
    }
    // A statement that is right need not be possible; but it must be known to be so in time.
    let _physical = runtime.block_on(physical_plan(session, &planned));
    Ok(())
}

/// An error has a place in the text, and the caret stands below it.
fn check_error(error: &SqlError, sql: &str) -> Result<(), String> {
    let Some(place) = error.position() else { return Ok(()) };
    // A place after the last line break is on a line of its own.
    let line = sql.split('\n').nth(place.line.wrapping_sub(1));
    let Some(line) = line else { return Err(format!("no such line: {error}")) };
    if place.column == 0 || place.column > line.chars().count() + 1 {
        return Err(format!("no such column: {error}"));
    }
    let drawing = error.render_caret(sql);
    let caret = drawing.lines().last().map(|margin| margin.chars().count());
    match caret {
        Some(caret) if caret != place.column => Err(format!("caret at {caret}: {error}")),
        _ => Ok(()),
    }
}

/// Every relation exists and looks like an event data store.
struct Anything;

#[async_trait]
impl Relations for Anything {
    async fn resolve(&self, _: &RelationName) -> Result<Arc<dyn TableProvider>, RelationError> {
        let texts = Type::Map(Box::new(Type::VARCHAR), Box::new(Type::VARCHAR));
        let identity = ["type", "arn", "accountId", "userName"]
            .map(|name| Field::new(name, DataType::Utf8View, true));
        let fields = vec![
            Type::VARCHAR.to_field("eventName"),
            Type::VARCHAR.to_field("eventSource"),
            Field::new("eventTime", DataType::Timestamp(TimeUnit::Microsecond, None), true),
            Type::BigInt.to_field("calendarday"),
            Type::Boolean.to_field("readOnly"),
            Type::Double.to_field("amount"),
            texts.to_field("requestParameters"),
            Type::Array(Box::new(Type::VARCHAR)).to_field("tags"),
            Field::new("userIdentity", DataType::Struct(identity.to_vec().into()), true),
        ];
        Ok(Arc::new(EmptyTable::new(Arc::new(Schema::new(fields)))))
    }
}
