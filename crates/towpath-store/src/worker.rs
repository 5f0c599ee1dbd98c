//! Threads of their own for what computes for long.
//!
//! A runtime hands blocking work to whichever of its threads is free. An allocator keeps what each
//! thread has freed for that thread, so work that takes a hundred megabytes would in time take them
//! once for each of those threads. Here all of it is done by one thread, and given back with it.

use std::io;
use std::thread;

use tokio::sync::{mpsc, oneshot};

/// Work that waits for the thread. Whoever hands it work waits for what it comes to, so more than
/// one is only waiting where a future was dropped.
const WAITING_MAX: usize = 1;

type Work = Box<dyn FnOnce() + Send>;

/// A thread that computes, until this is dropped and its work is done.
#[derive(Debug)]
pub struct Worker {
    work: mpsc::Sender<Work>,
}

impl Worker {
    /// Starts a thread called `name`.
    ///
    /// # Errors
    ///
    /// What the system says when it has no thread left.
    pub fn start(name: &str) -> io::Result<Worker> {
        let (work, mut waiting) = mpsc::channel::<Work>(WAITING_MAX);
        let run = move || {
            while let Some(work) = waiting.blocking_recv() {
                work();
            }
        };
        thread::Builder::new().name(name.to_owned()).spawn(run)?;
        Ok(Worker { work })
    }

    /// Has the thread do `work`, which may block, and returns what it comes to. Work that has begun
    /// is done to its end, also if this is dropped.
    ///
    /// # Errors
    ///
    /// If the work, or some before it, panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let (sender, done) = oneshot::channel();
        let work = Box::new(move || {
            // Nobody listening means that the result is not wanted any more.
            let _unwanted = sender.send(work()).is_err();
        });
        let ended = || io::Error::other("a thread that computed ended early");
        self.work.send(work).await.map_err(|_| ended())?;
        done.await.map_err(|_| ended())
    }
}

/// Does `work` on a thread that is there for it alone.
///
/// # Errors
///
/// As [`Worker::start`] and [`Worker::run`].
pub async fn run_alone<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    Worker::start(name)?.run(work).await
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::{Worker, run_alone};

    #[tokio::test]
    async fn all_work_is_done_by_one_thread_in_turn() {
        let worker = Worker::start("one").unwrap();
        let first = worker.run(|| thread::current().id()).await.unwrap();
        assert_ne!(first, thread::current().id());
        drop(worker.run(|| panic!("never begun: nobody polls this")));
        assert_eq!(worker.run(|| thread::current().id()).await.unwrap(), first);
        assert_ne!(run_alone("other", || thread::current().id()).await.unwrap(), first);
    }

    #[tokio::test]
    async fn work_that_panics_is_an_error_and_so_is_what_follows() {
        let worker = Worker::start("one").unwrap();
        assert!(worker.run(|| panic!("as a test")).await.is_err());
        assert!(worker.run(|| 1).await.is_err());
    }
}
