//! A stop finishes what is on its way, ends what can never be sent, and says what it did.

use std::sync::Arc;
use std::time::Duration;

use qq_emulator::{Emulator, Fault};
use qqbot::client::{
    InMemoryQuoteStore, InMemoryReplyStore, QuoteStore, ReplySave, ReplyStore, StoreFuture,
    StoredReply,
};
use qqbot::prelude::*;
use tokio::time::timeout;

use crate::inbox::{Inbox, c2c};
use crate::support::{DEADLINE, builder, eventually, run};

/// A store that takes its time.
#[derive(Clone)]
struct Sluggish {
    pause: Duration,
    replies: Arc<InMemoryReplyStore>,
    quotes: Arc<InMemoryQuoteStore>,
}

const PAUSE: Duration = Duration::from_millis(100);

impl Sluggish {
    fn new(pause: Duration) -> Self {
        Self {
            pause,
            replies: Arc::default(),
            quotes: Arc::default(),
        }
    }
}

impl ReplyStore for Sluggish {
    fn load<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<StoredReply>> {
        Box::pin(async move {
            tokio::time::sleep(self.pause).await;
            self.replies.load(key).await
        })
    }

    fn save<'a>(
        &'a self,
        key: &'a str,
        value: &'a str,
        expected: Option<u64>,
        keep_for: Duration,
    ) -> StoreFuture<'a, ReplySave> {
        Box::pin(async move {
            tokio::time::sleep(self.pause).await;
            self.replies.save(key, value, expected, keep_for).await
        })
    }
}

impl QuoteStore for Sluggish {
    fn load<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<Box<str>>> {
        self.quotes.load(key)
    }

    fn save<'a>(
        &'a self,
        key: &'a str,
        message: &'a str,
        keep_for: Duration,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            tokio::time::sleep(self.pause).await;
            self.quotes.save(key, message, keep_for).await
        })
    }
}

#[tokio::test]
async fn with_a_slow_store_and_a_full_queue() {
    const WAITING: usize = 5;
    let emulator = Emulator::builder().start().await.unwrap();
    let (inbox, store) = (Inbox::default(), Sluggish::new(PAUSE));
    let bot = builder(&emulator)
        .reply_store(store.clone())
        .quote_store(store.clone())
        .reply_queue(WAITING, WAITING)
        .stop_deadline(DEADLINE)
        .handler(inbox.clone());
    let running = run(bot.build().unwrap()).await;
    let first = inbox.say(&emulator, c2c, "first").await;
    for n in 1..=4 {
        first.ctx.reply(n.to_string()).await.unwrap();
    }
    // Nobody says anything that these could answer.
    let queue = WhenClosed::Queue(Duration::from_secs(3600));
    let waiting: Vec<_> = (0..WAITING)
        .map(|n| first.ctx.reply(format!("waits {n}")).when_closed(queue))
        .map(|reply| tokio::spawn(reply.into_future()))
        .collect();
    eventually("the queue is full", || {
        running.client.health().waiting_answers == WAITING
    })
    .await;
    // One is on its way, from a task of the bot's own, and the platform is slow as well.
    let second = inbox.say(&emulator, c2c, "second").await;
    eventually("their chance", || {
        running.client.health().waiting_answers < WAITING
    })
    .await;
    let left = running.client.health().waiting_answers;
    let slow = Fault::route("send_c2c_message").delay(PAUSE * 5);
    emulator.fault(slow).unwrap();
    let on_its_way = tokio::spawn(second.ctx.reply("on its way").into_future());
    tokio::task::yield_now().await;

    let report = timeout(DEADLINE, running.client.stop())
        .await
        .unwrap()
        .unwrap();
    assert!(on_its_way.is_finished(), "{report:?}");
    on_its_way.await.unwrap().unwrap();
    running.task.await.unwrap().unwrap();
    assert_eq!(report.answers_given_up, left, "{report:?}");
    assert_eq!(report.answers_on_their_way, 0, "{report:?}");
    assert_eq!(report.quotes_unsaved, 0, "{report:?}");
    assert_eq!(
        report.unfinished + report.unhandled + report.cut,
        0,
        "{report:?}"
    );
    assert!(!report.is_clean(), "answers were given up");
    let mut given_up = 0;
    for answer in waiting {
        match answer.await.unwrap() {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ReplyClosed);
                given_up += 1;
            }
        }
    }
    assert_eq!(given_up, left);
    let texts: Vec<_> = emulator
        .outbox()
        .iter()
        .map(|entry| entry.text().to_owned())
        .collect();
    assert!(texts.contains(&"on its way".to_owned()), "{texts:?}");
    assert_eq!(texts.len(), 4 + (WAITING - left) + 1, "{texts:?}");
}

#[tokio::test]
async fn what_does_not_end_in_time_is_counted() {
    let emulator = Emulator::builder().start().await.unwrap();
    let (inbox, store) = (Inbox::default(), Sluggish::new(Duration::from_secs(3600)));
    let bot = builder(&emulator).quote_store(store).handler(inbox.clone());
    let running = run(bot.build().unwrap()).await;
    let kept = inbox.say(&emulator, c2c, "hello").await;
    let route = || Fault::route("send_c2c_message");
    emulator.fault(route().blackhole()).unwrap();
    let stuck = tokio::spawn(kept.ctx.reply("stuck").into_future());
    eventually("the call is under way", || {
        running.client.health().calls_in_flight > 0
    })
    .await;
    for n in 0..20 {
        inbox.say(&emulator, c2c, &format!("more {n}")).await;
    }
    let deadline = Duration::from_millis(500);
    let report = timeout(DEADLINE, running.client.stop_within(deadline))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(report.answers_on_their_way, 1, "{report:?}");
    assert!(report.quotes_unsaved > 0, "{report:?}");
    assert!(!report.is_clean());
    stuck.abort();
}
