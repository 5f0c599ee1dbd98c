//! The night of 14 November 2024: an access key leaks, and someone uses it for all it is worth.
//!
//! The key of `deploy-bot` is tried out, secrets are read, a user with administrator rights is
//! made, logging is stopped, instances are started in a region nobody uses, manifests are copied
//! and buckets deleted. In the morning the security account cleans up.

use super::Script;
use crate::trail::calls::{
    assume, ingress, instance_ids, key_arn, on_bucket, on_key, on_object, run_instances, sign_in,
    terminate_instances,
};
use crate::trail::company::{
    ATTACKER_ADDRESS, Caller, DEVELOPMENT, IRELAND, OUTSIDER, PRODUCTION, SAO_PAULO, SECURITY,
    STOLEN_KEY, TOKYO, VIRGINIA, role_arn, user_key,
};
use crate::trail::event::Event;
use crate::trail::json::{Json, list, object};
use crate::trail::moment::Moment;
use crate::trail::random::Random;

const AGENT: &str = "aws-cli/1.22.34 Python/3.10.12 Linux/6.6.9-kali botocore/1.23.34";
/// The user that the attacker makes.
const PUPPET: &str = "support-desk";
/// The one instance that the attacker gets in the region that nobody uses.
const MINER: &str = "miner";
/// How many objects are copied, and then deleted, by the attacker.
const COPIED: i64 = 240;
const DELETED: i64 = 20;
const GROUP: &str = "sg-0b1a5e0fb4a9e5c01";
const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:777788889999:trail/kingfisher-org";

pub(super) fn events() -> Vec<Event> {
    let night = Moment::day(2024, 11, 14);
    let mut events = Vec::new();
    events.extend(reconnaissance(night.at(2, 0)));
    events.extend(secrets(night.at(2, 9)));
    events.extend(persistence(night.at(2, 18)));
    events.extend(evasion(night.at(2, 33)));
    events.extend(mining(night.at(2, 47)));
    events.extend(theft(night.at(3, 1)));
    events.extend(destruction(night.at(3, 31)));
    events.extend(response(night.at(7, 30)));
    events
}

fn stolen() -> Caller {
    Caller::user(PRODUCTION, "deploy-bot", ATTACKER_ADDRESS).with_agent(AGENT)
}

fn puppet() -> Caller {
    Caller::user(PRODUCTION, PUPPET, ATTACKER_ADDRESS).with_agent(AGENT)
}

fn as_is(call: Event) -> Event {
    call
}

fn reconnaissance(start: Moment) -> Vec<Event> {
    let mut script = Script::new(&stolen(), VIRGINIA, start);
    script.then(7, ("sts", "GetCallerIdentity"), as_is);
    script.then(20, ("s3", "ListBuckets"), |call| {
        call.request(object! { "Host": "s3.amazonaws.com" })
    });
    script.then(25, ("iam", "ListUsers"), as_is);
    script.then(9, ("iam", "ListRoles"), as_is);
    script.then(14, ("iam", "GetAccountAuthorizationDetails"), Event::denied);
    script.then(31, ("organizations", "ListAccounts"), Event::denied);
    script.then(12, ("secretsmanager", "ListSecrets"), as_is);
    for region in [VIRGINIA, IRELAND, TOKYO, SAO_PAULO] {
        script.in_region(region);
        script.then(6, ("ec2", "DescribeInstances"), |call| {
            call.request(object! { "instancesSet": object! {}, "filterSet": object! {} })
        });
        script.then(3, ("ec2", "DescribeSnapshots"), |call| {
            call.request(object! {
                "ownersSet": object! { "items": list![object! { "owner": "self" }] },
            })
        });
    }
    script.events
}

fn secrets(start: Moment) -> Vec<Event> {
    let mut script = Script::new(&stolen(), VIRGINIA, start);
    let names =
        ["manifest-api/database", "customs/portal", "payments/gateway", "vpn/root", "github/app"];
    for (index, name) in names.iter().enumerate() {
        let id = format!("arn:aws:secretsmanager:{VIRGINIA}:{PRODUCTION}:secret:{name}-Kf8t2Q");
        // The resource policies of the last two keep the thief out.
        let allowed = index < 3;
        script.then(11, ("secretsmanager", "GetSecretValue"), |call| {
            let call = call.request(object! { "secretId": id });
            if allowed { call } else { call.denied() }
        });
    }
    script.then(16, ("ssm", "GetParametersByPath"), |call| {
        call.request(object! { "path": "/", "recursive": true, "withDecryption": true })
    });
    script.events
}

