//! Events that come together: the next one is read while the one before it is still to be handled.

use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use qq_emulator::Emulator;
use qqbot::cache::{Cache, CacheConfig};
use qqbot::client::InMemorySessionStore;
use qqbot::prelude::*;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{WebSocketStream, accept_async};

use crate::support::{Running, eventually, run};

/// A gateway that writes all of its events at once.
struct Gateway(TcpListener);

struct Session(WebSocketStream<TcpStream>);

impl Gateway {
    async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn url(&self) -> String {
        format!("ws://{}/", self.0.local_addr().unwrap())
    }

    /// The next session, and how the client began it.
    async fn session(&self) -> (Session, Value) {
        let (stream, _) = self.0.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut session = Session(accept_async(stream).await.unwrap());
        let hello = json!({"op": 10, "d": {"heartbeat_interval": 60_000}});
        session.say(&[hello]).await;
        let first = session.0.next().await.unwrap().unwrap();
        let first = serde_json::from_str(first.to_text().unwrap()).unwrap();
        (session, first)
    }
}

impl Session {
    async fn say(&mut self, frames: &[Value]) {
        for frame in frames {
            self.0.feed(Frame::text(frame.to_string())).await.unwrap();
        }
        self.0.flush().await.unwrap();
    }

    async fn ready(&mut self) {
        let user = json!({"id": "1", "username": "bot", "bot": true});
        self.say(&[
            json!({"op": 0, "s": 1, "t": "READY", "d": {"version": 1, "session_id": "s", "user": user, "shard": [0, 1]}}),
        ])
        .await;
    }

    async fn until_closed(mut self) {
        while let Some(Ok(_)) = self.0.next().await {}
    }
}

fn c2c(sequence: u64) -> Value {
    json!({"op": 0, "s": sequence, "t": "C2C_MESSAGE_CREATE", "id": format!("C2C:{sequence}"),
        "d": {"id": format!("m{sequence}"), "content": sequence.to_string(), "author": {"user_openid": "U"}}})
}

fn group(sequence: u64) -> Value {
    json!({"op": 0, "s": sequence, "t": "GROUP_MESSAGE_CREATE", "id": format!("G:{sequence}"),
        "d": {"id": format!("m{sequence}"), "content": sequence.to_string(), "group_openid": "G",
            "author": {"member_openid": "M"}}})
}

fn builder(emulator: &Emulator, gateway: &Gateway) -> qqbot::ClientBuilder {
    let environment = Environment::custom(emulator.base_url()).unwrap();
    let token = Token::new(emulator.app_id(), emulator.secret());
    Client::builder(token, Intents::default().with_group_and_c2c())
        .environment(environment.with_gateway_url(gateway.url()))
        .cache(Cache::new(CacheConfig::off()))
}

/// Notes what it handles; asks for group messages at 2, and to stop at 3.
#[derive(Clone, Default)]
struct Bot {
    log: Arc<Mutex<Vec<String>>>,
    stops: bool,
}

impl Bot {
    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

impl EventHandler for Bot {
    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        self.log.lock().unwrap().push(message.content.to_string());
        match &*message.content {
            "2" => {
                let log = Arc::clone(&self.log);
                let _ = ctx
                    .client()
                    .on(EventKind::GroupMessageCreate, move |_, raw| {
                        log.lock().unwrap().push(raw.json().to_owned());
                        std::future::ready(())
                    });
            }
            "3" if self.stops => assert!(ctx.client().request_stop()),
            _ => {}
        }
    }
}

async fn start(emulator: &Emulator, gateway: &Gateway, bot: &Bot) -> (Running<Bot>, Session) {
    let client = builder(emulator, gateway)
        .handler(bot.clone())
        .build()
        .unwrap();
    let serve = async {
        let (mut session, identify) = gateway.session().await;
        assert_eq!(identify["op"], 2, "{identify}");
        session.ready().await;
        session
    };
    tokio::join!(run(client), serve)
}

#[tokio::test]
async fn what_a_callback_asks_for_comes_though_it_came_together_with_its_event() {
    let emulator = Emulator::builder().start().await.unwrap();
    let gateway = Gateway::start().await;
    let bot = Bot::default();
    let (running, mut session) = start(&emulator, &gateway, &bot).await;
    // Nobody asks for the first one.
    let together = [group(10), c2c(2), group(11), c2c(12), group(13)];
    let together: Vec<_> = (2..)
        .zip(together)
        .map(|(sequence, mut event)| {
            event["s"] = json!(sequence);
            event
        })
        .collect();
    session.say(&together).await;
    eventually("all of them", || bot.log().len() == 4).await;
    let log = bot.log();
    assert_eq!((&*log[0], &*log[2]), ("2", "12"), "{log:?}");
    assert!(log[1].contains("m11") && log[3].contains("m13"), "{log:?}");
    assert_eq!(running.client.stats().unwanted, 1);
    let (stopped, ()) = tokio::join!(running.client.stop(), session.until_closed());
    stopped.unwrap();
}

#[tokio::test]
async fn what_was_read_and_not_begun_at_a_stop_comes_again() {
    let emulator = Emulator::builder().start().await.unwrap();
    let gateway = Gateway::start().await;
    let store = Arc::new(InMemorySessionStore::default());
    let bot = |stops| Bot {
        stops,
        ..Bot::default()
    };
    let first = bot(true);
    let client = |bot: &Bot| {
        let builder = builder(&emulator, &gateway).session_store(Arc::clone(&store));
        builder.handler(bot.clone()).build().unwrap()
    };
    let serve = async {
        let (mut session, _) = gateway.session().await;
        session.ready().await;
        session
    };
    let (running, mut session) = tokio::join!(run(client(&first)), serve);
    session.say(&[c2c(2), c2c(3), c2c(4), c2c(5)]).await;
    let (ended, ()) = tokio::join!(running.task, session.until_closed());
    ended.unwrap().unwrap();
    assert_eq!(first.log(), ["2", "3"]);

    let second = bot(false);
    let running = tokio::spawn({
        let client = client(&second);
        async move { client.start().await }
    });
    let (mut session, resume) = gateway.session().await;
    assert_eq!((&resume["op"], &resume["d"]["seq"]), (&json!(6), &json!(3)));
    let resumed = json!({"op": 0, "s": 6, "t": "RESUMED", "d": ""});
    session.say(&[c2c(4), c2c(5), resumed, c2c(7)]).await;
    eventually("the rest", || second.log() == ["4", "5", "7"]).await;
    running.abort();
}
