//! What operations people look for: load, limits, databases, releases, and AWS's own events.

use super::Script;
use crate::trail::calls::{instance_ids, key_id, on_table, run_instances, terminate_instances};
use crate::trail::company::{
    Caller, DEVELOPMENT, IRELAND, PRODUCTION, SECURITY, TOKYO, VIRGINIA, resource,
};
use crate::trail::event::Event;
use crate::trail::json::{Json, list, object};
use crate::trail::moment::{DAY, HOUR, MINUTE, Moment};
use crate::trail::random::Random;

/// Calls refused in the quarter of an hour in which a loop in the build system ran wild.
const THROTTLED: i64 = 64;
/// Calls of the busiest quarter of an hour, on 29 November 2024.
const SALES: i64 = 420;

pub(super) fn events() -> Vec<Event> {
    let mut events = throttled();
    events.extend(busy_sale());
    events.extend(databases());
    events.extend(short_lived_instances());
    events.extend(releases());
    events.extend(image_made_public());
    events.extend(service_events());
    events.extend(secret_rotation());
    events.extend(late_and_corrected());
    events
}

/// 20 August 2024: a loop without a pause.
fn throttled() -> Vec<Event> {
    let start = Moment::day(2024, 8, 20).at(10, 15);
    let caller = Caller::user(DEVELOPMENT, "ci-runner", "192.0.2.150");
    let mut script = Script::new(&caller, VIRGINIA, start);
    for attempt in 0..THROTTLED {
        let pause = 2 + attempt % 9;
        script.then(pause, ("ec2", "DescribeInstances"), |call| {
            call.error("Client.RequestLimitExceeded", "Request limit exceeded.")
        });
        if attempt % 4 == 0 {
            script.then(1, ("cloudformation", "DescribeStacks"), |call| {
                call.error("ThrottlingException", "Rate exceeded")
            });
        }
    }
    script.events
}

/// 29 November 2024: everyone books freight at once.
fn busy_sale() -> Vec<Event> {
    let mut random = Random::named("busy sale");
    let start = Moment::day(2024, 11, 29).at(9, 0);
    let mut events = Vec::new();
    for _ in 0..SALES {
        let moment = start.plus(random.between(0, 15 * MINUTE - 1));
        let region = random.pick(&[VIRGINIA, IRELAND, IRELAND, TOKYO]);
        let caller = Caller::role(PRODUCTION, "ManifestApi", "manifest-api-7d9f", start);
        let name = random.pick(&["PutItem", "UpdateItem", "Query"]);
        let barge = format!("KF-{:03}", random.between(1, 120));
        let request = object! { "key": object! { "bargeId": barge } };
        let call = Event::call(moment, region, &caller, "dynamodb", name);
        let call = on_table(call, "bookings", request).with("apiVersion", "2012-08-10");
        events.push(match random.chance(6) {
            true => call.error(
                "ProvisionedThroughputExceededException",
                "The level of configured provisioned throughput for the table was exceeded.",
            ),
            false => call,
        });
    }
    events
}

