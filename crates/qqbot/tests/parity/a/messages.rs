//! A16 to A18 and A22: what is read and what is sent.

use qq_emulator::{Fault, RequestEntry, Say, Scene};
use qqbot::http::Upload;
use qqbot::model::message::{MessageArk, MessageEmbed, MessageReference};
use qqbot::model::outgoing::{Button, Keyboard};
use qqbot::prelude::*;
use serde_json::{Value, json};

use crate::support::{
    Echo, Notes, SCENES, TRANSPORTS, answer_to, assert_no_violations, client, emulator, eventually,
    run, stop,
};

/// Not much of a picture, but known as one.
pub(crate) const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\nnot much of a picture";

#[tokio::test]
async fn a16_reply_in_every_scene() {
    /// Answers in both ways.
    struct Twice;
    macro_rules! twice {
        ($ctx:ident, $message:ident) => {{
            $message.reply(&$ctx, "by the message").await.unwrap();
            $ctx.reply("by the context").await.unwrap();
        }};
    }
    impl EventHandler for Twice {
        async fn message_create(&self, ctx: Context, message: Message) {
            twice!(ctx, message);
        }
        async fn direct_message_create(&self, ctx: Context, message: DirectMessage) {
            twice!(ctx, message);
        }
        async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
            twice!(ctx, message);
        }
        async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
            twice!(ctx, message);
        }
    }
    use qqbot::client::Reply;
    for transport in TRANSPORTS {
        for scene in SCENES {
            let emulator = emulator().await;
            let running = transport.run(&emulator, Twice).await;
            let said = emulator.say(Say::new(scene, "hello")).await;
            eventually("two answers", || emulator.outbox().len() == 2).await;
            let route = match scene {
                Scene::Group => "send_group_message",
                Scene::C2c => "send_c2c_message",
                Scene::Channel => "send_channel_message",
                _ => "send_dms_message",
            };
            let is_send = |request: &&RequestEntry| request.route.as_deref() == Some(route);
            assert_eq!(emulator.requests().iter().filter(is_send).count(), 2);
            let texts = ["by the message", "by the context"];
            for (n, entry) in emulator.outbox().into_iter().enumerate() {
                assert_eq!(entry.text(), texts[n]);
                assert_eq!(entry.conversation, said.conversation);
                assert_eq!(entry.reply_to.as_ref(), Some(&said.message_id));
                if matches!(scene, Scene::Group | Scene::C2c) {
                    assert_eq!(entry.body["msg_seq"], json!(n + 1));
                }
            }
            assert_no_violations(&emulator);
            stop(&emulator, running).await;
        }
    }
}

#[tokio::test]
async fn a17_message_helpers() {
    #[derive(Clone, Default)]
    struct Reader(Notes);
    macro_rules! read {
        ($self:ident, $message:ident, $author:expr) => {
            $self.0.add(format!(
                "{} | {} | {} | {}",
                $message.text(),
                $message.content,
                $author,
                $message.is_from_bot()
            ))
        };
    }
    impl EventHandler for Reader {
        async fn message_create(&self, _ctx: Context, message: Message) {
            read!(self, message, message.author.id);
        }
        async fn direct_message_create(&self, _ctx: Context, message: DirectMessage) {
            read!(self, message, message.author.id);
        }
        async fn group_message_create(&self, _ctx: Context, message: GroupMessage) {
            read!(self, message, ChatMessage::author_id(&message));
        }
        async fn c2c_message_create(&self, _ctx: Context, message: C2CMessage) {
            read!(self, message, ChatMessage::author_id(&message));
        }
    }
    for transport in TRANSPORTS {
        let emulator = emulator().await;
        let bot = Reader::default();
        let running = transport.run(&emulator, bot.clone()).await;
        let names = [
            ("AT_MESSAGE_CREATE", "7"),
            ("DIRECT_MESSAGE_CREATE", "7"),
            ("GROUP_AT_MESSAGE_CREATE", "M"),
            ("C2C_MESSAGE_CREATE", "U"),
        ];
        for (name, author) in names {
            for is_bot in [false, true] {
                let text = format!("{name} {is_bot}");
                let content = format!(" {text} ");
                let event = json!({
                    "id": text, "content": content, "guild_id": "1", "channel_id": "2", "group_openid": "G",
                    "timestamp": "2026-05-23T10:00:00+08:00",
                    "author": {"id": "7", "member_openid": "M", "user_openid": "U", "bot": is_bot},
                });
                emulator.push_event(name, event).await;
                let note = format!("{text} | {content} | {author} | {is_bot}");
                bot.0.wait_for(&note).await;
            }
        }
        assert_eq!(bot.0.all().len(), 8);
        stop(&emulator, running).await;
    }
}

