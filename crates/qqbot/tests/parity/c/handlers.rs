//! Closures for events, raw and typed, and the names of events.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use qq_emulator::{Emulator, Say};
use qqbot::EventName;
use qqbot::prelude::*;
use serde_json::{Value, json};

use super::support::{builder, builder_with, eventually};
use super::transport::{Transport, said, stop};

/// What closures note.
type Notes<T> = Arc<Mutex<Vec<T>>>;

#[tokio::test]
async fn c4_on_raw_json_in_order() {
    for &transport in Transport::ALL {
        let emulator = Emulator::builder().start().await.unwrap();
        let notes: Notes<(u8, Value)> = Notes::default();
        let running = transport.run(&emulator, builder(&emulator)).await;
        for n in 1..=3_u8 {
            let notes = Arc::clone(&notes);
            let _ = running.client.on("C2C_MESSAGE_CREATE", move |_ctx, raw| {
                let notes = Arc::clone(&notes);
                async move {
                    // The first is the slowest, and still the first.
                    for _ in 0..10 * (3 - n) {
                        tokio::task::yield_now().await;
                    }
                    notes.lock().unwrap().push((n, raw.decode().unwrap()));
                }
            });
        }
        let others: Notes<String> = Notes::default();
        let other = Arc::clone(&others);
        let _ = running.client.on("BRAND_NEW", move |_ctx, raw: RawEvent| {
            other.lock().unwrap().push(raw.json().to_owned());
            async {}
        });

        let sent = emulator.say(Say::c2c("hello")).await;
        eventually("three calls", || notes.lock().unwrap().len() == 3).await;
        for (position, (n, json)) in notes.lock().unwrap().iter().enumerate() {
            assert_eq!(usize::from(*n), position + 1);
            assert_eq!(json["id"], *sent.message_id);
            assert_eq!(json["content"], "hello");
            assert_eq!(json["author"]["user_openid"], *sent.conversation);
        }
        assert!(others.lock().unwrap().is_empty());
        emulator.push_event("BRAND_NEW", json!({"a": [1, 2]})).await;
        eventually("the other event", || !others.lock().unwrap().is_empty()).await;
        assert_eq!(*others.lock().unwrap(), [r#"{"a":[1,2]}"#]);
        assert_eq!(notes.lock().unwrap().len(), 3);
        stop(running).await;
    }
}

#[tokio::test]
async fn c5_on_typed_events() {
    for &transport in Transport::ALL {
        let emulator = Emulator::builder().start().await.unwrap();
        let notes: Notes<Arc<Event>> = Notes::default();
        let running = transport.run(&emulator, builder(&emulator)).await;
        for is_last in [false, true] {
            let notes = Arc::clone(&notes);
            let _ = running.client.on_typed(move |ctx, event| {
                let notes = Arc::clone(&notes);
                async move {
                    if let Event::C2CMessageCreate(message) = &*event {
                        notes.lock().unwrap().push(Arc::clone(&event));
                        if is_last {
                            let text = format!("typed: {}", message.text());
                            message.reply(&ctx, text).await.unwrap();
                        }
                    }
                }
            });
        }
        let sent = emulator.say(Say::c2c("hello")).await;
        eventually("an answer", || said(&emulator, "typed: hello")).await;
        let outbox = emulator.outbox();
        assert_eq!(outbox.len(), 1);
        assert_eq!(outbox[0].reply_to.as_deref(), Some(&*sent.message_id));
        let notes = notes.lock().unwrap().clone();
        let [first, second] = &*notes else {
            panic!("{notes:?}")
        };
        assert!(Arc::ptr_eq(first, second), "decoded once");
        let Event::C2CMessageCreate(message) = &**first else {
            panic!("{first:?}")
        };
        assert_eq!(message.id, sent.message_id.as_str());
        stop(running).await;
    }
}

#[tokio::test]
async fn c11_event_names() {
    let names: HashSet<_> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(names.len(), EventKind::ALL.len(), "each name once");
    for kind in EventKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(*kind));
    }
    assert!("BRAND_NEW".parse::<EventKind>().is_err());
    assert_eq!(EventKind::C2CMessageCreate.as_str(), "C2C_MESSAGE_CREATE");

    // What comes under a name of the list is known by its constant.
    for &transport in Transport::ALL {
        let emulator = Emulator::builder().start().await.unwrap();
        let intents = Intents::default().with_group_and_c2c();
        let notes: Notes<(EventKind, String)> = Notes::default();
        let options = builder_with(&emulator, intents);
        let running = transport.run(&emulator, options).await;
        let note = Arc::clone(&notes);
        let _ = running
            .client
            .on(EventName::Any, move |_ctx, raw: RawEvent| {
                let seen = (raw.kind().unwrap(), raw.name().to_owned());
                note.lock().unwrap().push(seen);
                async {}
            });
        let subscribed = |kind: &&EventKind| {
            let intent = kind.intent();
            intent.is_some_and(|intent| intents.contains(intent))
        };
        let kinds: Vec<_> = EventKind::ALL.iter().filter(subscribed).collect();
        assert!(kinds.len() > 20, "{}", kinds.len());
        for (n, kind) in kinds.iter().enumerate() {
            emulator
                .push_event(kind.as_str(), json!({"id": format!("{n}")}))
                .await;
            let seen = || notes.lock().unwrap().len() > n;
            eventually(kind.as_str(), seen).await;
            let last = notes.lock().unwrap()[n].clone();
            assert_eq!(last, (**kind, kind.as_str().to_owned()));
        }
        running.client.stop().await.unwrap();
    }
}
