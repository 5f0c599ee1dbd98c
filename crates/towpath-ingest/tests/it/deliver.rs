//! What trails deliver: log files and digests that the check of digests finds sound.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use chrono::{DateTime, TimeDelta, Utc};
use object_store::{ObjectStore, memory::InMemory, path::Path as Key};
use serde_json::json;
use tempfile::TempDir;
use towpath_event::{EventSelectors, data_file_schema};
use towpath_ingest::{
    DigestEvent, DigestKeys, DigestOptions, DigestReport, IngestOptions, TrailDelivery, TrailRules,
    TrailWriter, ingest, verify_digests,
};
use towpath_store::{Catalog, EventDataStore, Location, NewStore, Retention, SigningKey};
use url::Url;

use crate::{
    support::{NOW, at, clock_at},
    trail::{event, event_named, key, log_file, write},
};

const HOUR: TimeDelta = TimeDelta::hours(1);

/// A lake with a store that a trail delivers from.
struct Lab {
    folder: TempDir,
    store: EventDataStore,
    key: SigningKey,
    rules: TrailRules,
    files: u32,
}

impl Lab {
    async fn new() -> Lab {
        let folder = tempfile::tempdir().unwrap();
        let lake = Location::local(&folder.path().join("lake")).unwrap();
        let catalog = Catalog::create(lake, at(NOW)).await.unwrap();
        let new = NewStore {
            name: "org-trail".into(),
            id: None,
            retention: Retention::days(3653).unwrap(),
            schema: data_file_schema(),
            attributes: BTreeMap::new(),
            termination_protection: false,
        };
        let store = catalog.create_store(new, at(NOW)).await.unwrap();
        let key = catalog.signing_keys(None).current(at(NOW)).await.unwrap();
        let rules = TrailRules {
            selectors: None,
            home_region: "eu-west-1".into(),
            all_regions: true,
            global_services: true,
        };
        Lab { folder, store, key, rules, files: 0 }
    }

    fn writer(&self, destination: Location) -> TrailWriter {
        TrailWriter {
            trail: "my-trail".into(),
            account: "123456789012".into(),
            home_region: "eu-west-1".into(),
            bucket: "trail".into(),
            prefix: "audit/logs".into(),
            destination,
        }
    }

    /// A trail that delivers into a folder.
    fn to_folder(&self) -> (TrailWriter, Location) {
        let place = Location::local(&self.folder.path().join("delivered")).unwrap();
        (self.writer(place.clone()), place)
    }

    async fn begin(&self, now: &str) -> TrailDelivery {
        TrailDelivery::begin(&self.stores(), at(now), true).await.unwrap()
    }

    fn stores(&self) -> [EventDataStore; 1] {
        [self.store.clone()]
    }

    async fn put(&mut self, events: &[String]) {
        let folder = self.folder.path().join("logs");
        let path = write(&folder, &key("eu-west-1", "2024-06-01", self.files), &log_file(events));
        self.files += 1;
        let source = [Location::local(&path).unwrap()];
        let options = IngestOptions::default();
        let report = ingest(&self.store, &source, &options, clock_at(NOW), &|_| ()).await.unwrap();
        assert!(report.is_complete(), "{report:?}");
    }

    async fn deliver(&self, delivery: &mut TrailDelivery, writer: &TrailWriter, now: &str) {
        while delivery.plan(&self.stores(), at(now)).await.unwrap() {
            delivery.carry_out(writer, &self.rules, &self.stores()).await.unwrap();
        }
    }

    async fn check(
        &self,
        place: &Location,
        from: &str,
        to: &str,
    ) -> (DigestReport, Vec<DigestEvent>) {
        let public = self.key.public_key();
        let keys = json!({ "PublicKeyList": [{
            "Value": BASE64.encode(&public.der), "Fingerprint": public.fingerprint,
        }] });
        let options = DigestOptions {
            from: Some(at(from)),
            to: Some(at(to)),
            now: at("2024-06-30T00:00:00Z"),
            keys: DigestKeys::from_json(&keys.to_string()).unwrap(),
        };
        let events = std::sync::Mutex::new(Vec::new());
        let tell = |event: &DigestEvent| events.lock().unwrap().push(event.clone());
        let report = verify_digests(std::slice::from_ref(place), &options, &tell).await.unwrap();
        (report, events.into_inner().unwrap())
    }
}

