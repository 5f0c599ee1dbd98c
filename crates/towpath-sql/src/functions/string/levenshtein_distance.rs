//! `levenshtein_distance(string1, string2)`: the fewest insertions, deletions and changes of a code
//! point that turn one into the other. As in Trino, the product of the lengths is bounded.
//!
//! <https://trino.io/docs/current/functions/string.html#levenshtein_distance>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, invalid, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

/// Most cells of the table, Trino's bound.
const CELLS_MAX: usize = 1_000_000;

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("levenshtein_distance").form(
        &[Param::Varchar, Param::Varchar],
        Returns::BIGINT,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map2(args, |left: &str, right: &str| distance(left, right).map(Some))
}

fn distance(left: &str, right: &str) -> Result<i64> {
    let mut longer: Vec<char> = left.chars().collect();
    let mut shorter: Vec<char> = right.chars().collect();
    if longer.len() < shorter.len() {
        std::mem::swap(&mut longer, &mut shorter);
    }
    if longer.len().saturating_mul(shorter.len().saturating_sub(1)) > CELLS_MAX {
        return Err(invalid("The combined inputs for Levenshtein distance are too large"));
    }
    let mut distances: Vec<i64> = (0..).take(shorter.len() + 1).collect();
    for (row, a) in (1_i64..).zip(&longer) {
        let mut diagonal = row - 1;
        let mut left_cell = row;
        if let Some(first) = distances.first_mut() {
            *first = row;
        }
        for (cell, b) in distances.iter_mut().skip(1).zip(&shorter) {
            let above = *cell;
            *cell = (diagonal + i64::from(a != b)).min(above + 1).min(left_cell + 1);
            diagonal = above;
            left_cell = *cell;
        }
    }
    Ok(distances.last().copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting").unwrap(), 3);
        assert_eq!(distance("", "abc").unwrap(), 3);
        assert_eq!(distance("", "").unwrap(), 0);
        assert_eq!(distance("hello", "hello").unwrap(), 0);
        assert_eq!(distance("hello world", "hel wold").unwrap(), 3);
        assert_eq!(distance("信念,爱,希望", "信仰,爱,希望").unwrap(), 1);
        assert!(distance(&"a".repeat(2_000), &"b".repeat(2_000)).is_err());
    }
}
