//! Many processes that write to one store at the same time.

use std::process::{Child, Output, Stdio};
use std::thread;
use std::time::Duration;

use crate::harness::{Dir, event};

/// Processes at the same time, each as often as [`ROUNDS`].
const PROCESSES: u32 = 8;
const ROUNDS: u32 = 3;

/// Log files in one folder, and events in one log file. Half of those are in the next one too.
const FILES: u32 = 3;
const EVENTS: u32 = 10;

/// Writes the log files of one folder.
fn write_folder(dir: &Dir, folder: u32) {
    for file in folder * FILES..(folder + 1) * FILES {
        let first = file * EVENTS / 2;
        let events: Vec<_> = (first..first + EVENTS)
            .map(|number| {
                let (month, day) = (number % 3 + 1, number / 3 % 28 + 1);
                event(number, "PutObject", &format!("2024-{month:02}-{day:02}T08:00:00Z"))
            })
            .collect();
        dir.write_log_file(&format!("logs/{folder}/{file}.json.gz"), &events);
    }
}

fn ingest(dir: &Dir, folders: &[u32]) -> Child {
    let folders = folders.iter().map(|folder| format!("logs/{folder}"));
    let args = ["ingest".to_owned(), "--store".to_owned(), "trail".to_owned()];
    let mut command = dir.towpath(args.into_iter().chain(folders)).into_command();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// It ended well, or told that others write.
fn ended_well_or_busy(output: &Output) -> bool {
    let told = String::from_utf8_lossy(&output.stderr);
    let is_busy = output.status.code() == Some(1) && told.contains("another writer");
    assert!(output.status.success() || is_busy, "{:?}: {told}", output.status);
    output.status.success()
}

#[test]
fn eight_processes_at_once_store_every_event_once_though_one_of_them_is_killed() {
    let dir = Dir::new();
    dir.towpath(["store", "create", "trail"]).run().success();
    let folders = PROCESSES * ROUNDS;
    for folder in 0..folders {
        write_folder(&dir, folder);
    }
    let mut done = 0;
    thread::scope(|scope| {
        let workers: Vec<_> = (0..PROCESSES)
            .map(|worker| {
                let dir = &dir;
                scope.spawn(move || {
                    let mut done = 0;
                    for round in 0..ROUNDS {
                        let own = round * PROCESSES + worker;
                        // Each folder is ingested by two processes at about the same time.
                        let child = ingest(dir, &[own, (own + 1) % folders]);
                        done += u32::from(ended_well_or_busy(&child.wait_with_output().unwrap()));
                    }
                    done
                })
            })
            .collect();
        // One dies while the others wait for it.
        thread::sleep(Duration::from_millis(300));
        let mut killed = ingest(&dir, &[0, 1, 2]);
        thread::sleep(Duration::from_millis(200));
        killed.kill().unwrap();
        killed.wait().unwrap();
        for worker in workers {
            done += worker.join().unwrap();
        }
    });
    assert_eq!(done, folders, "nobody waited in vain");
    let expected = folders * FILES * EVENTS / 2 + EVENTS / 2;
    let sql = "SELECT count(*) AS n, count(DISTINCT eventID) AS ids FROM trail";
    let ran = dir.towpath(["query", sql, "--format", "csv"]).run().success();
    assert_eq!(ran.text(), format!("n,ids\n{expected},{expected}\n"));
}
