//! Sessions of every kind: people from the company's directory, workloads from elsewhere, roles
//! across accounts, and the identity types that are rarely seen.

use super::Script;
use crate::trail::calls::assume;
use crate::trail::company::{
    Caller, DEVELOPMENT, IRELAND, OUTSIDER, PRODUCTION, SECURITY, VIRGINIA, role_arn, role_id,
    session_key, user_id,
};
use crate::trail::event::Event;
use crate::trail::json::{Json, object};
use crate::trail::moment::{DAY, HOUR, Moment};
use crate::trail::random::Random;

const STORE: &str = "arn:aws:identitystore::777788889999:identitystore/d-90670ca11e";

pub(super) fn events() -> Vec<Event> {
    let mut events = across_accounts();
    events.extend(refused_outsider());
    events.extend(people_from_the_directory());
    events.extend(workloads_from_elsewhere());
    events.extend(saml_sessions());
    events.extend(federated_user());
    events.extend(rare_identities());
    events.extend(travelling_administrator());
    events
}

/// Once a quarter the audit role of the two other accounts is assumed from the security account.
/// The event is in both trails, under one `sharedEventID`.
fn across_accounts() -> Vec<Event> {
    let mut random = Random::named("across accounts");
    let mut events = Vec::new();
    for quarter in 0..6 {
        let day = Moment::day(2024 + quarter / 4, quarter % 4 * 3 + 1, 2).at(1, 30);
        for (offset, account) in [(0, PRODUCTION), (4, DEVELOPMENT)] {
            let moment = day.plus(offset);
            let shared = random.uuid();
            let role = role_arn(account, "OrganisationAudit");
            let scanner = Caller::role(SECURITY, "AuditScanner", "nightly", day);
            let call = Event::call(moment, VIRGINIA, &scanner, "sts", "AssumeRole");
            let mut keys = random.clone();
            events.push(
                assume(call, &role, "nightly-audit", &mut keys)
                    .with("sharedEventID", shared.as_str()),
            );
            let seen_there = Caller::other_account(
                SECURITY,
                &format!("{}:nightly", role_id(SECURITY, "AuditScanner")),
            );
            let call =
                Event::call(moment, VIRGINIA, &seen_there, "sts", "AssumeRole").recipient(account);
            events.push(
                assume(call, &role, "nightly-audit", &mut random)
                    .with("sharedEventID", shared.as_str()),
            );
        }
    }
    events
}

/// After the attack, the account that the trust policy had let in tries the door.
fn refused_outsider() -> Vec<Event> {
    let outsider = Caller::other_account(OUTSIDER, "AIDAOUTSIDER0EXAMPLE1")
        .from("203.0.113.67")
        .with_agent("aws-cli/1.22.34 Python/3.10.12 Linux/6.6.9-kali botocore/1.23.34");
    let mut random = Random::named("outsider");
    let role = role_arn(PRODUCTION, "ManifestApi");
    let mut events = Vec::new();
    for (day, allowed) in [(14, true), (16, false), (17, false)] {
        let moment = Moment::day(2024, 11, day).at(4, 2);
        let call = Event::call(moment, VIRGINIA, &outsider, "sts", "AssumeRole");
        let call = assume(call, &role, "x", &mut random).recipient(PRODUCTION);
        events.push(if allowed { call } else { call.denied() });
    }
    events
}

/// IAM Identity Center: the sign-in, the second factor, and the role that is taken.
fn people_from_the_directory() -> Vec<Event> {
    let mut events = Vec::new();
    for (index, name) in ["mara", "tomas", "aiko", "lena", "mara", "aiko"].into_iter().enumerate() {
        let number = i64::try_from(index).unwrap_or(0);
        let day = Moment::day(2024, 2, 12).plus(number * 77 * DAY);
        let user = Random::named(&format!("directory {name}")).uuid();
        let identity = object! {
            "type": "IdentityCenterUser",
            "accountId": SECURITY,
            "onBehalfOf": object! { "userId": user, "identityStoreArn": STORE },
            "credentialId": Random::named(&format!("credential {name} {index}")).hex(32),
        };
        let caller = Caller::other(SECURITY, identity);
        let mut script = Script::new(&caller, VIRGINIA, day.at(7, 58));
        script.then(3, ("signin", "CredentialChallenge"), |call| {
            call.event_type("AwsServiceEvent")
                .with("serviceEventDetails", object! { "CredentialType": "PASSWORD" })
        });
        script.then(9, ("signin", "CredentialVerification"), |call| {
            call.event_type("AwsServiceEvent").with(
                "serviceEventDetails",
                object! { "CredentialVerification": "Success", "CredentialType": "TOTP" },
            )
        });
        let account = if name == "lena" { SECURITY } else { PRODUCTION };
        let role = if name == "mara" { "PlatformAdmin" } else { "ReadOnly" };
        script.then(6, ("sso", "Federate"), |call| {
            call.event_type("AwsServiceEvent")
                .with("serviceEventDetails", object! { "role_name": role, "account_id": account })
        });
        events.extend(script.events);
    }
    events
}

