//! What is compared with what.

use crate::AnyError;
use crate::consumers::{self, Cost, Setting};
use crate::platform::{MET, Plan};

/// One consumer of one flood.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    plan: Plan,
    /// Threads of the runtime; 0 for the one that has none of its own.
    threads: usize,
    consumer: Consumer,
}

/// Who reads the flood.
#[derive(Clone, Copy)]
enum Consumer {
    /// Bare tokio-tungstenite and the typed decoder.
    Floor,
    /// A shard alone.
    Shard,
    /// The whole client.
    Client(Setting),
}

pub(crate) fn rows(events: usize) -> Vec<Row> {
    let events = events.max(MET * 2);
    let mixed = Plan::Flood { events, groups: 0 };
    let few = Plan::Flood { events, groups: 10 };
    let many = Plan::Flood {
        events,
        groups: MET,
    };
    let row = |name, plan, threads, consumer| Row {
        name,
        plan,
        threads,
        consumer,
    };
    let client = Consumer::Client;
    vec![
        row("floor", mixed, 0, Consumer::Floor),
        row("shard", mixed, 0, Consumer::Shard),
        row("client", mixed, 0, client(Setting::Default)),
        row("no-messages", mixed, 0, client(Setting::NoMessages)),
        row("no-cache", mixed, 0, client(Setting::NoCache)),
        row("no-duplicates", mixed, 0, client(Setting::NoDuplicates)),
        row("floor-threads", mixed, 2, Consumer::Floor),
        row("client-threads", mixed, 2, client(Setting::Default)),
        row("floor-10", few, 0, Consumer::Floor),
        row("conversations-10", few, 0, client(Setting::Default)),
        row("conversations-10000", many, 0, client(Setting::Default)),
        row("members-1000", few, 0, client(Setting::Members(1_000))),
        row(
            "members-1000000",
            few,
            0,
            client(Setting::Members(1_000_000)),
        ),
        row("collectors-1", few, 0, client(Setting::Collectors(1))),
        row(
            "collectors-1000",
            few,
            0,
            client(Setting::Collectors(1_000)),
        ),
        row("raw", few, 0, client(Setting::Raw)),
    ]
}

/// Ratios of the CPU time of rows, with their budgets.
pub(crate) const RATIOS: [(&str, &str, &str, Option<f64>); 8] = [
    ("shard to floor", "shard", "floor", None),
    ("client to floor", "client", "floor", Some(1.25)),
    (
        "client, two threads to one",
        "client-threads",
        "client",
        Some(1.15),
    ),
    (
        "group messages, client to floor",
        "conversations-10",
        "floor-10",
        None,
    ),
    (
        "10,000 to 10 conversations",
        "conversations-10000",
        "conversations-10",
        Some(1.1),
    ),
    (
        "1,000,000 to 1,000 cached members",
        "members-1000000",
        "members-1000",
        Some(1.1),
    ),
    (
        "1,000 collectors to 1",
        "collectors-1000",
        "collectors-1",
        Some(1.1),
    ),
    (
        "with a closure for the text",
        "raw",
        "conversations-10",
        None,
    ),
];

impl Row {
    pub(crate) fn run(&self) -> Result<Cost, AnyError> {
        match self.consumer {
            Consumer::Floor => consumers::floor(self.plan, self.threads),
            Consumer::Shard => consumers::shard(self.plan),
            Consumer::Client(setting) => consumers::client(self.plan, self.threads, setting),
        }
    }
}
