//! `towpath demo`: the main job on bundled data, from gzip to answer.

use std::env::current_exe;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use tempfile::TempDir;
use towpath::{ErrorKind, IngestOptions, IngestReport, Lake, NewStore, Retention, Store};

use super::ingest::{ingest_with_progress, summary};
use crate::answer::{Question, answer};
use crate::args::{DemoArgs, LimitArgs};
use crate::config::{Config, lake_of};
use crate::error::{Hinted, Outcome, tell};
use crate::output::{Destination, Format, Style, terminal_width};
use crate::progress::QueryLine;

/// The store that the bundled questions are asked of.
const STORE: &str = "my-event-data-store";

/// The longest retention there is: the events of the bundled logs lie in the past and stay there.
const RETENTION_DAYS: u32 = 3653;

/// The question that the demo asks, as it stands in the catalogue.
const QUESTION: &str = include_str!("../../../../queries/delete-bucket.sql");

/// Where the bundled logs lie, from the root of a checkout.
const DATA: &str = "data/trail";

/// The root of the checkout that this program was built in.
const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Shows the main job: a lake, a store, log files, a question, an answer.
pub(crate) async fn demo(config: &Config, args: DemoArgs) -> Result<Outcome> {
    let (data, is_bundled) = match args.data {
        Some(data) => (data, false),
        None => (bundled_data()?, true),
    };
    let (url, _removed_at_the_end) = lake_url(config)?;
    let lake = Lake::open_or_create(&url, config.lake_options(LimitArgs::default())).await?;
    let store = open_store(&lake).await?;
    tell(&format!("1. lake `{url}` with the event data store `{STORE}`\n"));

    tell(&format!("2. ingesting the log files in `{}`", data.display()));
    let sources = [lake_of(&data)?];
    let report = ingest_with_progress(&store, &sources, &IngestOptions::default()).await?;
    tell_report(&report, is_bundled);

    tell(&format!("3. {}\n", question_for_reading()));
    let mut stdout = Destination::stdout();
    let question = Question::new(QUESTION, config.limits(LimitArgs::default()));
    let style = Style::new(Format::Table, terminal_width());
    answer(&lake, question, style, &mut stdout, &mut QueryLine::new(true)).await?;
    stdout.commit()?;
    tell(&next_steps(config.is_lake_typed.then_some(url.as_str())));
    Ok(if is_bundled || report.is_complete() { Outcome::Done } else { Outcome::DoneInPart })
}

/// The lake of `--lake`, else a temporary one and what removes it.
///
/// `TOWPATH_LAKE` does not count: nobody wants sample data among their own by accident.
fn lake_url(config: &Config) -> Result<(String, Option<TempDir>)> {
    if config.is_lake_typed {
        return Ok((config.lake()?.to_owned(), None));
    }
    let folder = tempfile::Builder::new()
        .prefix("towpath-demo-")
        .tempdir()
        .context("could not make a temporary folder")?;
    Ok((lake_of(folder.path())?, Some(folder)))
}

/// The demo's store; of an earlier demo, if the lake has one.
async fn open_store(lake: &Lake) -> Result<Store> {
    let retention = Retention::days(RETENTION_DAYS).map_err(towpath::Error::from)?;
    match lake.create_store(NewStore::new(STORE, retention)).await {
        Err(error) if error.kind() == ErrorKind::StoreExists => Ok(lake.store(STORE).await?),
        created => Ok(created?),
    }
}

/// The folder with the bundled logs: where we stand, beside the program, or in its checkout.
fn bundled_data() -> Result<PathBuf> {
    let beside = current_exe().ok().and_then(|exe| Some(exe.parent()?.join(DATA)));
    let candidates = [Some(PathBuf::from(DATA)), beside, Some(Path::new(CHECKOUT).join(DATA))];
    candidates.into_iter().flatten().find(|folder| folder.is_dir()).ok_or_else(|| {
        let hint = "run it at the root of a checkout, or name a folder of log files with --data";
        Hinted::new(anyhow!("could not find the bundled logs, `{DATA}`"), hint).into()
    })
}

fn tell_report(report: &IngestReport, is_bundled: bool) {
    for line in summary(report).lines() {
        tell(&format!("   {line}"));
    }
    for rejected in &report.rejected {
        tell(&format!("   not taken: `{}`: {}", rejected.path, rejected.message));
    }
    if is_bundled && !report.rejected.is_empty() {
        tell("   (broken on purpose, to show that one bad file is named and stops nothing)");
    }
    tell("");
}

/// The question without its comments, indented.
fn question_for_reading() -> String {
    let lines = QUESTION.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("--"));
    lines.collect::<Vec<_>>().join("\n   ")
}

fn next_steps(lake: Option<&str>) -> String {
    let flag = lake.map(|lake| format!(" --lake {lake}")).unwrap_or_default();
    let again = match lake {
        Some(_) => {
            format!("  towpath{flag} shell                                 ask more of this lake\n")
        }
        None => "  towpath --lake ./demo-lake demo                   keep the lake, and then\n  \
                 towpath --lake ./demo-lake shell                  ask more of it\n"
            .to_owned(),
    };
    format!(
        "\nNext (in a checkout, `cargo run --release --` stands for `towpath`):\n{again}  \
         towpath store create org-trail                    a store for your own logs\n  \
         towpath ingest s3://BUCKET/AWSLogs --store org-trail\n  \
         towpath query -f queries/delete-bucket.sql        or any other question in queries/"
    )
}
