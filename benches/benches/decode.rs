//! Decoding events: time, allocations and bytes, with the reader of `qq-model`, `serde_json` and `simd-json`.
//!
//! `cargo bench -p qqbot-benches --bench decode` prints the tables of `benches/README.md`.
//! `... --bench decode -- loop <decoder> <rounds>` decodes the fixtures so often and nothing else, for a tool that
//! counts instructions, and `-- traffic <decoder> <rounds>` the traffic: take the difference between two numbers of
//! rounds.
//!
//! There are two corpora: the event fixtures of `qq-model` as compact JSON, one frame each, and the traffic of
//! `src/corpus`.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program that prints figures"
)]

use std::alloc::System;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use qq_model::gateway::{Envelope, Header};
use qq_model::{Event, EventKind};
use qqbot_benches::corpus::{Corpus, PERIOD};
use serde_json::Value;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How long one measurement of one decoder lasts, at least.
const MEASUREMENT: Duration = Duration::from_millis(60);
/// How many measurements the median is of. The decoders take turns.
const MEASUREMENTS: usize = 15;

/// A frame of the corpus.
struct Frame {
    kind: EventKind,
    text: String,
}

/// What the simd-json decoders keep between events.
#[derive(Default)]
struct Scratch {
    text: Vec<u8>,
    buffers: simd_json::Buffers,
}

type Decode = fn(&Frame, &mut Scratch);

const DECODERS: [(&str, Decode); 9] = [
    ("copy the frame", |frame, scratch| {
        scratch.text.clear();
        scratch.text.extend_from_slice(frame.text.as_bytes());
        black_box(&scratch.text);
    }),
    ("peek at op, s, t", |frame, _| {
        black_box(Header::peek(&frame.text).is_ok());
    }),
    ("find op, s, t, id, d", |frame, _| {
        black_box(Envelope::scan(&frame.text).is_ok());
    }),
    (OWN, |frame, _| {
        let envelope = Envelope::scan(&frame.text).ok();
        black_box(envelope.map(|envelope| Event::decode(frame.kind.as_str(), envelope.data)));
    }),
    ("serde_json", |frame, _| {
        let envelope = Envelope::scan(&frame.text).ok();
        black_box(envelope.and_then(|envelope| plain(frame.kind, envelope.data)));
    }),
    ("simd-json, buffers reused", |frame, scratch| {
        let envelope = Envelope::scan(&frame.text).ok();
        black_box(envelope.and_then(|envelope| simd(frame.kind, envelope.data, scratch)));
    }),
    ("simd-json, fresh buffers", |frame, _| {
        let envelope = Envelope::scan(&frame.text).ok();
        black_box(
            envelope.and_then(|envelope| simd(frame.kind, envelope.data, &mut Scratch::default())),
        );
    }),
    ("serde_json::Value", |frame, _| {
        black_box(serde_json::from_str::<Value>(&frame.text).ok());
    }),
    ("serde_json::Value, then typed", |frame, _| {
        let value: Option<Value> = serde_json::from_str(&frame.text).ok();
        let event = value.and_then(|mut value| {
            let data = value.get_mut("d").map(Value::take)?;
            Event::deserialize(frame.kind, data).ok()
        });
        black_box(event);
    }),
];

/// What users get.
const OWN: &str = "reader of qq-model";

/// The decoders of the table by event.
const PER_EVENT: [&str; 2] = [OWN, "serde_json"];

fn plain(kind: EventKind, data: &str) -> Option<Event> {
    let mut deserializer = serde_json::Deserializer::from_str(data);
    let event = Event::deserialize(kind, &mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(event)
}

fn simd(kind: EventKind, data: &str, scratch: &mut Scratch) -> Option<Event> {
    scratch.text.clear();
    scratch.text.extend_from_slice(data.as_bytes());
    let mut deserializer =
        simd_json::Deserializer::from_slice_with_buffers(&mut scratch.text, &mut scratch.buffers)
            .ok()?;
    Event::deserialize(kind, &mut deserializer).ok()
}

/// The traffic of a busy bot, until every shape has come as often as the mix says.
fn traffic() -> Vec<Frame> {
    // Without fixtures there is nothing to measure: see `fixtures`.
    let corpus = Corpus::load().ok();
    let frame = |corpus: &Corpus, n| {
        let text = corpus.frame(n);
        let kind = corpus.kind(n).parse().ok()?;
        Some(Frame { kind, text })
    };
    let frames = corpus
        .iter()
        .flat_map(|corpus| (0..PERIOD).filter_map(|n| frame(corpus, n)));
    frames.collect()
}

fn fixtures() -> Vec<Frame> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/qq-model/tables/fixtures/events");
    let mut frames = Vec::new();
    let mut files: Vec<_> = fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    for path in files {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let frame: Option<Value> = serde_json::from_str(&text).ok();
        let name = frame.as_ref().and_then(|frame| frame.get("t")?.as_str());
        // The payload of RESUMED is no object.
        if let Some(kind) = name.and_then(|name| name.parse().ok())
            && kind != EventKind::Resumed
        {
            let text = compact(&text);
            frames.push(Frame { kind, text });
        }
    }
    assert!(!frames.is_empty(), "no fixtures in {}", folder.display());
    frames
}

