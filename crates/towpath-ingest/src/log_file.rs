//! What the path of a file says: whether CloudTrail delivered it as a log file, and for which day.
//!
//! CloudTrail's layout is `[prefix/]AWSLogs/[o-id/]account/CloudTrail/region/YYYY/MM/DD/` and its
//! names are `account_CloudTrail_region_YYYYMMDDTHHmmZ_<16 characters>.json.gz`. The same bucket
//! often holds digests, Insights and the files of other services. They are told apart by path and
//! name alone, so that nothing has to be downloaded to be left out. Events are never judged here:
//! a log file may hold events of another day than its path says.

use chrono::{NaiveDate, TimeDelta};
use serde::Serialize;
use towpath_event::EventKind;

/// Why a file that was found is not a log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeftOut {
    /// A digest file of log file integrity validation (`CloudTrail-Digest`).
    Digest,
    /// Insights events (`CloudTrail-Insight`), which have a store of their own.
    Insight,
    /// Five-minute summaries of data events (`CloudTrail-Aggregated`).
    Aggregated,
    /// Delivered by another service into the same bucket: AWS Config, load balancers, VPC flow logs.
    OtherService,
    /// A log file of a category of events that the store does not keep.
    OtherCategory,
    /// A log file whose digest may still be on its way, where one was required.
    AwaitsDigest,
    /// Its name ends neither in `.json.gz` nor in `.json`.
    OtherName,
}

/// Ends of the names of files with events of every kind.
const NAME_ENDS: [&str; 2] = [".json.gz", ".json"];

/// Ends of the names of files that only hold events which are not CloudTrail's own.
const LINES_NAME_ENDS: [&str; 4] = [".ndjson.gz", ".ndjson", ".jsonl.gz", ".jsonl"];

/// What the text of one path segment after the account, or of the second part of a name, means to
/// a store of `kind`.
fn service_left_out(kind: EventKind, service: &str) -> Option<LeftOut> {
    match (kind, service) {
        (EventKind::CloudTrail, _) => trail_service_left_out(service),
        (EventKind::Insight, "CloudTrail-Insight") | (EventKind::ConfigurationItem, "Config") => {
            None
        }
        _ => trail_service_left_out(service).or(Some(LeftOut::OtherCategory)),
    }
}

/// As [`service_left_out`], for CloudTrail's own events.
fn trail_service_left_out(service: &str) -> Option<LeftOut> {
    match service {
        "CloudTrail" | "CloudTrail-NetworkActivity" => None,
        "CloudTrail-Digest" => Some(LeftOut::Digest),
        "CloudTrail-Insight" => Some(LeftOut::Insight),
        "CloudTrail-Aggregated" => Some(LeftOut::Aggregated),
        _ => Some(LeftOut::OtherService),
    }
}

/// Why the file at `path` is not taken by a store of `kind`, or `None` if it is a log file as far as
/// its path tells.
///
/// `path` is separated by `/`. A file whose path says nothing is taken if its name ends in
/// `.json.gz` or `.json`, or, for events that are not CloudTrail's own, says that it is NDJSON; its
/// content then decides.
pub(crate) fn left_out(kind: EventKind, path: &str) -> Option<LeftOut> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    if !ends(&NAME_ENDS) && (kind == EventKind::CloudTrail || !ends(&LINES_NAME_ENDS)) {
        return Some(LeftOut::OtherName);
    }
    if let Some(service) = TrailPath::of(path).service {
        return service_left_out(kind, service);
    }
    if let Some(service) = service_in_name(name) {
        return service_left_out(kind, service);
    }
    let own_folder = |segment: &str| match service_left_out(kind, segment) {
        Some(LeftOut::OtherService | LeftOut::OtherCategory) | None => None,
        kind => kind,
    };
    path.split('/').find_map(own_folder)
}

/// The service in `123456789012_Service_rest`, if `name` has that form.
fn service_in_name(name: &str) -> Option<&str> {
    let (account, rest) = name.split_once('_')?;
    let (service, _) = rest.split_once('_')?;
    is_account(account).then_some(service)
}

