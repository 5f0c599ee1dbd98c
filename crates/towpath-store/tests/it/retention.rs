//! What retention and holds keep, over leap days and years, and that what expired stays expired.

use crate::support::{WAIT, local_store, now};
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use proptest::{prop_assert, prop_assert_eq};
use tokio::runtime::Runtime;
use towpath_store::{NewHold, Retention, TimeRange};

fn days(days: u32) -> Retention {
    Retention::days(days).unwrap()
}

#[tokio::test]
async fn cutoff_counts_days_of_24_hours_over_leap_days() {
    let (_folder, _catalog, store) = local_store().await;
    // Seven years with two leap days are the 2557 days of CloudTrail Lake.
    for (year, month, day) in [(2027, 3, 1), (2024, 2, 29), (2028, 2, 29), (2000, 1, 1)] {
        let now = Utc.with_ymd_and_hms(year, month, day, 12, 0, 0).unwrap();
        let cutoff = DateTime::from_timestamp_micros(store.latest().cutoff(now)).unwrap();
        assert_eq!(now - cutoff, TimeDelta::days(2557), "{now}");
        let kept = store.latest().kept(now);
        let cutoff = cutoff.timestamp_micros();
        assert!(kept.contains((cutoff, cutoff)) && !kept.overlaps((cutoff - 1, cutoff - 1)));
    }
}

#[tokio::test]
async fn what_expired_stays_expired_when_retention_grows_and_goes_on_growing() {
    let (_folder, _catalog, store) = local_store().await;
    let at = |day: i64| now() + TimeDelta::days(day);
    store.set_retention(days(10), at(0), WAIT).await.unwrap();
    store.set_retention(days(3653), at(5), WAIT).await.unwrap();
    let lost_before = (at(5) - TimeDelta::days(10)).timestamp_micros();
    assert_eq!(store.snapshot().await.unwrap().cutoff(at(5)), lost_before);
    assert_eq!(store.snapshot().await.unwrap().cutoff(at(3_000)), lost_before);
    let later = at(4_000);
    let by_days = (later - TimeDelta::days(3653)).timestamp_micros();
    assert_eq!(store.snapshot().await.unwrap().cutoff(later), by_days);
}

#[tokio::test]
async fn hold_keeps_its_span_until_released_but_nothing_that_had_expired() {
    let (_folder, _catalog, store) = local_store().await;
    let at = |day: i64| (now() + TimeDelta::days(day)).timestamp_micros();
    store.set_retention(days(10), now(), WAIT).await.unwrap();
    let new = NewHold {
        range: TimeRange::new(at(-20), at(-5)).unwrap(),
        reason: "r".into(),
        placed_by: "w".into(),
    };
    let hold = store.place_hold(new, now(), WAIT).await.unwrap();

    let year_later = now() + TimeDelta::days(365);
    let kept = store.snapshot().await.unwrap().kept(year_later);
    assert_eq!(
        kept.ranges(),
        [TimeRange::new(at(-10), at(-5)).unwrap(), TimeRange::new(at(355), i64::MAX).unwrap()]
    );
    store.release_hold(hold.id, "w", year_later, WAIT).await.unwrap();
    assert!(!store.snapshot().await.unwrap().kept(year_later).overlaps((at(-10), at(354))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// The law: once an event was not kept, it never is again, whatever is done to the retention.
    #[test]
    fn event_that_was_gone_never_comes_back(
        steps in prop::collection::vec((0..400_i64, 7..60_u32, any::<bool>()), 1..12),
        age in 0..100_i64,
    ) {
        Runtime::new().unwrap().block_on(async {
            let (_folder, _catalog, store) = local_store().await;
            let event = (now() - TimeDelta::days(age)).timestamp_micros();
            let (mut time, mut was_gone) = (now(), false);
            for (hours, retention, changes) in steps {
                time += TimeDelta::hours(hours);
                if changes {
                    store.set_retention(days(retention), time, WAIT).await.unwrap();
                }
                let snapshot = store.snapshot().await.unwrap();
                let is_kept = snapshot.kept(time).contains((event, event));
                prop_assert_eq!(is_kept, snapshot.cutoff(time) <= event);
                prop_assert!(!(was_gone && is_kept), "it came back at {}", time);
                was_gone |= !is_kept;
            }
            Ok(())
        })?;
    }
}
