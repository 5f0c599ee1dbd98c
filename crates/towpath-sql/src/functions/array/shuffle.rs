//! `shuffle(array)`: the elements in a random order, another one in each call.
//!
//! Trino: <https://trino.io/docs/current/functions/array.html#shuffle>.

use std::hash::{BuildHasher, Hasher, RandomState};

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::Volatility;

use crate::functions::args::Args;
use crate::functions::nested::lists::{Gather, Lists};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("shuffle")
        .form(&[Param::Array], Returns::Same(0), evaluate)
        .volatility(Volatility::Volatile)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(args, 0)?;
    // The standard library seeds its hash maps from the system's randomness; that is enough here.
    let random = RandomState::new();
    let mut draws: u64 = 0;
    let mut gather = Gather::new(args.rows);
    for row in 0..args.rows {
        let Some(range) = lists.range(row) else {
            gather.null_row();
            continue;
        };
        let mut order: Vec<(u64, usize)> = Vec::with_capacity(range.len());
        for at in range {
            draws += 1;
            let mut hasher = random.build_hasher();
            hasher.write_u64(draws);
            order.push((hasher.finish(), at));
        }
        order.sort_unstable();
        order.into_iter().for_each(|(_, at)| gather.push(at));
        gather.close_row();
    }
    gather.finish(args.return_field.data_type(), lists.values())
}