fn databases() -> Vec<Event> {
    let start = Moment::day(2024, 12, 18).at(22, 0);
    let role = "AWSReservedSSO_PlatformAdmin_4c1f9be2d07a3356";
    let mara = Caller::person(PRODUCTION, role, "mara", start);
    let mut script = Script::new(&mara, IRELAND, start);
    script.then(10, ("rds", "FailoverDBCluster"), |call| {
        call.request(object! { "dBClusterIdentifier": "bookings-cluster" })
    });
    script.then(300, ("rds", "RebootDBInstance"), |call| {
        call.request(object! { "dBInstanceIdentifier": "bookings-1", "forceFailover": false })
    });
    script.then(60, ("rds", "ModifyDBInstance"), |call| {
        call.request(object! {
            "dBInstanceIdentifier": "bookings-1",
            "publiclyAccessible": true,
            "applyImmediately": true,
            "masterUserPassword": "****",
        })
    });
    script.then(200, ("rds", "ModifyDBInstance"), |call| {
        call.request(object! {
            "dBInstanceIdentifier": "bookings-1",
            "publiclyAccessible": false,
            "applyImmediately": true,
        })
    });
    let start = Moment::day(2025, 1, 30).at(13, 0);
    let jonas = Caller::console_user(DEVELOPMENT, "jonas", false, start);
    let mut cleaning = Script::new(&jonas, IRELAND, start);
    cleaning.then(12, ("rds", "DeleteDBInstance"), |call| {
        call.request(object! {
            "dBInstanceIdentifier": "bookings-copy",
            "skipFinalSnapshot": true,
            "deleteAutomatedBackups": true,
        })
    });
    cleaning.then(33, ("rds", "DeleteDBInstance"), |call| {
        call.request(object! {
            "dBInstanceIdentifier": "quotes-copy",
            "skipFinalSnapshot": false,
            "finalDBSnapshotIdentifier": "quotes-copy-final",
        })
    });
    script.events.extend(cleaning.events);
    script.events
}

/// Instances of a load test: started on one day, ended after a known time.
fn short_lived_instances() -> Vec<Event> {
    let start = Moment::day(2025, 5, 6).at(8, 0);
    let priya = Caller::user(DEVELOPMENT, "priya", "198.51.100.12");
    let mut script = Script::new(&priya, VIRGINIA, start);
    for (round, hours) in [1, 3, 5].into_iter().enumerate() {
        let started = instance_ids(&format!("load test {round}"), 2);
        script
            .then(30, ("ec2", "RunInstances"), |call| run_instances(call, "c7i.2xlarge", &started));
        let back = script.clock;
        script.then(hours * HOUR, ("ec2", "TerminateInstances"), |call| {
            terminate_instances(call, &started)
        });
        script.clock = back;
    }
    script.events
}

/// Releases of one function; the second one is taken back after nine minutes.
fn releases() -> Vec<Event> {
    let mut events = Vec::new();
    for (day, function) in [(10, "track-position"), (10, "price-quote"), (24, "price-quote")] {
        let start = Moment::day(2025, 6, day).at(10, 0);
        let caller = Caller::role(PRODUCTION, "TerraformDeploy", "ci-main", start);
        let mut script = Script::new(&caller, IRELAND, start);
        let mut random = Random::named(&format!("release {day} {function}"));
        for pause in [20, 9 * MINUTE] {
            let code = random.base32(43);
            script.then(pause, ("lambda", "UpdateFunctionCode20150331v2"), |call| {
                call.request(object! { "functionName": function, "publish": true })
                    .response(object! { "functionName": function, "codeSha256": code })
            });
        }
        script.then(5, ("lambda", "UpdateFunctionConfiguration20150331v2"), |call| {
            let variables = object! { "environment": object! {} };
            call.request(variables.with("functionName", function).with("memorySize", 512))
        });
        events.extend(script.events);
    }
    events
}

/// 21 January 2025: a machine image, with everything on it, for everyone.
fn image_made_public() -> Vec<Event> {
    let start = Moment::day(2025, 1, 21).at(17, 26);
    let jonas = Caller::console_user(DEVELOPMENT, "jonas", false, start);
    let mut script = Script::new(&jonas, VIRGINIA, start);
    let everyone = || object! { "items": list![object! { "group": "all" }] };
    script.then(7, ("ec2", "ModifyImageAttribute"), |call| {
        call.request(object! {
            "imageId": "ami-0ba4ge0ba4ge0ba4g",
            "attributeType": "launchPermission",
            "launchPermission": object! { "add": everyone() },
        })
        .response(object! { "_return": true })
    });
    script.then(2 * HOUR, ("ec2", "ModifyImageAttribute"), |call| {
        call.request(object! {
            "imageId": "ami-0ba4ge0ba4ge0ba4g",
            "attributeType": "launchPermission",
            "launchPermission": object! { "remove": everyone() },
        })
        .response(object! { "_return": true })
    });
    script.events
}

