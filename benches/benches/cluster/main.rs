//! What it costs to run as several processes: events through a receiver, NATS and a worker against the same bot in one
//! process.
//!
//! `cargo bench -p qqbot-benches --bench cluster [-- <events> <rounds>]`. Needs `nats-server`, of which each run starts its
//! own: file storage, one replica. The platform writes prepared frames as fast as they are taken and has no limits. It, the
//! receiver, the worker and NATS are processes of their own, so that each has its CPU time. `-- row <name> <events>` runs
//! one row once.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program that prints figures"
)]

mod bot;
mod frames;
mod platform;
mod process;
mod rest;

use std::error::Error;
use std::time::Instant;

use tokio::runtime::Builder;

use self::bot::Part;
use self::process::{Nats, Process};

type AnyError = Box<dyn Error + Send + Sync>;

/// So many events at least come before the count begins, and as many as there are conversations.
const WARM_UP: u64 = 5_000;

fn main() -> Result<(), AnyError> {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    // Everything but the table is single-threaded, which is cheapest, and comparable.
    let runtime = || Builder::new_current_thread().enable_all().build();
    match args.as_slice() {
        ["platform", conversations] => runtime()?.block_on(platform::run(conversations.parse()?)),
        ["bot", rest @ ..] => runtime()?.block_on(bot::run(Part::parse(rest)?)),
        ["row", name, events] => {
            let row = ROWS.iter().find(|row| row.name == *name);
            let row = row.ok_or_else(|| {
                let names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
                format!("the rows are {names:?}")
            })?;
            println!("{HEAD}");
            row.print(row.run(events.parse()?)?);
            Ok(())
        }
        [] => compare(30_000, 3),
        [events, rounds] => compare(events.parse()?, rounds.parse()?),
        _ => Err("expected: [<events> <rounds>] or row <name> <events>".into()),
    }
}

/// How a bot is run.
struct Row {
    name: &'static str,
    way: Way,
    partitions: u16,
    conversations: u32,
    /// Events in a second; 0 for as many as are taken.
    rate: u32,
    is_answering: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// One process that knows nothing of a cluster.
    Alone,
    /// One process of a cluster that receives and works.
    Both,
    /// A receiver and a worker.
    Apart,
    /// A receiver, and when it is done a worker: what each can do when it has the machine for itself.
    InTurn,
}

const fn row(name: &'static str, way: Way, partitions: u16, conversations: u32) -> Row {
    Row {
        name,
        way,
        partitions,
        conversations,
        rate: 0,
        is_answering: false,
    }
}

/// The same with so few events that none waits for another.
const fn paced(name: &'static str, way: Way, partitions: u16, conversations: u32) -> Row {
    Row {
        rate: 2_000,
        ..row(name, way, partitions, conversations)
    }
}

const ROWS: [Row; 19] = [
    row("alone", Way::Alone, 0, 1_000),
    row("both", Way::Both, 64, 1_000),
    row("apart", Way::Apart, 64, 1_000),
    row("in-turn", Way::InTurn, 64, 1_000),
    row("partitions-1", Way::Apart, 1, 1_000),
    row("partitions-8", Way::Apart, 8, 1_000),
    row("conversations-10", Way::Apart, 64, 10),
    row("conversations-100000", Way::Apart, 64, 100_000),
    row("in-turn-1", Way::InTurn, 1, 1_000),
    paced("paced-alone", Way::Alone, 0, 1_000),
    paced("paced-partitions-1", Way::Apart, 1, 1_000),
    paced("paced-partitions-8", Way::Apart, 8, 1_000),
    paced("paced-partitions-64", Way::Apart, 64, 1_000),
    paced("paced-conversations-10", Way::Apart, 64, 10),
    paced("paced-conversations-100000", Way::Apart, 64, 100_000),
    row("alone-10", Way::Alone, 0, 10),
    row("alone-100000", Way::Alone, 0, 100_000),
    Row {
        is_answering: true,
        ..row("alone-answers", Way::Alone, 0, 1_000)
    },
    Row {
        is_answering: true,
        ..row("apart-answers", Way::Apart, 64, 1_000)
    },
];

