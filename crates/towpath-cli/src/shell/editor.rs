//! The shell on a terminal: line editing, history, statements over several lines.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config as EditorConfig, Editor};
use tokio::{signal, task};

use super::{Next, Shell};
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::statement::{Input, StatementBuffer};

/// Statements kept from session to session.
const HISTORY_ENTRIES_MAX: usize = 1_000;

/// Asks for a statement.
const PROMPT: &str = "towpath> ";

/// Asks for the rest of a statement.
const PROMPT_REST: &str = "      -> ";

type LineEditor = Editor<(), FileHistory>;

/// What was typed after a prompt.
enum Typed {
    Line(String),
    /// Ctrl-C: away with what was begun.
    Interrupt,
    /// Ctrl-D, or the terminal has gone.
    End,
}

/// Runs what is typed. Errors have been seen as they came, so the outcome is always done.
pub(super) async fn run(mut shell: Shell, config: &Config) -> Result<Outcome> {
    let mut editor = editor(config.history.as_deref())?;
    tell("towpath shell. A statement ends with `;`, `.help` helps, Ctrl-D leaves.");
    let mut buffer = StatementBuffer::default();
    'session: loop {
        let prompt = if buffer.is_between_statements() { PROMPT } else { PROMPT_REST };
        let (returned, typed) = read(editor, prompt).await?;
        editor = returned;
        let text = match typed {
            Typed::Line(text) => text,
            Typed::Interrupt => {
                buffer.clear();
                continue;
            }
            Typed::End => break,
        };
        // Pasted text may hold several lines.
        for input in text.lines().flat_map(|line| buffer.push_line(line)).collect::<Vec<_>>() {
            remember(&mut editor, &input)?;
            if take(&mut shell, input).await? == Next::Quit {
                break 'session;
            }
        }
    }
    if let Some(history) = config.history.as_deref() {
        save(&mut editor, history);
    }
    Ok(Outcome::Done)
}

/// Does what `input` says; Ctrl-C stops it and the session goes on.
async fn take(shell: &mut Shell, input: Input) -> Result<Next> {
    tokio::select! {
        next = shell.take(input) => next,
        signal = signal::ctrl_c() => {
            signal.context("could not listen for signals")?;
            tell("interrupted");
            Ok(Next::GoOn)
        }
    }
}

fn editor(history: Option<&Path>) -> Result<LineEditor> {
    let config = EditorConfig::builder()
        .max_history_size(HISTORY_ENTRIES_MAX)
        .and_then(|builder| builder.history_ignore_dups(true))
        .context("could not set up the line editor")?
        .history_ignore_space(true)
        .auto_add_history(false)
        .build();
    let mut editor = LineEditor::with_config(config).context("could not use the terminal")?;
    if let Some(history) = history.filter(|history| history.is_file())
        && let Err(error) = editor.load_history(history)
    {
        tell(&format!("warning: could not read the history `{}`: {error}", history.display()));
    }
    Ok(editor)
}

/// Waits for a line on a thread that may block, and gives the editor back with it.
async fn read(mut editor: LineEditor, prompt: &'static str) -> Result<(LineEditor, Typed)> {
    let (editor, read) = task::spawn_blocking(move || {
        let read = editor.readline(prompt);
        (editor, read)
    })
    .await
    .context("could not read from the terminal")?;
    match read {
        Ok(line) => Ok((editor, Typed::Line(line))),
        Err(ReadlineError::Interrupted) => Ok((editor, Typed::Interrupt)),
        Err(ReadlineError::Eof) => Ok((editor, Typed::End)),
        Err(error) => Err(error).context("could not read from the terminal"),
    }
}

/// Keeps a statement as one entry, however many lines it was typed on.
fn remember(editor: &mut LineEditor, input: &Input) -> Result<()> {
    let entry = match input {
        Input::Statement(statement) => format!("{statement};"),
        Input::Command(line) => line.clone(),
        Input::TooLong => return Ok(()),
    };
    editor.add_history_entry(entry).context("could not keep the history")?;
    Ok(())
}

/// Writes the history. That it could not be kept is no reason to fail a session that went well.
fn save(editor: &mut LineEditor, history: &Path) {
    let saved = history
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .map_err(ReadlineError::from)
        .and_then(|()| editor.save_history(history));
    if let Err(error) = saved {
        tell(&format!("warning: could not write the history `{}`: {error}", history.display()));
    }
}
