//! An echo bot and its test: no account, no network.
#![forbid(unsafe_code)]
use qq_emulator::Emulator;
use qqbot::prelude::*;
struct Echo;
impl EventHandler for Echo {
    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        let _ = ctx.reply(message.text()).await;
    }
}

#[tokio::test]
async fn what_is_said_comes_back() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::builder().start().await?;
    let token = Token::new(emulator.app_id(), emulator.secret());
    let environment = Environment::custom(emulator.base_url())?;
    let bot = Client::builder(token, Intents::default().with_group_and_c2c());
    let bot = bot.environment(environment).handler(Echo).build()?;
    tokio::spawn(async move { bot.start().await });
    emulator.connected().await?;
    emulator.user("mia").in_group("tea house").says("hi").await;
    assert_eq!(emulator.next_reply().await?.text(), "hi");
    Ok(())
}
