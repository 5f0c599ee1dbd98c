//! Ordinary days: what the company's systems and people do when nothing happens.

use super::calls::{assume, instance_ids, on_bucket, on_key, on_object, on_table, run_instances};
use super::company::{
    Caller, DEVELOPMENT, PRODUCTION, SECURITY, TOKYO, VIRGINIA, role_arn, session_key,
};
use super::event::Event;
use super::json::{Json, list, object};
use super::moment::{HOUR, Moment};
use super::random::Random;

/// Where and when one ordinary event happens.
struct Scene<'a> {
    account: &'a str,
    region: &'a str,
    moment: Moment,
    random: Random,
}

/// `count` ordinary events of one account and region, spread over `seconds` from `start` on.
pub(crate) fn shift(
    account: &str,
    region: &str,
    start: Moment,
    seconds: i64,
    count: i64,
) -> Vec<Event> {
    let mut random = Random::named(&format!("shift {account} {region} {start}"));
    let mut events = Vec::new();
    for _ in 0..count {
        let moment = start.plus(random.between(0, seconds - 1));
        let scene = Scene { account, region, moment, random: random.clone() };
        events.push(ordinary(scene).numbered(&mut random));
        // Both generators were at the same place; move on, so that the next event differs.
        random.below(2);
    }
    events
}

fn ordinary(mut scene: Scene<'_>) -> Event {
    // Per account: the share of each kind of event, in the order of the arms below.
    let shares: [u64; 9] = match scene.account {
        PRODUCTION => [30, 12, 12, 10, 8, 8, 8, 6, 6],
        DEVELOPMENT => [8, 4, 4, 6, 34, 14, 10, 14, 6],
        _ => [10, 0, 2, 10, 26, 4, 12, 4, 32],
    };
    let mut ticket = scene.random.below(100);
    let mut kind = 0;
    for share in shares {
        if ticket < share {
            break;
        }
        ticket -= share;
        kind += 1;
    }
    match kind {
        0 => object_traffic(&mut scene),
        1 => function_call(&mut scene),
        2 => table_traffic(&mut scene),
        3 => key_use(&mut scene),
        4 => look_around(&mut scene),
        5 => deployment(&mut scene),
        6 => session(&mut scene),
        7 => compute(&mut scene),
        _ => audit(&mut scene),
    }
}

impl Scene<'_> {
    fn call(&self, caller: &Caller, service: &str, name: &str) -> Event {
        Event::call(self.moment, self.region, caller, service, name)
    }

    /// When the credentials in use were given out: on the hour.
    fn since(&self) -> Moment {
        self.moment.floor(HOUR)
    }

    fn application(&self) -> Caller {
        match self.account {
            PRODUCTION => {
                Caller::role(PRODUCTION, "ManifestApi", "manifest-api-7d9f", self.since())
            }
            account => Caller::role(account, "SandboxApp", "sandbox-app", self.since()),
        }
    }

    fn person(&mut self) -> Caller {
        let (account, since) = (self.account, self.since());
        match account {
            PRODUCTION => {
                let name = self.random.pick(&["mara", "tomas", "aiko"]);
                let role = if name == "mara" { "PlatformAdmin" } else { "ReadOnly" };
                let role = format!("AWSReservedSSO_{role}_4c1f9be2d07a3356");
                Caller::person(PRODUCTION, &role, name, since)
            }
            DEVELOPMENT => {
                let name = self.random.pick(&["jonas", "priya"]);
                Caller::console_user(DEVELOPMENT, name, name == "priya", since)
            }
            _ => Caller::person(account, "AWSReservedSSO_Auditor_91aa07c5e1b2d834", "lena", since),
        }
    }
}