fn persistence(start: Moment) -> Vec<Event> {
    let mut script = Script::new(&stolen(), VIRGINIA, start);
    let named = || object! { "userName": PUPPET };
    script.then(5, ("iam", "CreateUser"), |call| {
        call.request(named()).response(object! {
            "user": object! {
                "path": "/",
                "userName": PUPPET,
                "arn": format!("arn:aws:iam::{PRODUCTION}:user/{PUPPET}"),
            },
        })
    });
    script.then(8, ("iam", "CreateAccessKey"), |call| call.request(named()).response(new_key()));
    script.then(10, ("iam", "CreateLoginProfile"), |call| {
        call.request(named().with("passwordResetRequired", false))
            .response(object! { "loginProfile": named() })
    });
    script.then(13, ("iam", "AttachUserPolicy"), |call| {
        call.request(named().with("policyArn", "arn:aws:iam::aws:policy/AdministratorAccess"))
    });
    script.then(21, ("iam", "PutRolePolicy"), |call| {
        let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        call.request(object! {
            "roleName": "BargeTracker",
            "policyName": "telemetry-extra",
            "policyDocument": document,
        })
    });
    script.then(19, ("iam", "UpdateAssumeRolePolicy"), |call| {
        call.request(object! {
            "roleName": "ManifestApi",
            "policyDocument": format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{OUTSIDER}:root"}},"Action":"sts:AssumeRole"}}]}}"#
            ),
        })
    });
    let person = Caller { console: false, ..puppet() }.with_key("");
    script.as_caller(&person.with_agent("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/119.0"));
    script.then(95, ("signin", "ConsoleLogin"), |call| sign_in(call, false, None));
    script.events
}

fn new_key() -> Json {
    object! {
        "accessKey": object! {
            "userName": PUPPET,
            "accessKeyId": user_key(PRODUCTION, PUPPET),
            "status": "Active",
            "createDate": "Nov 14, 2024 2:18:13 AM",
        },
    }
}

fn evasion(start: Moment) -> Vec<Event> {
    let mut script = Script::new(&puppet(), VIRGINIA, start);
    script.then(4, ("cloudtrail", "StopLogging"), |call| {
        call.request(object! { "name": TRAIL }).error(
            "NotOrganizationMasterAccountException",
            "The organisation's trail cannot be changed by a member account.",
        )
    });
    script.then(17, ("cloudtrail", "StopLogging"), |call| {
        call.request(object! { "name": "kf-prod-local" })
    });
    script.then(22, ("guardduty", "DeleteDetector"), |call| {
        call.request(object! { "detectorId": "4ab1c2d3e4f5a6b7c8d9e0f1a2b3c4d5" })
    });
    script.then(9, ("ec2", "DeleteFlowLogs"), |call| {
        let id = object! { "tag": 1, "content": "fl-0a1b2c3d4e5f60718" };
        call.request(object! { "DeleteFlowLogsRequest": object! { "FlowLogId": id } })
    });
    script.events
}

fn mining(start: Moment) -> Vec<Event> {
    let mut script = Script::new(&puppet(), SAO_PAULO, start);
    script.then(3, ("ec2", "CreateKeyPair"), |call| {
        call.request(object! { "keyName": "desk", "keyType": "rsa", "keyFormat": "pem" })
    });
    script.then(7, ("ec2", "AuthorizeSecurityGroupIngress"), |call| {
        call.request(ingress(GROUP, 22, "0.0.0.0/0")).response(object! { "_return": true })
    });
    script.then(15, ("ec2", "RunInstances"), |call| {
        run_instances(call, "p4d.24xlarge", &instance_ids("refused", 8)).error(
            "Client.VcpuLimitExceeded",
            "You have requested more vCPU capacity than your current vCPU limit of 64 allows.",
        )
    });
    script.then(12, ("ec2", "RunInstances"), |call| {
        run_instances(call, "g5.12xlarge", &instance_ids(MINER, 1))
    });
    script.in_region(IRELAND);
    script.then(30, ("ec2", "RunInstances"), |call| {
        run_instances(call, "g5.4xlarge", &instance_ids("miners in Ireland", 3))
    });
    script.events
}