/// The day a log file was delivered for, from its name or else from the folders it is in.
///
/// `None` when neither has CloudTrail's form.
pub(crate) fn day(path: &str) -> Option<NaiveDate> {
    let name = path.rsplit('/').next().unwrap_or(path);
    day_in_name(name).or_else(|| match TrailPath::of(path).days {
        DaySpan::Day(day) => Some(day),
        _ => None,
    })
}

/// The day in `…_20230710T1240Z_…`.
fn day_in_name(name: &str) -> Option<NaiveDate> {
    let is_minute = |part: &&str| part.len() == 14 && part.ends_with('Z');
    let (digits, time) = name.split('_').find(is_minute)?.split_once('T')?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(digits) || !time.strip_suffix('Z').is_some_and(is_number) {
        return None;
    }
    NaiveDate::parse_from_str(digits, "%Y%m%d").ok()
}

/// An account id as AWS writes it: twelve digits.
fn is_account(segment: &str) -> bool {
    segment.len() == 12 && segment.bytes().all(|byte| byte.is_ascii_digit())
}

/// An organisation id as AWS writes it: `o-` and ten to 32 lower-case letters or digits.
fn is_organisation(segment: &str) -> bool {
    segment.strip_prefix("o-").is_some_and(|id| {
        id.len() >= 10 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

/// The days that a folder in CloudTrail's layout can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DaySpan {
    Any,
    Year(i32),
    Month(i32, u32),
    Day(NaiveDate),
}

/// The parts of a path that follow CloudTrail's layout, as far as it goes.
#[derive(Debug, PartialEq, Eq)]
struct TrailPath<'a> {
    /// Whether the path has an `AWSLogs` segment at all.
    inside: bool,
    service: Option<&'a str>,
    days: DaySpan,
}

impl<'a> TrailPath<'a> {
    fn of(path: &'a str) -> TrailPath<'a> {
        let mut rest = path.split('/').skip_while(|segment| *segment != "AWSLogs").skip(1);
        let inside = path.split('/').any(|segment| segment == "AWSLogs");
        let mut found = TrailPath { inside, service: None, days: DaySpan::Any };
        let mut account = rest.next();
        if account.is_some_and(is_organisation) {
            account = rest.next();
        }
        if !account.is_some_and(is_account) {
            return found;
        }
        found.service = rest.next().filter(|service| !service.is_empty());
        let _region = rest.next();
        found.days = days(rest);
        found
    }
}

/// The days that the folders `YYYY`, `MM`, `DD` stand for.
fn days<'a>(mut folders: impl Iterator<Item = &'a str>) -> DaySpan {
    let mut number = |digits: usize| {
        let folder = folders.next().filter(|folder| folder.len() == digits)?;
        folder.parse::<u32>().ok()
    };
    let Some(year) = number(4).and_then(|year| i32::try_from(year).ok()) else {
        return DaySpan::Any;
    };
    let Some(month) = number(2) else { return DaySpan::Year(year) };
    let Some(day) = number(2) else { return DaySpan::Month(year, month) };
    NaiveDate::from_ymd_opt(year, month, day).map_or(DaySpan::Any, DaySpan::Day)
}

/// Whether `path` is the folder of a region in CloudTrail's layout, above those of the years.
fn is_region(path: &str) -> bool {
    let mut rest = path.split('/').skip_while(|segment| *segment != "AWSLogs").skip(1).peekable();
    rest.next_if(|segment| is_organisation(segment));
    rest.next().is_some_and(is_account)
        && rest.next().is_some_and(|service| trail_service_left_out(service).is_none())
        && rest.next().is_some_and(|region| !region.is_empty())
        && rest.next().is_none()
}

/// The days of delivery to look through for events of a span of time. Both ends are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DeliveryDays {
    first: NaiveDate,
    last: NaiveDate,
    /// Whether the folders of the days are listed by name, without a look which there are.
    by_name: bool,
}

