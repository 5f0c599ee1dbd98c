//! The Lake's and Athena's queries of the corpus on filled stores: real logs, and small files of the
//! other kinds of events.
//!
//! The corpus stands beside the project and not in it: without it there is nothing to run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::execution::context::SessionConfig;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::collect;
use serde_json::{Value, json};
use tempfile::TempDir;
use towpath::arrow::array::RecordBatch;
use towpath::{EventKind, IngestOptions, Intake, Lake, NewStore, Retention};
use towpath_sql::{RelationError, RelationName, Relations, Statement, session_state};

use crate::support::{LIMITS, bundled_trail, lake_at, now, real_trail, rows};

/// The ids the corpus uses, and the kind of store each stands for.
const STORES: [(&str, EventKind); 5] = [
    ("1f0c9b7e", EventKind::CloudTrail),
    ("2f0c9b7e", EventKind::ConfigurationItem),
    ("3f0c9b7e", EventKind::ActivityAuditLog),
    ("4f0c9b7e", EventKind::CloudTrail),
    ("5f0c9b7e", EventKind::CloudTrail),
];
const ID_TAIL: &str = "-5d3a-4c0e-9b1e-2a7d6c4e8f10";

/// Queries marked `reject` that run all the same, and why that is right.
const KINDNESSES: [(&str, &str); 0] = [];

fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let found = folder.is_dir();
    if !found {
        println!("no corpus beside the project: the Lake's and Athena's queries are not run");
    }
    found.then_some(folder)
}

/// What `index.jsonl` says of a query, and its text with the parameters put in.
struct Case {
    file: String,
    expect: String,
    tables: Vec<String>,
    sql: String,
}

fn cases(folder: &Path) -> Vec<Case> {
    let index = fs::read_to_string(folder.join("index.jsonl")).unwrap();
    let case = |line: &str| {
        let entry: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| entry[key].as_str().unwrap().to_owned();
        let mut sql = fs::read_to_string(folder.join(text("file"))).unwrap();
        for parameter in entry["params"].as_array().into_iter().flatten() {
            let placeholder = parameter["placeholder"].as_str().unwrap();
            for value in parameter["values"].as_array().unwrap() {
                sql = replace_outside_comments(&sql, placeholder, value.as_str().unwrap());
            }
        }
        // The index keeps an alias now and then.
        let tables = entry["tables"].as_array().into_iter().flatten();
        let tables =
            tables.map(|name| name.as_str().unwrap().split(' ').next().unwrap().to_owned());
        Case { file: text("file"), expect: text("expect"), tables: tables.collect(), sql }
    };
    index.lines().map(case).collect()
}

