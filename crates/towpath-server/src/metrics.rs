//! [`Metrics`]: what the server did, in Prometheus' text format.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the histogram of durations, in seconds.
const BUCKETS_SECS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// Counts and durations since the server started.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// By operation and code of the answer. Both come from tables, so entries are bounded.
    requests: Mutex<BTreeMap<(&'static str, String), Requests>>,
    connections: AtomicI64,
}

#[derive(Debug, Default)]
struct Requests {
    count: u64,
    secs: f64,
    buckets: [u64; BUCKETS_SECS.len()],
}

/// One open connection, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionGuard<'a>(&'a Metrics);

impl Drop for ConnectionGuard<'_> {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    pub(crate) fn connected(&self) -> ConnectionGuard<'_> {
        self.connections.fetch_add(1, Ordering::Relaxed);
        ConnectionGuard(self)
    }

    /// Counts an answer. `code` is `OK` or the name of an error.
    pub(crate) fn answered(&self, operation: &'static str, code: &str, took: Duration) {
        let secs = took.as_secs_f64();
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = requests.entry((operation, code.to_owned())).or_default();
        entry.count += 1;
        entry.secs += secs;
        for (bucket, bound) in entry.buckets.iter_mut().zip(BUCKETS_SECS) {
            *bucket += u64::from(secs <= bound);
        }
    }

    /// All of it as text.
    pub(crate) fn render(&self) -> String {
        let mut text = String::from(
            "# HELP towpath_connections Open connections.\n# TYPE towpath_connections gauge\n",
        );
        let connections = self.connections.load(Ordering::Relaxed);
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(&format!("towpath_connections {connections}\n"));
        text.push_str("# HELP towpath_request_seconds Time from request to answer.\n");
        text.push_str("# TYPE towpath_request_seconds histogram\n");
        for ((operation, code), entry) in requests.iter() {
            let labels = format!("operation=\"{operation}\",code=\"{code}\"");
            let name = "towpath_request_seconds";
            for (count, bound) in entry.buckets.iter().zip(BUCKETS_SECS) {
                text.push_str(&format!("{name}_bucket{{{labels},le=\"{bound}\"}} {count}\n"));
            }
            let Requests { count, secs, .. } = entry;
            text.push_str(&format!("{name}_bucket{{{labels},le=\"+Inf\"}} {count}\n"));
            text.push_str(&format!("{name}_sum{{{labels}}} {secs}\n"));
            text.push_str(&format!("{name}_count{{{labels}}} {count}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_operation_and_code() {
        let metrics = Metrics::default();
        let connection = metrics.connected();
        metrics.answered("StartQuery", "OK", Duration::from_millis(20));
        metrics.answered("StartQuery", "OK", Duration::from_secs(2));
        let text = metrics.render();
        let labels = "operation=\"StartQuery\",code=\"OK\"";
        for line in [
            "towpath_connections 1".to_owned(),
            format!("towpath_request_seconds_bucket{{{labels},le=\"0.01\"}} 0"),
            format!("towpath_request_seconds_bucket{{{labels},le=\"0.025\"}} 1"),
            format!("towpath_request_seconds_bucket{{{labels},le=\"+Inf\"}} 2"),
            format!("towpath_request_seconds_count{{{labels}}} 2"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        drop(connection);
        assert!(metrics.render().contains("towpath_connections 0"));
    }
}
