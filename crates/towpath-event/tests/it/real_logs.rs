//! Real log files, where they stand beside the project.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use towpath_event::EventBatchBuilder;

use crate::cells::cells;
use crate::reference;

/// The texts of the real log files; none where they are absent.
fn log_files() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/aws-trail");
    if !folder.is_dir() {
        println!("no real log files here: only events made in the tests are decoded");
        return Vec::new();
    }
    let mut folders: Vec<PathBuf> = vec![folder];
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(".json.gz") {
                let mut text = String::new();
                MultiGzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
                texts.push(text);
            }
        }
    }
    texts
}

#[test]
fn every_column_of_every_real_event_is_what_the_reference_finds() {
    let log_files = log_files();
    let mut events = 0;
    for text in &log_files {
        let records = reference::records(text);
        let mut builder = EventBatchBuilder::new();
        let summary = builder.append_log_file(text.as_bytes()).unwrap();
        assert_eq!(summary.events, records.len() as u64);
        for (record, row) in records.iter().zip(cells(&builder.finish())) {
            assert_eq!(row, reference::cells(record));
        }
        events += records.len();
    }
    if !log_files.is_empty() {
        assert_eq!((log_files.len(), events), (1_442, 14_704));
    }
}

#[test]
fn real_events_in_one_batch_are_as_many_as_their_identities_say() {
    let log_files = log_files();
    let mut builder = EventBatchBuilder::new();
    for text in &log_files {
        builder.append_log_file(text.as_bytes()).unwrap();
    }
    let mut identities = builder.finish().identities;
    identities.sort_unstable();
    identities.dedup_by_key(|identity| identity.key);
    if !log_files.is_empty() {
        assert_eq!(identities.len(), 12_241);
    }
}

#[test]
fn a_real_log_file_cut_at_any_byte_is_refused() {
    let log_files = log_files();
    let Some(text) = log_files.iter().filter(|text| text.len() > 4_000).min_by_key(|t| t.len())
    else {
        return;
    };
    let mut builder = EventBatchBuilder::new();
    for end in 0..text.len() {
        assert!(builder.append_log_file(&text.as_bytes()[..end]).is_err(), "{end}");
        assert_eq!(builder.events(), 0);
    }
    assert!(builder.append_log_file(text.as_bytes()).is_ok());
}