/// A place in a bucket in memory.
fn in_bucket() -> Location {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    Location::with_store(Url::parse("s3://trail/").unwrap(), store, Key::default())
}

fn time(minute: i64) -> DateTime<Utc> {
    at("2024-06-01T00:00:00Z") + TimeDelta::minutes(minute)
}

fn text(minute: i64) -> String {
    time(minute).to_rfc3339()
}

/// All files below a folder with their contents.
fn files_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(below) = folders.pop() {
        for entry in std::fs::read_dir(below).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

#[tokio::test]
async fn what_is_put_into_a_store_is_delivered_and_its_digests_are_sound() {
    for is_folder in [true, false] {
        let mut lab = Lab::new().await;
        let place = if is_folder { lab.to_folder().1 } else { in_bucket() };
        let writer = lab.writer(place.clone());
        lab.put(&[event("before", &text(-5))]).await;
        let mut delivery = lab.begin(&text(0)).await;
        let elsewhere = event("else", &text(2)).replace("eu-west-1", "us-east-1");
        lab.put(&[event("one", &text(1)), event("two", &text(2)), elsewhere]).await;
        lab.deliver(&mut delivery, &writer, &text(5)).await;
        lab.put(&[event("three", &text(61)), event("one", &text(1))]).await;
        lab.deliver(&mut delivery, &writer, &text(65)).await;
        assert!(!delivery.is_digest_due(time(59), HOUR) && delivery.is_digest_due(time(60), HOUR));
        delivery.digest(&writer, &lab.key, time(125), HOUR).await.unwrap();
        lab.put(&[event("four", &text(130))]).await;
        lab.deliver(&mut delivery, &writer, &text(135)).await;
        delivery.end(&writer, &lab.key, time(140), HOUR).await.unwrap();

        let (report, found) = lab.check(&place, &text(0), &text(140)).await;
        assert!(report.is_sound(), "{report:?} {found:?}");
        assert_eq!((report.chains, report.counts.digests_valid), (2, 6));
        assert_eq!(report.counts.logs_valid, 4, "what was there before is not delivered");
        assert_eq!(delivery.delivered_at, Some(time(135)));
        assert_eq!(delivery.digested_at, Some(time(140)));

        // What was delivered can be ingested again: each event once, exactly as it was.
        let taken = crate::support::local_store().await;
        let options = IngestOptions::default();
        let report = ingest(&taken.store, &[place], &options, clock_at(NOW), &|_| ()).await;
        let report = report.unwrap();
        assert_eq!((report.events.stored, report.events.duplicate), (5, 0));
        let texts = crate::support::stored_events(&taken.store).await;
        assert!(texts.contains(&event("four", &text(130))));
    }
}

#[tokio::test]
async fn a_delivery_that_was_cut_is_carried_out_again_with_the_same_files() {
    let mut lab = Lab::new().await;
    let (writer, place) = lab.to_folder();
    let mut delivery = lab.begin(&text(0)).await;
    lab.put(&[event("one", &text(1)), event("two", &text(2))]).await;
    assert!(delivery.plan(&lab.stores(), time(5)).await.unwrap());
    // Kept, as a server does; then carried out twice, as after a crash.
    let kept = serde_json::to_string(&delivery).unwrap();
    delivery.carry_out(&writer, &lab.rules, &lab.stores()).await.unwrap();
    let before = files_of(place.local_path().unwrap());
    let mut delivery: TrailDelivery = serde_json::from_str(&kept).unwrap();
    lab.put(&[event("three", &text(6))]).await;
    lab.deliver(&mut delivery, &writer, &text(10)).await;
    let after = files_of(place.local_path().unwrap());
    assert_eq!(before.len(), 1);
    assert!(before.iter().all(|(name, content)| after.get(name) == Some(content)));
    assert_eq!(after.len(), 2);
    delivery.end(&writer, &lab.key, time(20), HOUR).await.unwrap();
    let (report, found) = lab.check(&place, &text(0), &text(20)).await;
    assert!(report.is_sound(), "{found:?}");
    assert_eq!(report.counts.logs_valid, 2);
}

#[tokio::test]
async fn hours_for_which_nobody_made_digests_get_them_later_and_days_are_a_gap() {
    let lab = Lab::new().await;
    let (writer, place) = lab.to_folder();
    let mut delivery = lab.begin(&text(0)).await;
    delivery.digest(&writer, &lab.key, time(60), HOUR).await.unwrap();
    // Five hours later: four digests are late, two of them so late that they are backfill.
    delivery.digest(&writer, &lab.key, time(6 * 60 + 1), HOUR).await.unwrap();
    let (report, found) = lab.check(&place, &text(0), &text(6 * 60)).await;
    assert!(report.is_sound(), "{found:?}");
    assert_eq!((report.counts.digests_valid, report.counts.backfill_valid), (3, 3));

    // Ten days later.
    let back = time(10 * 24 * 60);
    delivery.digest(&writer, &lab.key, back, HOUR).await.unwrap();
    delivery.digest(&writer, &lab.key, back + HOUR, HOUR).await.unwrap();
    let to = (back + HOUR).to_rfc3339();
    let (report, found) = lab.check(&place, &text(0), &to).await;
    assert!(report.is_sound(), "{found:?}");
    assert_eq!((report.spans_off, report.spans_missing), (1, 0), "{found:?}");
}

#[tokio::test]
async fn a_trail_takes_what_its_rules_say() {
    let data = event_named("data", &text(1), "GetObject").replace(
        r#""readOnly":true"#,
        r#""readOnly":true,"eventCategory":"Data","managementEvent":false"#,
    );
    let elsewhere = event("else", &text(2)).replace("eu-west-1", "us-east-1");
    let global = elsewhere.replace("else", "global").replace("ec2.", "iam.");
    let made_up = event("made-up", &text(3)).replace("eu-west-1", "../../up");
    let all = [event("one", &text(1)), data, elsewhere, global, made_up];
    let selected = r#"[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},
        {"Field":"resources.type","Equals":["AWS::S3::Object"]}]}]"#;
    let cases: [(Option<&str>, bool, bool, usize); 4] = [
        (None, true, true, 4),
        (None, false, true, 2),
        (None, false, false, 1),
        (Some(selected), true, true, 0),
    ];
    for (selectors, all_regions, global_services, expected) in cases {
        let mut lab = Lab::new().await;
        lab.rules.selectors = selectors.map(|text| EventSelectors::parse(text).unwrap());
        (lab.rules.all_regions, lab.rules.global_services) = (all_regions, global_services);
        let (writer, place) = lab.to_folder();
        let mut delivery = lab.begin(&text(0)).await;
        lab.put(&all).await;
        lab.deliver(&mut delivery, &writer, &text(5)).await;
        delivery.end(&writer, &lab.key, time(20), HOUR).await.unwrap();
        let taken = crate::support::local_store().await;
        let report =
            ingest(&taken.store, &[place], &IngestOptions::default(), clock_at(NOW), &|_| ()).await;
        assert_eq!(report.unwrap().events.stored, expected as u64, "{selectors:?} {all_regions}");
    }
}

#[tokio::test]
async fn digests_of_one_second_do_not_take_each_others_place() {
    let mut lab = Lab::new().await;
    let (writer, place) = lab.to_folder();
    let second = |millis: i64| time(0) + TimeDelta::milliseconds(millis);
    let mut delivery = TrailDelivery::begin(&lab.stores(), second(200), true).await.unwrap();
    lab.put(&[event("one", &text(0))]).await;
    lab.deliver(&mut delivery, &writer, &second(900).to_rfc3339()).await;
    let every = TimeDelta::seconds(2);
    delivery.digest(&writer, &lab.key, second(2_300), every).await.unwrap();
    lab.put(&[event("two", &text(0))]).await;
    lab.deliver(&mut delivery, &writer, &second(2_400).to_rfc3339()).await;
    delivery.end(&writer, &lab.key, second(2_700), every).await.unwrap();
    let (report, found) = lab.check(&place, &text(0), &text(1)).await;
    assert_eq!((report.counts.digests_valid, report.counts.logs_valid), (2, 2), "{found:?}");
    assert_eq!(report.logs_unverified + report.logs_planted, 0, "{found:?}");
}
