//! `towpath verify` and `towpath redact`.

use crate::harness::{Dir, event};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// The data files of the one store.
fn data_files(dir: &Dir) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for store in fs::read_dir(dir.path().join("lake/stores")).unwrap() {
        for month in fs::read_dir(store.unwrap().path()).unwrap() {
            let month = month.unwrap().path();
            if month.file_name().unwrap().to_str().unwrap().starts_with("calendarmonth=") {
                found.extend(fs::read_dir(month).unwrap().map(|file| file.unwrap().path()));
            }
        }
    }
    found.sort();
    found
}

fn report(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn sound_store_is_signed_and_an_altered_one_is_told() {
    let dir = Dir::with_sample();
    let verify = ["verify", "--store", "trail"];
    let first = dir.towpath(verify).run().success().text();
    assert!(first.contains("sound; without a signed checkpoint"), "{first}");
    let signed = dir.towpath(["verify", "--store", "trail", "--checkpoint", "kept.json"]).run();
    assert!(signed.success().stderr.starts_with("signed version 1 with key "));
    let anchored = ["verify", "--store", "trail", "--anchor", "kept.json", "--format", "json"];
    let found = report(&dir.towpath(anchored).run().success().text());
    assert_eq!((&found["sound"], &found["rows"]), (&true.into(), &5.into()), "{found}");
    assert_eq!(found["signedCheckpoints"], 2);

    let file = data_files(&dir).remove(0);
    let mut bytes = fs::read(&file).unwrap();
    bytes[100] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let found = report(&dir.towpath(anchored).run().code(1).text());
    assert_eq!(found["findings"][0]["kind"], "file_altered", "{found}");
    assert_eq!(found["sound"], false);
    let text = dir.towpath(verify).run().code(1).text();
    assert!(text.contains("FOUND  file_altered calendarmonth="), "{text}");
    assert!(text.ends_with("NOT SOUND\n"), "{text}");
    // What came before the checkpoint is not read again.
    dir.towpath(["verify", "--store", "trail", "--since", "kept.json"]).run().success();
}

#[test]
fn store_that_cannot_be_opened_is_verified_and_one_rolled_back_is_found() {
    let dir = Dir::with_sample();
    let kept = ["verify", "--store", "trail", "--checkpoint", "kept.json"];
    dir.towpath(kept).run().success();
    let log = data_files(&dir)[0].parent().unwrap().parent().unwrap().join("_delta_log");
    let newest = log.join(format!("{:020}.json", 1));
    let whole = fs::read(&newest).unwrap();
    fs::write(&newest, "").unwrap();
    let torn = dir.towpath(["verify", "--store", "trail"]).run().code(1).text();
    assert!(torn.contains("FOUND  commit_altered _delta_log/"), "{torn}");
    fs::write(&newest, whole).unwrap();
    dir.towpath(["verify", "--store", "trail"]).run().success();

    fs::remove_file(&newest).unwrap();
    let anchored = ["verify", "--store", "trail", "--anchor", "kept.json"];
    let text = dir.towpath(anchored).run().code(1).text();
    assert!(text.contains("FOUND  rolled_back kept.json"), "{text}");
}

#[test]
fn wrong_use_of_verify_says_what_is_wrong() {
    let dir = Dir::with_sample();
    dir.towpath(["verify"]).run().code(2);
    dir.towpath(["verify", "--store", "trail", "--sample", "0"]).run().code(2);
    dir.towpath(["verify", "--store", "nowhere"]).run().code(1);
    dir.towpath(["verify", "--store", "trail", "--anchor", "nowhere.json"]).run().code(1);
    dir.write("no.json", "{}");
    let no = dir.towpath(["verify", "--store", "trail", "--anchor", "no.json"]).run().code(2);
    assert!(no.stderr.contains("signed checkpoint cannot be used"), "{}", no.stderr);
}

#[test]
fn redaction_takes_fields_out_and_is_on_the_record() {
    let dir = Dir::with_sample();
    let id = event(2, "", "")["eventID"].as_str().unwrap().to_owned();
    let redact = |more: &[&str]| {
        let mut args = vec!["redact", "--store", "trail", "--event-id", &id];
        args.extend(["--field", "userIdentity.userName", "--reason", "request 7", "--by", "jdoe"]);
        args.extend(["--format", "ndjson"]);
        args.extend(more);
        dir.towpath(args).run()
    };
    let names = "SELECT count(*) AS n FROM trail WHERE userIdentity.userName = 'alice'";
    let alices = || {
        let found = dir.towpath(["query", names, "--format", "ndjson"]).run().success();
        report(found.text().trim_end())["n"].clone()
    };
    let planned = redact(&["--dry-run"]).success().text();
    assert_eq!(alices(), 5);
    let done = redact(&[]).success();
    assert_eq!(done.text(), planned);
    assert_eq!(report(done.text().trim_end())["values"], 1);
    assert!(done.stderr.starts_with("1 events redacted in version 2"), "{}", done.stderr);
    assert_eq!(alices(), 4);

    // The same log file under another name.
    fs::copy(dir.path().join("logs/sample.json.gz"), dir.path().join("copy.json.gz")).unwrap();
    dir.towpath(["ingest", "copy.json.gz", "--store", "trail"]).run().success();
    assert_eq!(alices(), 4);
    let text = dir.towpath(["verify", "--store", "trail"]).run().success().text();
    assert!(text.contains("userIdentity.userName of 1 events by jdoe: request 7"), "{text}");

    let again = redact(&[]).code(1);
    assert!(again.stderr.contains("has none of the fields"), "{}", again.stderr);
    let both = redact(&["--event-id", "nowhere", "--field", "userAgent"]).code(3);
    assert!(both.stderr.contains("event `nowhere` is not in the store"), "{}", both.stderr);
    dir.towpath(["store", "hold", "add", "trail", "--reason", "r", "--by", "w"]).run().success();
    let held = redact(&["--field", "sourceIPAddress"]);
    assert!(held.stderr.contains("is under legal hold"), "{}", held.stderr);
}