/// Days listed before the first wanted event: clocks and time zones of those who copied the files.
const DAYS_BEFORE: TimeDelta = TimeDelta::days(1);

/// Days listed after the last wanted event. A log file delivered after midnight holds events of
/// the day before, and a delivery that AWS had to repeat comes later still.
const DAYS_AFTER: TimeDelta = TimeDelta::days(2);

impl DeliveryDays {
    /// The days for events in `[from, to)`; a missing end is open.
    pub(crate) fn of(from: Option<NaiveDate>, to: Option<NaiveDate>) -> Option<DeliveryDays> {
        if from.is_none() && to.is_none() {
            return None;
        }
        let first = from.and_then(|day| day.checked_sub_signed(DAYS_BEFORE));
        let last = to.and_then(|day| day.checked_add_signed(DAYS_AFTER));
        Some(DeliveryDays {
            first: first.unwrap_or(NaiveDate::MIN),
            last: last.unwrap_or(NaiveDate::MAX),
            by_name: false,
        })
    }

    /// The days from `first` to `last`, as far as they are among those `wanted`. In a bucket, what
    /// lies above the folders of days inside a region is not looked at.
    pub(crate) fn by_name(
        first: NaiveDate,
        last: NaiveDate,
        wanted: Option<DeliveryDays>,
    ) -> DeliveryDays {
        DeliveryDays {
            first: wanted.map_or(first, |wanted| wanted.first.max(first)),
            last: wanted.map_or(last, |wanted| wanted.last.min(last)),
            by_name: true,
        }
    }

    /// The folders of the days below `path`, if it is that of a region and they go by name.
    pub(crate) fn folders_below<'a>(
        &self,
        path: &'a str,
    ) -> Option<impl Iterator<Item = String> + use<'a>> {
        let last = self.last;
        let days = self.first.iter_days().take_while(move |day| *day <= last);
        let folder = move |day: NaiveDate| format!("{path}/{}", day.format("%Y/%m/%d"));
        (self.by_name && is_region(path)).then(|| days.map(folder))
    }

    /// Whether the folder `path` may hold log files of these days.
    ///
    /// Only a folder of CloudTrail's own layout is ever said not to: one of another service, or of
    /// a year, month or day outside.
    pub(crate) fn may_be_in(&self, path: &str) -> bool {
        let trail = TrailPath::of(path);
        if trail.service.is_some_and(|service| trail_service_left_out(service).is_some()) {
            return false;
        }
        let (first, last) = match trail.days {
            DaySpan::Any => return true,
            DaySpan::Day(day) => (Some(day), Some(day)),
            DaySpan::Month(year, month) => (
                NaiveDate::from_ymd_opt(year, month, 1),
                NaiveDate::from_ymd_opt(year, month, 28).map(|day| day + TimeDelta::days(3)),
            ),
            DaySpan::Year(year) => {
                (NaiveDate::from_ymd_opt(year, 1, 1), NaiveDate::from_ymd_opt(year, 12, 31))
            }
        };
        // A number that is no date is not a folder of CloudTrail's: look into it.
        first.is_none_or(|first| first <= self.last) && last.is_none_or(|last| last >= self.first)
    }
}

