//! A conversation with a bot on the emulator.

use std::time::Duration;

use qq_emulator::{Emulator, OutboxEntry, Say, Scene};
use qqbot::prelude::*;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// No test waits longer than this for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running bot, and somebody who talks to it.
pub(crate) struct Talk {
    pub(crate) emulator: Emulator,
    client: ClientHandle,
    task: JoinHandle<Result<(), BotError>>,
    heard: u64,
}

impl Talk {
    /// Starts a bot on an emulator that tolerates nothing.
    pub(crate) async fn with(bot: impl EventHandler, intents: Intents) -> Self {
        let emulator = Emulator::builder()
            .settings(|settings| settings.strict = true)
            .start()
            .await
            .unwrap();
        let token = Token::new(emulator.app_id(), emulator.secret());
        let client = Client::builder(token, intents)
            .environment(Environment::custom(emulator.base_url()).unwrap())
            .handler(bot)
            .build()
            .unwrap();
        let handle = client.handle();
        let task = tokio::spawn(async move { client.start().await });
        emulator.wait_for_session(PATIENCE).await.unwrap();
        Self {
            emulator,
            client: handle,
            task,
            heard: 0,
        }
    }

    /// Says something; gives the answer.
    pub(crate) async fn say(&mut self, scene: Scene, text: &str) -> OutboxEntry {
        self.emulator.say(Say::new(scene, text)).await;
        self.answer().await
    }

    /// The next answer.
    pub(crate) async fn answer(&mut self) -> OutboxEntry {
        let answer = self
            .emulator
            .reply_after(self.heard, PATIENCE)
            .await
            .unwrap();
        self.heard = answer.n;
        answer
    }

    /// Stops the bot, which must have kept all the rules.
    pub(crate) async fn end(self) {
        self.client.stop().await.unwrap();
        timeout(PATIENCE, self.task)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        let violations = self.emulator.violations();
        assert!(violations.is_empty(), "{violations:#?}");
    }
}
