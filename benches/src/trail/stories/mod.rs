//! What happened at Kingfisher Barge & Freight: the planted part of the trail.
//!
//! Each story is one file or a few functions of one, with fixed times and callers. The questions
//! in `queries/` each find their answer in one of them.

mod access;
mod attack;
mod buckets;
mod network;
mod operations;
mod sessions;

use super::company::Caller;
use super::event::Event;
use super::moment::Moment;
use super::random::Random;

/// Every planted event, with its identifiers.
pub(crate) fn all() -> Vec<Event> {
    let stories: [(&str, Vec<Event>); 6] = [
        ("access", access::events()),
        ("attack", attack::events()),
        ("buckets", buckets::events()),
        ("network", network::events()),
        ("operations", operations::events()),
        ("sessions", sessions::events()),
    ];
    let mut all = Vec::new();
    for (name, events) in stories {
        let mut random = Random::named(&format!("story {name}"));
        all.extend(events.into_iter().map(|event| event.numbered(&mut random)));
    }
    all
}

/// One caller's calls in one region, one after the other.
struct Script {
    caller: Caller,
    region: &'static str,
    clock: Moment,
    events: Vec<Event>,
}

impl Script {
    fn new(caller: &Caller, region: &'static str, start: Moment) -> Script {
        Script { caller: caller.clone(), region, clock: start, events: Vec::new() }
    }

    /// `seconds` after the call before, this one, completed by `shape`.
    fn then(
        &mut self,
        seconds: i64,
        (service, name): (&str, &str),
        shape: impl FnOnce(Event) -> Event,
    ) {
        self.clock = self.clock.plus(seconds);
        let call = Event::call(self.clock, self.region, &self.caller, service, name);
        self.events.push(shape(call));
    }

    /// The calls that follow come from `caller`.
    fn as_caller(&mut self, caller: &Caller) {
        self.caller = caller.clone();
    }

    /// The calls that follow are made in `region`.
    fn in_region(&mut self, region: &'static str) {
        self.region = region;
    }
}