/// Puts `value` in the first place of `placeholder` that no comment line holds.
fn replace_outside_comments(sql: &str, placeholder: &str, value: &str) -> String {
    let mut done = false;
    let lines = sql.lines().map(|line| {
        let comment = line.trim_start().starts_with("--");
        if !done && !comment && line.contains(placeholder) {
            done = true;
            return line.replacen(placeholder, value, 1);
        }
        line.to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What became of a query: the number of its rows, or its error.
type Outcome = Result<usize, String>;

/// Prints the score of each expectation and fails if one is not met.
fn judge(group: &str, outcomes: Vec<(Case, Outcome)>) {
    let mut scores: BTreeMap<String, (usize, usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (case, outcome) in outcomes {
        let (met, all, with_rows) = scores.entry(case.expect.clone()).or_default();
        let is_kindness = KINDNESSES.iter().any(|(file, _)| *file == case.file);
        let is_met = match case.expect.as_str() {
            "reject" => outcome.is_err() != is_kindness,
            // They need another table than the documented one.
            "schema" => true,
            _ => outcome.is_ok(),
        };
        *all += 1;
        *met += usize::from(is_met);
        *with_rows += usize::from(matches!(outcome, Ok(1..)));
        if !is_met {
            wrong.push(format!("{} ({}): {outcome:?}\n{}", case.file, case.expect, case.sql));
        }
    }
    for (expect, (met, all, with_rows)) in &scores {
        println!("{group}, {expect}: {met} of {all} as expected, {with_rows} with rows");
    }
    assert!(wrong.is_empty(), "{group}:\n{}", wrong.join("\n\n"));
}

/// A lake with `stores`, the first of which holds the real logs.
async fn filled_lake(folder: &TempDir, trail: &Path, stores: &[(&str, EventKind)]) -> Lake {
    let lake = lake_at(&folder.path().join("lake"), now()).await;
    let files = folder.path().join("files");
    fs::create_dir_all(&files).unwrap();
    for (head, kind) in stores.iter().copied() {
        let mut new = NewStore::new(format!("store-{head}"), Retention::days(3653).unwrap());
        new.id = Some(format!("{head}{ID_TAIL}").parse().unwrap());
        new.intake = Intake::of_kind(kind);
        let store = lake.create_store(new).await.unwrap();
        let source = match kind {
            EventKind::CloudTrail if head == STORES[0].0 => trail.to_owned(),
            EventKind::CloudTrail => bundled_trail(),
            EventKind::ConfigurationItem => {
                let file = files.join("config.json");
                fs::write(&file, json!({"Records": config_items()}).to_string()).unwrap();
                file
            }
            _ => {
                let file = files.join("outside.jsonl");
                let lines = outside_events().into_iter().map(|event| format!("{event}\n"));
                fs::write(&file, lines.collect::<String>()).unwrap();
                file
            }
        };
        let options = IngestOptions::default();
        let report = store.ingest(&[source.to_str().unwrap()], &options, &|_| ()).await.unwrap();
        assert!(report.events.stored > 0 && report.events.reconcile(), "{report:?}");
        // The bundled trail has a log file that was cut, on purpose.
        let rejected = u64::from(source == bundled_trail());
        assert_eq!(report.log_files.rejected, rejected, "{report:?}");
    }
    lake
}

/// Configuration items of Systems Manager as the samples look for them.
fn config_items() -> Vec<Value> {
    let item = |id: &str, compliance: &str, time: &str| {
        json!({
            "eventVersion": "1.08", "eventCategory": "ConfigurationItem", "eventID": id,
            "eventType": "AwsConfigurationItem", "eventTime": time, "awsRegion": "us-east-1",
            "recipientAccountId": "111122223333",
            "eventData": {
                "configurationItemVersion": "1.3", "configurationItemCaptureTime": time,
                "configurationItemStatus": "OK", "accountId": "111122223333",
                "resourceType": "AWS::SSM::PatchCompliance", "resourceId": "i-0123456789abcdef0",
                "awsRegion": "us-east-1", "tags": {},
                "configuration": {
                    "AWS:ComplianceItem": {
                        "Content": {"Patch": {"KB1": {"Status": compliance, "Severity": "High"}}},
                    },
                },
            },
        })
    };
    vec![
        item("c-1", "COMPLIANT", "2022-10-01T10:00:00Z"),
        item("c-2", "NON_COMPLIANT", "2022-10-02T10:00:00Z"),
    ]
}

/// Events of GitHub, Okta and a cluster as their integrations give them.
fn outside_events() -> Vec<Value> {
    let given = |id: &str, source: &str, name: &str, user: &Value, request: &Value| {
        json!({
            "eventVersion": "1.0", "eventCategory": "ActivityAuditLog", "eventType": "ActivityLog",
            "eventID": id, "eventTime": "2022-09-10T10:00:00Z", "awsRegion": "us-east-1",
            "recipientAccountId": "111122223333",
            "metadata": {"ingestionTime": "2022-09-10 10:00:05",
                         "channelARN": "arn:aws:cloudtrail:us-east-1:111122223333:channel/x"},
            "eventData": {
                "version": "1.0", "userIdentity": user, "eventSource": source, "eventName": name,
                "eventTime": "2022-09-10T10:00:00Z", "UID": id, "requestParameters": request,
                "recipientAccountId": "111122223333", "additionalEventData": {"note": "x"},
            },
        })
    };
    let person = json!({"type": "IAMUser", "principalId": "ann",
                        "details": {"GitHubOrganization": "o", "Repository": "r"}});
    let pod = json!({"type": "fluent-bit", "principalId": "pod", "details": {}});
    let github = "github.audit.streaming";
    let mut events = vec![
        given("o-1", github, "org.invite_member", &person, &json!({"user": "bob"})),
        given("o-2", github, "repo.access", &person, &json!({"visibility": "public"})),
        given("o-3", "okta.com", "user.session.start", &person, &json!({})),
        given("o-4", "eks", "log", &pod, &json!({"log": "COMMAND=/bin/su"})),
    ];
    let clone = |n: usize| given(&format!("g-{n}"), github, "git.clone", &person, &json!({"n": n}));
    events.extend((0..12).map(clone));
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queries_of_the_lake_run_on_filled_stores() {
    let (Some(corpus), Some(trail)) = (corpus(), real_trail()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let lake = filled_lake(&folder, &trail, &STORES).await;
    let mut outcomes = Vec::new();
    for case in cases(&corpus.join("lake_queries")) {
        let outcome = match lake.query(&case.sql, LIMITS).await {
            Ok(found) => found.collect().await,
            Err(err) => Err(err),
        };
        let count = outcome.map(|found| found.iter().map(RecordBatch::num_rows).sum());
        outcomes.push((case, count.map_err(|err| err.to_string())));
    }
    judge("Lake", outcomes);

    // What the samples of the other kinds look for is there.
    let found = rows(
        &lake,
        &format!(
            "SELECT eventData.userIdentity.principalId, count(*) FROM 3f0c9b7e{ID_TAIL} \
             WHERE eventData.eventName = 'git.clone' GROUP BY 1 HAVING count(*) > 10"
        ),
    )
    .await;
    assert_eq!(found, [["ann", "12"]]);
}

/// Athena's table over the same log files, made by the engine itself from the store.
const ATHENA_TABLE: &str = "
SELECT eventversion,
  CAST(ROW(useridentity.type, useridentity.principalid, useridentity.arn, useridentity.accountid,
    useridentity.invokedby, useridentity.accesskeyid, useridentity.username,
    ROW(ROW(useridentity.sessioncontext.attributes.mfaauthenticated,
        json_extract_scalar(eventjson, '$.userIdentity.sessionContext.attributes.creationDate')),
      ROW(useridentity.sessioncontext.sessionissuer.type,
        useridentity.sessioncontext.sessionissuer.principalid,
        useridentity.sessioncontext.sessionissuer.arn,
        useridentity.sessioncontext.sessionissuer.accountid,
        useridentity.sessioncontext.sessionissuer.username),
      useridentity.sessioncontext.ec2roledelivery,
      useridentity.sessioncontext.webidfederationdata.attributes))
  AS ROW(type varchar, principalid varchar, arn varchar, accountid varchar, invokedby varchar,
    accesskeyid varchar, username varchar,
    sessioncontext ROW(attributes ROW(mfaauthenticated varchar, creationdate varchar),
      sessionissuer ROW(type varchar, principalid varchar, arn varchar, accountid varchar,
        username varchar),
      ec2roledelivery varchar, webidfederationdata map(varchar, varchar)))) AS useridentity,
  date_format(eventtime, '%Y-%m-%dT%H:%i:%sZ') AS eventtime,
  eventsource, eventname, awsregion, sourceipaddress, useragent, errorcode, errormessage,
  json_format(json_extract(eventjson, '$.requestParameters')) AS requestparameters,
  json_format(json_extract(eventjson, '$.responseElements')) AS responseelements,
  json_format(json_extract(eventjson, '$.additionalEventData')) AS additionaleventdata,
  requestid, eventid,
  transform(resources, r -> CAST(ROW(r.arn, r.accountid, r.type)
    AS ROW(arn varchar, accountid varchar, type varchar))) AS resources,
  eventtype, apiversion, CAST(readonly AS varchar) AS readonly, recipientaccountid,
  json_format(json_extract(eventjson, '$.serviceEventDetails')) AS serviceeventdetails,
  sharedeventid, vpcendpointid, eventcategory, tlsdetails,
  awsregion AS region, date_format(eventtime, '%Y') AS year, date_format(eventtime, '%m') AS month,
  date_format(eventtime, '%d') AS day, recipientaccountid AS account,
  date_format(eventtime, '%Y/%m/%d') AS timestamp, date_format(eventtime, '%Y-%m-%d') AS dt,
  date_format(eventtime, '%Y/%m/%d') AS date_partition, awsregion AS region_partition,
  recipientaccountid AS account_partition, date_format(eventtime, '%Y/%m/%d') AS log_date
FROM 1f0c9b7e-5d3a-4c0e-9b1e-2a7d6c4e8f10";

/// The one table, whatever it is called.
struct Athena {
    tables: Vec<String>,
    table: Arc<MemTable>,
}

#[async_trait]
impl Relations for Athena {
    async fn resolve(&self, name: &RelationName) -> Result<Arc<dyn TableProvider>, RelationError> {
        if self.tables.iter().any(|known| known.eq_ignore_ascii_case(&name.text)) {
            let table: Arc<dyn TableProvider> = Arc::<MemTable>::clone(&self.table);
            return Ok(table);
        }
        Err(RelationError::NotFound { near: None })
    }
}

impl Athena {
    async fn run(&self, sql: &str) -> Outcome {
        let runtime = RuntimeEnvBuilder::new().build_arc().unwrap();
        let session = session_state(SessionConfig::new(), runtime, now());
        let statement = Statement::parse(sql).map_err(|err| err.to_string())?;
        let planned = statement.plan(&session, self).await.map_err(|err| err.to_string())?;
        let plan = session.create_physical_plan(&planned.plan).await;
        let plan = plan.map_err(|err| err.to_string())?;
        let found = collect(plan, session.task_ctx()).await.map_err(|err| err.to_string())?;
        Ok(found.iter().map(RecordBatch::num_rows).sum())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queries_of_athena_run_on_a_filled_table() {
    let (Some(corpus), Some(trail)) = (corpus(), real_trail()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let lake = filled_lake(&folder, &trail, &STORES[..1]).await;
    let found = lake.query(ATHENA_TABLE, LIMITS).await.unwrap();
    let schema = found.schema();
    let batches = found.collect().await.unwrap();
    assert!(batches.iter().map(RecordBatch::num_rows).sum::<usize>() > 0);
    let table = Arc::new(MemTable::try_new(schema, vec![batches]).unwrap());
    let mut outcomes = Vec::new();
    for case in cases(&corpus.join("athena_queries")) {
        let athena = Athena { tables: case.tables.clone(), table: Arc::clone(&table) };
        let outcome = athena.run(&case.sql).await;
        outcomes.push((case, outcome));
    }
    judge("Athena", outcomes);
}
