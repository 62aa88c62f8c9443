//! robin, the bot on the other side of the chat page: it knows a few commands, and echoes the rest.

use std::sync::Arc;
use std::time::Duration;

use qq_emulator::Emulator;
use qqbot::http::Upload;
use qqbot::model::interaction::{Interaction, InteractionAckCode};
use qqbot::model::message::MessageEmbed;
use qqbot::model::outgoing::{
    Button, ButtonModal, ButtonPermission, ButtonStyle, FileType, InputNotify, Keyboard,
};
use qqbot::model::reaction::Emoji;
use qqbot::prelude::*;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::browser::{Failure, PATIENCE, Result};
use crate::png;

/// The full stop is a link that no page may follow.
const HELP: &str = "**What I can do**\n\n- `!ping` answers *Pong!*\n- `!help` shows [the \
                    guide](https://bot.q.qq.com/wiki/)[.](javascript:alert(1))\n- \
                    anything else comes back";
const MENU: &str = "# Tea of the day\nFresh from **Hangzhou**, *just arrived*:\n\n1. Longjing, \
                    `2.5 g` a cup\n2. Oolong\n   - light\n   - dark\n\n> Tea is drunk to forget \
                    the din of the world.";
/// What tries to be more than text.
const HOSTILE: &str = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'\
                       </script> [x](javascript:document.title='taken') ![x](javascript:alert(1)) \
                       ![y](https://example.com/tracker.png) <qqbot-cmd-input text=\"<b>\" />";

/// A running bot.
pub(crate) struct Bot {
    /// Lets a story go on.
    pub(crate) story: Arc<Notify>,
    client: ClientHandle,
    task: JoinHandle<Result<(), BotError>>,
    errors: mpsc::Receiver<Failure>,
}

impl Bot {
    /// Starts a bot on the emulator.
    pub(crate) fn start(emulator: &Emulator) -> Result<Self> {
        let (failed, errors) = mpsc::channel(1);
        let story = Arc::new(Notify::new());
        let token = Token::new(emulator.app_id(), emulator.secret());
        let intents = Intents::default()
            .with_group_and_c2c()
            .with_direct_message()
            .with_interaction();
        let robin = Robin {
            failed,
            story: Arc::clone(&story),
        };
        let client = Client::builder(token, intents)
            .environment(Environment::custom(emulator.base_url())?)
            .handler(robin)
            // The page shows what comes of a press, nothing included.
            .auto_ack(None)
            .build()?;
        Ok(Self {
            story,
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
            Ok(error) => Err(error),
            Err(_) => Ok(()),
        }
    }
}

struct Robin {
    failed: mpsc::Sender<Failure>,
    story: Arc<Notify>,
}

impl Robin {
    fn note(&self, done: Result<()>) {
        if let Err(error) = done {
            // The first failure is the one to tell.
            let _ = self.failed.try_send(error);
        }
    }

