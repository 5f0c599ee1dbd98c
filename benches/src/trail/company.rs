//! The company of the story: Kingfisher Barge & Freight, which moves containers on canals.
//!
//! Everything here is made up. Account numbers are the ones that AWS's documentation uses, access
//! keys end in `EXAMPLE`, addresses are from the blocks reserved for documentation (RFC 5737 and
//! RFC 3849), domains end in `.example`.

use super::json::{Json, list, object};
use super::moment::Moment;
use super::random::Random;

/// The organisation that the three accounts belong to.
pub(crate) const ORGANISATION: &str = "o-kf8lock2tp";
/// Runs the business.
pub(crate) const PRODUCTION: &str = "111122223333";
/// Where people try things; it had a trail of its own until the organisation's trail came.
pub(crate) const DEVELOPMENT: &str = "444455556666";
/// Reads the other accounts and answers incidents.
pub(crate) const SECURITY: &str = "777788889999";
/// Somebody else's account.
pub(crate) const OUTSIDER: &str = "123456789012";

pub(crate) const VIRGINIA: &str = "us-east-1";
pub(crate) const IRELAND: &str = "eu-west-1";
pub(crate) const TOKYO: &str = "ap-northeast-1";
/// A region in which the company runs nothing.
pub(crate) const SAO_PAULO: &str = "sa-east-1";

/// From where the attack of November 2024 came.
pub(crate) const ATTACKER_ADDRESS: &str = "203.0.113.66";
/// The access key that the attack began with: that of the IAM user `deploy-bot`.
pub(crate) const STOLEN_KEY: &str = "AKIAKFDEPLOY7EXAMPLE";

/// Addresses of the company's office.
pub(crate) const OFFICE: &[&str] =
    &["198.51.100.10", "198.51.100.11", "198.51.100.12", "198.51.100.14", "198.51.100.77"];

const CLI: &str = "aws-cli/2.15.30 Python/3.11.8 Linux/6.1.0 exe/x86_64.debian.12";
const BOTO: &str = "Boto3/1.34.51 md/Botocore#1.34.51 ua/2.0 os/linux#6.1 lang/python#3.12.2";
const GO: &str = "aws-sdk-go-v2/1.25.2 os/linux lang/go#1.22.0 md/GOOS#linux api/s3#1.51.1";
const JAVA: &str = "aws-sdk-java/2.25.1 Linux/5.10.210 OpenJDK_64-Bit_Server_VM/21.0.2+13-LTS";
const TERRAFORM: &str = "APN/1.0 HashiCorp/1.0 Terraform/1.7.4 terraform-provider-aws/5.39.1";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:123.0) Gecko/20100101 Firefox/123.0";

/// Who makes a call, from where, with what.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) identity: Json,
    /// The account the caller belongs to.
    pub(crate) account: String,
    pub(crate) address: String,
    pub(crate) agent: String,
    /// Whether the call was made with the credentials of a console session.
    pub(crate) console: bool,
    /// Whether the call came over the network, and therefore with TLS details.
    pub(crate) tls: bool,
}

impl Caller {
    fn new(identity: Json, account: &str, address: &str, agent: &str) -> Caller {
        Caller {
            identity,
            account: String::from(account),
            address: String::from(address),
            agent: String::from(agent),
            console: false,
            tls: true,
        }
    }

    /// An IAM user with an access key.
    pub(crate) fn user(account: &str, name: &str, address: &str) -> Caller {
        let identity = object! {
            "type": "IAMUser",
            "principalId": user_id(account, name),
            "arn": format!("arn:aws:iam::{account}:user/{name}"),
            "accountId": account,
            "accessKeyId": user_key(account, name),
            "userName": name,
        };
        Caller::new(identity, account, address, BOTO)
    }

    /// An IAM user in the console, signed in at `since`.
    pub(crate) fn console_user(account: &str, name: &str, mfa: bool, since: Moment) -> Caller {
        let identity = object! {
            "type": "IAMUser",
            "principalId": user_id(account, name),
            "arn": format!("arn:aws:iam::{account}:user/{name}"),
            "accountId": account,
            "accessKeyId": session_key(&format!("{account} {name} {since}")),
            "userName": name,
            "sessionContext": object! {
                "sessionIssuer": object! {},
                "webIdFederationData": object! {},
                "attributes": attributes(mfa, since),
            },
        };
        let address = OFFICE[0];
        Caller { console: true, ..Caller::new(identity, account, address, BROWSER) }
    }

    /// A session of a role.
    pub(crate) fn role(account: &str, role: &str, session: &str, since: Moment) -> Caller {
        let identity = object! {
            "type": "AssumedRole",
            "principalId": format!("{}:{session}", role_id(account, role)),
            "arn": format!("arn:aws:sts::{account}:assumed-role/{role}/{session}"),
            "accountId": account,
            "accessKeyId": session_key(&format!("{account} {role} {session} {since}")),
            "sessionContext": object! {
                "sessionIssuer": object! {
                    "type": "Role",
                    "principalId": role_id(account, role),
                    "arn": role_arn(account, role),
                    "accountId": account,
                    "userName": role,
                },
                "webIdFederationData": object! {},
                "attributes": attributes(false, since),
            },
        };
        let agent = if role == "TerraformDeploy" { TERRAFORM } else { GO };
        Caller::new(identity, account, "192.0.2.20", agent)
    }

