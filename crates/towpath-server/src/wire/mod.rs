//! What AWS's clients send and what they understand: the model of the API as a table, its checks,
//! and errors in its form.

mod api_error;
mod model;
mod validate;

pub(crate) use self::api_error::ApiError;
pub(crate) use self::model::PUT_AUDIT_EVENTS;
pub(crate) use self::validate::{validate, validate_members};

/// One operation of the API.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The name, as it ends `X-Amz-Target`.
    pub(crate) name: &'static str,
    /// The members of the request.
    pub(crate) input: &'static [Member],
    /// The errors that AWS declares for it, separated by spaces, without `Exception` at the end.
    pub(crate) errors: &'static str,
}

impl Operation {
    /// The operation of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Operation> {
        let index = model::OPERATIONS.binary_search_by(|operation| operation.name.cmp(name));
        index.ok().and_then(|index| model::OPERATIONS.get(index))
    }

    /// All operations, by name.
    pub(crate) fn all() -> &'static [Operation] {
        model::OPERATIONS
    }

    /// Whether it changes nothing, so that doing it twice is doing it once.
    pub(crate) fn is_read_only(&self) -> bool {
        let verbs = ["Get", "List", "Describe", "Lookup", "Search", "Generate"];
        verbs.iter().any(|verb| self.name.starts_with(verb))
    }

    /// Whether AWS declares the error `code`, which ends in `Exception`, for this operation.
    pub(crate) fn declares(&self, code: &str) -> bool {
        let short = code.strip_suffix("Exception").unwrap_or(code);
        self.errors.split_ascii_whitespace().any(|error| error == short)
    }
}

/// One member of a structure.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) shape: &'static Shape,
    pub(crate) is_required: bool,
}

/// What a value must be. Lengths are counted in characters, bounds are inclusive.
#[derive(Debug)]
pub(crate) enum Shape {
    Boolean,
    /// Seconds since 1970 as a number, with or without a fraction.
    Timestamp,
    Integer {
        min: i64,
        max: i64,
    },
    Text {
        min: usize,
        max: usize,
        /// What the whole text must match.
        pattern: Option<&'static str>,
    },
    OneOf(&'static [&'static str]),
    List {
        member: &'static Shape,
        min: usize,
        max: usize,
    },
    Map {
        key: &'static Shape,
        value: &'static Shape,
        min: usize,
        max: usize,
    },
    Structure(&'static [Member]),
}

const fn text(min: usize, max: usize) -> Shape {
    Shape::Text { min, max, pattern: None }
}

const fn matching(min: usize, max: usize, pattern: &'static str) -> Shape {
    Shape::Text { min, max, pattern: Some(pattern) }
}

const fn required(name: &'static str, shape: &'static Shape) -> Member {
    Member { name, shape, is_required: true }
}

const fn optional(name: &'static str, shape: &'static Shape) -> Member {
    Member { name, shape, is_required: false }
}

#[cfg(test)]
mod tests {
    use super::Operation;

    #[test]
    fn every_operation_of_the_api_is_found_by_its_name() {
        assert_eq!(Operation::all().len(), 60);
        for operation in Operation::all() {
            assert_eq!(Operation::named(operation.name).unwrap().name, operation.name);
        }
        assert!(Operation::named("StartQuery").unwrap().declares("InvalidQueryStatementException"));
        assert!(Operation::named("startquery").is_none());
    }
}
