//! Events from a source of one's own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use qq_emulator::Emulator;
use qqbot::client::{EventSource, Outcome, SourceEvent, SourceItem};
use qqbot::prelude::*;
use std::pin::Pin;

use crate::support::{Echo, all_scenes, answer_to, eventually, run};
use qqbot::model::Dispatch;

/// What became of each event, by its number.
pub(crate) type Outcomes = Arc<Mutex<Vec<(usize, String)>>>;

pub(crate) fn groups(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{n:032X}")).collect()
}

/// A source of messages in groups, and what became of them.
pub(crate) fn source(
    said: Vec<(String, String)>,
) -> (impl Fn() -> InMemory + Send + Sync, Outcomes) {
    let said: Arc<[(String, String)]> = said.into();
    let outcomes = Outcomes::default();
    let for_source = Arc::clone(&outcomes);
    let open = move || InMemory {
        said: Arc::clone(&said),
        next: 0,
        outcomes: Arc::clone(&for_source),
        is_connected: false,
    };
    (open, outcomes)
}

pub(crate) struct InMemory {
    said: Arc<[(String, String)]>,
    next: usize,
    outcomes: Outcomes,
    is_connected: bool,
}

impl EventSource for InMemory {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Option<SourceItem>> + Send + '_>> {
        Box::pin(async move {
            if !std::mem::replace(&mut self.is_connected, true) {
                return Some(SourceItem::Connected);
            }
            let number = self.next;
            let Some((group, text)) = self.said.get(number) else {
                return std::future::pending().await;
            };
            self.next += 1;
            let data = serde_json::json!({
                "id": format!("m{number}"), "group_openid": group, "content": text, "author": {"member_openid": "A"},
            });
            let event = Event::decode("GROUP_MESSAGE_CREATE", &data.to_string());
            let outcomes = Arc::clone(&self.outcomes);
            let event =
                SourceEvent::new(Dispatch::new(event)).acknowledged_by(move |outcome: Outcome| {
                    let outcome = format!("{outcome:?}");
                    outcomes.lock().unwrap().push((number, outcome));
                });
            Some(event.into())
        })
    }
}

#[tokio::test]
async fn every_event_of_a_source_is_acknowledged_with_what_became_of_it() {
    let emulator = Emulator::builder().start().await.unwrap();
    let group = groups(1).remove(0);
    let (source, outcomes) = source(vec![(group.clone(), "one".into()), (group, "two".into())]);
    let bot = Echo::default();
    let client = Client::builder(
        Token::new(emulator.app_id(), emulator.secret()),
        all_scenes(),
    )
    .environment(Environment::custom(emulator.base_url()).unwrap())
    .event_source(source)
    .handler(bot.clone())
    .build()
    .unwrap();
    let running = run(client).await;
    eventually("both", || outcomes.lock().unwrap().len() == 2).await;
    assert_eq!((bot.calls("one"), bot.calls("two")), (1, 1));
    assert!(emulator.sessions().is_empty(), "the gateway is left alone");
    let expected = [(0, "Handled".to_owned()), (1, "Handled".to_owned())];
    assert_eq!(*outcomes.lock().unwrap(), expected);
    assert!(running.client.stop().await.unwrap().is_clean());
    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_source_beside_the_gateway_is_one_of_two() {
    let emulator = Emulator::builder().start().await.unwrap();
    let (source, outcomes) = source(vec![(groups(1).remove(0), "from the source".into())]);
    let bot = Echo::default();
    let client = Client::builder(
        Token::new(emulator.app_id(), emulator.secret()),
        all_scenes(),
    )
    .environment(Environment::custom(emulator.base_url()).unwrap())
    .event_source(source)
    .gateway(true)
    .handler(bot.clone())
    .build()
    .unwrap();
    let running = run(client).await;
    emulator
        .say(qq_emulator::Say::c2c("from the gateway"))
        .await;
    answer_to(&emulator, "from the gateway").await;
    eventually("the other", || outcomes.lock().unwrap().len() == 1).await;
    assert_eq!(bot.calls("from the source"), 1);
    tokio::time::timeout(Duration::from_secs(5), running.client.stop())
        .await
        .unwrap()
        .unwrap();
}
