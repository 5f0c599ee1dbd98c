//! What is shown on the terminal: at once, or in a pager if it is longer than the screen.

use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use console::Term;

use crate::error::tell;

/// Bytes that are held back for the pager. What is longer goes to the terminal as it comes.
const HELD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Exit codes of a shell that could not run a command.
const NOT_RUN: [i32; 2] = [126, 127];

/// Text on its way to the terminal.
#[derive(Debug, Default)]
pub(super) struct Page {
    held: Vec<u8>,
    /// Whether there was too much to hold, and the rest goes to the terminal directly.
    is_streaming: bool,
}

impl Page {
    /// Forgets what has not been shown.
    pub(super) fn clear(&mut self) {
        *self = Page::default();
    }

    /// Shows what has been written: in `pager` if it is longer than the screen.
    ///
    /// # Errors
    ///
    /// If the terminal cannot be written to.
    pub(super) fn show(&mut self, pager: Option<&str>) -> Result<()> {
        let held = std::mem::take(self).held;
        if held.is_empty() {
            return Ok(());
        }
        if let Some(pager) = pager.filter(|_| is_longer_than_screen(&held)) {
            if page(&held, pager) {
                return Ok(());
            }
            tell(&format!("warning: could not run the pager `{pager}`; `.pager off` does without"));
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(&held).and_then(|()| stdout.flush()).context("could not write to stdout")
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_streaming && self.held.len() + bytes.len() > HELD_BYTES_MAX {
            io::stdout().write_all(&self.held)?;
            self.held.clear();
            self.is_streaming = true;
        }
        if self.is_streaming {
            return io::stdout().write(bytes);
        }
        self.held.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_streaming { io::stdout().flush() } else { Ok(()) }
    }
}

fn is_longer_than_screen(text: &[u8]) -> bool {
    let height = Term::stdout().size_checked().map(|(rows, _columns)| usize::from(rows));
    let lines = text.iter().filter(|byte| **byte == b'\n').count();
    // One line is the next prompt's.
    io::stdout().is_terminal() && height.is_some_and(|height| height > 1 && lines >= height)
}

/// Gives `text` to the command `pager`; whether it ran.
fn page(text: &[u8], pager: &str) -> bool {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut command = Command::new(shell);
    // What we write is UTF-8, whatever the locale; `less` would show the bytes of a `…`.
    command.args([flag, pager]).env("LESSCHARSET", "utf-8").stdin(Stdio::piped());
    let child = command.spawn();
    let Ok(mut child) = child else { return false };
    if let Some(mut stdin) = child.stdin.take() {
        // A pager that is left before its end reads no further, which is its right.
        drop(stdin.write_all(text));
    }
    let status = child.wait();
    status.is_ok_and(|status| !status.code().is_some_and(|code| NOT_RUN.contains(&code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_shown_once() {
        let mut page = Page::default();
        page.write_all(b"a\n").unwrap();
        assert_eq!(page.held, b"a\n");
        page.clear();
        assert!(page.held.is_empty());
        page.show(None).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_pager_that_is_not_there_is_noticed() {
        assert!(page(b"x\n", "cat > /dev/null"));
        assert!(page(b"x\n", "true"), "it need not read");
        assert!(!page(b"x\n", "no-such-pager-anywhere"));
    }
}
