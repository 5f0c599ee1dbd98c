//! `$compare(symbol, left, right)`: comparisons of rows, arrays and maps, with SQL's three-valued
//! logic inside: `ROW(1, NULL) = ROW(2, 2)` is false and `ROW(1, NULL) = ROW(1, 2)` unknown. Also of
//! doubles and reals, of which Arrow says that NaN equals itself and 0.0 differs from -0.0.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DynComparator, Float32Array, Float64Array,
    make_comparator,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{SortOptions, cast};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::common::{Result, exec_err};

use super::{Operator, boolean_field, evaluated_text, over_arrays};

pub(super) fn operator() -> Operator {
    Operator::new(
        "$compare",
        |_| Ok(boolean_field()),
        |args| {
            let symbol = evaluated_text(args, 0)?.to_owned();
            over_arrays(args, |arrays| {
                let [_, left, right] = arrays else {
                    return exec_err!("a comparison takes two values");
                };
                let comparator = Comparator::new(left, right)?;
                let results: BooleanArray =
                    (0..left.len()).map(|row| comparator.test(&symbol, row, row)).collect();
                Ok(Arc::new(results))
            })
        },
    )
}

/// Compares values of two arrays of one type.
pub(crate) enum Comparator {
    Leaf { left: Option<NullBuffer>, right: Option<NullBuffer>, compare: DynComparator },
    Float32(Float32Array, Float32Array),
    Float64(Float64Array, Float64Array),
    Row { left: Option<NullBuffer>, right: Option<NullBuffer>, fields: Vec<Comparator> },
    List { left: Lists, right: Lists, items: Box<Comparator> },
    Map { left: Lists, right: Lists, keys: Box<Comparator>, values: Box<Comparator> },
}

pub(crate) struct Lists {
    nulls: Option<NullBuffer>,
    offsets: OffsetBuffer<i32>,
}

impl Lists {
    fn range(&self, row: usize) -> std::ops::Range<usize> {
        let bound = |at: usize| {
            self.offsets.get(at).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0)
        };
        bound(row)..bound(row + 1)
    }
}

fn is_null(nulls: Option<&NullBuffer>, row: usize) -> bool {
    nulls.is_some_and(|nulls| nulls.is_null(row))
}

impl Comparator {
    pub(crate) fn new(left: &ArrayRef, right: &ArrayRef) -> Result<Comparator> {
        match (left.data_type(), right.data_type()) {
            (DataType::Float32, DataType::Float32) => Ok(Comparator::Float32(
                left.as_primitive::<Float32Type>().clone(),
                right.as_primitive::<Float32Type>().clone(),
            )),
            (DataType::Float64, DataType::Float64) => Ok(Comparator::Float64(
                left.as_primitive::<Float64Type>().clone(),
                right.as_primitive::<Float64Type>().clone(),
            )),
            (DataType::Struct(_), DataType::Struct(_)) => {
                let (l, r) = (left.as_struct(), right.as_struct());
                let fields = l.columns().iter().zip(r.columns());
                let fields = fields.map(|(l, r)| Comparator::new(l, r)).collect::<Result<_>>()?;
                Ok(Comparator::Row { left: l.nulls().cloned(), right: r.nulls().cloned(), fields })
            }
            (DataType::List(_), DataType::List(_)) => {
                let (l, r) = (left.as_list::<i32>(), right.as_list::<i32>());
                let items = Box::new(Comparator::new(l.values(), r.values())?);
                let lists = |list: &arrow::array::ListArray| Lists {
                    nulls: list.nulls().cloned(),
                    offsets: list.offsets().clone(),
                };
                Ok(Comparator::List { left: lists(l), right: lists(r), items })
            }
            (DataType::Map(..), DataType::Map(..)) => {
                let (l, r) = (left.as_map(), right.as_map());
                let lists = |map: &arrow::array::MapArray| Lists {
                    nulls: map.nulls().cloned(),
                    offsets: map.offsets().clone(),
                };
                Ok(Comparator::Map {
                    left: lists(l),
                    right: lists(r),
                    keys: Box::new(Comparator::new(l.keys(), r.keys())?),
                    values: Box::new(Comparator::new(l.values(), r.values())?),
                })
            }
            (l, r) if l == r => Comparator::leaf(left, right),
            (l, _) => Comparator::new(left, &cast(right, &l.clone())?),
        }
    }

    fn leaf(left: &ArrayRef, right: &ArrayRef) -> Result<Comparator> {
        let compare = make_comparator(left, right, SortOptions::default())?;
        Ok(Comparator::Leaf { left: left.logical_nulls(), right: right.logical_nulls(), compare })
    }

    /// Evaluates the comparison spelled `symbol`.
    pub(super) fn test(&self, symbol: &str, left: usize, right: usize) -> Option<bool> {
        match symbol {
            "=" => self.equal(left, right),
            "<>" => self.equal(left, right).map(|equal| !equal),
            "<" => self.is_ordered(left, right, Ordering::is_lt),
            "<=" => self.is_ordered(left, right, Ordering::is_le),
            ">" => self.is_ordered(left, right, Ordering::is_gt),
            ">=" => self.is_ordered(left, right, Ordering::is_ge),
            "IS DISTINCT FROM" => Some(!self.same(left, right)),
            _ => Some(self.same(left, right)),
        }
    }

