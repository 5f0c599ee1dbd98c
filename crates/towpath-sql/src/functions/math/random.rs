//! `random()`, also called `rand`: a number at least 0 and less than 1, double. `random(n)`: at least
//! 0 and less than `n`; `random(m, n)`: at least `m` and less than `n`; in the type of the arguments.
//! Each call and each row has its own number.
//!
//! <https://trino.io/docs/current/functions/math.html#random>

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::Volatility;
use rand::Rng as _;

use crate::functions::args::{Args, collect, invalid};
use crate::functions::integer_result::{map_integer, map_integers};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("random")
        .alias("rand")
        .volatility(Volatility::Volatile)
        .form(&[], Returns::DOUBLE, fraction)
        .form(&[Param::AnyInteger], Returns::Same(0), below)
        .form(&[Param::Tinyint, Param::Tinyint], Returns::Same(0), between)
        .form(&[Param::Smallint, Param::Smallint], Returns::Same(0), between)
        .form(&[Param::Integer, Param::Integer], Returns::Same(0), between)
        .form(&[Param::Bigint, Param::Bigint], Returns::Same(0), between)
}

fn fraction(args: &Args<'_>) -> Result<ArrayRef> {
    collect(args.rows, |_| Ok(Some(rand::rng().random::<f64>())))
}

fn below(args: &Args<'_>) -> Result<ArrayRef> {
    map_integer(args, |bound| {
        if bound <= 0 {
            return Err(invalid("bound must be positive"));
        }
        Ok(rand::rng().random_range(0..bound))
    })
}

fn between(args: &Args<'_>) -> Result<ArrayRef> {
    map_integers(args, |start, stop| {
        if start >= stop {
            return Err(invalid("start value must be less than stop value"));
        }
        Ok(rand::rng().random_range(start..stop))
    })
}
