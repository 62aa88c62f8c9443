//! A source that decodes as a shard does, into a client that handles nothing.

use std::alloc::System;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use qq_emulator::Emulator;
use qqbot::client::{EventSource, SourceEvent, SourceItem};
use qqbot::model::gateway::Envelope;
use qqbot::model::{Dispatch, JsonText};
use qqbot::prelude::*;
use serde_json::{Value, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::sync::mpsc;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Events that come before the count begins, so that tables have grown.
const WARM: usize = 4_000;
/// Events that are counted.
const COUNTED: usize = 4_000;
/// The largest group message of the fixtures that is shorter is made so long.
const MESSAGE: usize = 736;

/// Handles nothing.
struct Noop;

impl EventHandler for Noop {}

/// Decodes frames as a shard does, one after the other, and counts.
struct Feed {
    frames: Arc<[String]>,
    next: usize,
    region: Option<Region<'static, System>>,
    result: mpsc::UnboundedSender<f64>,
}

impl EventSource for Feed {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Option<SourceItem>> + Send + '_>> {
        let number = self.next;
        self.next += 1;
        if number == WARM {
            self.region = Some(Region::new(ALLOCATOR));
        }
        if let Some(region) = &self.region
            && number == WARM + COUNTED
        {
            // The future of each call is this trait's, not the client's.
            let _ = self.result.send(per_event(region) - 1.0);
        }
        let Some(frame) = self.frames.get(number) else {
            return Box::pin(std::future::pending());
        };
        let item = SourceItem::from(SourceEvent::new(decode(frame, true)));
        Box::pin(std::future::ready(Some(item)))
    }
}

/// A shard keeps the texts of messages for the cache.
fn decode(frame: &str, keeps_text: bool) -> Dispatch {
    let envelope = Envelope::scan(frame).unwrap();
    let mut dispatch = Dispatch::decode(&envelope).unwrap();
    if keeps_text && dispatch.event.as_message().is_some() {
        dispatch.text = Some(JsonText::from(envelope.data));
    }
    dispatch
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn per_event(region: &Region<'_, System>) -> f64 {
    let change = region.change();
    (change.allocations + change.reallocations) as f64 / COUNTED as f64
}

/// Allocations per event of decoding alone.
fn decoding(frames: &[String]) -> f64 {
    let region = Region::new(ALLOCATOR);
    for frame in frames.iter().skip(WARM).take(COUNTED) {
        drop(decode(frame, false));
    }
    per_event(&region)
}

/// Allocations per event of a whole client with its defaults.
async fn handling(frames: Vec<String>) -> f64 {
    let emulator = Emulator::builder().start().await.unwrap();
    let (result, mut results) = mpsc::unbounded_channel();
    let frames: Arc<[String]> = frames.into();
    let source = move || Feed {
        frames: Arc::clone(&frames),
        next: 0,
        region: None,
        result: result.clone(),
    };
    let token = Token::new(emulator.app_id(), emulator.secret());
    let client = Client::builder(token, Intents::default())
        .environment(Environment::custom(emulator.base_url()).unwrap())
        .event_source(source)
        .handler(Noop)
        .build()
        .unwrap();
    let handle = client.handle();
    let run = tokio::spawn(async move { client.start().await });
    let counted = tokio::time::timeout(Duration::from_secs(60), results.recv()).await;
    handle.stop().await.unwrap();
    run.await.unwrap().unwrap();
    counted.unwrap().unwrap()
}

/// The event fixtures of `qq-model` in turn; events that are answered or end something are left out.
fn mixed() -> Vec<String> {
    let fixtures = fixtures();
    let frames = fixtures.iter().cycle().take(WARM + COUNTED).enumerate();
    frames
        .map(|(n, frame)| numbered(frame.clone(), n))
        .collect()
}

/// One group message of a given length.
fn group_messages() -> Vec<String> {
    let is_shorter = |frame: &&Value| {
        frame["t"] == "GROUP_MESSAGE_CREATE" && numbered((*frame).clone(), 0).len() < MESSAGE
    };
    let mut frame = fixtures().iter().find(is_shorter).unwrap().clone();
    let missing = MESSAGE - numbered(frame.clone(), 0).len();
    let content = frame["d"]["content"].as_str().unwrap_or_default();
    frame["d"]["content"] = format!("{}{content}", "x".repeat(missing)).into();
    assert_eq!(numbered(frame.clone(), 0).len(), MESSAGE);
    (0..WARM + COUNTED)
        .map(|n| numbered(frame.clone(), n))
        .collect()
}

/// The frame as text, with ids of its own.
fn numbered(mut frame: Value, n: usize) -> String {
    let name = frame["t"].as_str().unwrap().to_owned();
    if name.ends_with("MESSAGE_CREATE") {
        frame["d"]["id"] = format!("ROBOT1.0_{n:032}").into();
    }
    let data = &frame["d"];
    format!(
        r#"{{"op":0,"s":{},"t":"{name}","id":"{name}:{n:08}","d":{data}}}"#,
        10_000 + n
    )
}

fn fixtures() -> Vec<Value> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../qq-model/tables/fixtures/events"
    );
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let frames = files
        .iter()
        .map(|file| serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap());
    let others = [
        json!("READY"),
        json!("RESUMED"),
        json!("INTERACTION_CREATE"),
    ];
    frames
        .filter(|frame: &Value| frame["t"].is_string() && !others.contains(&frame["t"]))
        .collect()
}

#[tokio::test]
async fn an_event_costs_few_allocations() {
    let mixed = handling(mixed()).await;
    assert!(mixed <= 12.0, "{mixed} per event of the mixed corpus");
    let messages = group_messages();
    let decoded = decoding(&messages);
    let handled = handling(messages).await;
    // The text, for the cache; the context.
    let added = handled - decoded;
    println!("mixed {mixed:.2}; a group message {decoded:.2} decoded, {added:.2} more handled");
    assert!(added <= 2.5, "{added} more than the {decoded} of decoding");
}
