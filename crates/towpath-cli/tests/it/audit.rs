//! The audit trail, as the command keeps it and as the page for auditors asks for it.

use serde_json::Value;

use crate::harness::Dir;
#[cfg(unix)]
use crate::harness::sample_events;

/// Rows of the trail, one object each.
fn told(dir: &Dir, statement: &str) -> Vec<Value> {
    let text = dir.towpath(["query", "--format", "ndjson", statement]).run().success().text();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn commands_are_recorded_under_the_name_of_the_user_and_the_machine() {
    let dir = Dir::with_sample();
    dir.towpath(["store", "update", "trail", "--termination-protection"]).run().success();
    dir.towpath(["store", "delete", "trail"]).run().code(1);
    dir.towpath(["query", "SELECT 1 FROM trail"]).env("USER", "mallory").run().success();
    let rows = told(
        &dir,
        "SELECT eventName, errorCode, userIdentity.type AS kind, userIdentity.arn AS arn, userAgent \
         FROM towpath-audit ORDER BY eventTime",
    );
    let names: Vec<&str> = rows.iter().map(|row| row["eventName"].as_str().unwrap()).collect();
    let expected = [
        "CreateEventDataStore",
        "StartImport",
        "UpdateEventDataStore",
        "DeleteEventDataStore",
        "StartQuery",
    ];
    assert_eq!(names, expected);
    assert_eq!(rows[3]["errorCode"], "EventDataStoreTerminationProtectedException");
    for row in &rows {
        assert_eq!(row["kind"], "OsUser");
        assert!(row["arn"].as_str().unwrap().starts_with("arn:towpath:os::"), "{row}");
        assert!(!row["arn"].as_str().unwrap().contains("mallory"), "{row}");
        assert!(row["userAgent"].as_str().unwrap().ends_with(" command"), "{row}");
    }
}

#[test]
fn the_trail_is_turned_off_and_on_and_says_so() {
    let dir = Dir::with_sample();
    assert_eq!(dir.towpath(["audit"]).run().success().text(), "on\n");
    assert_eq!(dir.towpath(["audit", "off"]).run().success().text(), "off\n");
    dir.towpath(["query", "SELECT 'unseen' FROM trail"]).run().success();
    assert_eq!(dir.towpath(["audit", "required"]).run().success().text(), "required\n");
    dir.towpath(["audit", "perhaps"]).run().code(2);
    dir.towpath(["expire"]).run().success();
    let rows = told(
        &dir,
        "SELECT element_at(requestParameters, 'modeBefore') AS before, \
         element_at(requestParameters, 'mode') AS after FROM towpath-audit \
         WHERE eventName IN ('UpdateAuditMode', 'StartQuery') ORDER BY eventTime",
    );
    let modes: Vec<(&Value, &Value)> =
        rows.iter().map(|row| (&row["before"], &row["after"])).collect();
    let [off, required] = modes.try_into().unwrap();
    assert_eq!(off, (&"on".into(), &"off".into()));
    assert_eq!(required, (&"off".into(), &"required".into()));
    // It is no store of the user's.
    let listed = dir.towpath(["store", "list", "--format", "csv"]).run().success().text();
    assert!(!listed.contains("towpath-audit"), "{listed}");
    dir.towpath(["store", "show", "towpath-audit"]).run().success();
    let refused = dir.towpath(["store", "delete", "towpath-audit"]).run().code(1);
    assert!(refused.stderr.contains("audit trail"), "{}", refused.stderr);
}

#[cfg(unix)]
#[test]
fn every_command_of_the_page_for_auditors_answers() {
    const PAGE: &str = include_str!("../../docs/auditors.md");
    let dir = Dir::new();
    dir.write_log_file("logs/sample.json.gz", &sample_events());
    dir.towpath(["store", "create", "org-trail"]).run().success();
    dir.towpath(["ingest", "logs", "--store", "org-trail"]).run().success();
    dir.towpath(["store", "update", "org-trail", "--retention-days", "3000"]).run().success();

    let commands: Vec<&str> = PAGE.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert!(commands.len() > 15, "{commands:?}");
    // One shell for all of them: what one keeps in a variable, the next one uses.
    let script = commands.iter().map(|command| format!("{command}\necho '=='\n"));
    let script = format!("set -eu\n{}", script.collect::<String>());
    dir.write("page.sh", &script);
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_towpath")).parent().unwrap();
    let path = std::env::join_paths([folder, "/usr/bin".as_ref(), "/bin".as_ref()]).unwrap();
    let mut shell = std::process::Command::new("sh");
    let shell = shell.arg("page.sh").current_dir(dir.path()).env_clear();
    let shell = shell.env("PATH", path).env("HOME", dir.path()).env("TMPDIR", dir.path());
    let output = shell.env("TOWPATH_LAKE", dir.path().join("lake")).output().unwrap();
    let (text, errors) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let answers: Vec<&str> = text.split("==\n").collect();
    assert!(output.status.success(), "stopped at {:?}: {errors}", commands.get(answers.len() - 1));
    assert_eq!(answers.len(), commands.len() + 1);
    // What has an answer on this lake gives one.
    for (part, expected) in [
        ("WHERE errorCode IS NOT NULL", "eventName"),
        ("retentionPeriodBefore", "3000"),
        ("ReleaseHold", "J. Doe, legal"),
        ("'StartQuery'", "FROM towpath-audit"),
        ("'StartImport'", "logs"),
        ("eventJsonChecksum", "DeleteBucket"),
        ("'CreateSigningKey'", "arn:towpath:os::"),
        ("job verify", ""),
        ("--anchor", "\"findings\""),
        ("'RedactEvents'", "J. Doe, legal"),
    ] {
        let place = commands.iter().position(|command| command.contains(part)).unwrap();
        assert!(answers[place].contains(expected), "{}: {}", commands[place], answers[place]);
    }
}
