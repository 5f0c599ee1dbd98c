//! Fuzzes a target: `cargo run -p towpath-benches --bin fuzz -- TARGET [OPTIONS]`.
//!
//! | option | meaning |
//! |---|---|
//! | `--seconds N` | run for N seconds (60) |
//! | `--seed N` | the seed of all choices (0) |
//! | `--inputs N` | stop after N inputs |
//! | `--only N` | run input number N alone, and show it |
//! | `--first N` | begin with input number N |
//! | `--trace PATH` | write the number of each input to a file before it runs |
//! | `--file PATH` | run the file's contents, and show what comes of it |
//!
//! Exits with 1 if anything was found.

#![expect(clippy::print_stdout, reason = "a command says what it found")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs};

use towpath_benches::fuzz::{Finding, Options, Target, run, targets};

/// What the command line asks for.
struct Asked {
    target: String,
    options: Options,
    shows: bool,
    file: Option<PathBuf>,
    trace: Option<PathBuf>,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let asked = asked(env::args().skip(1))?;
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let targets = targets(&project);
    let names: Vec<&str> = targets.iter().map(|target| target.name).collect();
    let target = targets
        .iter()
        .find(|target| target.name == asked.target)
        .ok_or_else(|| format!("say what to fuzz: {}", names.join(", ")))?;
    if let Some(path) = &asked.file {
        return run_file(target, path);
    }
    let started = Instant::now();
    let report = run(target, &asked.options, |number| {
        if let Some(path) = &asked.trace
            && let Err(error) = fs::write(path, number.to_string())
        {
            println!("cannot write the trace: {error}");
        }
    });
    for found in &report.found {
        let kind = match &found.finding {
            Finding::Panic(text) => format!("panic: {text}"),
            Finding::Check(text) => format!("check failed: {text}"),
            Finding::Slow(time) => format!("slow: {time:?}"),
            Finding::Hang => "hang".to_owned(),
        };
        println!("input {} (--seed {}): {kind}", found.number, asked.options.seed);
        println!("{}\n", String::from_utf8_lossy(&found.input));
    }
    if asked.shows && report.found.is_empty() {
        println!("input {} is fine", asked.options.first);
    }
    println!(
        "{}: {} inputs in {:?}, the slowest {:?}, {} findings",
        target.name,
        report.inputs,
        started.elapsed(),
        report.slowest,
        report.found.len()
    );
    Ok(if report.found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_file(target: &Target, path: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let input = fs::read(path)?;
    let started = Instant::now();
    let outcome = (target.make)()(&input);
    println!("{outcome:?} in {:?}", started.elapsed());
    Ok(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn asked(mut words: impl Iterator<Item = String>) -> Result<Asked, Box<dyn Error>> {
    let mut asked = Asked {
        target: words.next().unwrap_or_default(),
        options: Options {
            seed: 0,
            first: 0,
            inputs_max: u64::MAX,
            time_max: Duration::from_secs(60),
        },
        shows: false,
        file: None,
        trace: None,
    };
    while let Some(option) = words.next() {
        let value = words.next().ok_or_else(|| format!("option `{option}` needs a value"))?;
        match option.as_str() {
            "--seconds" => asked.options.time_max = Duration::from_secs(value.parse()?),
            "--seed" => asked.options.seed = value.parse()?,
            "--inputs" => asked.options.inputs_max = value.parse()?,
            "--only" => {
                asked.options.first = value.parse()?;
                asked.options.inputs_max = 1;
                asked.shows = true;
            }
            "--first" => asked.options.first = value.parse()?,
            "--trace" => asked.trace = Some(PathBuf::from(value)),
            "--file" => asked.file = Some(PathBuf::from(value)),
            _ => return Err(format!("there is no option `{option}`").into()),
        }
    }
    Ok(asked)
}
