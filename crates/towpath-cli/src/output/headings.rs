//! Headings that must differ from one another.
//!
//! SQL lets two columns of a result have one heading (`SELECT a.arn, b.arn`). CSV and tables print
//! such headings as they are; an object or a Parquet schema cannot hold the same name twice.

use std::collections::HashSet;

use arrow::datatypes::Schema;

/// The headings of `schema`, in order, each made unique: the second `arn` becomes `arn_2`.
pub(crate) fn unique_headings(schema: &Schema) -> Vec<String> {
    let asked: HashSet<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let mut taken: HashSet<String> = HashSet::with_capacity(schema.fields().len());
    let mut headings = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let mut heading = field.name().clone();
        let mut count = 2_usize;
        while taken.contains(&heading) {
            let candidate = format!("{}_{count}", field.name());
            count += 1;
            // A column that really is called `arn_2` keeps its name.
            if !asked.contains(candidate.as_str()) {
                heading = candidate;
            }
        }
        taken.insert(heading.clone());
        headings.push(heading);
    }
    headings
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};

    use super::*;

    fn headings(names: &[&str]) -> Vec<String> {
        let fields: Vec<Field> =
            names.iter().map(|name| Field::new(*name, DataType::Int64, true)).collect();
        unique_headings(&Schema::new(fields))
    }

    #[test]
    fn a_repeated_heading_gets_a_number() {
        assert_eq!(headings(&["arn", "arn", "x", "arn"]), ["arn", "arn_2", "x", "arn_3"]);
    }

    #[test]
    fn a_column_that_has_such_a_name_keeps_it() {
        assert_eq!(headings(&["arn", "arn", "arn_2"]), ["arn", "arn_3", "arn_2"]);
    }
}