/// Events that AWS's services write of themselves: no call was made.
fn service_events() -> Vec<Event> {
    let mut events = Vec::new();
    for (account, day) in [
        (PRODUCTION, Moment::day(2024, 2, 20)),
        (SECURITY, Moment::day(2024, 6, 26)),
        (PRODUCTION, Moment::day(2025, 2, 19)),
    ] {
        let service = Caller::service(account, "AWS Internal");
        let key = format!("arn:aws:kms:{VIRGINIA}:{account}:key/{}", key_id("manifests"));
        let details = object! { "keyId": &key, "rotationType": "AUTOMATIC" };
        events.push(
            Event::call(day.at(0, 40), VIRGINIA, &service, "kms", "RotateKey")
                .event_type("AwsServiceEvent")
                .resources(list![resource(account, "AWS::KMS::Key", &key)])
                .with("serviceEventDetails", details),
        );
    }
    let health = Caller::service(PRODUCTION, "ec2.amazonaws.com");
    for hour in [3, 4] {
        let moment = Moment::day(2024, 10, 9).at(hour, 17);
        let ids: Vec<Json> = vec![Json::from(format!("i-0spot{hour}"))];
        events.push(
            Event::call(moment, TOKYO, &health, "ec2", "BidEvictedEvent")
                .event_type("AwsServiceEvent")
                .with("serviceEventDetails", object! { "instanceIdSet": ids }),
        );
    }
    events
}

/// A secret is rotated every other month; one rotation fails.
fn secret_rotation() -> Vec<Event> {
    let mut events = Vec::new();
    for round in 0..6 {
        let start = Moment::day(2024, 1, 30).plus(round * 61 * DAY).at(4, 44);
        let caller = Caller::role(PRODUCTION, "SecretRotation", "rotate-database", start);
        let arn = format!(
            "arn:aws:secretsmanager:{VIRGINIA}:{PRODUCTION}:secret:manifest-api/database-Kf8t2Q"
        );
        let mut script = Script::new(&caller, VIRGINIA, start);
        script.then(2, ("secretsmanager", "GetSecretValue"), |call| {
            call.request(object! { "secretId": &arn, "versionStage": "AWSCURRENT" })
        });
        script.then(2, ("secretsmanager", "PutSecretValue"), |call| {
            let call = call.request(object! { "secretId": &arn, "clientRequestToken": round });
            if round == 4 {
                call.error("InvalidRequestException", "A previous rotation isn't complete.")
            } else {
                call.response(object! { "arn": &arn })
            }
        });
        script.then(1, ("secretsmanager", "RotationSucceeded"), |call| {
            call.event_type("AwsServiceEvent").additional(object! { "SecretId": &arn })
        });
        events.extend(script.events);
    }
    events
}

/// Events that came late, and one that AWS corrected afterwards.
fn late_and_corrected() -> Vec<Event> {
    let start = Moment::day(2024, 9, 12).at(5, 0);
    let caller = Caller::role(PRODUCTION, "ManifestApi", "manifest-api-7d9f", start);
    let mut script = Script::new(&caller, TOKYO, start);
    for _ in 0..4 {
        script.then(6, ("sqs", "SetQueueAttributes"), |call| {
            call.with("addendum", object! { "reason": "DELIVERY_DELAY" })
        });
    }
    let original = "7c0ffee0-1111-4222-8333-444455556666";
    script.then(11, ("sqs", "CreateQueue"), |call| {
        call.request(object! { "queueName": "locks-dead-letter" }).event_id(original)
    });
    script.then(0, ("sqs", "CreateQueue"), |call| {
        call.request(object! { "queueName": "locks-dead-letter" })
            .response(object! { "queueUrl": "https://sqs.ap-northeast-1.amazonaws.com/locks" })
            .with(
                "addendum",
                object! {
                    "reason": "UPDATED_DATA",
                    "updatedFields": "responseElements",
                    "originalEventID": original,
                },
            )
    });
    script.events
}
