//! The bot on the other side of the chat page: it answers `!ping` and `!help`, and echoes the rest.

use qq_emulator::Emulator;
use qqbot::prelude::*;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::browser::{PATIENCE, Result};

/// The full stop is a link that no page may follow.
const HELP: &str = "**What I can do**\n\n- `!ping` answers *Pong!*\n- `!help` shows [the \
                    guide](https://bot.q.qq.com/wiki/)[.](javascript:alert(1))\n- \
                    anything else comes back";

/// A running bot.
pub(crate) struct Bot {
    client: ClientHandle,
    task: JoinHandle<Result<(), BotError>>,
    errors: mpsc::Receiver<BotError>,
}

impl Bot {
    /// Starts a bot on the emulator.
    pub(crate) fn start(emulator: &Emulator) -> Result<Self> {
        let (failed, errors) = mpsc::channel(1);
        let token = Token::new(emulator.app_id(), emulator.secret());
        let intents = Intents::default()
            .with_group_and_c2c()
            .with_direct_message();
        let client = Client::builder(token, intents)
            .environment(Environment::custom(emulator.base_url())?)
            .handler(TestBot { failed })
            .build()?;
        Ok(Self {
            client: client.handle(),
            task: tokio::spawn(async move { client.start().await }),
            errors,
        })
    }

    /// Stops it, and says what went wrong while it ran.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.client.stop().await?;
        timeout(PATIENCE, self.task).await???;
        match self.errors.try_recv() {
            Ok(error) => Err(error.into()),
            Err(_) => Ok(()),
        }
    }
}

struct TestBot {
    failed: mpsc::Sender<BotError>,
}

impl TestBot {
    async fn answer(&self, ctx: &Context, said: &str) {
        let sent = match said {
            "!ping" => ctx.reply("Pong!").await,
            "!help" => ctx.reply(MessageMarkdown::native(HELP)).await,
            said => ctx.reply(said).await,
        };
        if let Err(error) = sent {
            // The first failure is the one to tell.
            let _ = self.failed.try_send(error);
        }
    }
}

impl EventHandler for TestBot {
    async fn message_create(&self, ctx: Context, message: Message) {
        self.answer(&ctx, &message.text()).await;
    }

    async fn direct_message_create(&self, ctx: Context, message: DirectMessage) {
        self.answer(&ctx, &message.text()).await;
    }

    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        self.answer(&ctx, &message.text()).await;
    }

    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        self.answer(&ctx, &message.text()).await;
    }
}
