//! The assistant, talked to on the emulator.

#![forbid(unsafe_code)]

#[expect(dead_code, reason = "its `main` is for people")]
#[path = "../assistant.rs"]
mod assistant;
#[cfg(test)]
#[path = "support/talk.rs"]
mod talk;

use qq_emulator::Scene;
use qqbot::prelude::Intents;

use crate::assistant::Assistant;
use crate::talk::Talk;

#[tokio::test]
async fn the_assistant_streams_where_it_can() {
    let mut talk = Talk::with(
        Assistant::new(),
        Intents::default()
            .with_group_and_c2c()
            .with_direct_message(),
    )
    .await;
    for scene in [Scene::C2c, Scene::Group, Scene::Channel, Scene::Direct] {
        let answer = talk.say(scene, "hello").await;
        assert!(
            answer.text().starts_with("You said: hello. That is 5"),
            "{answer:?}"
        );
        assert!(answer.text().ends_with("would give it."), "{answer:?}");
        let is_stream = answer.body["stream_msg_id"].is_string();
        assert_eq!(is_stream, scene == Scene::C2c, "{answer:?}");
    }
    talk.end().await;
}
