//! The guild's administrator, told what to do by users of the emulator.

#![forbid(unsafe_code)]

#[path = "../guild_admin.rs"]
#[expect(dead_code, reason = "its main")]
mod guild_admin;

use std::time::Duration;

use qq_emulator::Emulator;
use qqbot::model::role::CreateRole;
use qqbot::prelude::*;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn called(emulator: &Emulator, route: &str) -> usize {
    let requests = emulator.requests();
    let calls = requests
        .iter()
        .filter(|request| request.route.as_deref() == Some(route));
    calls.filter(|request| request.status < 300).count()
}

#[tokio::test]
async fn newcomers_are_welcomed_and_administrators_are_obeyed() -> Result<()> {
    let emulator = Emulator::builder().start().await?;
    let world = emulator.world();
    let guild = &world.guilds[0];
    let token = Token::new(emulator.app_id(), emulator.secret());
    let client = Client::builder(token, Intents::default())
        .environment(Environment::custom(emulator.base_url())?)
        .wait_for_channels(Duration::from_secs(10))
        .handler(guild_admin::GuildAdmin)
        .build()?;
    let handle = client.handle();
    let running = tokio::spawn(async move { client.start().await });
    emulator.connected().await?;

    let newcomer = emulator.add_stranger("zoe")?;
    emulator.user("zoe").in_channel("general").joins().await;
    let welcome = emulator.next_reply().await?;
    assert_eq!(
        welcome.text(),
        format!("Welcome to {}, {}!", guild.name, newcomer.name)
    );

    let mut role = CreateRole::default();
    role.name = Some("keeper".into());
    let id = guild.id.as_str();
    handle.api().guild(id).create_role(&role).await?;
    let owner = world
        .users
        .iter()
        .find(|user| user.id == guild.owner_id)
        .ok_or("no owner")?;
    let owner = emulator.user(&owner.name).in_channel("general");
    owner
        .says(format!("!role keeper <@!{}>", newcomer.id))
        .await;
    assert_eq!(emulator.next_reply().await?.text(), "zoe is now keeper.");
    assert_eq!(called(&emulator, "add_guild_member_role"), 1);
    owner.says(format!("!mute <@!{}> 5", newcomer.id)).await;
    assert_eq!(
        emulator.next_reply().await?.text(),
        "zoe is silent for 5 minutes."
    );
    assert_eq!(called(&emulator, "mute_guild_member"), 1);
    owner.says(format!("!unmute <@!{}>", newcomer.id)).await;
    assert_eq!(emulator.next_reply().await?.text(), "zoe may speak again.");

    owner.says("!help").await;
    assert_eq!(
        emulator.next_reply().await?.text(),
        "I know !roles and, from administrators, !role !unrole !mute !unmute with a mention."
    );

    let stranger = emulator.add_stranger("eve")?;
    let eve = emulator.user("eve").in_channel("general");
    eve.joins().await;
    emulator.next_reply().await?;
    eve.says(format!("!mute <@!{}>", stranger.id)).await;
    assert_eq!(
        emulator.next_reply().await?.text(),
        "Only administrators may tell me that."
    );
    assert_eq!(
        called(&emulator, "mute_guild_member"),
        2,
        "muted and lifted, no more"
    );
    handle.stop_within(Duration::from_secs(5)).await?;
    running.await??;
    Ok(())
}
