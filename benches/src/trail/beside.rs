//! The files that stand beside log files in a real bucket: Insights, digests, aggregates, and what
//! other services deliver.

use sha2::{Digest, Sha256};

use super::company::{DEVELOPMENT, ORGANISATION, PRODUCTION, SECURITY, VIRGINIA};
use super::delivery::LogFile;
use super::json::{Json, list, object};
use super::moment::{HOUR, Moment};
use super::random::Random;

/// The bucket that the trail says it is in.
const BUCKET: &str = "kf-audit-logs";
/// A digest of a trail is signed by AWS. These are not, and say so by a fingerprint of zeros.
const NO_FINGERPRINT: &str = "00000000000000000000000000000000";
/// Hours of 14 November 2024 for which there are digests.
const DIGEST_HOURS: i64 = 7;

/// The Insights files: a pair of events for the refused calls of 20 August 2024, and one for the
/// instances of the attack.
pub(crate) fn insights() -> Vec<(String, String)> {
    let storm = Moment::day(2024, 8, 20).at(10, 15);
    let attack = Moment::day(2024, 11, 14).at(2, 47);
    let errors = Insight {
        account: DEVELOPMENT,
        name: "DescribeInstances",
        kind: "ApiErrorRateInsight",
        error: Some("Client.RequestLimitExceeded"),
        averages: ["0.0002551020", "10.6666666667"],
        who: format!("arn:aws:iam::{DEVELOPMENT}:user/ci-runner"),
    };
    let calls = Insight {
        account: PRODUCTION,
        name: "RunInstances",
        kind: "ApiCallRateInsight",
        error: None,
        averages: ["0.0011904762", "0.8"],
        who: format!("arn:aws:iam::{PRODUCTION}:user/support-desk"),
    };
    [(errors, storm), (calls, attack)]
        .iter()
        .flat_map(|(insight, start)| insight.files(*start))
        .collect()
}

struct Insight {
    account: &'static str,
    name: &'static str,
    kind: &'static str,
    error: Option<&'static str>,
    /// Calls a minute: before, and during.
    averages: [&'static str; 2],
    who: String,
}

impl Insight {
    /// One file for the start of the unusual activity, one for its end.
    fn files(&self, start: Moment) -> Vec<(String, String)> {
        let mut random = Random::named(&format!("insight {} {start}", self.name));
        let shared = random.uuid();
        let states = [("Start", start, 1), ("End", start.plus(6 * 60), 6)];
        let mut files = Vec::new();
        for (state, moment, minutes) in states {
            let record = self.record(moment, state, minutes, &[random.uuid(), shared.clone()]);
            let delivered = moment.plus(HOUR / 2);
            let account = self.account;
            let key = format!(
                "AWSLogs/{ORGANISATION}/{account}/CloudTrail-Insight/{VIRGINIA}/{}/\
                 {account}_CloudTrail-Insight_{VIRGINIA}_{}_{}.json.gz",
                delivered.key_day(),
                delivered.key_minute(),
                random.base32(16),
            );
            files.push((key, object! { "Records": list![record] }.to_text()));
        }
        files
    }

