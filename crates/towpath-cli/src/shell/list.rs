//! Lists of what there is, as rows like any others.

use std::sync::Arc;

use anyhow::Result;
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use towpath::{Column, SampleQuery, function_names, sample_queries};

/// A row per column; the fields of a row follow it under their own paths.
pub(super) fn columns(columns: &[Column]) -> Result<RecordBatch> {
    let mut listed = Vec::new();
    for column in columns {
        push(&mut listed, "", column);
    }
    rows(
        ["column", "type", "description"],
        listed
            .into_iter()
            .map(|(path, column, data_type)| [path, data_type, column.description.clone()]),
    )
}

fn push<'a>(listed: &mut Vec<(String, &'a Column, String)>, above: &str, column: &'a Column) {
    let path = format!("{above}{}", column.name);
    let data_type = match column.fields.as_slice() {
        [] => column.data_type.clone(),
        // The fields are listed below; once is enough.
        _ => column.data_type.replace(row_type(&column.data_type), "row"),
    };
    listed.push((path.clone(), column, data_type));
    for field in &column.fields {
        push(listed, &format!("{path}."), field);
    }
}

/// The part of the name of a type that is `row(…)`.
fn row_type(data_type: &str) -> &str {
    let is_array = data_type.starts_with("array(");
    let inner = data_type.strip_prefix("array(").and_then(|inner| inner.strip_suffix(')'));
    if is_array { inner.unwrap_or(data_type) } else { data_type }
}

/// The functions whose name contains `word`.
pub(super) fn functions(word: Option<&str>) -> Result<RecordBatch> {
    let word = word.unwrap_or_default().to_lowercase();
    let names = function_names().into_iter().filter(|name| name.contains(&word));
    rows(["function"], names.map(|name| [name]))
}

/// The examples about `word`; the one of that very name alone.
pub(super) fn examples_about(word: Option<&str>) -> Vec<SampleQuery> {
    let all = sample_queries();
    let Some(word) = word else { return all.to_vec() };
    let exact = all.iter().find(|example| example.name() == word);
    match exact {
        Some(example) => vec![*example],
        None => all.iter().filter(|example| example.is_about(word)).copied().collect(),
    }
}

/// A row per example.
pub(super) fn examples(examples: &[SampleQuery]) -> Result<RecordBatch> {
    rows(
        ["example", "category", "finds"],
        examples.iter().map(|example| {
            [example.name(), example.category(), example.title()].map(str::to_owned)
        }),
    )
}

/// Columns of text.
fn rows<const N: usize>(
    headings: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<RecordBatch> {
    let rows: Vec<[String; N]> = rows.collect();
    let columns = headings.iter().enumerate().map(|(index, heading)| {
        let values = rows.iter().filter_map(|row| row.get(index));
        (*heading, Arc::new(StringArray::from_iter_values(values)) as ArrayRef)
    });
    Ok(RecordBatch::try_from_iter(columns)?)
}
