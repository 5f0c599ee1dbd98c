//! Names: case, relations found before planning, statements cut at `;`.

use towpath_sql::{Statement, split_statements};

#[test]
fn relations_are_listed_once_and_without_common_table_expressions() {
    let sql = "WITH a AS (SELECT * FROM s-1) SELECT * FROM a, S2, (SELECT 1 FROM s-1) x WHERE EXISTS (SELECT 1 FROM arn:aws:cloudtrail:us-east-1:1:eventdatastore/x-y)";
    let names = Statement::parse(sql).unwrap().relation_names();
    let texts: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
    assert_eq!(texts, ["s-1", "S2", "arn:aws:cloudtrail:us-east-1:1:eventdatastore/x-y"]);
}

#[test]
fn statements_are_cut_outside_strings_and_comments() {
    let parts = split_statements("SELECT 1; SELECT ';' /* ; */;\n-- end\n");
    let texts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
    assert_eq!(texts, ["SELECT 1", "SELECT ';' /* ; */"]);
    assert!(parts.iter().all(|part| part.terminated));
}
