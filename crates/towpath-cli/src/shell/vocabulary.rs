//! What can be completed with what the lake holds: its stores, their columns, the keys in their
//! maps.
//!
//! The line editor waits for nobody, and a bucket may be slow. So a task of the runtime looks
//! things up, and the editor gets what has come within a moment; the rest is there for the next
//! Tab.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use arrow::array::Array;
use arrow::array::cast::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use towpath::{Lake, QueryLimits};

/// How long a Tab waits for an answer: long enough for a disk, too short to be felt as a hang.
const WAIT_MAX: Duration = Duration::from_millis(700);

/// How long the names of stores are remembered. Other programs create stores too.
const STORES_KEPT: Duration = Duration::from_secs(10);

/// Questions that may wait. One Tab asks a few; what does not fit is asked again by the next.
const QUESTIONS_MAX: usize = 16;

/// Events of a store that are looked at for keys. The newest kinds of events come up quickly, and
/// nobody waits for a rare key.
const KEY_EVENTS_MAX: u64 = 20_000;

/// Keys of a map that are offered; the most frequent ones.
const KEYS_MAX: u64 = 500;

/// Seconds that looking for keys may take.
const KEY_SECS_MAX: u64 = 10;

/// Something to complete with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Wanted {
    /// The names of the stores.
    Stores,
    /// The columns of a store.
    Columns(String),
    /// The keys in a map column of a store, the column named as a statement names it.
    Keys { store: String, column: String },
}

/// The name of a column or of a field in one, and the names below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) fields: Vec<Column>,
}

impl From<towpath::Column> for Column {
    fn from(column: towpath::Column) -> Column {
        let fields = column.fields.into_iter().map(Column::from).collect();
        Column { name: column.name, fields }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Names(Vec<String>),
    Columns(Vec<Column>),
}

struct Question {
    wanted: Wanted,
    reply: SyncSender<Found>,
}

enum Known {
    Asked(Receiver<Found>),
    Answered(Found, Instant),
}

/// What has been found so far, and the way to ask for more.
pub(super) struct Vocabulary {
    questions: mpsc::Sender<Question>,
    known: RefCell<HashMap<Wanted, Known>>,
    finder: JoinHandle<()>,
}

impl Vocabulary {
    /// Starts a task that looks things up in `lake`.
    pub(super) fn of(lake: Lake) -> Vocabulary {
        let (questions, mut asked) = mpsc::channel::<Question>(QUESTIONS_MAX);
        let finder = tokio::spawn(async move {
            while let Some(question) = asked.recv().await {
                let found = find(&lake, &question.wanted).await;
                // The editor may have ended meanwhile.
                drop(question.reply.try_send(found));
            }
        });
        Vocabulary { questions, known: RefCell::default(), finder }
    }

    /// The names of the stores.
    pub(super) fn stores(&self) -> Vec<String> {
        self.names(Wanted::Stores)
    }

    /// The columns of a store.
    pub(super) fn columns(&self, store: &str) -> Vec<Column> {
        match self.look_up(Wanted::Columns(store.to_owned())) {
            Some(Found::Columns(columns)) => columns,
            _ => Vec::new(),
        }
    }

    /// The keys in a map column of a store.
    pub(super) fn keys(&self, store: &str, column: &str) -> Vec<String> {
        self.names(Wanted::Keys { store: store.to_owned(), column: column.to_owned() })
    }

    fn names(&self, wanted: Wanted) -> Vec<String> {
        match self.look_up(wanted) {
            Some(Found::Names(names)) => names,
            _ => Vec::new(),
        }
    }

    /// What is known of `wanted`, after waiting a moment for it.
    fn look_up(&self, wanted: Wanted) -> Option<Found> {
        let mut known = self.known.borrow_mut();
        let is_lasting = wanted != Wanted::Stores;
        let asked = match known.remove(&wanted) {
            Some(Known::Answered(found, at)) if is_lasting || at.elapsed() < STORES_KEPT => {
                known.insert(wanted, Known::Answered(found.clone(), at));
                return Some(found);
            }
            Some(Known::Asked(reply)) => reply,
            Some(Known::Answered(..)) | None => {
                let (reply, answer) = sync_channel(1);
                let question = Question { wanted: wanted.clone(), reply };
                self.questions.try_send(question).ok()?;
                answer
            }
        };
        match asked.recv_timeout(WAIT_MAX) {
            Ok(found) => {
                known.insert(wanted, Known::Answered(found.clone(), Instant::now()));
                Some(found)
            }
            Err(RecvTimeoutError::Timeout) => {
                known.insert(wanted, Known::Asked(asked));
                None
            }
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }
}

impl Drop for Vocabulary {
    fn drop(&mut self) {
        self.finder.abort();
    }
}

/// Looks `wanted` up. What cannot be found completes nothing, which is no error to speak of.
async fn find(lake: &Lake, wanted: &Wanted) -> Found {
    match wanted {
        Wanted::Stores => {
            let stores = lake.stores().await.unwrap_or_default();
            Found::Names(stores.iter().map(towpath::Store::name).collect())
        }
        Wanted::Columns(store) => {
            let columns = lake.columns(store).await.unwrap_or_default();
            Found::Columns(columns.into_iter().map(Column::from).collect())
        }
        Wanted::Keys { store, column } => Found::Names(keys(lake, store, column).await),
    }
}

async fn keys(lake: &Lake, store: &str, column: &str) -> Vec<String> {
    let (store, column) = (store.replace('"', "\"\""), column.replace('"', "\"\""));
    let statement = format!(
        "SELECT k FROM (SELECT \"{column}\" AS m FROM \"{store}\" WHERE \"{column}\" IS NOT NULL \
         LIMIT {KEY_EVENTS_MAX}) CROSS JOIN UNNEST(map_keys(m)) AS t(k) \
         GROUP BY k ORDER BY count(*) DESC, k LIMIT {KEYS_MAX}"
    );
    let limits = QueryLimits { run_secs_max: KEY_SECS_MAX, result_rows_max: None };
    let Ok(mut rows) = lake.query(&statement, limits).await else { return Vec::new() };
    let mut keys = Vec::new();
    while let Some(Ok(batch)) = rows.next().await {
        let Ok(column) = cast(batch.column(0), &DataType::Utf8) else { break };
        let column = column.as_string::<i32>();
        keys.extend((0..column.len()).map(|row| column.value(row).to_owned()));
    }
    keys
}