fn object_traffic(scene: &mut Scene<'_>) -> Event {
    let bucket = match scene.account {
        PRODUCTION => {
            scene.random.pick(&["kf-shipping-manifests", "kf-barge-telemetry", "kf-web-assets"])
        }
        DEVELOPMENT => "kf-dev-scratch",
        _ => "kf-audit-logs",
    };
    let name = scene.random.pick(&[
        "GetObject",
        "GetObject",
        "GetObject",
        "PutObject",
        "PutObject",
        "HeadObject",
    ]);
    let (year, month, day) = scene.moment.date();
    let number = scene.random.between(1_000, 9_999);
    let key = format!("{year}/{month:02}/{day:02}/manifest-{number}.json");
    let bytes = scene.random.between(300, 90_000);
    let old_client = scene.account == PRODUCTION
        && scene.moment < Moment::day(2024, 4, 1)
        && scene.random.chance(15);
    let caller = match old_client {
        true => Caller::user(PRODUCTION, "backup-agent", "192.0.2.88")
            .with_agent("aws-sdk-java/1.11.372 Linux/3.10.0 Java_HotSpot(TM)/1.8.0_102"),
        false => scene.application(),
    };
    let missing = name == "GetObject" && scene.random.chance(4);
    let event = on_object(scene.call(&caller, "s3", name), bucket, &key, bytes);
    let event = if old_client { event.tls("TLSv1") } else { event };
    match missing {
        true => event.error("NoSuchKey", "The specified key does not exist."),
        false => event,
    }
}

fn function_call(scene: &mut Scene<'_>) -> Event {
    let function = scene.random.pick(&["track-position", "price-quote", "notify-lock-keeper"]);
    let arn = format!("arn:aws:lambda:{}:{}:function:{function}", scene.region, scene.account);
    let caller = match scene.random.chance(60) {
        true => Caller::service(scene.account, "apigateway.amazonaws.com"),
        false => scene.application(),
    };
    scene
        .call(&caller, "lambda", "Invoke")
        .data()
        .request(object! { "functionName": &arn })
        .additional(object! { "functionVersion": format!("{arn}:$LATEST") })
        .resources(list![super::company::resource(scene.account, "AWS::Lambda::Function", &arn)])
}

fn table_traffic(scene: &mut Scene<'_>) -> Event {
    let name = scene.random.pick(&["GetItem", "GetItem", "PutItem", "UpdateItem", "Query"]);
    let barge = format!("KF-{:03}", scene.random.between(1, 120));
    let caller = scene.application();
    let request = object! { "key": object! { "bargeId": barge } };
    on_table(scene.call(&caller, "dynamodb", name), "barge-positions", request)
        .with("apiVersion", "2012-08-10")
}

fn key_use(scene: &mut Scene<'_>) -> Event {
    let name = scene.random.pick(&["Decrypt", "Decrypt", "GenerateDataKey"]);
    let caller = match scene.random.below(3) {
        0 => Caller::service_role(scene.account, "rds.amazonaws.com", "RdsKeys", scene.since()),
        1 => Caller::service(scene.account, "cloudtrail.amazonaws.com"),
        _ => scene.application(),
    };
    let context =
        object! { "service": "manifests", "tenant": scene.random.pick(&["north", "south"]) };
    let request = object! {
        "encryptionContext": context,
        "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
    };
    on_key(scene.call(&caller, "kms", name), "manifests", request)
}

/// People, and the tools they have open, list and describe.
fn look_around(scene: &mut Scene<'_>) -> Event {
    let caller = scene.person();
    let (service, name) = *scene.random.pick(&[
        &("ec2", "DescribeInstances"),
        &("ec2", "DescribeSecurityGroups"),
        &("ec2", "DescribeVolumes"),
        &("ec2", "DescribeNetworkInterfaces"),
        &("rds", "DescribeDBInstances"),
        &("logs", "DescribeLogGroups"),
        &("monitoring", "DescribeAlarms"),
        &("lambda", "ListFunctions20150331"),
        &("iam", "ListRoles"),
        &("iam", "ListUsers"),
        &("s3", "ListBuckets"),
        &("cloudtrail", "LookupEvents"),
        &("health", "DescribeEventAggregates"),
        &("dynamodb", "DescribeTable"),
    ]);
    let denied = scene.random.chance(7);
    let event = scene.call(&caller, service, name).request(parameters_of(name));
    if denied { event.denied() } else { event }
}

