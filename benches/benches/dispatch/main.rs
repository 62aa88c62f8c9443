//! From the socket to the handler: CPU time and allocations per event against bare tokio-tungstenite with the same
//! decoder, and the time from an event to its answer.
//!
//! `cargo bench -p qqbot-benches --bench dispatch [-- <events> <rounds>]`. The platform is a process of its own that
//! writes prepared bytes, so that the CPU time of this process is the consumer's. `-- loop <row> <events>` runs one row
//! once, for a tool that counts instructions.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program that prints figures"
)]

mod consumers;
mod latency;
mod platform;
mod rows;

use std::alloc::System;
use std::error::Error;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::runtime::{Builder, Runtime};

use self::consumers::Cost;
use self::platform::Plan;
use self::rows::{RATIOS, rows};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type AnyError = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), AnyError> {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["platform", plan] => runtime(0)?.block_on(platform::run(Plan::parse(plan)?)),
        ["loop", row, events] => {
            let rows = rows(events.parse()?);
            let names: Vec<_> = rows.iter().map(|row| row.name).collect();
            let row = rows.iter().find(|known| known.name == row);
            let cost = row.ok_or(format!("the rows are {names:?}"))?.run()?;
            println!("{:.3} us, {:.2} allocations", cost.cpu, cost.allocations);
            Ok(())
        }
        [] => throughput(100_000, 7).and_then(|()| latency::run()),
        [events, rounds] => {
            throughput(events.parse()?, rounds.parse()?)?;
            latency::run()
        }
        _ => Err("expected: [<events> <rounds>] or loop <row> <events>".into()),
    }
}

fn throughput(events: usize, rounds: usize) -> Result<(), AnyError> {
    let rows = rows(events);
    let mut costs: Vec<Vec<Cost>> = vec![Vec::new(); rows.len()];
    for _ in 0..rounds {
        for (row, costs) in rows.iter().zip(&mut costs) {
            costs.push(row.run()?);
        }
    }
    println!("{events} events, medians of {rounds} rounds\n");
    println!("| Consumer | CPU us per event | allocations |\n|---|---|---|");
    for (row, costs) in rows.iter().zip(&costs) {
        let cpu = median(costs.iter().map(|cost| cost.cpu).collect());
        let allocations = median(costs.iter().map(|cost| cost.allocations).collect());
        println!("| {} | {cpu:.2} | {allocations:.1} |", row.name);
    }
    println!("\n| of the same round | ratio | budget |\n|---|---|---|");
    let of = |name: &str| {
        let row = rows.iter().position(|row| row.name == name);
        row.and_then(|row| costs.get(row)).ok_or("no such row")
    };
    for (what, row, base, budget) in RATIOS {
        let pairs = of(row)?.iter().zip(of(base)?);
        let ratio = median(pairs.map(|(cost, base)| cost.cpu / base.cpu).collect());
        let budget = budget.map(|budget| budget.to_string()).unwrap_or_default();
        println!("| {what} | {ratio:.3} | {budget} |");
    }
    Ok(())
}

/// 0 threads are one, and none of its own.
fn runtime(threads: usize) -> Result<Runtime, AnyError> {
    Ok(match threads {
        0 => Builder::new_current_thread().enable_all().build()?,
        threads => Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()?,
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
