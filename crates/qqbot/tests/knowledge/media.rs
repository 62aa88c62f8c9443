//! Received media.

use std::sync::{Arc, Mutex};

use crate::support::{client, eventually, run};
use qq_emulator::Emulator;
use qqbot::client::DownloadMedia;
use qqbot::prelude::*;

/// Downloads every picture.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Vec<u8>>>>);

impl EventHandler for Collector {
    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        for attachment in &message.attachments {
            let file = attachment.download(&ctx).await.unwrap();
            self.0.lock().unwrap().push(file.bytes.to_vec());
        }
    }
}

#[tokio::test]
async fn a_picture_that_a_user_sends_can_be_downloaded() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = Collector::default();
    let running = run(client(&emulator, bot.clone())).await;
    let picture = b"\x89PNG\r\n\x1a\nnot much of a picture".to_vec();
    emulator
        .user("mia")
        .in_c2c()
        .sends_image(picture.clone())
        .await;
    eventually("the picture", || !bot.0.lock().unwrap().is_empty()).await;
    assert_eq!(bot.0.lock().unwrap()[0], picture);
    running.client.stop().await.unwrap();
    running.task.await.unwrap().unwrap();
}
