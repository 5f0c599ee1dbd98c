//! What a filter on the value of a map's key says about the map's keys.
//!
//! `element_at(requestParameters, 'bucketName') = 'logs'` holds for no event whose request
//! parameters lack the key. The key sets of data files (see `towpath_store::key_set_column`) say so
//! without the maps: [`key_filter`] finds such filters, and the scan tries what it makes of them
//! before it decodes anything else. `map[key]` is left alone: there, Trino has a missing key fail
//! the query.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringViewArray};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result, ScalarValue, exec_err};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, Operator, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility, lit,
};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_plan::PhysicalExpr;
use towpath_store::{key_set_column, may_have_key};

/// What Trino calls the lookup that is NULL where a map lacks the key.
const LOOKUP: &str = "element_at";

/// A filter on key sets that holds for every row of which all of `filters` are true, or `None` if
/// they say nothing about keys. `schema` has the key sets.
///
/// # Errors
///
/// Those of DataFusion's planning.
pub(crate) fn key_filter(
    state: &dyn Session,
    filters: &[Expr],
    schema: &SchemaRef,
) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    if !filters.iter().any(has_lookup) {
        return Ok(None);
    }
    let schema = Arc::new(DFSchema::try_from(Arc::clone(schema))?);
    let context = SimplifyContext::builder()
        .with_schema(Arc::clone(&schema))
        .with_config_options(Arc::clone(state.config().options()))
        .build();
    let finder = Finder { schema: &schema, simplifier: ExprSimplifier::new(context) };
    let mut found: Vec<Expr> = Vec::new();
    for filter in filters {
        finder.add_needed(filter, &mut found)?;
    }
    conjunction(found).map(|filter| state.create_physical_expr(filter, &schema)).transpose()
}

fn has_lookup(filter: &Expr) -> bool {
    filter.exists(|expr| Ok(lookup(expr).is_some())).unwrap_or(false)
}

/// The column of key sets and the key of a lookup by a constant key.
fn lookup(expr: &Expr) -> Option<(String, &str)> {
    let Expr::ScalarFunction(call) = expr else { return None };
    let [Expr::Column(map), Expr::Literal(key, _)] = call.args.as_slice() else { return None };
    let key = key.try_as_str().flatten().filter(|_| call.func.name() == LOOKUP)?;
    Some((key_set_column(&map.name)?, key))
}

struct Finder<'a> {
    schema: &'a DFSchema,
    simplifier: ExprSimplifier,
}

impl Finder<'_> {
    /// Adds to `found` what key sets must say for `filter` to be true. Recursion is as deep as the
    /// statement, whose depth is capped.
    fn add_needed(&self, filter: &Expr, found: &mut Vec<Expr>) -> Result<()> {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
                self.add_needed(left, found)?;
                self.add_needed(right, found)
            }
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
                let (mut of_left, mut of_right) = (Vec::new(), Vec::new());
                self.add_needed(left, &mut of_left)?;
                self.add_needed(right, &mut of_right)?;
                // One side that says nothing leaves nothing to say.
                found.extend(
                    conjunction(of_left)
                        .zip(conjunction(of_right))
                        .map(|(left, right)| left.or(right)),
                );
                Ok(())
            }
            _ => {
                for (key_sets, key) in lookups(filter)? {
                    if self.needs(filter, &key_sets, &key)? {
                        found.push(may_have(&key_sets, key));
                    }
                }
                Ok(())
            }
        }
    }

    /// Whether `filter` is false or NULL wherever the lookup of `key` gives NULL.
    fn needs(&self, filter: &Expr, key_sets: &str, key: &str) -> Result<bool> {
        let without = filter.clone().transform_up(|expr| {
            if lookup(&expr).is_none_or(|found| found != (key_sets.to_owned(), key)) {
                return Ok(Transformed::no(expr));
            }
            let null = ScalarValue::try_from(&expr.get_type(self.schema)?)?;
            Ok(Transformed::yes(Expr::Literal(null, None)))
        })?;
        let simplified = self.simplifier.simplify(without.data)?;
        let Expr::Literal(value, _) = simplified else { return Ok(false) };
        Ok(value.is_null() || value == ScalarValue::Boolean(Some(false)))
    }
}

