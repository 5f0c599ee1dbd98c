//! API calls in the form in which their services log them, used by ordinary days and stories alike.

use super::company::{object_resources, resource};
use super::event::Event;
use super::json::{Json, list, object};
use super::random::Random;

/// Completes a call on an object of a bucket, which moved `bytes` out of (a read) or into it.
pub(crate) fn on_object(call: Event, bucket: &str, key: &str, bytes: i64) -> Event {
    let account = call.recipient.clone();
    let host = format!("{bucket}.s3.{}.amazonaws.com", call.region);
    let (bytes_in, bytes_out) = if call.is_read_only() { (0, bytes) } else { (bytes, 0) };
    let mut additional = object! {
        "SignatureVersion": "SigV4",
        "CipherSuite": "TLS_AES_128_GCM_SHA256",
        "bytesTransferredIn": bytes_in,
        "AuthenticationMethod": "AuthHeader",
        "bytesTransferredOut": bytes_out,
    };
    if !call.is_read_only() && bytes > 0 {
        let sealed = if bytes % 5 == 0 { "Default_SSE_S3" } else { "SSE_KMS" };
        additional = additional.with("SSEApplied", sealed);
    }
    call.data()
        .request(object! { "bucketName": bucket, "Host": host, "key": key })
        .additional(additional)
        .resources(object_resources(&account, bucket, key))
}

/// Completes a call on a bucket; `request` has what the call says beyond the bucket's name.
pub(crate) fn on_bucket(call: Event, bucket: &str, request: Json) -> Event {
    let account = call.recipient.clone();
    let host = format!("s3.{}.amazonaws.com", call.region);
    let mut fields = vec![
        (String::from("bucketName"), Json::from(bucket)),
        (String::from("Host"), Json::from(host)),
    ];
    if let Json::Object(more) = request {
        fields.extend(more);
    }
    call.request(Json::Object(fields))
        .additional(object! {
            "SignatureVersion": "SigV4",
            "CipherSuite": "TLS_AES_128_GCM_SHA256",
            "bytesTransferredIn": 0,
            "AuthenticationMethod": "AuthHeader",
            "bytesTransferredOut": 0,
        })
        .resources(list![resource(&account, "AWS::S3::Bucket", &format!("arn:aws:s3:::{bucket}"))])
}

/// Completes a call on a table of `DynamoDB`.
pub(crate) fn on_table(call: Event, table: &str, request: Json) -> Event {
    let arn = format!("arn:aws:dynamodb:{}:{}:table/{table}", call.region, call.recipient);
    let resources = list![resource(&call.recipient, "AWS::DynamoDB::Table", &arn)];
    call.data().request(request.with("tableName", table)).resources(resources)
}

/// Completes a call on a KMS key.
pub(crate) fn on_key(call: Event, key: &str, request: Json) -> Event {
    let arn = key_arn(&call, key);
    let resources = list![resource(&call.recipient, "AWS::KMS::Key", &arn)];
    call.request(request).resources(resources)
}

/// The ARN of the KMS key `key` in the account and region of `call`.
pub(crate) fn key_arn(call: &Event, key: &str) -> String {
    format!("arn:aws:kms:{}:{}:key/{}", call.region, call.recipient, key_id(key))
}

/// The key id of the KMS key that the story calls `key`.
pub(crate) fn key_id(key: &str) -> String {
    Random::named(&format!("kms {key}")).uuid()
}

/// Completes `AssumeRole`, with the credentials that it gave.
pub(crate) fn assume(call: Event, role_arn: &str, session: &str, random: &mut Random) -> Event {
    let expiration = call.moment.plus(3_600).to_string();
    let role_account = role_arn.split(':').nth(4).unwrap_or_default().to_owned();
    let role = role_arn.rsplit('/').next().unwrap_or_default();
    let response = object! {
        "credentials": object! {
            "accessKeyId": format!("ASIA{}EXAMPLE", random.base32(9)),
            "sessionToken": format!("{}EXAMPLETOKEN", random.base32(16)),
            "expiration": expiration,
        },
        "assumedRoleUser": object! {
            "assumedRoleId": format!("{}:{session}", super::company::role_id(&role_account, role)),
            "arn": format!("arn:aws:sts::{role_account}:assumed-role/{role}/{session}"),
        },
    };
    call.request(object! {
        "roleArn": role_arn,
        "roleSessionName": session,
        "durationSeconds": 3_600,
    })
    .response(response)
    .resources(list![resource(&role_account, "AWS::IAM::Role", role_arn)])
}