    /// A person who came through IAM Identity Center, in the console.
    pub(crate) fn person(account: &str, role: &str, name: &str, since: Moment) -> Caller {
        let session = format!("{name}@kingfisher.example");
        let caller = Caller::role(account, role, &session, since);
        let mut random = Random::named(&session);
        let home = random.pick(OFFICE);
        Caller { console: true, agent: String::from(BROWSER), ..caller }.from(home)
    }

    /// An EC2 instance that calls with its instance profile.
    pub(crate) fn instance(account: &str, role: &str, instance: &str, since: Moment) -> Caller {
        let mut caller = Caller::role(account, role, instance, since);
        if let Json::Object(fields) = &mut caller.identity
            && let Some((_, context)) = fields.iter_mut().find(|(key, _)| key == "sessionContext")
        {
            *context = context.clone().with("ec2RoleDelivery", "2.0");
        }
        Caller { agent: String::from(JAVA), ..caller }.from("192.0.2.41")
    }

    /// An AWS service on its own account's behalf.
    pub(crate) fn service(account: &str, service: &str) -> Caller {
        let identity = object! { "type": "AWSService", "invokedBy": service };
        Caller { tls: false, ..Caller::new(identity, account, service, service) }
    }

    /// An AWS service that uses its role in the account.
    pub(crate) fn service_role(account: &str, service: &str, role: &str, since: Moment) -> Caller {
        let mut caller = Caller::role(account, role, "AWSServiceSession", since);
        caller.identity = caller.identity.with("invokedBy", service);
        caller.address = String::from(service);
        caller.agent = String::from(service);
        Caller { tls: false, ..caller }
    }

    /// The root user of an account.
    pub(crate) fn root(account: &str, since: Moment) -> Caller {
        let identity = object! {
            "type": "Root",
            "principalId": account,
            "arn": format!("arn:aws:iam::{account}:root"),
            "accountId": account,
            "accessKeyId": session_key(&format!("{account} root {since}")),
            "userName": "kingfisher-root",
            "sessionContext": object! {
                "sessionIssuer": object! {},
                "webIdFederationData": object! {},
                "attributes": attributes(true, since),
            },
        };
        Caller { console: true, ..Caller::new(identity, account, OFFICE[4], BROWSER) }
    }

    /// A principal of another account, as the account that is called sees it.
    pub(crate) fn other_account(account: &str, principal: &str) -> Caller {
        let identity = object! {
            "type": "AWSAccount",
            "principalId": principal,
            "accountId": account,
        };
        Caller::new(identity, account, "192.0.2.60", BOTO)
    }

    /// A caller of any other kind, with the identity written out.
    pub(crate) fn other(account: &str, identity: Json) -> Caller {
        Caller::new(identity, account, OFFICE[1], CLI)
    }

    /// Whether the session was opened with a second factor that AWS saw.
    pub(crate) fn has_mfa(&self) -> bool {
        self.identity.to_text().contains("\"mfaAuthenticated\":\"true\"")
    }

    /// The same caller, from another address.
    pub(crate) fn from(self, address: &str) -> Caller {
        Caller { address: String::from(address), ..self }
    }

    /// The same caller, with another user agent.
    pub(crate) fn with_agent(self, agent: &str) -> Caller {
        Caller { agent: String::from(agent), ..self }
    }

    /// The same caller, with `key` as the access key of the call.
    pub(crate) fn with_key(mut self, key: &str) -> Caller {
        if let Json::Object(fields) = &mut self.identity
            && let Some((_, value)) = fields.iter_mut().find(|(name, _)| name == "accessKeyId")
        {
            *value = Json::from(key);
        }
        self
    }
}

/// The ARN of a role.
pub(crate) fn role_arn(account: &str, role: &str) -> String {
    format!("arn:aws:iam::{account}:role/{role}")
}

/// The unique id of a role.
pub(crate) fn role_id(account: &str, role: &str) -> String {
    format!("AROA{}", Random::named(&format!("role {account} {role}")).base32(17))
}

/// The unique id of an IAM user.
pub(crate) fn user_id(account: &str, name: &str) -> String {
    format!("AIDA{}", Random::named(&format!("user {account} {name}")).base32(17))
}

/// The long-term access key of an IAM user.
pub(crate) fn user_key(account: &str, name: &str) -> String {
    if (account, name) == (PRODUCTION, "deploy-bot") {
        return String::from(STOLEN_KEY);
    }
    format!("AKIA{}EXAMPLE", Random::named(&format!("key {account} {name}")).base32(9))
}

/// The access key of a session.
pub(crate) fn session_key(name: &str) -> String {
    format!("ASIA{}EXAMPLE", Random::named(&format!("session {name}")).base32(9))
}

/// One entry of an event's `resources`.
pub(crate) fn resource(account: &str, kind: &str, arn: &str) -> Json {
    object! { "accountId": account, "type": kind, "ARN": arn }
}

/// The `resources` of a call on an object of a bucket.
pub(crate) fn object_resources(account: &str, bucket: &str, key: &str) -> Json {
    let object =
        object! { "type": "AWS::S3::Object", "ARN": format!("arn:aws:s3:::{bucket}/{key}") };
    list![object, resource(account, "AWS::S3::Bucket", &format!("arn:aws:s3:::{bucket}"))]
}

fn attributes(mfa: bool, since: Moment) -> Json {
    object! {
        "creationDate": since.to_string(),
        "mfaAuthenticated": if mfa { "true" } else { "false" },
    }
}