/// The lookups in `filter`, each once.
fn lookups(filter: &Expr) -> Result<Vec<(String, String)>> {
    let mut found: Vec<(String, String)> = Vec::new();
    filter.apply(|expr| {
        if let Some((key_sets, key)) = lookup(expr) {
            let lookup = (key_sets, key.to_owned());
            if !found.contains(&lookup) {
                found.push(lookup);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

fn may_have(key_sets: &str, key: String) -> Expr {
    let key_sets = Expr::Column(Column::from_name(key_sets));
    ScalarUDF::new_from_impl(MayHaveKey::new()).call(vec![key_sets, lit(key)])
}

/// Whether a map with a key set may have a key: true where there is no key set.
#[derive(Debug, PartialEq, Eq, Hash)]
struct MayHaveKey {
    signature: Signature,
}

impl MayHaveKey {
    fn new() -> MayHaveKey {
        MayHaveKey { signature: Signature::any(2, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for MayHaveKey {
    fn name(&self) -> &'static str {
        "towpath_may_have_key"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [key_sets, ColumnarValue::Scalar(key)] = args.args.as_slice() else {
            return exec_err!("{} takes key sets and a constant key", self.name());
        };
        let Some(key) = key.try_as_str().flatten() else {
            return exec_err!("{} takes a key that is a text", self.name());
        };
        let of = |column: &ArrayRef| match column.as_string_view_opt() {
            Some(key_sets) => having(key_sets, key),
            // A data file without key sets.
            None => BooleanArray::from(vec![true; column.len()]),
        };
        Ok(match key_sets {
            ColumnarValue::Array(column) => ColumnarValue::Array(Arc::new(of(column))),
            ColumnarValue::Scalar(scalar) => {
                let answer = of(&scalar.to_array()?).value(0);
                ColumnarValue::Scalar(ScalarValue::Boolean(Some(answer)))
            }
        })
    }
}

/// Answers that are remembered. A batch has some ten key sets, which alternate.
const REMEMBERED: usize = 64;

/// Which of `key_sets` may have `key`.
///
/// Rows of one key set have one view, of the page's dictionary, and it is looked into once.
fn having(key_sets: &StringViewArray, key: &str) -> BooleanArray {
    let mut remembered: [Option<(u128, bool)>; REMEMBERED] = [None; REMEMBERED];
    let views = key_sets.views();
    let answer = |row: usize| {
        if key_sets.is_null(row) {
            return true;
        }
        let Some(&view) = views.get(row) else { return true };
        // The length, and where it is: texts of one length lie apart by more than that.
        let slot = usize::try_from((view ^ view >> 96) % REMEMBERED as u128).unwrap_or(0);
        match remembered.get(slot) {
            Some(Some((known, answer))) if *known == view => *answer,
            _ => {
                let answer = may_have_key(key_sets.value(row), key);
                if let Some(place) = remembered.get_mut(slot) {
                    *place = Some((view, answer));
                }
                answer
            }
        }
    };
    BooleanArray::from((0..key_sets.len()).map(answer).collect::<Vec<bool>>())
}

#[cfg(test)]
mod tests {
    use super::having;
    use arrow::array::StringViewArray;

    #[test]
    fn rows_without_a_key_set_may_have_any_key() {
        let long = "\nbucketName\nHost\nencryptionContext\n";
        let sets =
            StringViewArray::from(vec![Some(long), None, Some(""), Some("\na\n"), Some(long)]);
        let answers: Vec<bool> = having(&sets, "Host").values().iter().collect();
        assert_eq!(answers, [true, true, false, false, true]);
    }
}
