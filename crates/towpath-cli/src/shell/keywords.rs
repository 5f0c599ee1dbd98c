//! The keywords of Trino's queries, for colours and completion.

/// Sorted, in upper case.
const KEYWORDS: &[&str] = &[
    "ALL",
    "ANALYZE",
    "AND",
    "ANY",
    "ARRAY",
    "AS",
    "ASC",
    "AT",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CROSS",
    "CUBE",
    "CURRENT",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "DATE",
    "DAY",
    "DESC",
    "DISTINCT",
    "ELSE",
    "END",
    "ESCAPE",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "EXTRACT",
    "FALSE",
    "FETCH",
    "FILTER",
    "FIRST",
    "FOLLOWING",
    "FROM",
    "FULL",
    "GROUP",
    "GROUPING",
    "HAVING",
    "HOUR",
    "IF",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LAST",
    "LATERAL",
    "LEFT",
    "LIKE",
    "LIMIT",
    "MINUTE",
    "MONTH",
    "NATURAL",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "ONLY",
    "OR",
    "ORDER",
    "ORDINALITY",
    "OUTER",
    "OVER",
    "PARTITION",
    "PRECEDING",
    "RANGE",
    "RECURSIVE",
    "RIGHT",
    "ROLLUP",
    "ROW",
    "ROWS",
    "SECOND",
    "SELECT",
    "SETS",
    "SOME",
    "TABLE",
    "THEN",
    "TIME",
    "TIMESTAMP",
    "TRUE",
    "TRY",
    "TRY_CAST",
    "UNBOUNDED",
    "UNION",
    "UNNEST",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
    "WITHIN",
    "WITHOUT",
    "YEAR",
    "ZONE",
];

/// Whether `word` is a keyword, in any case.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.binary_search(&word.to_ascii_uppercase().as_str()).is_ok()
}

/// The keywords that begin as `prefix` does, in its case.
pub(super) fn keywords(prefix: &str) -> impl Iterator<Item = String> + '_ {
    let upper = prefix.to_ascii_uppercase();
    let is_lower = prefix.chars().any(char::is_lowercase);
    let matching = KEYWORDS.iter().filter(move |keyword| keyword.starts_with(&upper));
    matching.map(
        move |keyword| {
            if is_lower { keyword.to_ascii_lowercase() } else { (*keyword).to_owned() }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_found_in_any_case() {
        assert!(KEYWORDS.is_sorted());
        assert!(is_keyword("select") && is_keyword("Try_Cast") && !is_keyword("eventName"));
        assert_eq!(keywords("wit").collect::<Vec<_>>(), ["with", "within", "without"]);
        assert_eq!(keywords("WINDOW").collect::<Vec<_>>(), ["WINDOW"]);
    }
}
