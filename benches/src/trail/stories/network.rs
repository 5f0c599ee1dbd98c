//! Security groups, endpoints of private networks, and old encryption.

use super::Script;
use crate::trail::calls::{ingress, on_object};
use crate::trail::company::{Caller, DEVELOPMENT, IRELAND, OUTSIDER, PRODUCTION, VIRGINIA};
use crate::trail::event::Event;
use crate::trail::json::object;
use crate::trail::moment::{DAY, Moment};

/// Calls that the endpoint policies of the private networks refused.
const ENDPOINT_DENIALS: i64 = 12;

pub(super) fn events() -> Vec<Event> {
    let mut events = opened_to_the_world();
    events.extend(rules_changed());
    events.extend(denied_at_the_endpoint());
    events.extend(partner_with_old_client());
    events
}

/// 16 May 2024: remote desktop, for everyone, "just for an hour".
fn opened_to_the_world() -> Vec<Event> {
    let start = Moment::day(2024, 5, 16).at(15, 40);
    let caller = Caller::console_user(DEVELOPMENT, "jonas", false, start);
    let mut script = Script::new(&caller, IRELAND, start);
    let group = "sg-0dev0dev0dev0dev1";
    script.then(10, ("ec2", "AuthorizeSecurityGroupIngress"), |call| {
        call.request(ingress(group, 3_389, "0.0.0.0/0")).response(object! { "_return": true })
    });
    script.then(30, ("ec2", "AuthorizeSecurityGroupIngress"), |call| {
        call.request(ingress(group, 3_389, "::/0")).response(object! { "_return": true })
    });
    script.then(5 * DAY, ("ec2", "RevokeSecurityGroupIngress"), |call| {
        call.request(ingress(group, 3_389, "0.0.0.0/0")).response(object! { "_return": true })
    });
    script.events
}

/// Rules for known networks, and one change of a rule in the newer form of the request.
fn rules_changed() -> Vec<Event> {
    let start = Moment::day(2024, 7, 2).at(9, 20);
    let caller = Caller::role(PRODUCTION, "TerraformDeploy", "ci-main", start);
    let mut script = Script::new(&caller, VIRGINIA, start);
    let group = "sg-0prod0prod0prod01";
    for (port, network) in
        [(443, "198.51.100.0/24"), (5_432, "10.20.0.0/16"), (6_379, "10.20.0.0/16")]
    {
        script.then(3, ("ec2", "AuthorizeSecurityGroupIngress"), |call| {
            call.request(ingress(group, port, network)).response(object! { "_return": true })
        });
    }
    script.then(6, ("ec2", "ModifySecurityGroupRules"), |call| {
        let rule = object! {
            "IpProtocol": "tcp",
            "FromPort": 443,
            "ToPort": 443,
            "CidrIpv4": "0.0.0.0/0",
            "Description": "public site",
        };
        let rules = object! {
            "SecurityGroupRuleId": "sgr-0feed0feed0feed01",
            "SecurityGroupRule": rule,
            "tag": 1,
        };
        call.request(object! {
            "ModifySecurityGroupRulesRequest": object! {
                "GroupId": group,
                "SecurityGroupRule": rules,
            },
        })
        .response(object! { "ModifySecurityGroupRulesResponse": object! { "return": true } })
    });
    script.events
}

/// Network activity events: a build agent reaches for secrets through an endpoint that forbids it.
fn denied_at_the_endpoint() -> Vec<Event> {
    let mut events = Vec::new();
    for round in 0..ENDPOINT_DENIALS {
        let moment = Moment::day(2025, 3, 11).at(3, 0).plus(round * 41);
        let (service, name, account) = match round % 3 {
            0 => ("secretsmanager", "GetSecretValue", PRODUCTION),
            1 => ("kms", "Decrypt", PRODUCTION),
            _ => ("s3", "PutObject", OUTSIDER),
        };
        let caller = Caller::other_account(account, "AROABUILDAGENTEXAMPLE:agent-4");
        let caller = Caller { address: String::from("10.20.14.8"), tls: false, ..caller };
        events.push(
            Event::call(moment, VIRGINIA, &caller, service, name)
                .recipient(PRODUCTION)
                .category("NetworkActivity")
                .event_type("AwsVpceEvent")
                .error("VpceAccessDenied", "The request was denied due to a VPC endpoint policy")
                .with("vpcEndpointId", "vpce-0a5e0fb4a9e5c0de1")
                .with("vpcEndpointAccountId", PRODUCTION)
                .without("userAgent")
                .without("requestParameters")
                .without("responseElements")
                .without("readOnly")
                .without("managementEvent"),
        );
    }
    events
}

/// A partner's program that still speaks TLS 1.1, until it was told to stop in June 2024.
fn partner_with_old_client() -> Vec<Event> {
    let mut events = Vec::new();
    for week in 0..8 {
        let start = Moment::day(2024, 4, 10).plus(week * 7 * DAY).at(18, 0);
        let caller = Caller::user(PRODUCTION, "partner-customs", "203.0.113.200")
            .with_agent("aws-sdk-java/1.9.13 Windows_Server_2012 Java/1.7.0_80");
        let mut script = Script::new(&caller, IRELAND, start);
        for number in 0..3 {
            let key = format!("customs/{week:02}/{number}.xml");
            script.then(4, ("s3", "PutObject"), |call| {
                on_object(call, "kf-customs-inbox", &key, 8_000 + number).tls("TLSv1.1")
            });
        }
        events.extend(script.events);
    }
    events
}
