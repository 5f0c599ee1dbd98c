//! The shell without a terminal: lines of stdin, run as they come.

use std::io::{self, BufRead, Read};
use std::thread;

use anyhow::{Context, Result};
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::{Next, Shell};
use crate::commands::until_interrupted;
use crate::error::Outcome;
use crate::statement::{STATEMENT_BYTES_MAX, StatementBuffer};

/// Lines read ahead while a statement runs. Enough to keep the reader off the critical path, and
/// with [`LINE_BYTES_MAX`] a bound on the memory that a file of long lines can take.
const LINES_AHEAD_MAX: usize = 16;

/// Longest line that is read, in bytes: one longer than a statement cannot be part of one.
const LINE_BYTES_MAX: usize = STATEMENT_BYTES_MAX + 1;

/// Runs the statements on stdin; the outcome says whether one failed.
pub(super) async fn run(shell: Shell) -> Result<Outcome> {
    until_interrupted(run_lines(shell)).await
}

async fn run_lines(mut shell: Shell) -> Result<Outcome> {
    let mut lines = read_lines();
    let mut buffer = StatementBuffer::default();
    while let Some(line) = lines.recv().await {
        let line = line.context("could not read stdin")?;
        for input in buffer.push_line(&line) {
            if shell.take(input).await? == Next::Quit {
                shell.close_output()?;
                return Ok(shell.outcome());
            }
        }
    }
    // Kinder than to drop what lacks its last `;`; nothing is changed by a SELECT too many.
    if let Some(input) = buffer.finish() {
        shell.take(input).await?;
    }
    shell.close_output()?;
    Ok(shell.outcome())
}

/// The lines of stdin, read by a thread of its own, so that waiting for one blocks nothing.
fn read_lines() -> Receiver<io::Result<String>> {
    let (sender, receiver) = mpsc::channel(LINES_AHEAD_MAX);
    thread::spawn(move || send_lines(io::stdin().lock(), &sender));
    receiver
}

/// Sends line after line until there is no more, or nobody listens any more.
fn send_lines(mut source: impl BufRead, sender: &Sender<io::Result<String>>) {
    loop {
        match read_line(&mut source) {
            Ok(None) => return,
            Ok(Some(line)) => {
                if sender.blocking_send(Ok(line)).is_err() {
                    return;
                }
            }
            Err(error) => {
                // Nobody listening any more is as good an end as the error.
                drop(sender.blocking_send(Err(error)));
                return;
            }
        }
    }
}

/// The next line without its line break. Of a line that is too long the rest is passed over, and
/// what is returned is still too long for any statement. What is not UTF-8 becomes U+FFFD, which
/// no statement needs outside of a string.
fn read_line(source: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let read = source.by_ref().take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut bytes)?;
    if read == 0 {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    } else if bytes.len() == LINE_BYTES_MAX {
        source.skip_until(b'\n')?;
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<String> {
        let mut source = text;
        std::iter::from_fn(|| read_line(&mut source).unwrap()).collect()
    }

    #[test]
    fn lines_end_with_either_line_break_and_the_last_needs_none() {
        assert_eq!(lines(b"a\r\nb\n\nc"), ["a", "b", "", "c"]);
        assert_eq!(lines(b"\xff\n"), ["\u{FFFD}"]);
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() {
        let mut text = vec![b'x'; LINE_BYTES_MAX * 3];
        text.extend(b"\nnext\n");
        let lines = lines(&text);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].len() > STATEMENT_BYTES_MAX);
        assert_eq!(lines[1], "next");
    }
}
