//! `towpath shell`: statements as they are typed, or from a pipe.
//!
//! Statements end with `;`. A line that begins with `.` is a command of the shell itself. Results
//! go to stdout and are flushed after each statement; an error goes to stderr and the next
//! statement runs.
//!
//! On a terminal [`editor`] reads what is typed, with [`helper`] for what it knows of SQL and of
//! the lake; elsewhere [`pipe`] reads lines. Both give it to [`Shell::take`].

mod command;
mod complete;
mod editor;
mod helper;
mod keywords;
mod list;
mod page;
mod pipe;
mod scan;
mod vocabulary;

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use arrow::array::RecordBatch;
use towpath::{ErrorKind, Lake, SampleQuery, Store};

use self::command::Command;
use self::page::Page;
use crate::answer::{Question, answer};
use crate::args::{Args, ShellArgs};
use crate::commands::{open_lake, row_count, statistics, store_rows};
use crate::config::{Config, Limits};
use crate::error::{self, Hinted, Outcome, tell};
use crate::output::{Destination, Format, Style, terminal_width};
use crate::progress::QueryLine;
use crate::statement::{Input, STATEMENT_BYTES_MAX, StatementBuffer};

/// Rows of a result that are shown on a terminal unless `.rows` says otherwise: more than anyone
/// reads there, few enough that a slip does not flood it.
const ROWS_SHOWN_MAX: u64 = 1_000;

/// Files that may read one another. Deeper is a file that reads itself.
const READ_DEPTH_MAX: usize = 8;

/// Longest file that `.read` takes, in bytes.
const READ_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why the shell has no binary formats: a stream cannot hold several files.
const ONLY_TEXT: &str = "the shell prints text; `towpath query -o FILE` writes Parquet and Arrow";

/// Runs the shell until its input ends.
pub(crate) async fn run(config: &Config, args: ShellArgs) -> Result<Outcome> {
    let format = args.format.unwrap_or_else(|| config.format());
    if format.is_binary() {
        return Err(Args::usage_error(ONLY_TEXT).into());
    }
    let is_interactive = io::stdin().is_terminal() && io::stdout().is_terminal();
    let lake = match open_lake(config, args.limits).await {
        Err(error) if is_interactive && is_no_lake(&error) => {
            return Err(Hinted::new(error, first_steps(config)).into());
        }
        opened => opened?,
    };
    let mut shell = Shell::new(lake, config.limits(args.limits), format);
    shell.is_interactive = is_interactive;
    shell.pager = config.pager().map(str::to_owned);
    if is_interactive {
        tell(&greeting(&shell.lake, config).await?);
    }
    let rc_file = config.rc_file.clone().filter(|rc| is_interactive && rc.is_file());
    let first = match args.init.or(rc_file) {
        Some(init) => shell.read(&init).await?,
        None => Next::GoOn,
    };
    shell.show()?;
    if first == Next::Quit {
        shell.close_output()?;
        return Ok(shell.outcome());
    }
    if is_interactive { editor::run(shell, config).await } else { pipe::run(shell).await }
}

fn is_no_lake(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<towpath::Error>();
    error.is_some_and(|error| error.kind() == ErrorKind::NotALake)
}

/// What someone does who has just installed the program.
fn first_steps(config: &Config) -> String {
    let flag = lake_flag(config);
    format!(
        "make one, and put log files into it:\n  \
         towpath{flag} store create org-trail\n  \
         towpath{flag} ingest ./AWSLogs --store org-trail\n  \
         towpath{flag}\n\
         or see first what it does: `towpath demo`"
    )
}

/// `--lake` as it was typed, to be repeated in commands that go on from here.
fn lake_flag(config: &Config) -> String {
    match config.lake() {
        Ok(lake) if config.is_lake_typed => format!(" --lake {lake}"),
        _ => String::new(),
    }
}

/// Where we are, and what can be done here.
async fn greeting(lake: &Lake, config: &Config) -> Result<String> {
    let stores = lake.stores().await?;
    let flag = lake_flag(config);
    let names: Vec<String> = stores.iter().map(Store::name).collect();
    let holds = match stores.as_slice() {
        [] => {
            format!("there is no event data store yet: `towpath{flag} store create NAME` makes one")
        }
        [only] if only.summary().await?.events == 0 => format!(
            "`{0}` has no events yet: `towpath{flag} ingest SOURCE --store {0}` puts some in",
            only.name()
        ),
        _ => format!("event data stores: {}", names.join(", ")),
    };
    Ok(format!(
        "towpath {} on lake `{}`; {holds}.\nA statement ends with `;`. `.help` helps, `.examples` \
         has questions to start from, Ctrl-D leaves.",
        env!("CARGO_PKG_VERSION"),
        config.lake()?
    ))
}

/// What comes after an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    Quit,
}

