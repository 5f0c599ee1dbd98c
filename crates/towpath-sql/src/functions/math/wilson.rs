//! The Wilson score interval of a share, for `wilson_interval_lower` and `wilson_interval_upper`.

use datafusion::common::Result;

use crate::functions::args::invalid;

/// The bounds of the share that `successes` of `trials` tell of, `z` standard deviations wide.
///
/// # Errors
///
/// Trino's, for numbers that cannot be counts or a score.
#[expect(clippy::cast_precision_loss, reason = "shares are approximate")]
pub(super) fn interval(successes: i64, trials: i64, z: f64) -> Result<(f64, f64)> {
    if successes < 0 {
        return Err(invalid("number of successes must not be negative"));
    }
    if trials <= 0 {
        return Err(invalid("number of trials must be positive"));
    }
    if successes > trials {
        return Err(invalid("number of successes must not be larger than number of trials"));
    }
    if z.is_nan() || z < 0.0 {
        return Err(invalid("z-score must not be negative"));
    }
    let (s, n) = (successes as f64, trials as f64);
    let p = s / n;
    let middle = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + z * z / n;
    Ok(((middle - spread) / whole, (middle + spread) / whole))
}
