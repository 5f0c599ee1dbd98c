//! What the keys of digests and log files say.
//!
//! ```text
//! [prefix/]AWSLogs/[o-id/]account/CloudTrail-Digest/region/YYYY/MM/DD/
//!     account_CloudTrail-Digest_region_trail_homeregion_YYYYMMDDTHHMMSSZ[_backfill].json.gz
//! [prefix/]AWSLogs/[o-id/]account/CloudTrail/region/YYYY/MM/DD/
//!     account_CloudTrail_region_YYYYMMDDTHHMMZ_<16 characters>.json.gz
//! ```

use chrono::{DateTime, NaiveDateTime, Utc};
use xxhash_rust::xxh3::xxh3_128;

/// Where the digests and the log files of one account and region lie.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    /// From `AWSLogs/` to the account. What is above may be another in a copy.
    pub(crate) below: String,
    pub(crate) account: String,
    pub(crate) region: String,
}

/// The digests of one trail for one account and region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Chain {
    pub(crate) place: Place,
    pub(crate) trail: String,
    pub(crate) home_region: String,
}

/// What the key of a file says that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Digest { chain: Chain, end: DateTime<Utc>, is_backfill: bool },
    LogFile { place: Place, written: DateTime<Utc> },
}

impl Chain {
    /// The ARN of the trail.
    pub(crate) fn arn(&self) -> String {
        let Chain { place, trail, home_region } = self;
        let partition = match home_region {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        format!("arn:{partition}:cloudtrail:{home_region}:{}:trail/{trail}", place.account)
    }
}

impl Name {
    /// Reads `key`, or `None` if it is that of another file.
    pub(crate) fn of(key: &str) -> Option<Name> {
        let (folders, name) = tail(key)?.rsplit_once('/')?;
        let mut parts = folders.split('/');
        let mut below = vec![parts.next()?];
        let mut account = parts.next()?;
        below.push(account);
        if account.starts_with("o-") {
            account = parts.next()?;
            below.push(account);
        }
        let (service, region) = (parts.next()?, parts.next()?);
        let place =
            Place { below: below.join("/"), account: account.into(), region: region.into() };
        let name = name.strip_suffix(".json.gz")?;
        let name = name.strip_prefix(account)?.strip_prefix('_')?.strip_prefix(service)?;
        let name = name.strip_prefix('_')?.strip_prefix(region)?.strip_prefix('_')?;
        match service {
            "CloudTrail" => {
                let (time, _) = name.split_once('_')?;
                let written = time_of(time, "%Y%m%dT%H%MZ")?;
                Some(Name::LogFile { place, written })
            }
            "CloudTrail-Digest" => {
                let (name, is_backfill) = match name.strip_suffix("_backfill") {
                    Some(name) => (name, true),
                    None => (name, false),
                };
                let (name, time) = name.rsplit_once('_')?;
                let (trail, home_region) = name.rsplit_once('_')?;
                let end = time_of(time, "%Y%m%dT%H%M%SZ")?;
                let chain = Chain { place, trail: trail.into(), home_region: home_region.into() };
                Some(Name::Digest { chain, end, is_backfill })
            }
            _ => None,
        }
    }
}

/// The part of a key or a path from `AWSLogs/` on, which is the same in every copy.
pub(crate) fn tail(key: &str) -> Option<&str> {
    if key.starts_with("AWSLogs/") {
        return Some(key);
    }
    key.find("/AWSLogs/").and_then(|at| key.get(at + 1..))
}

/// A hash of what is the same of a key in every copy.
pub(crate) fn tail_hash(key: &str) -> u128 {
    xxh3_128(tail(key).unwrap_or(key).as_bytes())
}

fn time_of(text: &str, form: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(text, form).ok().map(|time| time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_digests_and_log_files_are_read() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let place = |below: &str| Place {
            below: below.into(),
            account: "123456789012".into(),
            region: "eu-west-1".into(),
        };
        let own = "AWSLogs/123456789012";
        let folder = "CloudTrail-Digest/eu-west-1/2024/01/02";
        let name = "123456789012_CloudTrail-Digest_eu-west-1";
        for (rest, is_backfill) in [("", false), ("_backfill", true)] {
            let key = format!(
                "p/q/{own}/{folder}/{name}_my_trail_us-east-1_20240102T030000Z{rest}.json.gz"
            );
            let Some(Name::Digest { chain, end, is_backfill: backfill }) = Name::of(&key) else {
                panic!("{key}");
            };
            assert_eq!(chain.place, place(own));
            assert_eq!(
                (chain.trail.as_str(), chain.home_region.as_str()),
                ("my_trail", "us-east-1")
            );
            assert_eq!((end, backfill), (at("2024-01-02T03:00:00Z"), is_backfill));
            assert_eq!(chain.arn(), "arn:aws:cloudtrail:us-east-1:123456789012:trail/my_trail");
        }
        let organisation = "AWSLogs/o-abcdefghij/123456789012";
        let log = "CloudTrail/eu-west-1/2024/01/02/123456789012_CloudTrail_eu-west-1";
        let key = format!("{organisation}/{log}_20240102T0305Z_abcdefghijklmnop.json.gz");
        let written = at("2024-01-02T03:05:00Z");
        assert_eq!(Name::of(&key), Some(Name::LogFile { place: place(organisation), written }));
        for other in [
            "AWSLogs",
            "a.json.gz",
            "AWSLogs/123456789012/Config/eu-west-1/2024/1/2/c.json.gz",
            "AWSLogs/123456789012/CloudTrail/eu-west-1/2024/01/02/copied.json.gz",
            "x/123456789012/CloudTrail/eu-west-1/2024/01/02/a.json.gz",
        ] {
            assert_eq!(Name::of(other), None, "{other}");
        }
    }
}
