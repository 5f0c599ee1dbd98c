//! Which event times a reader may see: what retention keeps, and what holds keep beyond it.

use chrono::{DateTime, Utc};

use crate::hold::Hold;
use crate::settings::StoreSettings;
use crate::time::TimeRange;

/// The event times that a store keeps at one moment, as spans in order with gaps between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    ranges: Vec<TimeRange>,
}

impl Kept {
    pub(crate) fn new(settings: &StoreSettings, now: DateTime<Utc>) -> Kept {
        let by_retention = TimeRange::new(settings.cutoff(now), i64::MAX);
        let by_holds = settings.holds.iter().filter_map(Hold::kept);
        Kept::union(by_retention.into_iter().chain(by_holds).collect())
    }

    fn union(mut ranges: Vec<TimeRange>) -> Kept {
        ranges.sort_by_key(|range| (range.start(), range.end()));
        let mut joined: Vec<TimeRange> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match joined.last_mut() {
                Some(last) if range.start() <= last.end() => {
                    let end = last.end().max(range.end());
                    // Not empty: it only grew.
                    *last = TimeRange::new(last.start(), end).unwrap_or(*last);
                }
                _ => joined.push(range),
            }
        }
        Kept { ranges: joined }
    }

    /// The spans, in order, no two of which touch. An event is kept if its time is in one of them.
    #[must_use]
    pub fn ranges(&self) -> &[TimeRange] {
        &self.ranges
    }

    /// Whether any of `min..=max` is kept.
    #[must_use]
    pub fn overlaps(&self, times: (i64, i64)) -> bool {
        self.ranges.iter().any(|range| range.overlaps(times))
    }

    /// Whether all of `min..=max` is kept.
    #[must_use]
    pub fn contains(&self, (min, max): (i64, i64)) -> bool {
        self.ranges.iter().any(|range| range.start() <= min && max < range.end())
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;
    use crate::time::TimeRange;
    use proptest::prelude::{prop, prop_assert_eq, proptest};

    fn ranges(of: &[(i64, i64)]) -> Vec<TimeRange> {
        of.iter().filter_map(|(start, end)| TimeRange::new(*start, *end)).collect()
    }

    #[test]
    fn spans_that_touch_are_one() {
        let kept = Kept::union(ranges(&[(20, 30), (0, 5), (5, 10), (25, 40), (50, 60)]));
        assert_eq!(kept.ranges(), ranges(&[(0, 10), (20, 40), (50, 60)]));
        assert!(kept.contains((20, 39)) && !kept.contains((20, 40)) && !kept.contains((9, 20)));
        assert!(kept.overlaps((9, 15)) && !kept.overlaps((10, 19)));
    }

    proptest! {
        #[test]
        fn time_is_kept_if_any_span_has_it(
            spans in prop::collection::vec((0..50_i64, 0..50_i64), 0..6),
        ) {
            let spans = ranges(&spans);
            let kept = Kept::union(spans.clone());
            for time in -1..51 {
                let expected = spans.iter().any(|span| span.overlaps((time, time)));
                prop_assert_eq!(kept.overlaps((time, time)), expected);
                prop_assert_eq!(kept.contains((time, time)), expected);
            }
        }
    }
}
