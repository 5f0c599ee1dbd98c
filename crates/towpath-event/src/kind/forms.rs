//! The forms in which an event stands in a file: which key leads to which column.

use super::keys::Keys;
use crate::schema::{Leaf, TableColumn};

/// A form, as it is written down.
#[derive(Clone, Copy, Debug)]
pub(super) struct FormSpec {
    /// The key that tells this form from the others; `None` for the last form.
    pub(super) mark: Option<&'static str>,
    /// The row that the whole event is, besides being the event.
    pub(super) whole: Option<&'static str>,
    /// Paths in the event that lead to a physical column of another name.
    pub(super) aliases: &'static [(&'static str, &'static str)],
    /// The key of the time that places the event.
    pub(super) time: &'static str,
    /// Of the last form: the keys under which a file lists events.
    pub(super) lists: &'static [&'static str],
}

/// The form of an event as the table has it.
pub(super) const PLAIN: FormSpec =
    FormSpec { mark: None, whole: None, aliases: &[], time: "eventTime", lists: &["Records"] };

/// A form, ready to be used.
#[derive(Debug)]
pub(super) struct Form {
    /// In lower case, as is the next.
    pub(super) mark: Option<String>,
    pub(super) time: String,
    pub(super) lists: &'static [&'static str],
    pub(super) keys: Keys,
}

impl Form {
    pub(super) fn new(spec: &FormSpec, table: &[TableColumn], leaves: &[Leaf]) -> Form {
        Form {
            mark: spec.mark.map(str::to_ascii_lowercase),
            time: spec.time.to_ascii_lowercase(),
            lists: spec.lists,
            keys: Keys::of_table(table, leaves, spec.whole, spec.aliases),
        }
    }
}
