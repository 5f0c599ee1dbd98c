//! The reference of the SQL functions is what the code says.

use std::fs;

use towpath_benches::reference::{files, functions};

use crate::project;

#[test]
fn the_pages_are_what_the_generator_writes() {
    for (path, text) in files(&project("")).unwrap() {
        let committed = fs::read_to_string(project("").join(&path)).unwrap_or_default();
        assert!(
            committed == text,
            "{} is stale: cargo run -p towpath-benches --bin reference",
            path.display()
        );
    }
}

#[test]
fn every_function_says_how_it_is_called_and_what_it_does() {
    let functions = functions(&project("")).unwrap();
    assert!(functions.len() > 300, "{} functions", functions.len());
    for function in functions {
        assert!(!function.signatures.is_empty(), "{}", function.name);
        assert!(function.summary.len() > 3, "{}", function.name);
        assert!(!function.summary.contains('\t'), "{}", function.name);
        assert!(function.page.starts_with("https://trino.io/docs/"), "{}", function.name);
    }
}

#[test]
fn every_known_difference_is_explained() {
    let page = fs::read_to_string(project("crates/towpath-sql/docs/differences.md")).unwrap();
    let known = fs::read_to_string(project("crates/towpath-sql/tests/golden_known.txt")).unwrap();
    let ids = known.lines().filter(|line| line.starts_with("tg-"));
    for id in ids.filter_map(|line| line.split(' ').next()) {
        assert!(page.contains(id), "{id} is not in differences.md");
    }
}