fn theft(start: Moment) -> Vec<Event> {
    let mut random = Random::named("attack objects");
    let mut script = Script::new(&puppet(), VIRGINIA, start);
    script.then(2, ("s3", "ListObjects"), |call| {
        on_object(call, "kf-shipping-manifests", "", 91_204)
            .request(object! { "bucketName": "kf-shipping-manifests", "list-type": "2" })
    });
    for number in 0..COPIED {
        let bytes = random.between(400_000, 9_000_000);
        let key = format!("2024/10/{:02}/manifest-{:05}.json", number % 31 + 1, number * 37);
        script.then(random.between(1, 4), ("s3", "GetObject"), |call| {
            on_object(call, "kf-shipping-manifests", &key, bytes)
        });
    }
    script.then(40, ("ec2", "ModifySnapshotAttribute"), |call| {
        call.request(object! {
            "snapshotId": "snap-0db00db00db00db01",
            "attributeType": "CREATE_VOLUME_PERMISSION",
            "createVolumePermission": object! {
                "add": object! { "items": list![object! { "userId": OUTSIDER }] },
            },
        })
        .response(object! { "_return": true })
    });
    script.events
}

fn destruction(start: Moment) -> Vec<Event> {
    let mut script = Script::new(&puppet(), VIRGINIA, start);
    for number in 0..DELETED {
        script.then(2, ("s3", "DeleteObject"), |call| {
            on_object(call, "kf-manifest-archive", &format!("2023/{number:04}.tar"), 0)
        });
    }
    let buckets = ["kf-manifest-archive", "kf-invoice-archive", "kf-lock-photos"];
    script.then(5, ("s3", "DeleteBucket"), |call| {
        on_bucket(call, buckets[1], object! {})
            .error("BucketNotEmpty", "The bucket you tried to delete is not empty")
    });
    for bucket in buckets {
        script.then(8, ("s3", "DeleteBucket"), |call| on_bucket(call, bucket, object! {}));
    }
    script.then(14, ("kms", "ScheduleKeyDeletion"), |call| {
        let arn = key_arn(&call, "manifests");
        let request = object! { "keyId": &arn, "pendingWindowInDays": 7 };
        on_key(call, "manifests", request).response(object! {
            "keyId": arn,
            "keyState": "PendingDeletion",
            "deletionDate": "Nov 21, 2024 12:00:00 AM",
            "pendingWindowInDays": 7,
        })
    });
    let mut random = Random::named("attack role");
    let role = role_arn(DEVELOPMENT, "OrganizationAccountAccessRole");
    script
        .then(33, ("sts", "AssumeRole"), |call| assume(call, &role, "desk", &mut random).denied());
    script.events
}

fn response(start: Moment) -> Vec<Event> {
    let responder =
        Caller::role(PRODUCTION, "IncidentResponder", "lena", start).from("198.51.100.77");
    let mut script = Script::new(&responder, VIRGINIA, start);
    let named = || object! { "userName": PUPPET };
    script.then(12, ("iam", "UpdateAccessKey"), |call| {
        let key = object! { "userName": "deploy-bot", "accessKeyId": STOLEN_KEY };
        call.request(key.with("status", "Inactive"))
    });
    script.then(9, ("iam", "DeleteLoginProfile"), |call| call.request(named()));
    script.then(8, ("iam", "DetachUserPolicy"), |call| {
        call.request(named().with("policyArn", "arn:aws:iam::aws:policy/AdministratorAccess"))
    });
    script.then(6, ("iam", "DeleteAccessKey"), |call| {
        call.request(named().with("accessKeyId", user_key(PRODUCTION, PUPPET)))
    });
    script.then(30, ("cloudtrail", "StartLogging"), |call| {
        call.request(object! { "name": "kf-prod-local" })
    });
    script.then(41, ("kms", "CancelKeyDeletion"), |call| {
        let arn = key_arn(&call, "manifests");
        on_key(call, "manifests", object! { "keyId": arn })
    });
    script.in_region(SAO_PAULO);
    script.then(25, ("ec2", "TerminateInstances"), |call| {
        terminate_instances(call, &instance_ids(MINER, 1))
    });
    script.then(7, ("ec2", "RevokeSecurityGroupIngress"), |call| {
        call.request(ingress(GROUP, 22, "0.0.0.0/0")).response(object! { "_return": true })
    });
    script.events.push(assumed_by_security(start));
    script.events
}

/// The responder came from the security account.
fn assumed_by_security(start: Moment) -> Event {
    let mut random = Random::named("responder role");
    let caller = Caller::role(SECURITY, "AWSReservedSSO_Responder_0f2e4d6c8b1a3957", "lena", start)
        .from("198.51.100.77");
    let call = Event::call(start, VIRGINIA, &caller, "sts", "AssumeRole");
    assume(call, &role_arn(PRODUCTION, "IncidentResponder"), "lena", &mut random)
        .with("sharedEventID", random.uuid())
}