    async fn answer(&self, ctx: &Context, said: &str) {
        let sent = match said {
            "!ping" => ctx.reply("Pong!").await,
            "!help" => ctx.reply(MessageMarkdown::native(HELP)).await,
            "!menu" => ctx.reply(menu()).await,
            "!hostile" => ctx.reply(MessageMarkdown::native(HOSTILE)).await,
            "!weather" => ctx.reply(weather()).await,
            "!oops" => match ctx.reply("this was a mistake").await {
                Ok(sent) => {
                    self.note(take_back(ctx, &sent).await);
                    Ok(sent)
                }
                Err(error) => Err(error),
            },
            said => ctx.reply(said).await,
        };
        self.note(sent.map(drop).map_err(Into::into));
    }
}

async fn take_back(ctx: &Context, sent: &qqbot::http::Sent) -> Result<()> {
    let (Some(Conversation::Group(group)), Some(id)) = (ctx.conversation(), sent.id()) else {
        return Ok(());
    };
    ctx.api
        .group(group.clone())
        .message(id.clone())
        .recall()
        .await?;
    Ok(())
}

fn menu() -> MessageBody {
    let pour = Button::callback("Longjing", "pour")
        .visited_label("Poured")
        .style(ButtonStyle::Primary);
    let refuse = Button::callback("Oolong", "refuse").style(ButtonStyle::Blue);
    let silent = Button::callback("Puer", "silent").style(ButtonStyle::Blue);
    let order = Button::command("Order", "!order two cups").style(ButtonStyle::Grey);
    let guide = Button::link("Guide", "https://bot.q.qq.com/wiki/").style(ButtonStyle::Grey);
    let close = Button::callback("Close up", "close")
        .style(ButtonStyle::Danger)
        .permission(ButtonPermission::admins())
        .modal(ButtonModal::new("Close the tea house?"));
    MessageBody::markdown(MessageMarkdown::native(MENU)).keyboard(Keyboard::rows([
        vec![pour, refuse, silent],
        vec![order, guide, close],
    ]))
}

fn weather() -> MessageEmbed {
    MessageEmbed::new("The harbour today")
        .field("Sunny, 21 degrees")
        .field("A light wind from the sea")
}

async fn picture(ctx: &Context, message: &C2CMessage) -> Result<()> {
    let user = message.author.user_openid.clone().ok_or("from nobody")?;
    let upload = ctx
        .api
        .user(user)
        .upload(Upload::bytes(png::sunset(360, 200)))
        .kind(FileType::Image);
    let uploaded = upload.await?;
    ctx.reply(&uploaded).await?;
    Ok(())
}

async fn story(ctx: &Context, message: &C2CMessage, go_on: &Notify) -> Result<()> {
    let user = message.author.user_openid.clone().ok_or("from nobody")?;
    let notify = MessageBody::input_notify(InputNotify::typing(30));
    ctx.reply(notify).await?;
    go_on.notified().await;
    let mut story = ctx
        .api
        .user(user)
        .stream()
        .reply_to(message.id.clone())
        .markdown()
        .msg_seq(1_000)
        .throttle(Duration::from_millis(300))
        .start()?;
    for part in [
        "A robin sat on the **harbour wall**",
        " and waited for the ferry.",
        " It came at noon.",
    ] {
        story.push(part).await?;
        story.flush().await?;
        go_on.notified().await;
    }
    story.finish().await?;
    Ok(())
}

impl EventHandler for Robin {
    async fn message_create(&self, ctx: Context, message: Message) {
        if &*message.text() == "!like" {
            let target = ctx.api.channel(message.channel_id.clone());
            let heart = Emoji::unicode('\u{2764}');
            let done = target.message(message.id.clone()).react(&heart).await;
            self.note(done.map_err(Into::into));
            return;
        }
        self.answer(&ctx, &message.text()).await;
    }

    async fn direct_message_create(&self, ctx: Context, message: DirectMessage) {
        self.answer(&ctx, &message.text()).await;
    }

    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        self.answer(&ctx, &message.text()).await;
    }

    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        match &*message.text() {
            "!story" => self.note(story(&ctx, &message, &self.story).await),
            "!picture" => self.note(picture(&ctx, &message).await),
            said => self.answer(&ctx, said).await,
        }
    }

    async fn interaction_create(&self, ctx: Context, interaction: Interaction) {
        let resolved = interaction.data.resolved.as_deref();
        let data = resolved.and_then(|resolved| resolved.button_data.as_deref());
        let code = match data {
            Some("refuse") => InteractionAckCode::NoPermission,
            Some("silent") => return,
            _ => InteractionAckCode::Success,
        };
        let acked = ctx.ack(code).await;
        self.note(acked.map(drop).map_err(Into::into));
        if data == Some("pour") {
            let sent = ctx.reply("One Longjing, coming.").await;
            self.note(sent.map(drop).map_err(Into::into));
        }
    }
}