/// The same JSON without white space between its tokens, its members in the order in which they stand.
fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c == '"' {
            in_string = true;
        } else if c.is_ascii_whitespace() {
            continue;
        }
        out.push(c);
    }
    out
}

/// The decoders must say the same before they are compared.
fn agree(frames: &[&Frame]) {
    let mut scratch = Scratch::default();
    for frame in frames {
        let Ok(envelope) = Envelope::scan(&frame.text) else {
            continue;
        };
        let typed = Event::decode(frame.kind.as_str(), envelope.data);
        let other = simd(frame.kind, envelope.data, &mut scratch);
        assert_eq!(Some(&typed), other.as_ref(), "{}", frame.text);
        let other = plain(frame.kind, envelope.data);
        assert_eq!(Some(typed), other, "{}", frame.text);
    }
}

/// Nanoseconds per event, once.
fn time(decode: Decode, frames: &[&Frame], scratch: &mut Scratch) -> f64 {
    let begun = Instant::now();
    let mut events = 0_u64;
    while begun.elapsed() < MEASUREMENT {
        for frame in frames {
            decode(frame, scratch);
        }
        events += frames.len() as u64;
    }
    begun.elapsed().as_nanos() as f64 / events as f64
}

/// Allocations and allocated bytes per event, reallocations included.
fn allocations(decode: Decode, frames: &[&Frame], scratch: &mut Scratch) -> (f64, f64) {
    for frame in frames {
        decode(frame, scratch);
    }
    let region = Region::new(ALLOCATOR);
    for frame in frames {
        decode(frame, scratch);
    }
    let change = region.change();
    let events = frames.len() as f64;
    let calls = change.allocations + change.reallocations;
    (
        calls as f64 / events,
        change.bytes_allocated as f64 / events,
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

struct Row {
    name: &'static str,
    nanoseconds: f64,
    allocations: f64,
    bytes: f64,
}

fn measure(decoders: &[(&'static str, Decode)], frames: &[&Frame]) -> Vec<Row> {
    let mut scratch = Scratch::default();
    let mut times = vec![Vec::new(); decoders.len()];
    for _ in 0..MEASUREMENTS {
        for ((_, decode), times) in decoders.iter().zip(&mut times) {
            times.push(time(*decode, frames, &mut scratch));
        }
    }
    decoders
        .iter()
        .zip(times)
        .map(|((name, decode), times)| {
            let (allocations, bytes) = allocations(*decode, frames, &mut scratch);
            Row {
                name,
                nanoseconds: median(times),
                allocations,
                bytes,
            }
        })
        .collect()
}

fn mean_size(frames: &[&Frame]) -> f64 {
    let bytes: usize = frames.iter().map(|frame| frame.text.len()).sum();
    bytes as f64 / frames.len() as f64
}

fn print_all(frames: &[&Frame]) {
    println!(
        "{} frames of {} kinds, {:.0} bytes in the mean\n",
        frames.len(),
        EventKind::ALL
            .iter()
            .filter(|kind| frames.iter().any(|frame| frame.kind == **kind))
            .count(),
        mean_size(frames)
    );
    println!("| Decoder | ns per event | allocations | bytes allocated |\n|---|---|---|---|");
    for row in measure(&DECODERS, frames) {
        println!(
            "| {} | {:.0} | {:.1} | {:.0} |",
            row.name, row.nanoseconds, row.allocations, row.bytes
        );
    }
}

fn print_per_event(frames: &[&Frame]) {
    let decoders: Vec<_> = DECODERS
        .into_iter()
        .filter(|(name, _)| PER_EVENT.contains(name))
        .collect();
    println!(
        "\n| Event | bytes | ns | allocations | serde_json ns | allocations |\n|---|---|---|---|---|---|"
    );
    for kind in EventKind::ALL {
        let frames: Vec<&Frame> = frames
            .iter()
            .copied()
            .filter(|frame| frame.kind == *kind)
            .collect();
        if frames.is_empty() {
            continue;
        }
        let rows = measure(&decoders, &frames);
        println!(
            "| `{kind}` | {:.0} | {:.0} | {:.1} | {:.0} | {:.1} |",
            mean_size(&frames),
            rows[0].nanoseconds,
            rows[0].allocations,
            rows[1].nanoseconds,
            rows[1].allocations
        );
    }
}

fn main() {
    let (fixtures, traffic) = (fixtures(), traffic());
    let fixtures: Vec<&Frame> = fixtures.iter().collect();
    let traffic: Vec<&Frame> = traffic.iter().collect();
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    if let [mode, name, rounds] = args.as_slice()
        && let Some((_, decode)) = DECODERS.iter().find(|(known, _)| known == name)
        && let Ok(rounds) = rounds.parse::<u32>()
    {
        let frames = match mode.as_str() {
            "traffic" => &traffic,
            _ => &fixtures,
        };
        let mut scratch = Scratch::default();
        for _ in 0..rounds {
            for frame in frames {
                decode(frame, &mut scratch);
            }
        }
        println!("{rounds} rounds of {} frames", frames.len());
        return;
    }
    for frames in [&fixtures, &traffic] {
        agree(frames);
        print_all(frames);
        print_per_event(frames);
        println!();
    }
}
