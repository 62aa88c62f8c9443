//! What the end-to-end tests share: an echo bot, and the emulator's control API over HTTP.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use qq_emulator::{Emulator, Level, OutboxEntry};
use qqbot::ClientBuilder;
use qqbot::prelude::*;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// No test waits longer than this for anything.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Answers every message with `echo: <text>` and counts how often it was called for each.
#[derive(Clone, Default)]
pub(crate) struct Echo {
    calls: Arc<Mutex<HashMap<String, usize>>>,
    pub(crate) errors: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    async fn answer(&self, ctx: Context, text: &str) {
        *self
            .calls
            .lock()
            .unwrap()
            .entry(text.to_owned())
            .or_default() += 1;
        if let Err(error) = ctx.reply(format!("echo: {text}")).await {
            self.errors.lock().unwrap().push(format!("{error:?}"));
        }
    }

    pub(crate) fn calls(&self, text: &str) -> usize {
        self.calls
            .lock()
            .unwrap()
            .get(text)
            .copied()
            .unwrap_or_default()
    }
}

impl EventHandler for Echo {
    async fn message_create(&self, ctx: Context, message: Message) {
        self.answer(ctx, &message.text()).await;
    }

    async fn direct_message_create(&self, ctx: Context, message: DirectMessage) {
        self.answer(ctx, &message.text()).await;
    }

    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        self.answer(ctx, &message.text()).await;
    }

    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        self.answer(ctx, &message.text()).await;
    }

    async fn error(&self, error: BotError) {
        self.errors.lock().unwrap().push(format!("{error:?}"));
    }
}

/// A bot that runs.
pub(crate) struct Running<H> {
    pub(crate) client: Arc<Client<H>>,
    pub(crate) task: JoinHandle<Result<(), BotError>>,
}

pub(crate) fn all_scenes() -> Intents {
    Intents::default()
        .with_group_and_c2c()
        .with_direct_message()
}

pub(crate) fn builder(emulator: &Emulator) -> ClientBuilder {
    builder_with(emulator, all_scenes())
}

pub(crate) fn builder_with(emulator: &Emulator, intents: Intents) -> ClientBuilder {
    let token = Token::new(emulator.app_id(), emulator.secret());
    Client::builder(token, intents).environment(Environment::custom(emulator.base_url()).unwrap())
}

pub(crate) fn client<H: EventHandler>(emulator: &Emulator, handler: H) -> Client<H> {
    builder(emulator).handler(handler).build().unwrap()
}

/// Starts a bot and waits until it is ready.
pub(crate) async fn run<H: EventHandler>(client: Client<H>) -> Running<H> {
    let client = Arc::new(client);
    let task = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.start().await }
    });
    wait_until(&client, |status| matches!(status, Status::Ready { .. })).await;
    Running { client, task }
}

pub(crate) async fn wait_until<H>(client: &Client<H>, wanted: impl Fn(&Status) -> bool) {
    let mut status = client.status();
    let reached = timeout(DEADLINE, status.wait_for(wanted)).await.map(drop);
    assert!(
        reached.is_ok(),
        "the status stayed {:?}",
        *client.status().borrow()
    );
}

/// Waits until a condition holds.
pub(crate) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < end, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The answer to this text, and proof that there is exactly one.
pub(crate) async fn answer_to(emulator: &Emulator, text: &str) -> OutboxEntry {
    let wanted = format!("echo: {text}");
    eventually(&wanted, || {
        emulator.outbox().iter().any(|entry| entry.text() == wanted)
    })
    .await;
    let mut answers: Vec<_> = emulator
        .outbox()
        .into_iter()
        .filter(|entry| entry.text() == wanted)
        .collect();
    assert_eq!(answers.len(), 1, "{answers:?}");
    answers.remove(0)
}

/// Says this, and waits until it was answered once.
pub(crate) async fn say_and_wait(emulator: &Emulator, text: &str) {
    emulator.say(qq_emulator::Say::c2c(text)).await;
    answer_to(emulator, text).await;
}

/// Stops a bot.
pub(crate) async fn stop<H>(running: Running<H>) {
    running.client.stop().await.unwrap();
    running.task.await.unwrap().unwrap();
}

pub(crate) fn assert_no_violations(emulator: &Emulator) {
    let violations: Vec<_> = emulator
        .violations()
        .into_iter()
        .filter(|violation| violation.level != Level::Info)
        .collect();
    assert!(violations.is_empty(), "{violations:#?}");
}

/// `POST /emulator/v1/<path>` as a tool outside the process would send it.
pub(crate) async fn control(emulator: &Emulator, path: &str, body: &Value) -> Value {
    let body = body.to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", emulator.port()))
        .await
        .unwrap();
    let request = format!(
        "POST /emulator/v1/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(DEADLINE, stream.read_to_string(&mut answer))
        .await
        .unwrap()
        .unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}\n{body}");
    serde_json::from_str(body).unwrap_or(Value::Null)
}