/// Ratios of CPU time, all processes together, with their budgets.
const RATIOS: [(&str, &str, &str, Option<f64>); 13] = [
    ("8 partitions to 1", "partitions-8", "partitions-1", FLAT),
    ("64 partitions to 1", "apart", "partitions-1", FLAT),
    (
        "1,000 conversations to 10",
        "apart",
        "conversations-10",
        FLAT,
    ),
    (
        "100,000 conversations to 10",
        "conversations-100000",
        "conversations-10",
        FLAT,
    ),
    (
        "the same in one process, 100,000 to 10",
        "alone-100000",
        "alone-10",
        None,
    ),
    (
        "paced, 8 partitions to 1",
        "paced-partitions-8",
        "paced-partitions-1",
        FLAT,
    ),
    (
        "paced, 64 partitions to 1",
        "paced-partitions-64",
        "paced-partitions-1",
        FLAT,
    ),
    (
        "paced, 1,000 conversations to 10",
        "paced-partitions-64",
        "paced-conversations-10",
        FLAT,
    ),
    (
        "paced, 100,000 conversations to 10",
        "paced-conversations-100000",
        "paced-conversations-10",
        FLAT,
    ),
    (
        "receiver, worker and NATS to one process",
        "apart",
        "alone",
        None,
    ),
    (
        "the same, paced",
        "paced-partitions-64",
        "paced-alone",
        None,
    ),
    (
        "the same, answering",
        "apart-answers",
        "alone-answers",
        None,
    ),
    (
        "both roles in one process, to one alone",
        "both",
        "alone",
        None,
    ),
];

/// The budget of what should not depend on a number.
const FLAT: Option<f64> = Some(1.1);

/// What a run cost for each event, in microseconds of CPU, and how many events it handled in a second.
#[derive(Clone, Copy, Default)]
struct Cost {
    receiver: f64,
    worker: f64,
    nats: f64,
    per_second: f64,
}

impl Cost {
    fn cpu(&self) -> f64 {
        self.receiver + self.worker + self.nats
    }
}

const HEAD: &str =
    "| Row | receiver | worker | NATS | together | events/s |\n|---|---|---|---|---|---|";

