//! Users, keys, policies and sign-ins.

use super::Script;
use crate::trail::calls::{key_arn, key_id, on_key, sign_in};
use crate::trail::company::{
    Caller, DEVELOPMENT, IRELAND, PRODUCTION, SECURITY, VIRGINIA, role_arn, user_id, user_key,
};
use crate::trail::event::Event;
use crate::trail::json::{Json, list, object};
use crate::trail::moment::{DAY, Moment};

/// From where somebody guessed the password of `tomas`.
const GUESSER: &str = "203.0.113.120";
const WRONG_PASSWORD: &str = "Failed authentication";

pub(super) fn events() -> Vec<Event> {
    let mut events = guessed_password();
    events.extend(sign_ins_without_mfa());
    events.extend(root_sign_ins());
    events.extend(new_starter());
    events.extend(key_rotation());
    events.extend(policies_of_terraform());
    events.extend(mfa_removed());
    events.extend(keys_to_be_deleted());
    events.extend(quarterly_denials());
    events.extend(new_tool_refused());
    events
}

/// A sign-in has no session and no key yet.
fn signing_in(account: &str, user: &str, address: &str) -> Caller {
    let name = match user {
        "" => "HIDDEN_DUE_TO_SECURITY_REASONS",
        known => known,
    };
    let identity = object! {
        "type": "IAMUser",
        "principalId": user_id(account, name),
        "accountId": account,
        "accessKeyId": "",
        "userName": name,
    };
    Caller::other(account, identity)
        .from(address)
        .with_agent("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/119.0")
}

/// 22 April 2024: fourteen wrong passwords, two unknown users, then the right password, without
/// a second factor.
fn guessed_password() -> Vec<Event> {
    let start = Moment::day(2024, 4, 22).at(22, 40);
    let target = signing_in(PRODUCTION, "tomas", GUESSER);
    let mut script = Script::new(&target, VIRGINIA, start);
    for attempt in 0..14 {
        script.then(11 + attempt % 5, ("signin", "ConsoleLogin"), |call| {
            sign_in(call, false, Some(WRONG_PASSWORD))
        });
    }
    script.as_caller(&signing_in(PRODUCTION, "", GUESSER));
    for _ in 0..2 {
        script.then(13, ("signin", "ConsoleLogin"), |call| {
            sign_in(call, false, Some("No username found in supplied account"))
        });
    }
    script.as_caller(&signing_in(PRODUCTION, "tomas", GUESSER));
    script.then(24, ("signin", "ConsoleLogin"), |call| sign_in(call, false, None));
    let inside = Caller::console_user(PRODUCTION, "tomas", false, start.plus(300)).from(GUESSER);
    script.as_caller(&inside);
    script
        .then(30, ("iam", "ListMFADevices"), |call| call.request(object! { "userName": "tomas" }));
    script.then(14, ("iam", "ChangePassword"), Event::denied);
    script.events
}

/// People in the development account who have no second factor, once a quarter.
fn sign_ins_without_mfa() -> Vec<Event> {
    let days = [
        Moment::day(2024, 2, 6),
        Moment::day(2024, 5, 14),
        Moment::day(2024, 8, 19),
        Moment::day(2024, 11, 4),
        Moment::day(2025, 2, 11),
    ];
    let mut events = Vec::new();
    for (day, user) in days.into_iter().zip(["jonas", "jonas", "priya", "jonas", "jonas"]) {
        let caller = signing_in(DEVELOPMENT, user, "198.51.100.12");
        let call = Event::call(day.at(8, 4), VIRGINIA, &caller, "signin", "ConsoleLogin");
        events.push(sign_in(call, user == "priya", None));
    }
    events
}