/// A lake to ask, how answers are printed, and how the asking went so far.
struct Shell {
    lake: Lake,
    limits: Limits,
    format: Format,
    /// What `\x` goes back to.
    format_before: Format,
    /// Whether a person is at a terminal.
    is_interactive: bool,
    is_timed: bool,
    is_paged: bool,
    pager: Option<String>,
    rows_shown_max: Option<u64>,
    stdout: Destination,
    /// What a person is about to be shown.
    page: Page,
    /// Where `.output` sends rows.
    output: Option<(Destination, PathBuf)>,
    /// The statement that ran last, for `.chart` and `.explain`.
    last: Option<String>,
    /// What the next prompt begins with.
    draft: Option<String>,
    read_depth: usize,
    done: u64,
    failed: u64,
}

/// Where text goes.
enum Sink<'a> {
    Destination(&'a mut Destination),
    Page(&'a mut Page),
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::Destination(destination) => destination.write(bytes),
            Sink::Page(page) => page.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::Destination(destination) => destination.flush(),
            Sink::Page(page) => page.flush(),
        }
    }
}

impl Shell {
    fn new(lake: Lake, limits: Limits, format: Format) -> Shell {
        Shell {
            lake,
            limits,
            format,
            format_before: format,
            is_interactive: false,
            is_timed: false,
            is_paged: true,
            pager: None,
            rows_shown_max: Some(ROWS_SHOWN_MAX),
            stdout: Destination::stdout(),
            page: Page::default(),
            output: None,
            last: None,
            draft: None,
            read_depth: 0,
            done: 0,
            failed: 0,
        }
    }

    /// Does what `input` says and flushes stdout.
    ///
    /// What goes wrong is told on stderr and counted; only an error of stdout ends the shell.
    async fn take(&mut self, input: Input) -> Result<Next> {
        let did = match input {
            Input::Statement(statement) => {
                let ran = self.run_statement(&statement, self.format, false).await;
                self.last = Some(statement);
                ran.map(|()| Next::GoOn)
            }
            Input::Command(line) => self.run_command(&line).await,
            Input::TooLong => {
                Err(anyhow!("a statement is longer than {STATEMENT_BYTES_MAX} bytes"))
            }
        };
        if let Err(error) = &did
            && error::is_broken_pipe(error)
        {
            return did;
        }
        self.stdout.flush().context("could not write to stdout")?;
        match did {
            Ok(next) => {
                self.done += 1;
                Ok(next)
            }
            Err(error) => {
                self.page.clear();
                error::report(&error);
                self.failed += 1;
                Ok(Next::GoOn)
            }
        }
    }