fn parameters_of(name: &str) -> Json {
    match name {
        "DescribeInstances" => object! {
            "maxResults": 1_000,
            "instancesSet": object! {},
            "filterSet": object! {},
        },
        "DescribeSecurityGroups" | "DescribeNetworkInterfaces" | "DescribeVolumes" => {
            object! { "filterSet": object! {}, "maxResults": 200 }
        }
        "DescribeTable" => object! { "tableName": "barge-positions" },
        "LookupEvents" => object! { "maxResults": 50 },
        "ListBuckets" => object! { "Host": "s3.amazonaws.com" },
        _ => Json::Null,
    }
}

fn deployment(scene: &mut Scene<'_>) -> Event {
    let caller = match scene.account {
        DEVELOPMENT => Caller::user(DEVELOPMENT, "ci-runner", "192.0.2.150"),
        // The old way to deploy, until its key was stolen.
        PRODUCTION if scene.moment < Moment::day(2024, 11, 13) && scene.random.chance(40) => {
            Caller::user(PRODUCTION, "deploy-bot", "192.0.2.151")
        }
        account => Caller::role(account, "TerraformDeploy", "ci-main", scene.since()),
    };
    match scene.random.below(6) {
        0 => update_function(scene, &caller),
        1 => scene
            .call(&caller, "ssm", "PutParameter")
            .request(object! {
                "name": "/manifest-api/release",
                "value": "HIDDEN_DUE_TO_SECURITY_REASONS",
                "overwrite": true,
            })
            .response(object! { "version": scene.random.between(10, 400), "tier": "Standard" }),
        2 => scene.call(&caller, "ecr", "PutImage").request(object! {
            "repositoryName": "manifest-api",
            "imageTag": format!("main-{}", scene.random.hex(7)),
        }),
        3 => scene.call(&caller, "iam", "GetRole").request(object! { "roleName": "ManifestApi" }),
        4 => scene.call(&caller, "ec2", "CreateTags").request(object! {
            "resourcesSet": object! {
                "items": list![object! { "resourceId": format!("vol-0{}", scene.random.hex(16)) }],
            },
            "tagSet": object! { "items": list![object! { "key": "team", "value": "locks" }] },
        }),
        _ => scene
            .call(&caller, "ssm", "GetParameter")
            .request(object! { "name": "/manifest-api/release", "withDecryption": true }),
    }
}

fn update_function(scene: &mut Scene<'_>, caller: &Caller) -> Event {
    let function = scene.random.pick(&["track-position", "price-quote", "notify-lock-keeper"]);
    scene
        .call(caller, "lambda", "UpdateFunctionCode20150331v2")
        .request(object! { "functionName": function, "publish": true, "dryRun": false })
        .response(object! {
            "functionName": function,
            "runtime": "provided.al2023",
            "codeSize": scene.random.between(900_000, 9_000_000),
            "codeSha256": scene.random.base32(43),
            "version": scene.random.between(10, 90).to_string(),
        })
}

/// Sign-ins and role sessions.
fn session(scene: &mut Scene<'_>) -> Event {
    let mut ids = scene.random.clone();
    match scene.random.below(4) {
        0 => {
            let caller = Caller::service(scene.account, "ecs-tasks.amazonaws.com");
            let role = role_arn(scene.account, "ManifestApi");
            assume(scene.call(&caller, "sts", "AssumeRole"), &role, "manifest-api-7d9f", &mut ids)
                .with("sharedEventID", ids.uuid())
        }
        1 => {
            let caller = scene.person();
            let call = Event::call(scene.moment, VIRGINIA, &caller, "signin", "ConsoleLogin");
            super::calls::sign_in(call, caller.has_mfa(), None).in_region(scene.region)
        }
        2 => {
            let caller = scene.application();
            scene.call(&caller, "sts", "GetCallerIdentity").response(object! {
                "account": scene.account,
                "arn": role_arn(scene.account, "ManifestApi"),
            })
        }
        _ => {
            let caller = Caller::service(scene.account, "lambda.amazonaws.com");
            let role = role_arn(scene.account, "BargeTracker");
            assume(scene.call(&caller, "sts", "AssumeRole"), &role, "track-position", &mut ids)
                .with("sharedEventID", ids.uuid())
        }
    }
}

