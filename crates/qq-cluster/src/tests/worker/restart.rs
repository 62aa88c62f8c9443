//! A server that starts again while events are handled.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_handled_while_the_server_starts_again_is_handled_once() {
    let Some(mut server) = NatsServer::start().await else {
        return;
    };
    let lease = LEASE * 30;
    let layout = layout_with(&server, lease).await;
    let world = Arc::new(World::default());
    // One is handled, and one waits for it. Both come again from the server.
    let pause = Duration::from_secs(3);
    let _worker = start_with(&layout, &world, pause, 5, 2, lease);
    publish(&layout, messages(1, 4)).await;
    let begun = Instant::now();
    while world.busy.lock().unwrap().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "nothing was begun");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.kill();
    server.resume().await;
    world.until(4, PATIENCE).await;
    world.assert_in_order();
    assert_eq!(world.count(), 4, "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_go_on_after_a_short_restart_of_the_server() {
    let Some(mut server) = NatsServer::start().await else {
        return;
    };
    // Long, so that nobody is taken for dead meanwhile.
    let lease = LEASE * 30;
    let layout = layout_with(&server, lease).await;
    let world = Arc::new(World::default());
    let worker = start_with(&layout, &world, Duration::ZERO, 5, 64, lease);
    publish(&layout, messages(20, 3)).await;
    world.until(60, PATIENCE).await;
    for round in 1..=2_u32 {
        server.kill();
        server.resume().await;
        let begun = Instant::now();
        let next = (3 * round + 1..=3 * round + 3)
            .flat_map(|number| (0..20).map(move |group| (group, number.to_string())));
        publish(&layout, next).await;
        let count = usize::try_from(60 * (round + 1)).unwrap();
        world.until(count, PATIENCE).await;
        println!("handled {:?} after the restart", begun.elapsed());
    }
    world.assert_in_order();
    assert_eq!(world.count(), 180, "each once");
    drop(worker);
}
