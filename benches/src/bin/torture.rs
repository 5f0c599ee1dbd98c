//! Tortures a store: `cargo run -p towpath-benches --bin torture -- --minutes 10`.
//!
//! Prints what happened as JSON and exits with 1 if a promise was not kept. Needs the `towpath`
//! command beside it: `cargo build --workspace --bins` builds both.

#![expect(clippy::print_stdout, reason = "a command says what it found")]

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};
use std::{env, fs};

use towpath_benches::torture::{Options, run};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let minutes: f64 = match args.as_slice() {
        [flag, minutes] if flag == "--minutes" => minutes.parse()?,
        [] => 10.0,
        _ => return Err("say for how long: `torture --minutes N`".into()),
    };
    let program = env::current_exe()?;
    let folder = env::temp_dir().join(format!("towpath-torture-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let options = Options {
        towpath: program.with_file_name("towpath"),
        folder: folder.clone(),
        runs_for: Duration::from_secs_f64(minutes * 60.0),
        seed: u64::from(std::process::id()),
        now,
    };
    let report = run(&options)?;
    println!("{}", serde_json::to_string_pretty(&report)?);
    if !report.is_clean() {
        println!("left for a look: {}", folder.display());
        return Ok(ExitCode::FAILURE);
    }
    fs::remove_dir_all(&folder)?;
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::disallowed_methods, reason = "a command reads the clock")]
fn now() -> i64 {
    let since_1970 = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX)
}
