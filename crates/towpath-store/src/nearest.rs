//! The name that was most likely meant.

/// Names looked at. A hint is not worth more time than this.
const NAMES_MAX: usize = 1_000;

/// Bytes of a name that is compared; the work grows with the square.
const NAME_BYTES_MAX: usize = 128;

/// Edits after which a name is another name.
const EDITS_MAX: usize = 2;

/// The one of `names` that differs least from `name`, case aside, if it differs little enough.
pub(crate) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let name = name.to_ascii_lowercase();
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    names
        .take(NAMES_MAX)
        .filter(|other| other.len() <= NAME_BYTES_MAX)
        .map(|other| (edits(name.as_bytes(), other.to_ascii_lowercase().as_bytes()), other))
        .filter(|(edits, other)| *edits <= EDITS_MAX && *edits < other.len())
        .min()
        .map(|(_, other)| other.to_owned())
}

/// Bytes to insert, remove or replace to get from one to the other (Levenshtein).
fn edits(from: &[u8], to: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::{edits, nearest};

    #[test]
    fn edits_are_counted() {
        for (from, to, expected) in
            [("", "", 0), ("trail", "trial", 2), ("abc", "abcd", 1), ("abc", "", 3), ("a", "b", 1)]
        {
            assert_eq!(edits(from.as_bytes(), to.as_bytes()), expected, "{from} {to}");
        }
    }

    #[test]
    fn nearest_name_is_suggested_and_a_far_one_is_not() {
        let names = || ["org-trail", "dev-trail"].into_iter();
        assert_eq!(nearest("Org-Trial", names()).as_deref(), Some("org-trail"));
        assert_eq!(nearest("something", names()), None);
    }
}
