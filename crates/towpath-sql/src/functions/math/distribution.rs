//! The distributions behind `normal_cdf`, `beta_cdf`, `t_cdf` and their inverses.

use std::f64::consts::{PI, SQRT_2};

/// Steps after which a continued fraction or a search has long reached the precision of a double.
const STEPS_MAX: usize = 2_000;

/// The probability that a standard normal number is at most `z`.
pub(super) fn standard_normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / SQRT_2)
}

/// The `z` for which [`standard_normal_cdf`] is `p`, for `p` between 0 and 1.
pub(super) fn standard_normal_quantile(p: f64) -> f64 {
    search(-40.0, 40.0, |z| standard_normal_cdf(z) < p)
}

/// The regularized incomplete beta function.
pub(super) fn beta_cdf(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front =
        (libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * x.ln() + b * (-x).ln_1p())
            .exp();
    // The fraction converges fast on this side of the mean; the other side is its mirror.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, 1.0 - x) / b
    }
}

/// The `x` for which [`beta_cdf`] is `p`.
pub(super) fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    if p <= 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return 1.0;
    }
    search(0.0, 1.0, |x| beta_cdf(a, b, x) < p)
}

/// The border in `[low, high]` up to which `is_below` holds.
fn search(low: f64, high: f64, is_below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (low, high);
    for _ in 0..STEPS_MAX {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if is_below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Lentz's evaluation of the continued fraction of the incomplete beta function.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let nonzero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    let mut m = 0.0;
    for _ in 0..STEPS_MAX {
        m += 1.0;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / nonzero(1.0 + even * d);
        c = nonzero(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / nonzero(1.0 + odd * d);
        c = nonzero(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

/// The probability that a number of Student's t distribution is at most `x`.
pub(super) fn t_cdf(x: f64, freedom: f64) -> f64 {
    let tail = 0.5 * beta_cdf(freedom / 2.0, 0.5, freedom / (freedom + x * x));
    if x > 0.0 { 1.0 - tail } else { tail }
}

/// The density of Student's t distribution at `x`.
pub(super) fn t_pdf(x: f64, freedom: f64) -> f64 {
    let half = f64::midpoint(freedom, 1.0);
    (libm::lgamma(half)
        - libm::lgamma(freedom / 2.0)
        - 0.5 * (freedom * PI).ln()
        - half * (x * x / freedom).ln_1p())
    .exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(value: f64, expected: f64) {
        assert!((value - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{value} {expected}");
    }

    #[test]
    fn values_are_those_of_tables() {
        near(standard_normal_cdf(1.96), 0.975_002_104_851_779_5);
        near(standard_normal_quantile(0.975), 1.959_963_984_540_054);
        near(standard_normal_quantile(0.5), 0.0);
        near(beta_cdf(2.0, 3.0, 0.5), 0.6875);
        near(beta_cdf(3.0, 3.6, 0.0), 0.0);
        near(beta_cdf(3.0, 3.6, 1.0), 1.0);
        near(beta_cdf(3.0, 3.6, 0.3), 0.217_648_099_976_799_51);
        near(beta_quantile(2.0, 3.0, 0.6875), 0.5);
        near(t_cdf(0.0, 5.0), 0.5);
        near(t_cdf(1.0, 1.0), 0.75);
        near(t_pdf(0.0, 1.0), 1.0 / PI);
    }
}
