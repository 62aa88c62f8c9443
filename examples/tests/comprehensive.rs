//! The comprehensive bot, talked to on the emulator.

#![forbid(unsafe_code)]

#[path = "../comprehensive/bot.rs"]
mod bot;
#[cfg(test)]
#[path = "support/talk.rs"]
mod talk;

use qq_emulator::Scene;
use qqbot::prelude::Intents;

use crate::bot::ComprehensiveBot;
use crate::talk::Talk;

#[tokio::test]
async fn the_comprehensive_bot_knows_its_commands() {
    let intents = Intents::default()
        .with_public_guild_messages()
        .with_direct_message()
        .with_group_and_c2c()
        .with_guilds();
    let mut talk = Talk::with(ComprehensiveBot::new(), intents).await;
    let answer = talk.say(Scene::Channel, "!ping").await;
    assert_eq!(answer.text(), "Pong! 🏓");
    let answer = talk.say(Scene::Channel, "!uptime").await;
    let seconds = answer.text().strip_prefix("Bot uptime: ").unwrap();
    let seconds = seconds.strip_suffix(" seconds").unwrap();
    assert!(seconds.parse::<u64>().is_ok(), "{seconds}");
    let answer = talk.say(Scene::Channel, "!help").await;
    assert_eq!(
        answer.text(),
        "Available commands: !ping, !uptime, !stats, !help"
    );
    let answer = talk.say(Scene::Channel, "!dance now").await;
    assert_eq!(
        answer.text(),
        "Unknown command: dance. Type !help for available commands."
    );
    let answer = talk.say(Scene::Channel, "  !stats").await;
    let (count, last) = answer.text().split_once(", Last active: ").unwrap();
    assert_eq!(count, "Messages sent: 5");
    assert_eq!(last.len(), "2026-11-21 18:10:00".len(), "{last}");
    for scene in [Scene::Direct, Scene::Group, Scene::C2c] {
        let answer = talk.say(scene, "!ping").await;
        assert_eq!((answer.scene, answer.text()), (scene, "Pong! 🏓"));
    }
    talk.end().await;
}