/// The build system takes its role with a token of its own.
fn workloads_from_elsewhere() -> Vec<Event> {
    let mut random = Random::named("web identity");
    let mut events = Vec::new();
    let provider =
        format!("arn:aws:iam::{PRODUCTION}:oidc-provider/token.actions.githubusercontent.com");
    for round in 0..12 {
        let subject = match round % 4 {
            3 => "repo:kingfisher-barge/playground:pull_request",
            _ => "repo:kingfisher-barge/manifest-api:ref:refs/heads/main",
        };
        let identity = object! {
            "type": "WebIdentityUser",
            "principalId": format!("{provider}:sts.amazonaws.com:{subject}"),
            "userName": subject,
            "identityProvider": &provider,
        };
        let caller = Caller::other(PRODUCTION, identity)
            .from("192.0.2.201")
            .with_agent("aws-sdk-nodejs/2.1573.0 linux/v20.11.1 configure-aws-credentials");
        let moment = Moment::day(2024, 1, 24).plus(round * 43 * DAY).at(10, 12);
        let call = Event::call(moment, VIRGINIA, &caller, "sts", "AssumeRoleWithWebIdentity");
        let role = role_arn(PRODUCTION, "TerraformDeploy");
        let call = assume(call, &role, "ci-main", &mut random);
        events.push(if round % 4 == 3 {
            call.error("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
        } else {
            call
        });
    }
    events
}

fn saml_sessions() -> Vec<Event> {
    let mut random = Random::named("saml");
    let mut events = Vec::new();
    for (round, name) in ["olga", "piet", "olga"].into_iter().enumerate() {
        let identity = object! {
            "type": "SAMLUser",
            "principalId": format!("{}:{name}@kingfisher.example", random.base32(28)),
            "userName": format!("{name}@kingfisher.example"),
            "identityProvider": random.base32(28),
        };
        let caller = Caller::other(DEVELOPMENT, identity);
        let day = Moment::day(2024, 5, 21).plus(i64::try_from(round).unwrap_or(0) * 120 * DAY);
        let call = Event::call(day.at(12, 31), IRELAND, &caller, "sts", "AssumeRoleWithSAML");
        let role = role_arn(DEVELOPMENT, "Contractor");
        let session = format!("{name}@kingfisher.example");
        let call = assume(call, &role, &session, &mut random);
        events.push(call.with("sharedEventID", random.uuid()));
        let mut used = Caller::role(DEVELOPMENT, "Contractor", &session, day.at(12, 31));
        if let Json::Object(fields) = &mut used.identity
            && let Some((_, context)) = fields.iter_mut().find(|(key, _)| key == "sessionContext")
        {
            *context = context.clone().with("sourceIdentity", name);
        }
        let mut script = Script::new(&used.from("198.51.100.200"), IRELAND, day.at(12, 33));
        script.then(5, ("ec2", "DescribeInstances"), |call| call);
        script.then(40, ("ec2", "StopInstances"), |call| {
            let items = vec![object! { "instanceId": "i-0dead10cc00000042" }];
            call.request(object! { "instancesSet": object! { "items": items }, "force": false })
        });
        events.extend(script.events);
    }
    events
}

/// `GetFederationToken`, the old way to give a partner two hours.
fn federated_user() -> Vec<Event> {
    let moment = Moment::day(2024, 3, 26).at(9, 9);
    let user = Caller::user(DEVELOPMENT, "jonas", "198.51.100.11");
    let token = Event::call(moment, VIRGINIA, &user, "sts", "GetFederationToken")
        .request(object! { "name": "partner-week13", "durationSeconds": 7_200 })
        .response(object! {
            "federatedUser": object! {
                "federatedUserId": format!("{DEVELOPMENT}:partner-week13"),
                "arn": format!("arn:aws:sts::{DEVELOPMENT}:federated-user/partner-week13"),
            },
        });
    let identity = object! {
        "type": "FederatedUser",
        "principalId": format!("{DEVELOPMENT}:partner-week13"),
        "arn": format!("arn:aws:sts::{DEVELOPMENT}:federated-user/partner-week13"),
        "accountId": DEVELOPMENT,
        "accessKeyId": session_key("partner-week13"),
        "sessionContext": object! {
            "sessionIssuer": object! {
                "type": "IAMUser",
                "principalId": user_id(DEVELOPMENT, "jonas"),
                "arn": format!("arn:aws:iam::{DEVELOPMENT}:user/jonas"),
                "accountId": DEVELOPMENT,
                "userName": "jonas",
            },
            "attributes": object! {
                "creationDate": moment.compact(),
                "mfaAuthenticated": "false",
            },
        },
    };
    let mut script =
        Script::new(&Caller::other(DEVELOPMENT, identity), VIRGINIA, moment.plus(HOUR));
    script.then(1, ("s3", "ListBuckets"), Event::denied);
    let mut events = vec![token];
    events.extend(script.events);
    events
}

/// The types that only a few services write.
fn rare_identities() -> Vec<Event> {
    let moment = Moment::day(2024, 12, 5).at(11, 0);
    let identities = [
        ("Role", "workspaces", "DescribeWorkspaces"),
        ("Directory", "ds", "DescribeDirectories"),
        ("Unknown", "workmail", "ListOrganizations"),
    ];
    let mut events = Vec::new();
    for (kind, service, name) in identities {
        let identity = object! {
            "type": kind,
            "principalId": format!("{kind}-principal"),
            "accountId": SECURITY,
            "userName": format!("{}-user", kind.to_lowercase()),
        };
        events.push(Event::call(
            moment,
            VIRGINIA,
            &Caller::other(SECURITY, identity),
            service,
            name,
        ));
    }
    let delegated = object! {
        "type": "AssumedRole",
        "principalId": format!("{}:assume-root", role_id(SECURITY, "RootAccess")),
        "arn": format!("arn:aws:sts::{SECURITY}:assumed-role/RootAccess/assume-root"),
        "accountId": SECURITY,
        "accessKeyId": session_key("assume-root"),
        "sessionContext": object! {
            "attributes": object! {
                "creationDate": moment.to_string(),
                "mfaAuthenticated": "true",
            },
            "assumedRoot": "true",
        },
        "inScopeOf": object! {
            "sourceArn": format!("arn:aws:lambda:us-east-1:{SECURITY}:function:root-janitor"),
            "sourceAccount": SECURITY,
            "issuerType": "AWS::Lambda::Function",
            "credentialsIssuedTo": "root-janitor",
        },
        "invokedByDelegate": object! { "accountId": SECURITY },
    };
    let caller = Caller::other(SECURITY, delegated);
    events.push(Event::call(moment.plus(9), VIRGINIA, &caller, "s3", "GetBucketPolicy"));
    events
}

/// 8 April 2025: one person, three places within half an hour.
fn travelling_administrator() -> Vec<Event> {
    let start = Moment::day(2025, 4, 8).at(16, 0);
    let role = "AWSReservedSSO_PlatformAdmin_4c1f9be2d07a3356";
    let mara = Caller::person(PRODUCTION, role, "mara", start);
    let mut script = Script::new(&mara, IRELAND, start);
    for address in ["198.51.100.10", "2001:db8:4b:7::1f", "203.0.113.9", "198.51.100.10"] {
        script.as_caller(&mara.clone().from(address));
        script.then(420, ("ec2", "DescribeInstances"), |call| call);
        script.then(20, ("cloudwatch", "GetDashboard"), |call| {
            call.request(object! { "dashboardName": "locks" })
        });
    }
    script.events
}
