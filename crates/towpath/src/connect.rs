//! How another tool reads a store: the statements that present there what towpath presents.
//!
//! A store is an open Delta table, so any Delta reader opens it. What a reader sees by itself are
//! the flat columns of the data files; the text that is made here nests them as CloudTrail Lake
//! does and leaves out what is past its retention.

use std::fmt::Write;

use towpath_event::{Derived, Field, Shape, TableColumn};
use towpath_store::Retention;

/// A tool that can read a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tool {
    /// [DuckDB](https://duckdb.org), through its extension `delta`.
    DuckDb,
    /// [Polars](https://pola.rs) for Python, with the package `deltalake`.
    Polars,
    /// [Spark](https://spark.apache.org) SQL with Delta Lake.
    Spark,
    /// [Trino](https://trino.io) with its connector `delta_lake`.
    Trino,
}

/// Where a tool finds the data files.
#[derive(Clone, Debug)]
pub(crate) enum Files {
    /// By the table's log: what is committed later is seen.
    Table(String),
    /// By name: the store stays as it was.
    Listed(Vec<String>),
}

/// A store as another tool is to show it.
#[derive(Debug)]
pub(crate) struct Shown<'a> {
    pub(crate) name: &'a str,
    pub(crate) columns: &'static [TableColumn],
    pub(crate) retention: Retention,
    pub(crate) files: Files,
}

/// The text with which `tool` shows `store`.
pub(crate) fn script(tool: Tool, store: &Shown<'_>) -> String {
    let (name, days) = (store.name, store.retention.as_days());
    let columns = select_list(tool, store.columns);
    match tool {
        Tool::DuckDb => duckdb(name, days, &columns, &store.files),
        Tool::Polars => polars(name, days, &columns, &store.files),
        Tool::Spark => spark(name, days, &columns, &store.files),
        Tool::Trino => trino(name, days, &columns, &store.files),
    }
}

fn duckdb(name: &str, days: u32, columns: &str, files: &Files) -> String {
    let (before, from) = match files {
        Files::Table(url) => {
            ("INSTALL delta;\nLOAD delta;\n", format!("delta_scan({})", quoted(url, '\'')))
        }
        Files::Listed(paths) => {
            let paths: Vec<String> = paths.iter().map(|path| quoted(path, '\'')).collect();
            ("", format!("read_parquet([{}])", paths.join(",\n    ")))
        }
    };
    format!(
        "{before}CREATE OR REPLACE VIEW {} AS\nSELECT\n{}FROM {from}\n\
         WHERE \"eventTime\" >= now() - INTERVAL {days} DAY;\n",
        quoted(name, '"'),
        columns,
    )
}

fn spark(name: &str, days: u32, columns: &str, files: &Files) -> String {
    let from = match files {
        Files::Table(url) => format!("delta.{}", quoted(url, '`')),
        Files::Listed(paths) => {
            format!("parquet.{}", quoted(&format!("{{{}}}", paths.join(",")), '`'))
        }
    };
    format!(
        "CREATE OR REPLACE TEMPORARY VIEW {} AS\nSELECT\n{}FROM {from}\n\
         WHERE `eventTime` >= current_timestamp() - INTERVAL {days} DAYS;\n",
        quoted(name, '`'),
        columns,
    )
}

/// Trino reads a table by its log only.
fn trino(name: &str, days: u32, columns: &str, files: &Files) -> String {
    let Files::Table(url) = files else { return String::new() };
    let table = format!("{}_files", name.replace(['-', '.'], "_").to_ascii_lowercase());
    format!(
        "-- `delta` is a catalog of the connector delta_lake with\n\
         -- delta.register-table-procedure.enabled=true\n\
         CREATE SCHEMA IF NOT EXISTS delta.towpath;\n\
         CALL delta.system.register_table('towpath', '{table}', {});\n\
         CREATE OR REPLACE VIEW delta.towpath.{} AS\nSELECT\n{}FROM delta.towpath.{table}\n\
         WHERE \"eventTime\" >= current_timestamp - INTERVAL '{days}' DAY;\n",
        quoted(url, '\''),
        quoted(&name.to_ascii_lowercase(), '"'),
        columns,
    )
}

fn polars(name: &str, days: u32, columns: &str, files: &Files) -> String {
    let scan = match files {
        Files::Table(url) => format!("pl.scan_delta({})", python(url)),
        Files::Listed(paths) => {
            let paths: Vec<String> = paths.iter().map(|path| python(path)).collect();
            // Data files may have columns of their own beside those of the table.
            format!(
                "pl.scan_parquet([{}],\n    missing_columns=\"insert\", extra_columns=\"ignore\")",
                paths.join(",\n    ")
            )
        }
    };
    format!(
        "from datetime import datetime, timedelta, timezone\n\n\
         import polars as pl\n\n\
         # {name}\n\
         events = (\n    {scan}\n    \
         .filter(pl.col(\"eventTime\") >= datetime.now(timezone.utc) - timedelta(days={days}))\n    \
         .select(\n{columns}    )\n)\n",
    )
}

