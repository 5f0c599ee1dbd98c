//! [`Column`]: what the table of a store looks like, for people who write statements.

use std::collections::BTreeSet;
use std::iter;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use towpath_event::{Field, Shape, TableColumn};
use towpath_ingest::Intake;
use towpath_sql::{Statement, Type};

use crate::error::Result;
use crate::lake::Lake;

/// How long a look at the columns of a store may take: it is planned and not run.
const PLANNING_MAX: Duration = Duration::from_secs(60);

/// A column of a store, or a field of the rows in one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// The name, in CloudTrail's spelling where it has one. Statements may spell it in any case.
    pub name: String,

    /// Trino's type, such as `varchar` or `map(varchar, varchar)`.
    pub data_type: String,

    /// One sentence for the user; empty where there is nothing to say.
    pub description: String,

    /// The fields, if this is a row or an array of rows.
    pub fields: Vec<Column>,
}

impl Lake {
    /// The columns of a store, by its name, id or ARN, in the order of `SELECT *`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::StoreNotFound`](crate::ErrorKind::StoreNotFound), and storage errors.
    pub async fn columns(&self, store: &str) -> Result<Vec<Column>> {
        let statement = format!("SELECT * FROM \"{}\"", store.replace('"', "\"\""));
        let session = self.session(Arc::default(), Instant::now() + PLANNING_MAX);
        let planned = Statement::parse(&statement)?.plan(&session, self).await?;
        let settings = self.catalog().store(store).await?.settings();
        let table = Intake::of(&settings)?.kind().table();
        let columns = planned.headings.iter().zip(&planned.types);
        Ok(columns.map(|(name, data_type)| table_column(table, name, data_type)).collect())
    }
}

fn table_column(table: &[TableColumn], name: &str, data_type: &Type) -> Column {
    match table.iter().find(|known| known.name.eq_ignore_ascii_case(name)) {
        Some(known) => column(known.name, data_type, known.doc, fields_of(known.shape)),
        None => column(name, data_type, "", &[]),
    }
}

fn column(name: &str, data_type: &Type, doc: &str, known: &[Field]) -> Column {
    let row = match data_type {
        Type::Array(element) => element.as_ref(),
        other => other,
    };
    let fields = match row {
        Type::Row(fields) => fields
            .iter()
            .filter_map(|field| {
                let name = field.name.as_deref()?;
                let known = known.iter().find(|known| known.name.eq_ignore_ascii_case(name));
                Some(match known {
                    Some(known) => {
                        column(known.name, &field.data_type, known.doc, fields_of(known.shape))
                    }
                    None => column(name, &field.data_type, "", &[]),
                })
            })
            .collect(),
        _ => Vec::new(),
    };
    Column {
        name: name.to_owned(),
        data_type: data_type.to_string(),
        description: doc.to_owned(),
        fields,
    }
}

fn fields_of(shape: Shape) -> &'static [Field] {
    match shape {
        Shape::Row(fields) => fields,
        _ => &[],
    }
}

/// The functions that a statement may call, by name and other names, sorted.
pub fn function_names() -> Vec<String> {
    let names = towpath_sql::functions().flat_map(|function| {
        iter::once(function.name).chain(function.aliases()).map(str::to_owned)
    });
    let names: BTreeSet<String> = names.collect();
    names.into_iter().collect()
}
