//! Events that nobody can handle.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_fails_is_tried_again_and_put_aside() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let world = Arc::new(World::default());
    let worker = start(&layout, &world, Duration::ZERO, 3);
    // The first of several streams among them: their numbers are the same.
    let messages = (1..=8).flat_map(|group| [(group, "poison"), (group, "1"), (group, "2")]);
    publish(
        &layout,
        messages.map(|(group, text)| (group, text.to_owned())),
    )
    .await;
    world.until(16, PATIENCE).await;
    world.assert_in_order();
    assert_eq!(worker.counters.dead.load(Ordering::Relaxed), 8);
    let dead = dead_letters(&layout).await;
    assert_eq!(dead, vec![("it panicked".to_owned(), "3".to_owned()); 8]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_ends_its_workers_is_found_and_put_aside() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let world = Arc::new(World::default());
    publish(
        &layout,
        [(1, "1"), (2, "1"), (1, "fatal"), (1, "2"), (2, "2")]
            .map(|(group, text)| (group, text.to_owned())),
    )
    .await;
    let limit = Instant::now() + PATIENCE;
    let mut deaths = 0;
    while world.distinct() < 4 {
        assert!(
            Instant::now() < limit,
            "{deaths} deaths, {} handled",
            world.distinct()
        );
        let mut worker = start(&layout, &world, Duration::ZERO, 3);
        tokio::select! {
            () = worker.fatal.cancelled() => deaths += 1,
            () = world.until(4, Duration::from_secs(60)) => {}
        }
        worker.process.tasks.shutdown().await;
    }
    world.assert_in_order();
    assert_eq!(deaths, 3);
    assert_eq!(
        dead_letters(&layout).await,
        [(
            "3 processes ended while they handled it".to_owned(),
            "3".to_owned()
        )]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_that_cannot_be_read_is_put_aside() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let world = Arc::new(World::default());
    let _worker = start(&layout, &world, Duration::ZERO, 3);
    // One after the other: what was put aside is remembered, and the next is not taken for it.
    for number in 1..=3 {
        let subject = layout.events.subject(1);
        let stored = layout.context.publish(subject, "no envelope".into()).await;
        stored.unwrap().await.unwrap();
        let begun = Instant::now();
        while layout.dead.get_info().await.unwrap().state.messages < number {
            assert!(
                begun.elapsed() < PATIENCE,
                "number {number} was not put aside"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        while !layout.events.waiting().await.unwrap().is_empty() {
            assert!(
                begun.elapsed() < PATIENCE,
                "number {number} was not acknowledged"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_not_blamed_for_what_another_did() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let world = Arc::new(World::default());
    // In every partition an event that takes a while, and in one of them an event that ends its worker before that.
    let groups: Vec<u32> = (0..20).collect();
    let fatal = (100, "fatal".to_owned());
    let slow = groups.iter().map(|group| (*group, "1".to_owned()));
    publish(&layout, std::iter::once(fatal).chain(slow)).await;
    let begun = Instant::now();
    let mut deaths = 0;
    while world.distinct() < groups.len() {
        assert!(begun.elapsed() < PATIENCE, "{deaths} deaths");
        let mut worker = start(&layout, &world, Duration::from_secs(1), 3);
        tokio::select! {
            () = worker.fatal.cancelled() => deaths += 1,
            () = world.until(groups.len(), PATIENCE) => {}
        }
        worker.process.tasks.shutdown().await;
    }
    let dead = dead_letters(&layout).await;
    assert_eq!(dead.len(), 1, "after {deaths} deaths: {dead:?}");
}

async fn dead_letters(layout: &Layout) -> Vec<(String, String)> {
    let consumer = layout
        .dead
        .create_consumer(Config::default())
        .await
        .unwrap();
    let mut messages = consumer.fetch().max_messages(10).messages().await.unwrap();
    let mut letters = Vec::new();
    while let Some(Ok(message)) = messages.next().await {
        let headers = message.headers.as_ref().unwrap();
        letters.push((
            headers.get("Reason").unwrap().to_string(),
            headers.get("Attempts").unwrap().to_string(),
        ));
    }
    letters
}