    fn nulls(&self, i: usize, j: usize) -> (bool, bool) {
        match self {
            Comparator::Float32(left, right) => (left.is_null(i), right.is_null(j)),
            Comparator::Float64(left, right) => (left.is_null(i), right.is_null(j)),
            Comparator::Leaf { left, right, .. } | Comparator::Row { left, right, .. } => {
                (is_null(left.as_ref(), i), is_null(right.as_ref(), j))
            }
            Comparator::List { left, right, .. } | Comparator::Map { left, right, .. } => {
                (is_null(left.nulls.as_ref(), i), is_null(right.nulls.as_ref(), j))
            }
        }
    }

    pub(crate) fn equal(&self, i: usize, j: usize) -> Option<bool> {
        if self.nulls(i, j) != (false, false) {
            return None;
        }
        match self {
            // Zero equals minus zero and NaN nothing, as in Trino.
            Comparator::Float32(left, right) => Some(left.value(i) == right.value(j)),
            Comparator::Float64(left, right) => Some(left.value(i) == right.value(j)),
            Comparator::Leaf { compare, .. } => Some(compare(i, j).is_eq()),
            Comparator::Row { fields, .. } => all(fields.iter().map(|field| field.equal(i, j))),
            Comparator::List { left, right, items } => {
                let (l, r) = (left.range(i), right.range(j));
                if l.len() != r.len() {
                    return Some(false);
                }
                all(l.zip(r).map(|(l, r)| items.equal(l, r)))
            }
            Comparator::Map { left, right, keys, values } => {
                let (l, r) = (left.range(i), right.range(j));
                if l.len() != r.len() {
                    return Some(false);
                }
                all(l.map(|l| {
                    let other = r.clone().find(|r| keys.equal(l, *r) == Some(true));
                    other.map_or(Some(false), |r| values.equal(l, r))
                }))
            }
        }
    }

    /// `NaN` is neither less nor greater than anything.
    fn is_ordered(&self, i: usize, j: usize, accepts: fn(Ordering) -> bool) -> Option<bool> {
        match self.order(i, j) {
            Order::Unknown => None,
            Order::None => Some(false),
            Order::Is(order) => Some(accepts(order)),
        }
    }

    fn order(&self, i: usize, j: usize) -> Order {
        if self.nulls(i, j) != (false, false) {
            return Order::Unknown;
        }
        let partial = |order: Option<Ordering>| order.map_or(Order::None, Order::Is);
        match self {
            Comparator::Float32(left, right) => partial(left.value(i).partial_cmp(&right.value(j))),
            Comparator::Float64(left, right) => partial(left.value(i).partial_cmp(&right.value(j))),
            Comparator::Leaf { compare, .. } => Order::Is(compare(i, j)),
            Comparator::Row { fields, .. } => first(fields.iter().map(|field| field.order(i, j))),
            Comparator::List { left, right, items } => {
                let (l, r) = (left.range(i), right.range(j));
                let lengths = Order::Is(l.len().cmp(&r.len()));
                first(l.zip(r).map(|(l, r)| items.order(l, r)).chain([lengths]))
            }
            Comparator::Map { .. } => Order::Unknown,
        }
    }

    /// Whether two values are the same, NULL being the same as NULL.
    fn same(&self, i: usize, j: usize) -> bool {
        match self.nulls(i, j) {
            (true, true) => return true,
            (true, false) | (false, true) => return false,
            (false, false) => {}
        }
        match self {
            Comparator::Row { fields, .. } => fields.iter().all(|field| field.same(i, j)),
            Comparator::List { left, right, items } => {
                let (l, r) = (left.range(i), right.range(j));
                l.len() == r.len() && l.zip(r).all(|(l, r)| items.same(l, r))
            }
            Comparator::Map { left, right, keys, values } => {
                let (l, r) = (left.range(i), right.range(j));
                l.len() == r.len()
                    && l.into_iter().all(|l| {
                        let other = r.clone().find(|r| keys.same(l, *r));
                        other.is_some_and(|r| values.same(l, r))
                    })
            }
            Comparator::Float32(left, right) => {
                let (l, r) = (left.value(i), right.value(j));
                l == r || (l.is_nan() && r.is_nan())
            }
            Comparator::Float64(left, right) => {
                let (l, r) = (left.value(i), right.value(j));
                l == r || (l.is_nan() && r.is_nan())
            }
            Comparator::Leaf { compare, .. } => compare(i, j).is_eq(),
        }
    }
}

/// SQL's AND over many terms.
fn all(terms: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(true);
    for term in terms {
        match term {
            Some(true) => {}
            Some(false) => return Some(false),
            None => result = None,
        }
    }
    result
}

/// How two values stand to each other.
enum Order {
    /// A NULL is in the way.
    Unknown,
    /// Neither comes first.
    None,
    Is(Ordering),
}

/// The first difference; a NULL before it leaves the order unknown.
fn first(orders: impl Iterator<Item = Order>) -> Order {
    for order in orders {
        match order {
            Order::Is(Ordering::Equal) => {}
            other => return other,
        }
    }
    Order::Is(Ordering::Equal)
}
