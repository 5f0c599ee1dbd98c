//! Buckets that were deleted, made public, or read and scanned more than usual.

use super::Script;
use crate::trail::calls::{on_bucket, on_object, on_table};
use crate::trail::company::{Caller, DEVELOPMENT, IRELAND, PRODUCTION, SECURITY, TOKYO, VIRGINIA};
use crate::trail::event::Event;
use crate::trail::json::{Json, list, object};
use crate::trail::moment::Moment;
use crate::trail::random::Random;

pub(super) fn events() -> Vec<Event> {
    let mut events = deleted_before_2024();
    events.extend(deleted_since_2024());
    events.extend(made_public());
    events.extend(big_report());
    events.extend(table_scans());
    events.extend(lifecycle_changes());
    events
}

fn delete(caller: &Caller, region: &str, moment: Moment, bucket: &str) -> Event {
    on_bucket(Event::call(moment, region, caller, "s3", "DeleteBucket"), bucket, object! {})
}

/// The last one is on the stroke of the new year: `eventTime > '2024-01-01'` leaves it out.
fn deleted_before_2024() -> Vec<Event> {
    let priya = Caller::user(DEVELOPMENT, "priya", "198.51.100.12");
    let robot = Caller::user(DEVELOPMENT, "ci-runner", "192.0.2.150");
    vec![
        delete(&priya, VIRGINIA, Moment::day(2023, 12, 4).at(10, 12).plus(31), "kf-dev-poc-2022"),
        delete(&priya, VIRGINIA, Moment::day(2023, 12, 4).at(10, 13).plus(2), "kf-dev-poc-2023"),
        delete(&robot, IRELAND, Moment::day(2023, 12, 18).at(16, 45).plus(9), "kf-dev-ci-cache"),
        delete(&robot, IRELAND, Moment::day(2024, 1, 1), "kf-dev-ci-cache-2"),
    ]
}

fn deleted_since_2024() -> Vec<Event> {
    let priya = Caller::user(DEVELOPMENT, "priya", "198.51.100.12");
    let start = Moment::day(2024, 3, 5).at(14, 20);
    let terraform = Caller::role(DEVELOPMENT, "TerraformDeploy", "destroy-preview", start);
    let day = Moment::day(2024, 7, 18).at(9, 41);
    let jonas = Caller::console_user(DEVELOPMENT, "jonas", false, day);
    let move_day = Moment::day(2025, 3, 20).at(4, 30);
    let mover = Caller::role(PRODUCTION, "RegionMigration", "cutover-tokyo", move_day);
    let root_day = Moment::day(2025, 5, 30).at(15, 5);
    let root = Caller::root(PRODUCTION, root_day);
    vec![
        delete(&priya, VIRGINIA, Moment::day(2024, 1, 9).at(11, 2).plus(17), "kf-dev-scratch-01"),
        delete(&terraform, VIRGINIA, start.plus(10), "kf-preview-181"),
        delete(&terraform, VIRGINIA, start.plus(13), "kf-preview-182"),
        delete(&terraform, VIRGINIA, start.plus(15), "kf-preview-190"),
        delete(&jonas, VIRGINIA, day.plus(40), "kf-dev-shared").denied(),
        delete(&jonas, VIRGINIA, day.plus(75), "kf-dev-jonas-tmp"),
        delete(&mover, TOKYO, move_day.plus(600), "kf-tokyo-staging"),
        delete(&mover, TOKYO, move_day.plus(604), "kf-tokyo-assets-old"),
        delete(&root, VIRGINIA, root_day.plus(66), "kf-locked-by-policy"),
    ]
}

