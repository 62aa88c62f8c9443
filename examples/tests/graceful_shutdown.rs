//! A bot that is stopped while it works, and started again.

#![forbid(unsafe_code)]

#[path = "../graceful_shutdown.rs"]
#[expect(dead_code, reason = "its main")]
mod graceful_shutdown;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use graceful_shutdown::{Slow, run, with_state};
use qq_emulator::Emulator;
use qqbot::prelude::*;
use tokio::task::JoinHandle;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
type Running = (
    Arc<Client<Slow>>,
    JoinHandle<std::result::Result<(), BotError>>,
);

async fn start(emulator: &Emulator, folder: &Path) -> Result<Running> {
    let token = Token::new(emulator.app_id(), emulator.secret());
    let builder = Client::builder(token, Intents::default().with_group_and_c2c())
        .environment(Environment::custom(emulator.base_url())?);
    let work = Duration::from_millis(300);
    let client = Arc::new(
        with_state(builder, folder)?
            .handler(Slow { work })
            .build()?,
    );
    let running = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.start().await }
    });
    emulator.connected().await?;
    Ok((client, running))
}

#[tokio::test]
async fn what_was_begun_is_finished_and_the_next_start_goes_on() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("graceful-shutdown-{}", std::process::id()));
    let emulator = Emulator::builder().start().await?;
    let mia = emulator.user("mia").in_c2c();
    let (client, running) = start(&emulator, &folder).await?;
    mia.says("before").await;
    // The callback runs when the bot is told to stop.
    while client.stats().events == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let report = client.stop().await?;
    assert_eq!(report.unfinished, 0);
    running.await??;
    drop(client);
    assert_eq!(emulator.next_reply().await?.text(), "Done: before");

    mia.says("meanwhile").await;
    let (client, running) = start(&emulator, &folder).await?;
    assert_eq!(emulator.next_reply().await?.text(), "Done: meanwhile");
    mia.says("after").await;
    assert_eq!(emulator.next_reply().await?.text(), "Done: after");
    client.stop().await?;
    running.await??;
    assert_eq!(
        emulator.sessions().len(),
        1,
        "the second start went on with the session"
    );
    assert_eq!(emulator.outbox().len(), 3, "nothing was answered twice");
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

#[tokio::test]
async fn a_bot_that_cannot_start_ends_without_being_told_to() -> Result<()> {
    let emulator = Emulator::builder().start().await?;
    let token = Token::new(emulator.app_id(), "wrong");
    let client = Client::builder(token, Intents::default())
        .environment(Environment::custom(emulator.base_url())?)
        .handler(Slow {
            work: Duration::ZERO,
        })
        .build()?;
    let ended = tokio::time::timeout(Duration::from_secs(30), run(client)).await?;
    let error = ended.err().ok_or("it ran")?;
    let error = error.downcast::<BotError>()?;
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert!(error.to_string().contains("100016"), "{error}");
    Ok(())
}