/// The ids of `count` instances that the story calls `name`.
pub(crate) fn instance_ids(name: &str, count: usize) -> Vec<String> {
    let mut random = Random::named(&format!("instances {name}"));
    (0..count).map(|_| format!("i-0{}", random.hex(16))).collect()
}

/// Completes `RunInstances` of one type of instance.
pub(crate) fn run_instances(call: Event, kind: &str, instances: &[String]) -> Event {
    let mut random = Random::named(&format!("reservation {instances:?}"));
    let image = format!("ami-0{}", Random::named(&format!("image {kind}")).hex(16));
    let items = instances.iter().map(|id| {
        object! {
            "instanceId": id,
            "imageId": &image,
            "instanceState": object! { "code": 0, "name": "pending" },
            "instanceType": kind,
        }
    });
    let response = object! {
        "requestId": random.uuid(),
        "reservationId": format!("r-0{}", random.hex(16)),
        "ownerId": &call.recipient,
        "instancesSet": object! { "items": items.collect::<Vec<Json>>() },
    };
    let count = i64::try_from(instances.len()).unwrap_or(i64::MAX);
    let asked = object! { "imageId": &image, "minCount": count, "maxCount": count };
    call.request(object! {
        "instancesSet": object! { "items": list![asked] },
        "instanceType": kind,
        "disableApiTermination": false,
        "monitoring": object! { "enabled": false },
    })
    .response(response)
}

/// Completes `TerminateInstances`.
pub(crate) fn terminate_instances(call: Event, instances: &[String]) -> Event {
    let asked = instances.iter().map(|id| object! { "instanceId": id }).collect::<Vec<Json>>();
    let ended = instances.iter().map(|id| {
        object! {
            "instanceId": id,
            "currentState": object! { "code": 32, "name": "shutting-down" },
            "previousState": object! { "code": 16, "name": "running" },
        }
    });
    let ended = ended.collect::<Vec<Json>>();
    call.request(object! { "instancesSet": object! { "items": asked } })
        .response(object! { "instancesSet": object! { "items": ended } })
}

/// The request of `AuthorizeSecurityGroupIngress` and its counterpart: one port for one network.
pub(crate) fn ingress(group: &str, port: i64, network: &str) -> Json {
    let (ranges, ranges_v6) = if network.contains("::") {
        (object! {}, object! { "items": list![object! { "cidrIpv6": network }] })
    } else {
        (object! { "items": list![object! { "cidrIp": network }] }, object! {})
    };
    let permission = object! {
        "ipProtocol": "tcp",
        "fromPort": port,
        "toPort": port,
        "groups": object! {},
        "ipRanges": ranges,
        "ipv6Ranges": ranges_v6,
        "prefixListIds": object! {},
    };
    object! { "groupId": group, "ipPermissions": object! { "items": list![permission] } }
}

/// A console sign-in; `failure` is the message when it did not succeed.
pub(crate) fn sign_in(call: Event, mfa: bool, failure: Option<&str>) -> Event {
    let outcome = if failure.is_some() { "Failure" } else { "Success" };
    let call = call
        .event_type("AwsConsoleSignIn")
        .response(object! { "ConsoleLogin": outcome })
        .additional(object! {
            "LoginTo": "https://console.aws.amazon.com/console/home",
            "MobileVersion": "No",
            "MFAUsed": if mfa { "Yes" } else { "No" },
        });
    match failure {
        Some(message) => call.failed_with(message),
        None => call,
    }
}
