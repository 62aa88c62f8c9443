//! The programs of the seed documents, by the names they use: all of them are at the root of the crate.

use std::collections::HashMap;
use std::sync::Arc;

use qq_emulator::{Say, Scene};
use qqbot::{
    BotError, Channel, Context, DirectMessage, EventHandler, GroupMessage, Guild, Intents,
    Interaction, InteractionSession, Message, MessageBody, Ready, ReadySession, Reply,
};
use tokio::sync::RwLock;

use crate::support::{Running, TRANSPORTS, answer_to, emulator, stop};

struct MyBot {
    user_data: Arc<RwLock<HashMap<String, usize>>>,
}

impl MyBot {
    async fn count(&self, user: String) -> usize {
        let mut data = self.user_data.write().await;
        let count = data.entry(user).or_default();
        *count += 1;
        *count
    }
}

impl EventHandler for MyBot {
    async fn ready(&self, ctx: ReadySession, ready: Ready) {
        assert_eq!(ctx.bot_info().unwrap().username, ready.user.username);
    }

    async fn message_create(&self, ctx: Context, message: Message) {
        if message.is_from_bot() {
            return;
        }
        let count = self.count(message.author_id().to_string()).await;
        let _ = message
            .reply(&ctx, format!("echo: {}", message.text()))
            .await;
        assert_eq!(count, 1);
    }

    async fn direct_message_create(&self, ctx: Context, message: DirectMessage) {
        let body = MessageBody::text(format!("echo: {}", message.text()));
        let _ = message.reply(&ctx, body).await;
    }

    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        let _ = ctx.reply(format!("echo: {}", message.text())).await;
    }

    async fn guild_create(&self, _ctx: Context, _guild: Guild) {}

    async fn channel_create(&self, _ctx: Context, _channel: Channel) {}

    async fn interaction_create(&self, _ctx: InteractionSession, _interaction: Interaction) {}

    async fn error(&self, error: BotError) {
        eprintln!("{error}");
    }
}

#[tokio::test]
async fn a14_the_programs_of_the_order_by_their_own_names() {
    let intents = Intents::default()
        .with_public_guild_messages()
        .with_direct_message()
        .with_group_and_c2c();
    for transport in TRANSPORTS {
        let emulator = emulator().await;
        let bot = MyBot {
            user_data: Arc::default(),
        };
        let running: Running<MyBot> = transport.run_with(&emulator, intents, bot).await;
        for scene in [Scene::Channel, Scene::Direct, Scene::Group] {
            emulator.say(Say::new(scene, format!("{scene:?}"))).await;
            answer_to(&emulator, &format!("{scene:?}")).await;
        }
        stop(&emulator, running).await;
    }
}
