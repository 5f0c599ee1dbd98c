//! How many events a second one thread decodes from a folder of log files.
//!
//! `cargo run --release -p towpath-event --example decode_rate -- FOLDER [ROUNDS]
//! [BATCH_EVENTS]`. Reading and decompressing are not part of the time.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, hint};

use flate2::read::MultiGzDecoder;
use towpath_event::EventBatchBuilder;

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| ".".to_owned());
    let mut number = |default| arguments.next().and_then(|n| n.parse().ok()).unwrap_or(default);
    let (rounds, batch_events) = (number(20), number(128 * 1024));
    let texts = log_file_texts(Path::new(&folder))?;
    for _ in 0..rounds {
        let start = Instant::now();
        let events = decode(&texts, batch_events);
        report(events, texts.iter().map(Vec::len).sum(), start.elapsed());
    }
    Ok(())
}

/// Decodes all texts into batches of a little over `batch_events`.
fn decode(texts: &[Vec<u8>], batch_events: usize) -> usize {
    let mut builder = EventBatchBuilder::new();
    let mut events = 0;
    for text in texts {
        if let Err(refused) = builder.append_log_file(text) {
            println!("refused: {refused}");
        }
        if builder.events() >= batch_events {
            events += builder.events();
            hint::black_box(builder.finish());
        }
    }
    events += builder.events();
    hint::black_box(builder.finish());
    events
}

#[expect(clippy::cast_precision_loss, reason = "three digits are printed")]
fn report(events: usize, bytes: usize, elapsed: Duration) {
    let seconds = elapsed.as_secs_f64();
    println!(
        "{events} events in {:.1} ms: {:.0} thousand events/s, {:.0} MB/s",
        seconds * 1e3,
        events as f64 / seconds / 1e3,
        bytes as f64 / seconds / 1e6,
    );
}

fn log_file_texts(folder: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut texts = Vec::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension() == Some(OsStr::new("gz")) {
                let mut text = Vec::new();
                MultiGzDecoder::new(File::open(path)?).read_to_end(&mut text)?;
                texts.push(text);
            }
        }
    }
    Ok(texts)
}
