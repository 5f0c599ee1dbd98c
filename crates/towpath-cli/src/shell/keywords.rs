//! The keywords of Trino's queries, for colours and completion.

use std::collections::BTreeSet;
use std::sync::LazyLock;

/// In upper case.
static KEYWORDS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| towpath::keywords().collect());

/// Whether `word` is a keyword, in any case.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(word.to_ascii_uppercase().as_str())
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
        assert!(is_keyword("select") && is_keyword("Cast") && !is_keyword("eventName"));
        assert_eq!(keywords("wit").collect::<Vec<_>>(), ["with", "within", "without"]);
        assert_eq!(keywords("WINDOW").collect::<Vec<_>>(), ["WINDOW"]);
    }
}