    fn record(&self, moment: Moment, state: &str, minutes: i64, ids: &[String; 2]) -> Json {
        let [baseline, insight] = self.averages.map(|text| Json::Verbatim(String::from(text)));
        let value = object! { "value": &self.who, "average": insight.clone() };
        let usual = object! { "value": "arn:aws:iam::444455556666:user/priya", "average": baseline.clone() };
        let attributions = list![object! {
            "attribute": "userIdentityArn",
            "insight": list![value],
            "baseline": list![usual],
        }];
        let statistics = object! {
            "baseline": object! { "average": baseline },
            "insight": object! { "average": insight },
            "insightDuration": minutes,
            "baselineDuration": 10_080,
        };
        let mut details = object! {
            "state": state,
            "eventSource": "ec2.amazonaws.com",
            "eventName": self.name,
            "insightType": self.kind,
        };
        if let Some(error) = self.error {
            details = details.with("errorCode", error);
        }
        let context = object! { "statistics": statistics, "attributions": attributions };
        object! {
            "eventVersion": "1.09",
            "eventTime": moment.to_string(),
            "awsRegion": VIRGINIA,
            "eventID": &ids[0],
            "eventType": "AwsCloudTrailInsight",
            "recipientAccountId": self.account,
            "sharedEventID": &ids[1],
            "insightDetails": details.with("insightContext", context),
            "eventCategory": "Insight",
        }
    }
}

/// The hourly digests of the production account's home region on the night of the attack: a chain
/// with the true hashes of the log files, and without signatures.
pub(crate) fn digests(log_files: &[LogFile]) -> Vec<(String, String)> {
    let folder = format!("AWSLogs/{ORGANISATION}/{PRODUCTION}/CloudTrail/{VIRGINIA}/");
    let first = Moment::day(2024, 11, 14).at(2, 0);
    let mut digests: Vec<(String, String)> = Vec::new();
    for hour in 0..DIGEST_HOURS {
        let (start, end) = (first.plus(hour * HOUR), first.plus((hour + 1) * HOUR));
        let delivered = log_files.iter().filter(|file| {
            file.key.starts_with(&folder) && file.delivered >= start && file.delivered < end
        });
        let delivered: Vec<&LogFile> = delivered.collect();
        let key = format!(
            "AWSLogs/{ORGANISATION}/{PRODUCTION}/CloudTrail-Digest/{VIRGINIA}/{}/\
             {PRODUCTION}_CloudTrail-Digest_{VIRGINIA}_kingfisher-org_{VIRGINIA}_{}.json.gz",
            end.key_day(),
            end.compact(),
        );
        let head = object! {
            "awsAccountId": PRODUCTION,
            "digestStartTime": start.to_string(),
            "digestEndTime": end.to_string(),
            "digestS3Bucket": BUCKET,
            "digestS3Object": &key,
            "digestPublicKeyFingerprint": NO_FINGERPRINT,
            "digestSignatureAlgorithm": "SHA256withRSA",
        };
        let digest = with_times(head, &delivered);
        let digest = with_previous(digest, digests.last());
        let listed: Vec<Json> = delivered.iter().map(|file| listed(file)).collect();
        digests.push((key, digest.with("logFiles", listed).to_text()));
    }
    digests
}

fn listed(file: &LogFile) -> Json {
    let entry = object! {
        "s3Bucket": BUCKET,
        "s3Object": &file.key,
        "hashValue": sha256_hex(file.content().as_bytes()),
        "hashAlgorithm": "SHA-256",
    };
    with_times(entry, &[file])
}

fn with_times(digest: Json, files: &[&LogFile]) -> Json {
    let moments = || files.iter().flat_map(|file| file.records.iter().map(|record| record.moment));
    let text = |moment: Option<Moment>| moment.map_or(Json::Null, |m| Json::from(m.to_string()));
    digest
        .with("newestEventTime", text(moments().max()))
        .with("oldestEventTime", text(moments().min()))
}

fn with_previous(digest: Json, previous: Option<&(String, String)>) -> Json {
    let (bucket, key, hash, algorithm) = match previous {
        Some((key, text)) => (
            Json::from(BUCKET),
            Json::from(key),
            Json::from(sha256_hex(text.as_bytes())),
            Json::from("SHA-256"),
        ),
        None => (Json::Null, Json::Null, Json::Null, Json::Null),
    };
    digest
        .with("previousDigestS3Bucket", bucket)
        .with("previousDigestS3Object", key)
        .with("previousDigestHashValue", hash)
        .with("previousDigestHashAlgorithm", algorithm)
        .with("previousDigestSignature", Json::Null)
}

/// A five-minute summary, as trails deliver them beside their data events.
pub(crate) fn aggregate() -> (String, String) {
    let mut random = Random::named("aggregate");
    let start = Moment::day(2025, 6, 10).at(10, 0);
    let count = object! { "name": "s3.amazonaws.com:GetObject", "value": 118 };
    let summary = object! {
        "primaryDimension": object! {
            "dimension": "eventName",
            "statistics": list![count],
            "aggregationType": "Count",
        },
        "details": list![],
    };
    let record = object! {
        "eventVersion": "1.0",
        "accountId": SECURITY,
        "eventId": random.uuid(),
        "eventCategory": "Aggregated",
        "eventType": "AwsAggregatedEvent",
        "awsRegion": VIRGINIA,
        "eventSource": "s3.amazonaws.com",
        "timeWindow": object! {
            "windowStart": start.to_string(),
            "windowEnd": start.plus(300).to_string(),
            "windowSize": "PT5M",
        },
        "summary": summary,
    };
    let key = format!(
        "AWSLogs/{ORGANISATION}/{SECURITY}/CloudTrail-Aggregated/{VIRGINIA}/{}/\
         {SECURITY}_CloudTrail-Aggregated_{VIRGINIA}_{}_{}.json.gz",
        start.key_day(),
        start.plus(600).key_minute(),
        random.base32(16),
    );
    (key, object! { "Records": list![record] }.to_text())
}

/// What AWS Config leaves in the same bucket: a snapshot, and the file with which it tries whether
/// it may write.
pub(crate) fn config() -> [(String, String); 2] {
    let folder = format!("AWSLogs/{ORGANISATION}/{PRODUCTION}/Config");
    let id = Random::named("config snapshot").uuid();
    let item = object! {
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": "2024-06-11T15:00:00.000Z",
        "configurationItemStatus": "OK",
        "awsAccountId": PRODUCTION,
        "awsRegion": VIRGINIA,
        "resourceType": "AWS::S3::Bucket",
        "resourceId": "kf-web-assets",
        "configuration": object! { "name": "kf-web-assets" },
    };
    let snapshot = object! {
        "fileVersion": "1.0",
        "configSnapshotId": &id,
        "configurationItems": list![item],
    };
    let name =
        format!("{PRODUCTION}_Config_{VIRGINIA}_ConfigSnapshot_20240611T150000Z_{id}.json.gz");
    [
        (format!("{folder}/{VIRGINIA}/2024/6/11/ConfigSnapshot/{name}"), snapshot.to_text()),
        (format!("{folder}/ConfigWritabilityCheckFile"), String::new()),
    ]
}

/// SHA-256 in lower-case hexadecimal digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