fn compare(events: u64, rounds: usize) -> Result<(), AnyError> {
    let mut costs: Vec<Vec<Cost>> = ROWS.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (row, costs) in ROWS.iter().zip(&mut costs) {
            costs.push(row.run(events)?);
        }
    }
    println!("{events} events, medians of {rounds} rounds; CPU in us per event\n\n{HEAD}");
    for (row, costs) in ROWS.iter().zip(&costs) {
        let middle = |value: fn(&Cost) -> f64| median(costs.iter().map(value).collect());
        row.print(Cost {
            receiver: middle(|cost| cost.receiver),
            worker: middle(|cost| cost.worker),
            nats: middle(|cost| cost.nats),
            per_second: middle(|cost| cost.per_second),
        });
    }
    println!("\n| CPU of the same round | ratio | budget |\n|---|---|---|");
    let of = |name: &str| {
        let row = ROWS.iter().position(|row| row.name == name);
        row.and_then(|row| costs.get(row)).ok_or("no such row")
    };
    for (what, row, base, budget) in RATIOS {
        let pairs = of(row)?.iter().zip(of(base)?);
        let ratio = median(pairs.map(|(cost, base)| cost.cpu() / base.cpu()).collect());
        let budget = budget.map(|budget| budget.to_string()).unwrap_or_default();
        println!("| {what} | {ratio:.3} | {budget} |");
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

impl Row {
    fn print(&self, cost: Cost) {
        println!(
            "| {} | {:.1} | {:.1} | {:.1} | {:.1} | {:.0} |",
            self.name,
            cost.receiver,
            cost.worker,
            cost.nats,
            cost.cpu(),
            cost.per_second
        );
    }

    fn run(&self, events: u64) -> Result<Cost, AnyError> {
        // They take long.
        let events = if self.rate > 0 { events / 3 } else { events };
        let mut platform = Process::start(&["platform", &self.conversations.to_string()])?;
        let url = platform.line()?;
        if self.way == Way::Alone {
            let bot = self.bot(&url, None, "alone")?;
            return self.flow(&mut platform, None, bot, None, events);
        }
        let nats = Nats::start()?;
        if self.way == Way::Both {
            let bot = self.bot(&url, Some(&nats), "both")?;
            return self.flow(&mut platform, None, bot, Some(&nats), events);
        }
        let receiver = self.bot(&url, Some(&nats), "receiver")?;
        if self.way == Way::InTurn {
            return self.in_turn(&mut platform, receiver, &url, &nats, events);
        }
        let worker = self.bot(&url, Some(&nats), "worker")?;
        self.flow(&mut platform, Some(receiver), worker, Some(&nats), events)
    }

    fn bot(&self, url: &str, nats: Option<&Nats>, role: &str) -> Result<Process, AnyError> {
        let part = Part {
            url: url.to_owned(),
            role: role.to_owned(),
            nats: nats.map(|nats| nats.url.clone()).unwrap_or_default(),
            partitions: self.partitions,
            is_answering: self.is_answering,
        };
        let mut bot = Process::start(&part.args())?;
        bot.line()?;
        Ok(bot)
    }

    fn warm_up(&self) -> u64 {
        WARM_UP.max(self.conversations.into())
    }

    /// Lets events flow until the worker has handled them.
    fn flow(
        &self,
        platform: &mut Process,
        mut receiver: Option<Process>,
        mut worker: Process,
        nats: Option<&Nats>,
        events: u64,
    ) -> Result<Cost, AnyError> {
        let warm = self.warm_up();
        platform.ask(&format!("prepare {warm}"))?;
        platform.say("push")?;
        worker.ask(&format!("until {warm}"))?;
        platform.ask(&format!("prepare {events}"))?;
        let before = nats.map_or(Ok(0.0), Nats::cpu)?;
        if let Some(receiver) = &mut receiver {
            receiver.ask("mark")?;
        }
        worker.ask("mark")?;
        let start = Instant::now();
        match self.rate {
            0 => platform.say("push")?,
            rate => platform.say(&format!("push {rate}"))?,
        }
        worker.ask(&format!("until {}", warm + events))?;
        let wall = start.elapsed().as_secs_f64();
        let nats = nats.map_or(Ok(0.0), Nats::cpu)? - before;
        let receiver = receiver.map_or(Ok(0.0), |mut receiver| receiver.cpu())?;
        Ok(Cost {
            receiver: receiver / events as f64,
            worker: worker.cpu()? / events as f64,
            nats: nats / events as f64,
            per_second: events as f64 / wall,
        })
    }

    /// Lets the receiver publish everything, and then a worker handle it. The rate is that of the slower.
    fn in_turn(
        &self,
        platform: &mut Process,
        mut receiver: Process,
        url: &str,
        nats: &Nats,
        events: u64,
    ) -> Result<Cost, AnyError> {
        let warm = self.warm_up();
        platform.ask(&format!("prepare {warm}"))?;
        platform.say("push")?;
        receiver.ask(&format!("until {warm}"))?;
        platform.ask(&format!("prepare {events}"))?;
        receiver.ask("mark")?;
        let before = nats.cpu()?;
        let start = Instant::now();
        platform.say("push")?;
        receiver.ask(&format!("until {}", warm + events))?;
        let published = start.elapsed().as_secs_f64();
        let publishing = receiver.cpu()?;
        let mut worker = self.bot(url, Some(nats), "worker")?;
        worker.ask(&format!("until {warm}"))?;
        worker.ask("mark")?;
        let start = Instant::now();
        worker.ask(&format!("until {}", warm + events))?;
        let handled = start.elapsed().as_secs_f64();
        println!(
            "{}: {:.0} events/s published, {:.0} handled",
            self.name,
            events as f64 / published,
            events as f64 / handled
        );
        Ok(Cost {
            receiver: publishing / events as f64,
            worker: worker.cpu()? / events as f64,
            nats: (nats.cpu()? - before) / (warm + events) as f64,
            per_second: events as f64 / published.max(handled),
        })
    }
}