/// The columns of the Lake's table over the stored ones, one a line.
///
/// Left out: the text of events, which is stored in parts that only towpath puts together, and its
/// checksum.
fn select_list(tool: Tool, columns: &[TableColumn]) -> String {
    let columns: Vec<String> = columns
        .iter()
        .filter_map(|column| {
            let value = value(tool, column.shape, column.name)?;
            Some(aliased(tool, &value, column.name))
        })
        .collect();
    let mut list = String::new();
    let (indent, after_last) = if tool == Tool::Polars { ("        ", ",") } else { ("    ", "") };
    for (at, column) in columns.iter().enumerate() {
        let comma = if at + 1 < columns.len() { "," } else { after_last };
        // Writing to a string cannot fail.
        let _always_ok = writeln!(list, "{indent}{column}{comma}");
    }
    list
}

fn aliased(tool: Tool, value: &str, name: &str) -> String {
    match tool {
        Tool::DuckDb | Tool::Trino => format!("{value} AS {}", quoted(name, '"')),
        Tool::Spark => format!("{value} AS {}", quoted(name, '`')),
        Tool::Polars => format!("{value}.alias({})", python(name)),
    }
}

/// The value of `shape` whose leaves are stored under names that begin with `path`; `None` for
/// what other tools cannot make.
fn value(tool: Tool, shape: Shape, path: &str) -> Option<String> {
    match shape {
        Shape::Row(fields) => Some(row(tool, fields, path)),
        Shape::Derived(Derived::CalendarDay) => Some(calendarday(tool).to_owned()),
        Shape::Derived(_) | Shape::EventText => None,
        _ => Some(stored(tool, path)),
    }
}

fn stored(tool: Tool, name: &str) -> String {
    match tool {
        Tool::DuckDb | Tool::Trino => quoted(name, '"'),
        Tool::Spark => quoted(name, '`'),
        Tool::Polars => format!("pl.col({})", python(name)),
    }
}

fn row(tool: Tool, fields: &[Field], path: &str) -> String {
    let values = |join: fn(Tool, &str, String) -> String| -> Vec<String> {
        let part = |field: &Field| {
            let value = value(tool, field.shape, &format!("{path}_{}", field.name))?;
            Some(join(tool, field.name, value))
        };
        fields.iter().filter_map(part).collect()
    };
    match tool {
        Tool::DuckDb => {
            let named = values(|_tool, name, value| format!("{} := {value}", quoted(name, '"')));
            format!("struct_pack({})", named.join(", "))
        }
        Tool::Spark => {
            let named = values(|_tool, name, value| format!("{}, {value}", quoted(name, '\'')));
            format!("named_struct({})", named.join(", "))
        }
        Tool::Polars => {
            let named = values(|tool, name, value| aliased(tool, &value, name));
            format!("pl.struct({})", named.join(", "))
        }
        Tool::Trino => {
            let plain = values(|_tool, _name, value| value);
            format!("CAST(ROW({}) AS {})", plain.join(", "), trino_row(fields))
        }
    }
}

/// Trino's type of a row: its values have no names by themselves.
fn trino_row(fields: &[Field]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|field| {
            let data_type = match field.shape {
                Shape::Row(fields) => trino_row(fields),
                Shape::Boolean => "boolean".to_owned(),
                Shape::Timestamp => "timestamp(6) with time zone".to_owned(),
                Shape::MapOfVarchar => "map(varchar, varchar)".to_owned(),
                Shape::Array(fields) => format!("array({})", trino_row(fields)),
                _ => "varchar".to_owned(),
            };
            format!("{} {data_type}", quoted(field.name, '"'))
        })
        .collect();
    format!("ROW({})", fields.join(", "))
}

fn calendarday(tool: Tool) -> &'static str {
    match tool {
        Tool::DuckDb => "CAST(strftime(\"eventTime\" AT TIME ZONE 'UTC', '%Y%m%d') AS BIGINT)",
        Tool::Polars => "pl.col(\"eventTime\").dt.strftime(\"%Y%m%d\").cast(pl.Int64)",
        Tool::Spark => {
            "CAST(date_format(to_utc_timestamp(`eventTime`, current_timezone()), 'yyyyMMdd') AS BIGINT)"
        }
        Tool::Trino => "CAST(date_format(\"eventTime\" AT TIME ZONE 'UTC', '%Y%m%d') AS bigint)",
    }
}

/// `text` between quotes of that kind, as SQL has it.
fn quoted(text: &str, quote: char) -> String {
    format!("{quote}{}{quote}", text.replace(quote, &format!("{quote}{quote}")))
}

/// `text` as a string of Python, whose escapes are those of JSON.
fn python(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
