//! `human_readable_seconds(x)`: a number of seconds in weeks, days, hours, minutes and seconds.
//!
//! <https://trino.io/docs/current/functions/datetime.html#human_readable_seconds>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, invalid, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("human_readable_seconds").form(&[Param::Double], Returns::VARCHAR, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |seconds: f64| {
        if !seconds.is_finite() {
            return Err(invalid(format!("Invalid argument found: {seconds}")));
        }
        Ok(Some(readable(seconds)))
    })
}

#[expect(clippy::cast_possible_truncation, reason = "saturating")]
fn readable(seconds: f64) -> String {
    let mut rest = seconds.abs().round() as i64;
    let mut parts = Vec::new();
    for (name, length) in
        [("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)]
    {
        let count = rest / length;
        rest %= length;
        if count > 0 {
            parts.push(format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
        }
    }
    if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn units_are_named_in_order() {
        assert_eq!(readable(96.0), "1 minute, 36 seconds");
        assert_eq!(readable(3_762.0), "1 hour, 2 minutes, 42 seconds");
        assert_eq!(readable(56_363_463.0), "93 weeks, 1 day, 8 hours, 31 minutes, 3 seconds");
        assert_eq!(readable(0.4), "0 seconds");
        assert_eq!(readable(-60.0), "1 minute");
    }
}