/// Whether `path` is inside CloudTrail's layout, above the folders of single days.
///
/// There a listing one level at a time can leave days out. `Some(false)` means that the layout has
/// not begun yet, `None` that nothing is left to leave out below.
pub(crate) fn above_days(path: &str) -> Option<bool> {
    let trail = TrailPath::of(path);
    match trail.days {
        DaySpan::Day(_) => None,
        _ => Some(trail.inside),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "AWSLogs/123456789012/CloudTrail/us-east-1/2023/07/10/\
                       123456789012_CloudTrail_us-east-1_20230710T1240Z_C1qUFaqvZS64BcIN.json.gz";

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn log_files_are_told_from_other_files_by_path_and_name() {
        let cases = [
            (LOG, None),
            ("any/folder/events.json", None),
            ("events.json.gz", None),
            ("123456789012_CloudTrail_us-east-1_20230710T1240Z_C1qUFaqvZS64BcIN.json.gz", None),
            ("p/AWSLogs/o-abcdefghij/123456789012/CloudTrail/x/2023/07/10/a.json.gz", None),
            ("AWSLogs/123456789012/CloudTrail-NetworkActivity/x/2023/07/10/a.json.gz", None),
            ("AWSLogs/123456789012/CloudTrail-Digest/x/a.json.gz", Some(LeftOut::Digest)),
            ("AWSLogs/123456789012/CloudTrail-Insight/x/a.json.gz", Some(LeftOut::Insight)),
            ("AWSLogs/123456789012/CloudTrail-Aggregated/x/a.json.gz", Some(LeftOut::Aggregated)),
            ("AWSLogs/123456789012/Config/x/a.json.gz", Some(LeftOut::OtherService)),
            ("copied/CloudTrail-Digest/a.json.gz", Some(LeftOut::Digest)),
            (
                "123456789012_CloudTrail-Digest_us-east-1_t_x_20230710T124000Z.json.gz",
                Some(LeftOut::Digest),
            ),
            (
                "flat/123456789012_Config_us-east-1_ConfigSnapshot_1.json.gz",
                Some(LeftOut::OtherService),
            ),
            ("flat/123456789012_vpcflowlogs_us-east-1_fl-1.log.gz", Some(LeftOut::OtherName)),
            ("README.md", Some(LeftOut::OtherName)),
            ("AWSLogs/Config/a.json", None),
            ("", Some(LeftOut::OtherName)),
        ];
        for (path, expected) in cases {
            assert_eq!(left_out(EventKind::CloudTrail, path), expected, "{path}");
        }
    }

    #[test]
    fn every_kind_of_events_has_its_own_log_files() {
        let insight = "AWSLogs/123456789012/CloudTrail-Insight/eu/2023/07/10/\
                       123456789012_CloudTrail-Insight_eu_20230710T1240Z_x.json.gz";
        let history = "AWSLogs/123456789012/Config/eu/2023/7/10/ConfigHistory/\
                       123456789012_Config_eu_ConfigHistory_AWS::EC2::VPC_1.json.gz";
        let flow_log = "AWSLogs/123456789012/vpcflowlogs/eu/a.json.gz";
        let other = Some(LeftOut::OtherCategory);
        for (kind, of_insight, of_history, of_trail) in [
            (EventKind::Insight, None, Some(LeftOut::OtherService), other),
            (EventKind::ConfigurationItem, Some(LeftOut::Insight), None, other),
            (EventKind::Evidence, Some(LeftOut::Insight), Some(LeftOut::OtherService), other),
        ] {
            assert_eq!(left_out(kind, insight), of_insight, "{kind:?}");
            assert_eq!(left_out(kind, history), of_history, "{kind:?}");
            assert_eq!(left_out(kind, LOG), of_trail, "{kind:?}");
            assert_eq!(left_out(kind, flow_log), Some(LeftOut::OtherService), "{kind:?}");
            assert_eq!(left_out(kind, "any/events.jsonl.gz"), None, "{kind:?}");
            assert_eq!(left_out(kind, "any/CloudTrail/events.json"), None, "{kind:?}");
            assert_eq!(left_out(kind, "any/events.csv"), Some(LeftOut::OtherName), "{kind:?}");
        }
        assert_eq!(left_out(EventKind::CloudTrail, "events.jsonl"), Some(LeftOut::OtherName));
    }

    #[test]
    fn the_day_comes_from_the_name_and_else_from_the_folders() {
        let cases = [
            (LOG, Some("2023-07-10")),
            ("x_CloudTrail_eu_20240229T0000Z_a.json.gz", Some("2024-02-29")),
            ("x_CloudTrail_eu_20230229T0000Z_a.json.gz", None),
            ("x_CloudTrail_eu_2023é29T000Z_a.json.gz", None),
            ("AWSLogs/123456789012/CloudTrail/eu/2022/01/31/copied.json", Some("2022-01-31")),
            ("AWSLogs/123456789012/CloudTrail/eu/2022/01/copied.json", None),
            ("events.json", None),
        ];
        for (path, expected) in cases {
            assert_eq!(day(path), expected.map(date), "{path}");
        }
    }

    #[test]
    fn only_folders_of_the_days_around_the_range_are_looked_into() {
        let days = DeliveryDays::of(Some(date("2023-07-10")), Some(date("2023-07-11"))).unwrap();
        let below = |rest: &str| format!("logs/AWSLogs/123456789012/{rest}");
        for inside in [
            "CloudTrail",
            "CloudTrail/us-east-1",
            "CloudTrail/us-east-1/2023",
            "CloudTrail/us-east-1/2023/07",
            "CloudTrail/us-east-1/2023/07/09",
            "CloudTrail/us-east-1/2023/07/13",
            "CloudTrail/us-east-1/2023/99/99",
            "CloudTrail-NetworkActivity/us-east-1",
        ] {
            assert!(days.may_be_in(&below(inside)), "{inside}");
        }
        for outside in [
            "Config",
            "CloudTrail-Digest",
            "CloudTrail/us-east-1/2022",
            "CloudTrail/us-east-1/2023/06",
            "CloudTrail/us-east-1/2023/08",
            "CloudTrail/us-east-1/2023/07/08",
            "CloudTrail/us-east-1/2023/07/14",
        ] {
            assert!(!days.may_be_in(&below(outside)), "{outside}");
        }
        assert!(days.may_be_in("some/other/folder/2022/01/01"));
        assert_eq!(DeliveryDays::of(None, None), None);
    }

    #[test]
    fn an_open_end_of_the_range_leaves_its_side_open() {
        let from = DeliveryDays::of(Some(date("2023-07-10")), None).unwrap();
        let day = |day: &str| format!("AWSLogs/o-abcdefghij/123456789012/CloudTrail/eu/{day}");
        assert!(from.may_be_in(&day("2030/01/01")));
        assert!(!from.may_be_in(&day("2023/07/08")));
        let to = DeliveryDays::of(None, Some(date("2023-07-10"))).unwrap();
        assert!(to.may_be_in(&day("2013/01/01")));
        assert!(!to.may_be_in(&day("2023/07/13")));
    }

    #[test]
    fn days_that_go_by_name_need_no_look_at_years_and_months() {
        let (first, last) = (date("2023-12-31"), date("2024-01-01"));
        let days = DeliveryDays::by_name(first, last, None);
        let below = |path| days.folders_below(path).map(Iterator::collect::<Vec<_>>);
        let region = "x/AWSLogs/o-abcdefghij/123456789012/CloudTrail/eu-west-1";
        let expected = [format!("{region}/2023/12/31"), format!("{region}/2024/01/01")];
        assert_eq!(below(region).unwrap(), expected);
        for other in [
            "AWSLogs",
            "AWSLogs/123456789012/CloudTrail",
            "AWSLogs/123456789012/Config/eu-west-1",
            "AWSLogs/123456789012/CloudTrail/eu-west-1/2023",
            "other/123456789012/CloudTrail/eu-west-1",
        ] {
            assert_eq!(below(other), None, "{other}");
        }
        let wanted = DeliveryDays::of(None, Some(date("2023-12-20")));
        let days = DeliveryDays::by_name(first, last, wanted);
        assert_eq!(days.folders_below(region).unwrap().count(), 0);
        let all = DeliveryDays::of(Some(first), Some(last)).unwrap();
        assert!(all.folders_below(region).is_none());
    }

    #[test]
    fn a_listing_goes_level_by_level_only_above_the_days() {
        assert_eq!(above_days("team/logs"), Some(false));
        assert_eq!(above_days("AWSLogs"), Some(true));
        assert_eq!(above_days("AWSLogs/123456789012/CloudTrail/eu/2023/07"), Some(true));
        assert_eq!(above_days("AWSLogs/123456789012/CloudTrail/eu/2023/07/10"), None);
    }
}