    /// Where rows go.
    fn sink(&mut self) -> Sink<'_> {
        match &mut self.output {
            Some((file, _)) => Sink::Destination(file),
            None if self.is_interactive => Sink::Page(&mut self.page),
            None => Sink::Destination(&mut self.stdout),
        }
    }

    /// How rows look there.
    fn style(&self, format: Format) -> Style {
        let width = if self.output.is_none() { terminal_width() } else { None };
        Style::new(format, width)
    }

    async fn run_statement(
        &mut self,
        statement: &str,
        format: Format,
        is_explained: bool,
    ) -> Result<()> {
        let is_shown_here = self.is_interactive && self.output.is_none();
        let style = self.style(format);
        let question = Question {
            is_explained,
            rows_shown_max: self.rows_shown_max.filter(|_| is_shown_here),
            ..Question::new(statement, self.limits)
        };
        // A page is shown when it is whole; only then the line would be in the way.
        let mut line = QueryLine::new(!is_shown_here);
        let lake = self.lake.clone();
        let answer = answer(&lake, question, style, self.sink(), &mut line).await?;
        let is_table = format == Format::Table && style.width.is_some() && !is_explained;
        let footer = match self.is_timed {
            true => statistics(&answer),
            false if is_table || answer.shown < answer.rows => row_count(&answer),
            false => return Ok(()),
        };
        if is_shown_here {
            writeln!(self.page, "{footer}").context("could not write to stdout")
        } else {
            self.stdout.flush().context("could not write to stdout")?;
            tell(&footer);
            Ok(())
        }
    }

    async fn run_command(&mut self, line: &str) -> Result<Next> {
        match Command::parse(line)? {
            Command::Print(text) => writeln!(self.sink(), "{text}")?,
            Command::Help => write!(self.sink(), "{}", command::help())?,
            Command::Mode(format) if format.is_binary() => bail!(ONLY_TEXT),
            Command::Mode(format) => self.format = format,
            Command::ToggleLine => self.toggle_line(),
            Command::Stores | Command::Schema(None) => {
                let rows = store_rows(&self.lake).await?;
                self.write_rows(&rows)?;
            }
            Command::Schema(Some(store)) => {
                let columns = self.lake.columns(store.trim_matches('"')).await?;
                self.write_rows(&list::columns(&columns)?)?;
            }
            Command::Functions(word) => self.write_rows(&list::functions(word.as_deref())?)?,
            Command::Examples(word) => self.examples(word.as_deref()).await?,
            Command::Chart(statement) => {
                let statement = self.statement_or_last(statement)?;
                self.run_statement(&statement, Format::Chart, false).await?;
                self.last = Some(statement);
            }
            Command::Explain(statement) => {
                let statement = self.statement_or_last(statement)?;
                self.run_statement(&statement, self.format, true).await?;
                self.last = Some(statement);
            }
            Command::Output(file) => self.set_output(file)?,
            Command::Pager(is_paged) => self.is_paged = is_paged,
            Command::Rows(most) => self.rows_shown_max = most,
            Command::Timing(is_timed) => self.is_timed = is_timed.unwrap_or(!self.is_timed),
            // A file may read a file, which the compiler cannot see the end of.
            Command::Read(file) => return Box::pin(self.read(&file)).await,
            Command::Quit => return Ok(Next::Quit),
        }
        Ok(Next::GoOn)
    }

    /// Runs what stands in `file`, as if it had been typed.
    async fn read(&mut self, file: &Path) -> Result<Next> {
        if self.read_depth >= READ_DEPTH_MAX {
            bail!("files read one another more than {READ_DEPTH_MAX} deep");
        }
        let mut text = String::new();
        let read = File::open(file)
            .and_then(|file| file.take(READ_BYTES_MAX).read_to_string(&mut text))
            .with_context(|| format!("could not read file `{}`", file.display()))?;
        if read as u64 == READ_BYTES_MAX {
            bail!("file `{}` is longer than {READ_BYTES_MAX} bytes", file.display());
        }
        self.read_depth += 1;
        let next = self.read_lines(&text).await;
        self.read_depth -= 1;
        next
    }

    async fn read_lines(&mut self, text: &str) -> Result<Next> {
        let mut buffer = StatementBuffer::default();
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        for line in text.lines() {
            for input in buffer.push_line(line) {
                if self.take(input).await? == Next::Quit {
                    return Ok(Next::Quit);
                }
            }
        }
        match buffer.finish() {
            Some(input) => self.take(input).await,
            None => Ok(Next::GoOn),
        }
    }

    /// Shows a person what there is to see.
    fn show(&mut self) -> Result<()> {
        let pager = self.pager.as_deref().filter(|_| self.is_paged);
        self.page.show(pager)
    }

    /// Forgets what a statement that was stopped had to show.
    fn interrupted(&mut self) {
        self.page.clear();
        self.read_depth = 0;
        tell("interrupted");
    }

    fn toggle_line(&mut self) {
        if self.format == Format::Line {
            self.format = self.format_before;
        } else {
            self.format_before = self.format;
            self.format = Format::Line;
        }
    }

    fn statement_or_last(&self, statement: Option<String>) -> Result<String> {
        statement.or_else(|| self.last.clone()).ok_or_else(|| {
            Hinted::new(anyhow!("there was no statement yet"), "give one on the same line").into()
        })
    }

    fn set_output(&mut self, file: Option<PathBuf>) -> Result<()> {
        self.close_output()?;
        self.output = match file {
            Some(path) => Some((Destination::create(&path)?, path)),
            None => None,
        };
        Ok(())
    }

    /// Gives the file of `.output` its name.
    fn close_output(&mut self) -> Result<()> {
        let Some((file, path)) = self.output.take() else { return Ok(()) };
        file.commit()?;
        if self.is_interactive {
            tell(&format!("rows written to `{}`", path.display()));
        }
        Ok(())
    }

    fn write_rows(&mut self, rows: &RecordBatch) -> Result<()> {
        let style = self.style(self.format);
        let style = if style.format == Format::Chart { self.style(Format::Table) } else { style };
        let mut writer = style.writer(rows.schema_ref(), self.sink())?;
        writer.batch(rows)?;
        writer.finish()
    }

    /// Lists examples; the only one that is meant is printed, and typed for a person to run.
    async fn examples(&mut self, word: Option<&str>) -> Result<()> {
        let found = list::examples_about(word);
        let [only] = found.as_slice() else {
            if found.is_empty() {
                let error = anyhow!("there is no example about `{}`", word.unwrap_or_default());
                return Err(Hinted::new(error, "`.examples` lists all").into());
            }
            return self.write_rows(&list::examples(&found)?);
        };
        let stores = self.lake.stores().await?;
        let store = match stores.as_slice() {
            [store] => store.name(),
            _ => SampleQuery::STORE.to_owned(),
        };
        let statement = only.statement(&store);
        if self.is_interactive {
            tell(&format!("-- {}", only.title()));
            self.draft = Some(format!("{statement};"));
            return Ok(());
        }
        writeln!(self.sink(), "-- {}\n{statement};", only.title())?;
        Ok(())
    }

    /// How it went, for the exit code.
    fn outcome(&self) -> Outcome {
        match (self.done, self.failed) {
            (_, 0) => Outcome::Done,
            (0, _) => Outcome::NotDone,
            _ => Outcome::DoneInPart,
        }
    }
}
