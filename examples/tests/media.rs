//! The picture bot, talked to on the emulator.

#![forbid(unsafe_code)]

#[expect(dead_code, reason = "its `main` is for people")]
#[path = "../media.rs"]
mod media;
#[cfg(test)]
#[path = "support/talk.rs"]
mod talk;

use qq_emulator::Scene;
use qqbot::prelude::Intents;

use crate::media::PictureBot;
use crate::talk::Talk;

#[tokio::test]
async fn pictures_come_back() {
    let mut talk = Talk::with(
        PictureBot,
        Intents::default()
            .with_group_and_c2c()
            .with_direct_message(),
    )
    .await;
    for scene in [Scene::C2c, Scene::Group, Scene::Channel, Scene::Direct] {
        let answer = talk.say(scene, "what now?").await;
        assert_eq!(answer.text(), "Send me a picture, or say !picture.");
        let answer = talk.say(scene, "!picture").await;
        assert_eq!(answer.text(), "A red dot", "{answer:?}");
        let picture = answer.body["media"].is_object() || answer.body["file_image"].is_object();
        assert!(picture, "{answer:?}");
    }
    let name = talk.emulator.world().users[0].name.clone();
    let picture = b"\x89PNG\r\n\x1a\nnot much of a picture".as_slice();
    let user = talk.emulator.user(&name).in_c2c();
    user.sends_image(picture).await;
    let answer = talk.answer().await;
    assert!(answer.text().starts_with("29 bytes of"), "{answer:?}");
    assert!(answer.body["media"].is_object(), "{answer:?}");
    talk.end().await;
}
