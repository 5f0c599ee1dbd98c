//! Messages of a queue → the log files that they name, and which messages have been dealt with.

use std::{collections::HashSet, sync::Arc};

use futures::{StreamExt, TryStreamExt, stream};
use object_store::{Error as ObjectError, ObjectStoreExt, path::Path as Key};
use tracing::debug;

use crate::{
    error::{Error, Result},
    find::{self, Found},
    source::Bucket,
    watch::{
        event::WatchEvent,
        notification::{self, Message, NotUnderstood, WrittenObject},
    },
};

/// Messages that are dealt with together, at which no more are received.
pub(crate) const MESSAGES_MAX: usize = 1000;

/// Requests for the sizes of log files under way at once.
const HEADS_MAX: usize = 16;

/// Times that a message may come without being understood, or about a log file that cannot be read,
/// before it is deleted. With the minutes that SQS hides it each time, half an hour.
const RECEIVES_MAX: u64 = 6;

/// The buckets that messages may be about.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// Name, bucket, and the prefix in it.
    sources: Vec<(String, Arc<Bucket>, Key)>,
}

/// What some messages say.
#[derive(Debug, Default)]
pub(crate) struct ReadMessages {
    /// The log files they name, each once.
    pub(crate) log_files: Vec<Found>,
    /// Messages that were understood, each with the names of its log files.
    understood: Vec<(Message, Vec<String>)>,
    not_understood: Vec<(Message, NotUnderstood)>,
}

impl Inbox {
    pub(crate) fn of(sources: &[(String, Arc<Bucket>, Key)]) -> Inbox {
        Inbox { sources: sources.to_vec() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Reads messages, and asks the buckets for the log files in them.
    ///
    /// # Errors
    ///
    /// [`Error::ReadLogFile`] if a bucket cannot be asked.
    pub(crate) async fn read(&self, messages: Vec<Message>) -> Result<ReadMessages> {
        let (mut read, mut named) = (ReadMessages::default(), HashSet::new());
        let mut wanted = Vec::new();
        for message in messages {
            let objects = match notification::written_objects(&message.body) {
                Ok(objects) => objects,
                Err(why) => {
                    read.not_understood.push((message, why));
                    continue;
                }
            };
            let mut names = Vec::new();
            for (bucket, key) in objects.iter().filter_map(|object| self.place(object)) {
                let name = bucket.url_of(&key);
                if named.insert(name.clone()) {
                    wanted.push((bucket, key));
                }
                names.push(name);
            }
            read.understood.push((message, names));
        }
        let heads = wanted.into_iter().map(|(bucket, key)| head(bucket, key));
        let found = stream::iter(heads).buffer_unordered(HEADS_MAX);
        read.log_files = found.try_filter_map(async |found| Ok(found)).try_collect().await?;
        Ok(read)
    }

    /// Where the object is, if it lies in one of the sources.
    fn place(&self, object: &WrittenObject) -> Option<(&Arc<Bucket>, Key)> {
        let key = Key::parse(&object.key).ok()?;
        let is_in = |(name, _, prefix): &&(String, Arc<Bucket>, Key)| {
            *name == object.bucket && key.prefix_matches(prefix)
        };
        let Some((_, bucket, _)) = self.sources.iter().find(is_in) else {
            debug!(bucket = %object.bucket, key = %object.key, "message about no source");
            return None;
        };
        Some((bucket, key))
    }
}

/// What is at `key` now, or `None` if nothing is any more.
async fn head(bucket: &Arc<Bucket>, key: Key) -> Result<Option<Found>> {
    match bucket.store.head(&key).await {
        Ok(meta) => Ok(Some(find::judge(bucket, meta))),
        Err(ObjectError::NotFound { .. }) => Ok(None),
        Err(source) => Err(Error::ReadLogFile { path: bucket.url_of(&key), source }),
    }
}

impl ReadMessages {
    /// The messages that have been dealt with, once their log files are in the store or refused. Those
    /// of `unreadable` log files, and those that were not understood, are to come again some times.
    pub(crate) fn done(
        self,
        unreadable: &[String],
        mut tell: impl FnMut(WatchEvent),
    ) -> Vec<Message> {
        let mut done = Vec::new();
        for (message, names) in self.understood {
            let is_to_come_again = names.iter().any(|name| unreadable.contains(name));
            if !is_to_come_again || message.receives >= RECEIVES_MAX {
                done.push(message);
            }
        }
        for (message, why) in self.not_understood {
            let deleted = message.receives >= RECEIVES_MAX;
            // Told when it is new and when it goes.
            if deleted || message.receives <= 1 {
                let (message_id, reason) = (message.id.clone(), why.to_string());
                tell(WatchEvent::MessageNotUnderstood { message_id, reason, deleted });
            }
            if deleted {
                done.push(message);
            }
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, receives: u64) -> Message {
        Message { id: id.into(), receives, ..Message::default() }
    }

    #[test]
    fn messages_are_deleted_once_dealt_with_and_poison_after_some_times() {
        let read = ReadMessages {
            log_files: Vec::new(),
            understood: vec![
                (message("in", 1), vec!["a".into()]),
                (message("about nothing", 1), vec![]),
                (message("unreadable", 1), vec!["a".into(), "b".into()]),
                (message("unreadable for long", RECEIVES_MAX), vec!["b".into()]),
            ],
            not_understood: vec![
                (message("new poison", 1), NotUnderstood::NotJson),
                (message("poison", 2), NotUnderstood::NotJson),
                (message("old poison", RECEIVES_MAX), NotUnderstood::NotJson),
            ],
        };
        let mut told = Vec::new();
        let done = read.done(&["b".into()], |event| match event {
            WatchEvent::MessageNotUnderstood { message_id, deleted, .. } => {
                told.push((message_id, deleted));
            }
            other => panic!("{other:?}"),
        });
        let done: Vec<&str> = done.iter().map(|message| message.id.as_str()).collect();
        assert_eq!(done, ["in", "about nothing", "unreadable for long", "old poison"]);
        assert_eq!(told, [("new poison".into(), false), ("old poison".into(), true)]);
    }
}
