//! A short torture, wherever the command was built beside this test, as `cargo test` does.

use std::env::current_exe;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use towpath_benches::torture::{Options, run};

/// Long enough for some kills, short enough for a test.
const RUNS_FOR: Duration = Duration::from_secs(8);

#[expect(clippy::disallowed_methods, reason = "processes are killed by the clock")]
fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since_1970.as_secs()).unwrap()
}

#[test]
fn nothing_is_lost_or_doubled_while_processes_are_killed() {
    let target = current_exe().unwrap();
    let towpath = target.ancestors().nth(2).unwrap().join("towpath");
    if !towpath.is_file() {
        println!("no `towpath` command beside this test; `cargo test --workspace` builds it");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let options =
        Options { towpath, folder: folder.path().to_path_buf(), runs_for: RUNS_FOR, seed: 1, now };
    let report = run(&options).unwrap();
    assert!(report.is_clean(), "{report:#?}");
    assert!(report.log_files > 0 && report.queries > 0, "{report:#?}");
}
