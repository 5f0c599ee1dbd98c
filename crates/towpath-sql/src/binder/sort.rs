//! Sort items. Trino puts NULL last in both directions unless told otherwise.

use datafusion::logical_expr::expr::Sort;

use super::comparison::is_orderable;
use super::expression::ExprBinder;
use super::mismatch;
use crate::ast::SortItem;
use crate::error::Result;

impl ExprBinder<'_> {
    pub(super) fn sort_items(&mut self, items: &[SortItem]) -> Result<Vec<Sort>> {
        items
            .iter()
            .map(|item| {
                let bound = self.bind(&item.expr)?;
                if !is_orderable(&bound.data_type) {
                    let data_type = &bound.data_type;
                    let message = format!(
                        "Type {data_type} is not orderable, and therefore cannot be used in ORDER BY"
                    );
                    return Err(mismatch(item.expr.at, message));
                }
                Ok(Sort::new(bound.expr, !item.descending, item.nulls_first))
            })
            .collect()
    }
}