/// 11 June 2024: a bucket of web assets is opened by hand, and closed again after 42 minutes.
fn made_public() -> Vec<Event> {
    let start = Moment::day(2024, 6, 11).at(13, 8);
    let role = "AWSReservedSSO_PlatformAdmin_4c1f9be2d07a3356";
    let mut script = Script::new(&Caller::person(PRODUCTION, role, "mara", start), IRELAND, start);
    let bucket = "kf-web-assets";
    let blocked = |value: bool| {
        object! {
            "publicAccessBlock": "",
            "PublicAccessBlockConfiguration": object! {
                "BlockPublicAcls": value,
                "IgnorePublicAcls": value,
                "BlockPublicPolicy": value,
                "RestrictPublicBuckets": value,
            },
        }
    };
    script.then(5, ("s3", "PutBucketPublicAccessBlock"), |call| {
        on_bucket(call, bucket, blocked(false))
    });
    script.then(31, ("s3", "PutBucketPolicy"), |call| {
        let statement = object! {
            "Sid": "PublicRead",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": format!("arn:aws:s3:::{bucket}/*"),
        };
        let policy = object! { "Version": "2012-10-17", "Statement": list![statement] };
        on_bucket(call, bucket, object! { "bucketPolicy": policy, "policy": "" })
    });
    script.then(12, ("s3", "PutBucketAcl"), |call| {
        on_bucket(call, bucket, object! { "x-amz-acl": "public-read", "acl": "" })
    });
    script.then(42 * 60, ("s3", "DeleteBucketPolicy"), |call| {
        on_bucket(call, bucket, object! { "policy": "" })
    });
    script.then(9, ("s3", "PutBucketPublicAccessBlock"), |call| {
        on_bucket(call, bucket, blocked(true))
    });
    script.events
}

/// 3 February 2025: an analyst's job reads a month of manifests in one go, which it may do.
fn big_report() -> Vec<Event> {
    let start = Moment::day(2025, 2, 3).at(6, 0);
    let caller = Caller::role(PRODUCTION, "ReportBuilder", "january-report", start);
    let mut random = Random::named("big report");
    let mut script = Script::new(&caller, IRELAND, start);
    for number in 0..90 {
        let key = format!("2025/01/{:02}/manifest-{number:05}.json", number % 31 + 1);
        let bytes = random.between(20_000, 300_000);
        script.then(random.between(1, 9), ("s3", "GetObject"), |call| {
            on_object(call, "kf-shipping-manifests", &key, bytes)
        });
    }
    script.events
}

/// A report that reads whole tables, every Monday of January 2025.
fn table_scans() -> Vec<Event> {
    let mut events = Vec::new();
    for day in [6, 13, 20, 27] {
        let start = Moment::day(2025, 1, day).at(5, 30);
        let caller = Caller::role(PRODUCTION, "ReportBuilder", "weekly", start);
        let mut script = Script::new(&caller, IRELAND, start);
        for table in ["barge-positions", "price-quotes"] {
            script.then(45, ("dynamodb", "Scan"), |call| {
                on_table(call, table, object! { "limit": 1_000, "consistentRead": false })
            });
        }
        events.extend(script.events);
    }
    events
}

/// The audit bucket keeps its events longer, and another bucket gets versions.
fn lifecycle_changes() -> Vec<Event> {
    let start = Moment::day(2024, 10, 2).at(9, 15);
    let caller = Caller::role(SECURITY, "TerraformDeploy", "ci-main", start);
    let mut script = Script::new(&caller, VIRGINIA, start);
    let rule = object! {
        "ID": "keep-seven-years",
        "Status": "Enabled",
        "Expiration": object! { "Days": 2_557 },
        "Prefix": "",
    };
    let rules: Vec<Json> = vec![rule];
    script.then(20, ("s3", "PutBucketLifecycle"), |call| {
        let configuration = object! { "Rule": rules };
        on_bucket(call, "kf-audit-logs", object! { "LifecycleConfiguration": configuration })
    });
    script.then(18, ("s3", "PutBucketVersioning"), |call| {
        let configuration = object! { "Status": "Enabled" };
        on_bucket(call, "kf-audit-logs", object! { "VersioningConfiguration": configuration })
    });
    script.events
}