/// The root users: a yearly check with a second factor, and one access key that should not be.
fn root_sign_ins() -> Vec<Event> {
    let mut events = Vec::new();
    for (account, day) in [
        (PRODUCTION, Moment::day(2024, 2, 29).at(10, 0)),
        (DEVELOPMENT, Moment::day(2024, 2, 29).at(10, 20)),
        (PRODUCTION, Moment::day(2025, 5, 30).at(15, 3)),
    ] {
        let root = Caller::root(account, day);
        let call = Event::call(day, VIRGINIA, &root, "signin", "ConsoleLogin");
        events.push(sign_in(call, true, None));
    }
    let day = Moment::day(2024, 2, 29).at(10, 24);
    let mut script = Script::new(&Caller::root(DEVELOPMENT, day), VIRGINIA, day);
    script.then(50, ("iam", "CreateAccessKey"), |call| {
        call.response(new_key("root", "AKIAKFROOTDEVEXAMPLE", day))
    });
    script.then(DAY, ("iam", "DeleteAccessKey"), |call| {
        call.request(object! { "accessKeyId": "AKIAKFROOTDEVEXAMPLE" })
    });
    events.extend(script.events);
    events
}

fn new_key(user: &str, key: &str, created: Moment) -> Json {
    object! {
        "accessKey": object! {
            "userName": user,
            "accessKeyId": key,
            "status": "Active",
            "createDate": created.to_string(),
        },
    }
}

/// 3 June 2024: an administrator gives a new colleague a user, a password and a key.
fn new_starter() -> Vec<Event> {
    let start = Moment::day(2024, 6, 3).at(8, 30);
    let admin = Caller::console_user(DEVELOPMENT, "priya", true, start);
    let named = || object! { "userName": "yuki" };
    let mut script = Script::new(&admin, VIRGINIA, start);
    script.then(20, ("iam", "CreateUser"), |call| call.request(named()));
    script.then(25, ("iam", "CreateLoginProfile"), |call| {
        call.request(named().with("passwordResetRequired", true))
    });
    script.then(18, ("iam", "AddUserToGroup"), |call| {
        call.request(named().with("groupName", "developers"))
    });
    script.then(30, ("iam", "CreateAccessKey"), |call| {
        let key = user_key(DEVELOPMENT, "yuki");
        let created = call.moment;
        call.request(named()).response(new_key("yuki", &key, created))
    });
    let own = signing_in(DEVELOPMENT, "yuki", "198.51.100.14");
    script.as_caller(&own);
    script.then(120, ("signin", "ConsoleLogin"), |call| sign_in(call, false, None));
    script.then(30, ("iam", "UpdateLoginProfile"), |call| call.request(named()));
    script.events
}

/// `backup-agent` gets a new key every half year; the old one is deleted a day later.
fn key_rotation() -> Vec<Event> {
    let mut events = Vec::new();
    let days = [Moment::day(2024, 4, 2), Moment::day(2024, 10, 1), Moment::day(2025, 4, 1)];
    for (round, day) in days.into_iter().enumerate() {
        let start = day.at(12, 0);
        let caller = Caller::user(PRODUCTION, "backup-agent", "192.0.2.88");
        let mut script = Script::new(&caller, VIRGINIA, start);
        script.then(3, ("iam", "CreateAccessKey"), |call| {
            let key = format!("AKIAKFBACKUP{round}EXAMPLE");
            call.request(object! { "userName": "backup-agent" }).response(new_key(
                "backup-agent",
                &key,
                start,
            ))
        });
        script.then(DAY, ("iam", "DeleteAccessKey"), |call| {
            let old = user_key(PRODUCTION, "backup-agent");
            call.request(object! { "userName": "backup-agent", "accessKeyId": old })
        });
        events.extend(script.events);
    }
    events
}

/// Policies that the pipeline changes, as it should.
fn policies_of_terraform() -> Vec<Event> {
    let mut events = Vec::new();
    for (day, account) in [
        (Moment::day(2024, 3, 12), PRODUCTION),
        (Moment::day(2024, 9, 24), DEVELOPMENT),
        (Moment::day(2025, 3, 4), SECURITY),
    ] {
        let start = day.at(9, 0);
        let caller = Caller::role(account, "TerraformDeploy", "ci-main", start);
        let mut script = Script::new(&caller, VIRGINIA, start);
        let arn = format!("arn:aws:iam::{account}:policy/telemetry-read");
        let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"arn:aws:s3:::kf-barge-telemetry/*"}]}"#;
        script.then(4, ("iam", "CreatePolicy"), |call| {
            call.request(object! { "policyName": "telemetry-read", "policyDocument": document })
                .response(object! { "policy": object! { "arn": &arn, "attachmentCount": 0 } })
        });
        script.then(3, ("iam", "CreateRole"), |call| {
            call.request(object! {
                "roleName": "TelemetryReader",
                "assumeRolePolicyDocument": r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#,
            })
            .response(object! { "role": object! { "arn": role_arn(account, "TelemetryReader") } })
        });
        script.then(3, ("iam", "AttachRolePolicy"), |call| {
            call.request(object! { "roleName": "TelemetryReader", "policyArn": &arn })
        });
        script.then(5, ("iam", "CreatePolicyVersion"), |call| {
            call.request(object! {
                "policyArn": &arn,
                "policyDocument": document,
                "setAsDefault": true,
            })
        });
        events.extend(script.events);
    }
    events
}

