//! The shell on a terminal: line editing, history, statements over several lines.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{ColorMode, CompletionType, Config as EditorConfig, Editor};
use tokio::{signal, task};

use super::helper::{ShellHelper, bare_command};
use super::vocabulary::Vocabulary;
use super::{Next, Shell};
use crate::config::Config;
use crate::error::{Outcome, tell};
use crate::statement::{Input, StatementBuffer};

/// Statements kept from session to session.
const HISTORY_ENTRIES_MAX: usize = 1_000;

/// Completions that are listed without asking first.
const COMPLETIONS_LISTED_MAX: usize = 120;

/// Asks for a statement.
const PROMPT: &str = "towpath> ";

type LineEditor = Editor<ShellHelper, FileHistory>;

/// What was typed after a prompt.
enum Typed {
    Text(String),
    /// Ctrl-C: away with what was begun.
    Interrupt,
    /// Ctrl-D, or the terminal has gone.
    End,
}

/// Runs what is typed. Errors have been seen as they came, so the outcome is always done.
pub(super) async fn run(mut shell: Shell, config: &Config) -> Result<Outcome> {
    let helper = ShellHelper::new(Vocabulary::of(shell.lake.clone()), !config.no_color);
    let mut editor = editor(helper, config)?;
    // While there is a printer, the editor waits for keys and signals together. Without, it waits
    // in a read that a signal does not interrupt, because it comes to another of our threads, and
    // the editor would learn too late that the window has another size.
    let _printer = editor.create_external_printer();
    loop {
        let (returned, typed) = read(editor, shell.draft.take()).await?;
        editor = returned;
        let text = match typed {
            Typed::Text(text) => text,
            Typed::Interrupt => continue,
            Typed::End => break,
        };
        remember(&mut editor, &text, config.history.as_deref());
        if take_all(&mut shell, &text).await? == Next::Quit {
            break;
        }
    }
    shell.close_output()?;
    Ok(Outcome::Done)
}

/// Does everything that `text` says, which may be several statements, pasted.
async fn take_all(shell: &mut Shell, text: &str) -> Result<Next> {
    let text = bare_command(text).unwrap_or(text);
    let mut buffer = StatementBuffer::default();
    let mut inputs: Vec<Input> = text.lines().flat_map(|line| buffer.push_line(line)).collect();
    inputs.extend(buffer.finish());
    for input in inputs {
        if take(shell, input).await? == Next::Quit {
            return Ok(Next::Quit);
        }
    }
    Ok(Next::GoOn)
}

/// Does what `input` says; Ctrl-C stops it and the session goes on.
async fn take(shell: &mut Shell, input: Input) -> Result<Next> {
    let next = tokio::select! {
        next = shell.take(input) => next?,
        signal = signal::ctrl_c() => {
            signal.context("could not listen for signals")?;
            shell.interrupted();
            Next::GoOn
        }
    };
    // Not within the above: in a pager, Ctrl-C is the pager's.
    task::block_in_place(|| shell.show())?;
    Ok(next)
}

fn editor(helper: ShellHelper, config: &Config) -> Result<LineEditor> {
    let colours = if config.no_color { ColorMode::Disabled } else { ColorMode::Enabled };
    let settings = EditorConfig::builder()
        .max_history_size(HISTORY_ENTRIES_MAX)
        .and_then(|builder| builder.history_ignore_dups(true))
        .context("could not set up the line editor")?
        .history_ignore_space(true)
        .auto_add_history(false)
        .completion_type(CompletionType::List)
        .completion_prompt_limit(COMPLETIONS_LISTED_MAX)
        .color_mode(colours)
        .build();
    let mut editor = LineEditor::with_config(settings).context("could not use the terminal")?;
    editor.set_helper(Some(helper));
    if let Some(history) = config.history.as_deref().filter(|history| history.is_file())
        && let Err(error) = editor.load_history(history)
    {
        tell(&format!("warning: could not read the history `{}`: {error}", history.display()));
    }
    Ok(editor)
}

/// Waits for a statement on a thread that may block, and gives the editor back with it. `draft` is
/// text to begin with.
async fn read(mut editor: LineEditor, draft: Option<String>) -> Result<(LineEditor, Typed)> {
    let (editor, read) = task::spawn_blocking(move || {
        let read = editor.readline_with_initial(PROMPT, (&draft.unwrap_or_default(), ""));
        (editor, read)
    })
    .await
    .context("could not read from the terminal")?;
    match read {
        Ok(text) => Ok((editor, Typed::Text(text))),
        Err(ReadlineError::Interrupted) => Ok((editor, Typed::Interrupt)),
        Err(ReadlineError::Eof) => Ok((editor, Typed::End)),
        Err(error) => Err(error).context("could not read from the terminal"),
    }
}

/// Keeps what was typed, at once, so that it survives a terminal that is closed. That it could not
/// be kept is no reason to fail a session that goes well.
fn remember(editor: &mut LineEditor, text: &str, history: Option<&Path>) {
    if text.trim().is_empty() || !editor.add_history_entry(text).unwrap_or(false) {
        return;
    }
    let Some(history) = history else { return };
    let folder = history.parent().map_or(Ok(()), fs::create_dir_all);
    if let Err(error) =
        folder.map_err(ReadlineError::from).and_then(|()| editor.append_history(history))
    {
        tell(&format!("warning: could not write the history `{}`: {error}", history.display()));
    }
}
