//! Fuzzing on a stable toolchain: a seeded engine that mutates a corpus, and targets that must
//! come back from every input.
//!
//! A target is a [`Target`]: the corpus it starts from, the alphabet that its inputs are spelled
//! with, and what it does with one input. The engine decides the inputs from a seed and their
//! number alone, so a number that is reported repeats the input:
//!
//! ```text
//! cargo run -p towpath-benches --bin fuzz -- sql --seconds 60
//! cargo run -p towpath-benches --bin fuzz -- sql --seed 7 --only 1234
//! ```
//!
//! A new target is a file here with a function that makes the [`Target`], and a line in
//! [`targets`].

mod log_file;
mod mutate;
mod selectors;
mod sql;

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use mutate::Mutator;

/// Longest input, in bytes: what reads more is told apart by size, not by content.
pub const INPUT_BYTES_MAX: usize = 16 << 10;

/// Time one input may take before it is reported as slow. Debug builds plan a statement of the
/// corpus in a few hundredths of a second, and some hundred times that on a busy machine.
pub const SLOW: Duration = Duration::from_secs(10);

/// Time after which an input counts as hanging and the run ends.
pub const HANG: Duration = Duration::from_secs(60);

/// Most findings of one run: the first few tell what is wrong.
pub const FINDINGS_MAX: usize = 20;

/// Runs one input. An error is a finding: a check of the target that does not hold.
pub type Run = Box<dyn FnMut(&[u8]) -> Result<(), String> + Send>;

/// Cuts an input into pieces.
pub type Tokens = fn(&[u8]) -> Vec<Vec<u8>>;

/// Something to fuzz.
pub struct Target {
    /// What the command line calls it.
    pub name: &'static str,
    /// Inputs to start from.
    pub corpus: Vec<Vec<u8>>,
    /// Pieces worth putting into an input anywhere.
    pub dictionary: Vec<Vec<u8>>,
    /// Cuts an input into the pieces that mutations move about; bytes if `None`.
    pub tokens: Option<Tokens>,
    /// Makes what runs the inputs. Called on the thread that runs them.
    pub make: fn() -> Run,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What was found about one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The target panicked, with this text.
    Panic(String),
    /// A check did not hold.
    Check(String),
    /// It took this long.
    Slow(Duration),
    /// It did not come back in [`HANG`].
    Hang,
}

/// A finding and the input it is about.
#[derive(Clone, Debug)]
pub struct Found {
    /// The number of the input under the seed of the run.
    pub number: u64,
    /// The input.
    pub input: Vec<u8>,
    /// What is wrong with it.
    pub finding: Finding,
}

/// How long to run, and from where.
#[derive(Clone, Debug)]
pub struct Options {
    /// The seed of all choices.
    pub seed: u64,
    /// The first input to run.
    pub first: u64,
    /// Most inputs to run.
    pub inputs_max: u64,
    /// Longest run.
    pub time_max: Duration,
}

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Inputs that were run.
    pub inputs: u64,
    /// The slowest input's time.
    pub slowest: Duration,
    /// What was found, in order.
    pub found: Vec<Found>,
}

/// The targets by name.
pub fn targets(project: &Path) -> Vec<Target> {
    vec![sql::target(project), log_file::target(project), selectors::target(project)]
}

/// Runs `target`. Ends early after [`FINDINGS_MAX`] findings or when an input hangs.
///
/// `begins` is told the number of each input before it runs: a stack that overflows ends the
/// process, and only what was noted before then says which input did it.
pub fn run(target: &Target, options: &Options, mut begins: impl FnMut(u64)) -> Report {
    quiet_panics();
    let mut report = Report::default();
    let (to_runner, inputs) = channel::<Vec<u8>>();
    let (outcomes, from_runner) = channel();
    let make = target.make;
    // A thread of its own, because an input that hangs can only be left behind.
    let runner = thread::spawn(move || {
        let mut run = make();
        for input in inputs {
            let started = Instant::now();
            let outcome = panic::catch_unwind(AssertUnwindSafe(|| run(&input)));
            let finding = judge(outcome, started.elapsed());
            if outcomes.send((finding, started.elapsed())).is_err() {
                return;
            }
        }
    });
    let started = Instant::now();
    for number in (options.first..).take(usize::try_from(options.inputs_max).unwrap_or(usize::MAX))
    {
        if started.elapsed() >= options.time_max || report.found.len() >= FINDINGS_MAX {
            break;
        }
        begins(number);
        let input = Mutator::new(target, options.seed, number).input();
        if to_runner.send(input.clone()).is_err() {
            break;
        }
        report.inputs += 1;
        match from_runner.recv_timeout(HANG) {
            Ok((finding, elapsed)) => {
                report.slowest = report.slowest.max(elapsed);
                report.found.extend(finding.map(|finding| Found { number, input, finding }));
            }
            Err(RecvTimeoutError::Timeout) => {
                report.found.push(Found { number, input, finding: Finding::Hang });
                return report;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    drop(to_runner);
    if runner.join().is_err() {
        let finding = Finding::Panic("the target could not be made".to_owned());
        report.found.push(Found { number: options.first, input: Vec::new(), finding });
    }
    report
}

fn judge(
    outcome: Result<Result<(), String>, Box<dyn Any + Send>>,
    elapsed: Duration,
) -> Option<Finding> {
    match outcome {
        Err(payload) => {
            let place = PANIC_PLACE.with_borrow_mut(std::mem::take);
            let text = payload
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_default();
            Some(Finding::Panic(format!("{text} at {place}")))
        }
        Ok(Err(text)) => Some(Finding::Check(text)),
        Ok(Ok(())) if elapsed >= SLOW => Some(Finding::Slow(elapsed)),
        Ok(Ok(())) => None,
    }
}

thread_local! {
    static PANIC_PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps panics off the terminal: the report shows each once, with its input.
fn quiet_panics() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        PANIC_PLACE.with_borrow_mut(|known| *known = place);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toy() -> Target {
        Target {
            name: "toy",
            corpus: vec![b"abc def".to_vec(), b"ghi".to_vec()],
            dictionary: vec![b"boom".to_vec()],
            tokens: None,
            make: || {
                Box::new(|input| {
                    assert!(!input.windows(4).any(|four| four == b"boom"), "went off");
                    if input.first() == Some(&b'g') {
                        Err("begins with g".to_owned())
                    } else {
                        Ok(())
                    }
                })
            },
        }
    }

    #[test]
    fn panics_and_failed_checks_are_found_and_repeat() {
        let options =
            Options { seed: 1, first: 0, inputs_max: 2_000, time_max: Duration::from_secs(30) };
        let mut begun = 0;
        let report = run(&toy(), &options, |_| begun += 1);
        assert_eq!(begun, report.inputs);
        let panics = |found: &&Found| matches!(&found.finding, Finding::Panic(text) if text.starts_with("went off at "));
        let first = report.found.iter().find(panics).expect("a panic is found");
        assert!(report.found.iter().any(|found| matches!(found.finding, Finding::Check(_))));
        let again = run(&toy(), &Options { first: first.number, inputs_max: 1, ..options }, |_| {});
        assert_eq!(again.found.len(), 1);
        assert_eq!(again.found[0].input, first.input);
        assert_eq!(again.found[0].finding, first.finding);
    }
}