/// 3 September 2024: somebody without a phone for a day.
fn mfa_removed() -> Vec<Event> {
    let start = Moment::day(2024, 9, 3).at(7, 55);
    let mut script =
        Script::new(&Caller::console_user(DEVELOPMENT, "priya", true, start), VIRGINIA, start);
    let serial = format!("arn:aws:iam::{DEVELOPMENT}:mfa/priya");
    script.then(60, ("iam", "DeactivateMFADevice"), |call| {
        call.request(object! { "userName": "priya", "serialNumber": &serial })
    });
    script.then(9, ("iam", "DeleteVirtualMFADevice"), |call| {
        call.request(object! { "serialNumber": &serial })
    });
    script.then(DAY, ("iam", "EnableMFADevice"), |call| {
        call.request(object! { "userName": "priya", "serialNumber": &serial })
    });
    script.events
}

/// Keys that are scheduled for deletion: by plan, and (in the attack) not.
fn keys_to_be_deleted() -> Vec<Event> {
    let start = Moment::day(2025, 2, 3).at(14, 0);
    let caller = Caller::role(PRODUCTION, "TerraformDeploy", "ci-main", start);
    let mut script = Script::new(&caller, IRELAND, start);
    for (key, days) in [("tokens-2022", 30), ("tokens-2023", 30)] {
        script.then(8, ("kms", "DisableKey"), |call| {
            on_key(call, key, object! { "keyId": key_id(key) })
        });
        script.then(4, ("kms", "ScheduleKeyDeletion"), |call| {
            let arn = key_arn(&call, key);
            let request = object! { "keyId": &arn, "pendingWindowInDays": days };
            on_key(call, key, request).response(object! {
                "keyId": arn,
                "keyState": "PendingDeletion",
                "deletionDate": "Mar 5, 2025 12:00:00 AM",
                "pendingWindowInDays": days,
            })
        });
    }
    script.events
}

/// A tool of the security account that asks for more than it was given, every quarter.
fn quarterly_denials() -> Vec<Event> {
    let mut events = Vec::new();
    let calls = [
        ("iam", "GenerateCredentialReport"),
        ("s3", "GetBucketPolicy"),
        ("kms", "GetKeyPolicy"),
        ("ec2", "DescribeRegions"),
        ("secretsmanager", "ListSecrets"),
        ("lambda", "GetPolicy20150331v2"),
    ];
    for day in [
        Moment::day(2024, 1, 15),
        Moment::day(2024, 4, 15),
        Moment::day(2024, 7, 15),
        Moment::day(2024, 10, 15),
        Moment::day(2025, 1, 15),
        Moment::day(2025, 4, 15),
    ] {
        let start = day.at(3, 0);
        let caller = Caller::role(PRODUCTION, "OrganisationAudit", "posture-scan", start);
        let mut script = Script::new(&caller, VIRGINIA, start);
        for call in calls {
            script.then(2, call, |call| call.request(list_or_null()).denied());
        }
        events.extend(script.events);
    }
    events
}

/// 18 March 2025: a new tool for costs starts with less than it needs.
fn new_tool_refused() -> Vec<Event> {
    let start = Moment::day(2025, 3, 18).at(8, 5);
    let caller = Caller::role(PRODUCTION, "CostReporter", "pilot", start);
    let mut script = Script::new(&caller, VIRGINIA, start);
    for name in ["GetCostAndUsage", "GetCostForecast", "GetReservationUtilization"] {
        script.then(4, ("ce", name), Event::denied);
    }
    script.events
}

/// Some services log an empty list where others log nothing.
fn list_or_null() -> Json {
    object! { "filters": list![] }
}