#[tokio::test]
async fn a18_bodies() {
    let emulator = emulator().await;
    let running = run(client(&emulator, Echo::default())).await;
    let world = emulator.world();
    let api = running.client.api();
    let channel = &*world.guilds[0].channels[0].id;
    let group = &*world.groups[0].id;
    let seen = |n: usize, path: &str, wanted: Value| {
        let outbox = emulator.outbox();
        assert_eq!(outbox.len(), n);
        assert_eq!(outbox[n - 1].body.pointer(path), Some(&wanted), "{path}");
    };
    let first = api
        .channel(channel)
        .send(MessageBody::text("text"))
        .await
        .unwrap();
    seen(1, "/content", json!("text"));
    let keyboard = Keyboard::rows([[Button::callback("Yes", "yes")]]);
    let markdown = MessageBody::markdown(MessageMarkdown::native("# Title")).keyboard(keyboard);
    api.group(group).send(markdown).await.unwrap();
    seen(2, "/markdown/content", json!("# Title"));
    seen(
        2,
        "/keyboard/content/rows/0/buttons/0/action/data",
        json!("yes"),
    );
    let ark = MessageArk::new(23).value("#DESC#", "about");
    api.channel(channel)
        .send(MessageBody::ark(ark))
        .await
        .unwrap();
    seen(3, "/ark/template_id", json!(23));
    let embed = MessageEmbed::new("card").field("line");
    api.channel(channel)
        .send(MessageBody::embed(embed))
        .await
        .unwrap();
    seen(4, "/embed/title", json!("card"));
    let file = api
        .group(group)
        .upload(Upload::bytes(PICTURE))
        .await
        .unwrap();
    let info = file.media().file_info;
    api.group(group).send(&file).await.unwrap();
    seen(5, "/media/file_info", json!(info));
    let quoting =
        MessageBody::text("so?").reference(MessageReference::new(first.id().unwrap().to_string()));
    api.channel(channel).send(quoting).await.unwrap();
    seen(6, "/message_reference/message_id", json!(first.id()));
    assert_no_violations(&emulator);
    stop(&emulator, running).await;
}

#[tokio::test]
async fn a22_retries_cannot_double() {
    for transport in TRANSPORTS {
        for (scene, route) in [
            (Scene::Group, "send_group_message"),
            (Scene::Channel, "send_channel_message"),
        ] {
            let emulator = emulator().await;
            let bot = Echo::default();
            let running = transport.run(&emulator, bot.clone()).await;
            let attempts = || {
                let is_send = |request: &&RequestEntry| request.route.as_deref() == Some(route);
                emulator.requests().iter().filter(is_send).count()
            };
            // The platform takes the message, and its answer is lost.
            let lost = Fault::route(route).nth(1).lose_reply();
            emulator.fault(lost).unwrap();
            emulator.say(Say::new(scene, "lost")).await;
            if scene == Scene::Group {
                // The number makes the platform refuse the repeat, so there is one, and it shows once.
                eventually("the repeat", || attempts() == 2).await;
            } else {
                // Nothing tells repeats apart there, so there is none, and the bot is told.
                eventually("the doubt is reported", || {
                    let errors = bot.errors.lock().unwrap();
                    errors.iter().any(|error| error.contains("OutcomeUnknown"))
                })
                .await;
            }
            answer_to(&emulator, "lost").await;

            // It says that it did nothing: in a group it is asked again.
            if scene == Scene::Group {
                let refused = Fault::route(route).nth(1).status(503);
                emulator.clear_faults();
                emulator.fault(refused).unwrap();
                emulator.say(Say::new(scene, "refused")).await;
                answer_to(&emulator, "refused").await;
                assert_eq!(attempts(), 4);
                assert!(bot.errors.lock().unwrap().is_empty());
            }
            stop(&emulator, running).await;
            let expected = if scene == Scene::Group {
                (4, 2)
            } else {
                (1, 1)
            };
            assert_eq!(
                (attempts(), emulator.outbox().len()),
                expected,
                "{transport:?} {scene:?}"
            );
        }
    }
}