fn compute(scene: &mut Scene<'_>) -> Event {
    let fleet = Caller::service_role(
        scene.account,
        "autoscaling.amazonaws.com",
        "AWSServiceRoleForAutoScaling",
        scene.since(),
    );
    match scene.random.below(5) {
        0 => {
            let kind = scene.random.pick(&["t3.medium", "m6i.large", "c7g.large"]);
            let ids = instance_ids(&scene.random.hex(8), 1);
            run_instances(scene.call(&fleet, "ec2", "RunInstances"), kind, &ids)
        }
        1 => scene.call(&fleet, "ec2", "DescribeInstanceStatus").request(object! {
            "instancesSet": object! {},
            "includeAllInstances": true,
        }),
        2 => {
            let sensor = Caller::instance(
                scene.account,
                "LockSensorFleet",
                "i-0c0ffee0c0ffee001",
                scene.since(),
            );
            scene.call(&sensor, "logs", "CreateLogStream").request(object! {
                "logGroupName": "/locks/sensors",
                "logStreamName": format!("lock-{}", scene.random.between(1, 40)),
            })
        }
        3 => scene.call(&fleet, "ec2", "CreateSnapshot").request(object! {
            "volumeId": "vol-0feedface00000001",
            "description": "nightly",
        }),
        _ => {
            let caller = scene.application();
            scene
                .call(&caller, "secretsmanager", "GetSecretValue")
                .request(object! { "secretId": secret_arn(scene, "manifest-api/database") })
        }
    }
}

fn secret_arn(scene: &Scene<'_>, name: &str) -> String {
    format!("arn:aws:secretsmanager:{}:{}:secret:{name}-Kf8t2Q", scene.region, scene.account)
}

/// The security account's tools, and the services that watch, read everywhere.
fn audit(scene: &mut Scene<'_>) -> Event {
    let caller = match scene.account {
        SECURITY => Caller::service(SECURITY, "config.amazonaws.com"),
        account => Caller::role(account, "OrganisationAudit", "nightly-audit", scene.since())
            .with_key(&session_key(&format!("audit {account} {}", scene.since()))),
    };
    let bucket = scene.random.pick(&["kf-shipping-manifests", "kf-audit-logs", "kf-web-assets"]);
    match scene.random.below(5) {
        0 => on_bucket(scene.call(&caller, "s3", "GetBucketAcl"), bucket, object! { "acl": "" }),
        1 => on_bucket(
            scene.call(&caller, "s3", "GetBucketPolicyStatus"),
            bucket,
            object! { "policyStatus": "" },
        ),
        2 => scene
            .call(&caller, "iam", "ListAttachedRolePolicies")
            .request(object! { "roleName": "TerraformDeploy" }),
        3 => scene.call(&caller, "cloudtrail", "GetTrailStatus").request(object! {
            "name": format!("arn:aws:cloudtrail:{VIRGINIA}:{SECURITY}:trail/kingfisher-org"),
        }),
        _ => scene.call(&caller, "config", "DescribeConfigRules").request(object! {}),
    }
}

/// The regions in which an account has anything.
pub(crate) fn regions_of(account: &str) -> &'static [&'static str] {
    match account {
        PRODUCTION => &[VIRGINIA, super::company::IRELAND, TOKYO],
        DEVELOPMENT => &[VIRGINIA, super::company::IRELAND],
        _ => &[VIRGINIA],
    }
}
