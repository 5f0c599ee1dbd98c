//! Saved queries: statements under a name, kept in the lake for everyone who opens it.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use towpath_sql::Statement;
use towpath_store::Documents;

use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::lake::Lake;

/// What is kept, as errors name it.
const WHAT: &str = "saved query";

/// Longest name, in characters: that of a query's alias in CloudTrail Lake is 256, file systems
/// have less.
const NAME_CHARS_MAX: usize = 128;

/// Longest statement and description, in bytes.
const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// Saved queries of a lake, at most: what a list reads.
const SAVED_MAX: usize = 10_000;

/// A statement under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedQuery {
    /// Its name: a letter, then letters, digits, `.`, `_` and `-`; unique without regard to case.
    pub name: String,
    /// The statement, which may have parameters.
    pub statement: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
}

impl Lake {
    /// Keeps a query under its name; over the one of that name if `replace` is set.
    ///
    /// The statement must be one; what it names need not exist yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidStatement`](crate::ErrorKind::InvalidStatement);
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for a name that none may
    /// have; [`ErrorKind::Exists`](crate::ErrorKind::Exists); storage errors.
    pub async fn save_query(&self, query: &SavedQuery, replace: bool) -> Result<()> {
        let event = AuditEvent::new("PutSavedQuery").of_towpath().with_request(json!({
            "name": query.name,
            "queryStatement": query.statement,
            "description": query.description,
            "replace": replace,
        }));
        let save = Box::pin(self.save_unrecorded(query, replace));
        self.audit().change(event, save, |()| Value::Null).await
    }

    async fn save_unrecorded(&self, query: &SavedQuery, replace: bool) -> Result<()> {
        let file = file_name(WHAT, &query.name)?;
        let description = query.description.as_ref().map_or(0, String::len);
        if query.statement.len().max(description) > TEXT_BYTES_MAX {
            return Err(Error::InvalidArgument(format!(
                "the statement or description is longer than {TEXT_BYTES_MAX} bytes"
            )));
        }
        Statement::parse(&query.statement)?;
        let documents = self.saved();
        let content = encode(query)?;
        if replace {
            return Ok(documents.write(&file, content).await?);
        }
        let exists = || Error::Exists { what: WHAT, name: query.name.clone() };
        // Creating what is there with the same content is no error of its own.
        if documents.read(&file).await?.is_some() {
            return Err(exists());
        }
        if documents.names("").await?.len() >= SAVED_MAX {
            return Err(Error::InvalidArgument(format!("the lake has {SAVED_MAX} saved queries")));
        }
        match documents.create(&file, content).await? {
            true => Ok(()),
            false => Err(exists()),
        }
    }

    /// The saved query of that name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound); storage errors.
    pub async fn saved_query(&self, name: &str) -> Result<SavedQuery> {
        let not_found = || Error::NotFound { what: WHAT, name: name.to_owned() };
        let file = file_name(WHAT, name).map_err(|_| not_found())?;
        let found = self.saved().read(&file).await?.ok_or_else(not_found)?;
        decode(WHAT, name, &found.content)
    }

    /// All saved queries, by name.
    ///
    /// # Errors
    ///
    /// Storage errors.
    pub async fn saved_queries(&self) -> Result<Vec<SavedQuery>> {
        let documents = self.saved();
        let mut queries = Vec::new();
        for file in documents.names("").await?.into_iter().take(SAVED_MAX) {
            // One that is gone by now was deleted meanwhile.
            if let Some(found) = documents.read(&file).await? {
                queries.push(decode(WHAT, &file, &found.content)?);
            }
        }
        Ok(queries)
    }

    /// Deletes the saved query of that name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound); storage errors.
    pub async fn delete_saved_query(&self, name: &str) -> Result<()> {
        let delete = async {
            self.saved_query(name).await?;
            Ok(self.saved().remove(&file_name(WHAT, name)?).await?)
        };
        let event = AuditEvent::new("DeleteSavedQuery").of_towpath();
        let event = event.with_request(json!({"name": name}));
        self.audit().change(event, Box::pin(delete), |()| Value::Null).await
    }

    fn saved(&self) -> Documents {
        self.catalog().documents("saved-queries")
    }
}

/// The parameters that a statement has: how many `?`, and the names of the others.
///
/// # Errors
///
/// [`ErrorKind::InvalidStatement`](crate::ErrorKind::InvalidStatement).
pub fn statement_parameters(statement: &str) -> Result<(usize, Vec<String>)> {
    let parameters = Statement::parse(statement)?.parameters();
    Ok((parameters.positional, parameters.named))
}

/// The document of a thing that people name.
pub(crate) fn file_name(what: &str, name: &str) -> Result<String> {
    let is_in = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(is_in)
        && name.len() <= NAME_CHARS_MAX;
    if is_name {
        return Ok(format!("{}.json", name.to_ascii_lowercase()));
    }
    Err(Error::InvalidArgument(format!(
        "`{name}` cannot name a {what}; give a letter, then letters, digits, `.`, `_` or `-`, \
         {NAME_CHARS_MAX} at most"
    )))
}

pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Bytes> {
    let text = serde_json::to_vec(value);
    text.map(Bytes::from).map_err(|error| Error::InvalidArgument(error.to_string()))
}

pub(crate) fn decode<T: for<'a> Deserialize<'a>>(
    what: &'static str,
    name: &str,
    content: &[u8],
) -> Result<T> {
    // The parser's own words may quote the statement.
    serde_json::from_slice(content)
        .map_err(|_| Error::DamagedDocument { what, name: name.to_owned() })
}

/// A time as it is kept; 1970 for what no calendar has.
pub(crate) fn moment(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn names_are_safe_in_every_file_system() {
        assert_eq!(file_name("x", "Root-Use.v2").unwrap(), "root-use.v2.json");
        for name in ["", "1a", ".a", "a/b", "a b", "ü", "-a", &"a".repeat(129)] {
            assert!(file_name("x", name).is_err(), "{name}");
        }
    }
}
