//! Collectors over events that are put in by hand, on virtual time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use qq_cache::Changes;
use qq_model::message::{ChatUserId, Conversation};
use qq_model::{Dispatch, Event, Intents, Token};
use tokio::time::{Instant, timeout};

use super::EndReason;
use crate::context::Origin;
use crate::dispatch::{Delivery, Held};
use crate::knowledge::Observed;
use crate::{Client, ClientHandle, Context};

const SECOND: Duration = Duration::from_secs(1);

fn client() -> ClientHandle {
    let token = Token::new("102000000", "secret");
    let client = Client::builder(token, Intents::default()).build().unwrap();
    client.handle()
}

fn delivery(event: Event) -> Delivery {
    let mut delivery = Delivery::new(Dispatch::new(event), Instant::now());
    delivery.event = Held::Shared(delivery.event.into_shared());
    delivery
}

fn arrive(client: &ClientHandle, name: &str, data: &str) -> Observed {
    let mut delivery = delivery(Event::decode(name, data));
    let shared = client.shared();
    shared.knowledge.observe(shared, &mut delivery).1
}

/// The context of a message of `author` in `group`.
fn context(client: &ClientHandle, group: &str, author: &str) -> Context {
    let event = Event::decode("GROUP_MESSAGE_CREATE", &message(group, author, "context"));
    let origin = Origin::new(client.shared(), &mut delivery(event), Changes::default());
    Context::new(client.shared(), Arc::new(origin))
}

fn message(group: &str, author: &str, text: &str) -> String {
    format!(
        r#"{{"id":"{group}/{author}/{text}","group_openid":"{group}","author":{{"member_openid":"{author}"}},"content":"{text}"}}"#
    )
}

fn say(client: &ClientHandle, group: &str, author: &str, text: &str) -> Observed {
    arrive(
        client,
        "GROUP_MESSAGE_CREATE",
        &message(group, author, text),
    )
}

#[tokio::test(start_paused = true)]
async fn the_next_message_is_of_the_same_user_in_the_same_chat() {
    let client = client();
    let next = context(&client, "G", "A").next_message().start();
    say(&client, "G", "B", "other user");
    say(&client, "H", "A", "other chat");
    assert_eq!(say(&client, "G", "A", "this"), Observed::Pass);
    let message = next.await.unwrap();
    assert_eq!(message.text(), "this");
    assert!(message.as_group().is_some() && message.as_c2c().is_none());
    assert_eq!(
        message.context().conversation(),
        Some(&Conversation::Group("G".into()))
    );
    assert_eq!(client.active_collectors(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_awaited_builder_collects_one_and_ends_in_time() {
    let client = client();
    let ctx = context(&client, "G", "A");
    let began = Instant::now();
    let reason = ctx.next_message().time(SECOND).await.unwrap_err();
    assert_eq!((reason, began.elapsed()), (EndReason::Time, SECOND));
    let asked = tokio::spawn(async move { ctx.next_message().time(SECOND).await });
    tokio::task::yield_now().await;
    say(&client, "G", "A", "yes");
    assert_eq!(asked.await.unwrap().unwrap().text(), "yes");
    assert_eq!(client.active_collectors(), 0, "nothing stays");
}

#[tokio::test(start_paused = true)]
async fn filter_max_and_max_processed_end_it() {
    let client = client();
    let ctx = context(&client, "G", "A");
    let numbers = || {
        ctx.collect_messages()
            .filter(|message| message.text().parse::<u32>().is_ok())
    };
    let (by_max, by_processed) = (numbers().max(2).start(), numbers().max_processed(4).start());
    for text in ["1", "x", "2", "y", "3"] {
        say(&client, "G", "B", text);
    }
    let collection = by_max.collect().await;
    assert_eq!(collection.end, EndReason::Limit);
    let texts: Vec<_> = collection.items.iter().map(|item| item.text()).collect();
    assert_eq!(texts, ["1", "2"]);
    let handle = by_processed.handle();
    let collection = by_processed.collect().await;
    assert_eq!(
        (collection.end, collection.items.len()),
        (EndReason::ProcessedLimit, 2)
    );
    assert_eq!((handle.processed(), handle.collected()), (4, 2));
}

#[tokio::test(start_paused = true)]
async fn idle_time_begins_anew_with_every_item_and_reset() {
    let client = client();
    let ctx = context(&client, "G", "A");
    let began = Instant::now();
    let collector = ctx.collect_messages().idle(10 * SECOND).start();
    let handle = collector.handle();
    let collecting = tokio::spawn(collector.collect());
    tokio::time::sleep(8 * SECOND).await;
    say(&client, "G", "A", "awake");
    tokio::time::sleep(8 * SECOND).await;
    handle.reset();
    let collection = collecting.await.unwrap();
    assert_eq!(
        (collection.end, collection.items.len()),
        (EndReason::Idle, 1)
    );
    assert_eq!(began.elapsed(), 26 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn time_ends_a_collector_that_nobody_looks_at() {
    let client = client();
    let ctx = context(&client, "G", "A");
    let collector = ctx
        .collect_messages()
        .time(SECOND)
        .keep_from_handlers()
        .start();
    assert_eq!(say(&client, "G", "A", "in time"), Observed::Taken);
    tokio::time::advance(2 * SECOND).await;
    assert_eq!(say(&client, "G", "A", "late"), Observed::Pass, "not kept");
    let collection = collector.collect().await;
    assert_eq!(
        (collection.end, collection.items.len()),
        (EndReason::Time, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn until_and_stop_end_it() {
    let client = client();
    let ctx = context(&client, "G", "A");
    let (done, is_done) = tokio::sync::oneshot::channel::<()>();
    let until = async move { drop(is_done.await) };
    let collecting = tokio::spawn(ctx.collect_messages().until(until).collect());
    tokio::task::yield_now().await;
    say(&client, "G", "A", "1");
    done.send(()).unwrap();
    let collection = collecting.await.unwrap();
    assert_eq!(
        (collection.end, collection.items.len()),
        (EndReason::Until, 1)
    );
    let collector = ctx.collect_messages().start();
    let handle = collector.handle();
    let collecting = tokio::spawn(collector.collect());
    tokio::task::yield_now().await;
    handle.stop();
    assert_eq!(collecting.await.unwrap().end, EndReason::Stopped);
    assert_eq!(client.active_collectors(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_gives_what_came_and_ends() {
    let client = client();
    let ctx = context(&client, "G", "A");
    let mut stream = ctx.collect_messages().max(3).start();
    for text in ["1", "2", "3", "4"] {
        say(&client, "G", "A", text);
    }
    let mut texts = Vec::new();
    while let Some(message) = StreamExt::next(&mut stream).await {
        texts.push(message.text().into_owned());
    }
    assert_eq!(texts, ["1", "2", "3"]);
    assert_eq!(stream.end_reason(), Some(EndReason::Limit));
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_from_handlers_is_what_was_collected() {
    let client = client();
    let ctx = context(&client, "G", "A");
    let collector = ctx
        .next_message()
        .filter(|message| message.text() != "!help")
        .keep_from_handlers()
        .max(1)
        .start();
    assert_eq!(say(&client, "G", "A", "!help"), Observed::Pass);
    assert_eq!(say(&client, "G", "B", "another"), Observed::Pass);
    assert_eq!(say(&client, "G", "A", "answer"), Observed::Taken);
    assert_eq!(say(&client, "G", "A", "more"), Observed::Pass, "it is full");
    drop(collector);
    let dropped = ctx.next_message().keep_from_handlers().start();
    drop(dropped);
    assert_eq!(say(&client, "G", "A", "after"), Observed::Pass);
}

#[tokio::test(start_paused = true)]
async fn a_full_buffer_ends_it_and_loses_nothing_collected() {
    let client = client();
    let ctx = context(&client, "G", "A");
    let collector = ctx
        .collect_messages()
        .buffer(2)
        .keep_from_handlers()
        .start();
    assert_eq!(say(&client, "G", "A", "1"), Observed::Taken);
    assert_eq!(say(&client, "G", "A", "2"), Observed::Taken);
    assert_eq!(
        say(&client, "G", "A", "3"),
        Observed::Pass,
        "for the handlers"
    );
    let collection = collector.collect().await;
    assert_eq!(
        (collection.end, collection.items.len()),
        (EndReason::Lagged, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_panics_ends_only_its_collector() {
    let client = client();
    let ctx = context(&client, "G", "A");
    let broken = ctx.collect_messages().filter(|_| panic!("filter")).start();
    let whole = ctx.collect_messages().max(1).start();
    say(&client, "G", "A", "1");
    assert_eq!(broken.await.unwrap_err(), EndReason::FilterPanicked);
    assert_eq!(whole.await.unwrap().text(), "1");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_chat_ends_its_collectors() {
    let client = client();
    let group = context(&client, "G", "A");
    let (group, elsewhere) = (
        group.collect_messages().start(),
        group.collect_messages().anywhere().start(),
    );
    let in_channel = |id: &str| {
        client
            .create_message_collector()
            .conversation(Conversation::Channel(id.into()))
            .start()
    };
    let (channel, of_guild) = (in_channel("7"), in_channel("8"));
    let friend = client
        .create_message_collector()
        .conversation(Conversation::C2C("U".into()))
        .start();
    arrive(&client, "CHANNEL_CREATE", r#"{"id":"8","guild_id":"1"}"#);
    arrive(&client, "GROUP_DEL_ROBOT", r#"{"group_openid":"G"}"#);
    arrive(&client, "CHANNEL_DELETE", r#"{"id":"7","guild_id":"1"}"#);
    arrive(&client, "GUILD_DELETE", r#"{"id":"1"}"#);
    arrive(&client, "FRIEND_DEL", r#"{"openid":"U"}"#);
    for gone in [group, channel, of_guild, friend] {
        assert_eq!(gone.await.unwrap_err(), EndReason::ConversationGone);
    }
    assert_eq!(elsewhere.end_reason(), None);
    assert_eq!(client.active_collectors(), 1);
}

#[tokio::test(start_paused = true)]
async fn reactions_are_collected_by_message() {
    let client = client();
    let reaction = |name: &str, user: &str, message: &str| {
        let data = format!(
            r#"{{"user_id":"{user}","guild_id":"1","channel_id":"7","target":{{"id":"{message}","type":0}},"emoji":{{"id":"4","type":1}}}}"#
        );
        arrive(&client, name, &data)
    };
    let added = client.create_reaction_collector().message("m").start();
    let all = client
        .create_reaction_collector()
        .message("m")
        .with_removals()
        .author(ChatUserId::User("1".into()))
        .start();
    reaction("MESSAGE_REACTION_ADD", "1", "m");
    reaction("MESSAGE_REACTION_ADD", "1", "n");
    reaction("MESSAGE_REACTION_REMOVE", "1", "m");
    reaction("MESSAGE_REACTION_ADD", "2", "m");
    arrive(
        &client,
        "MESSAGE_DELETE",
        r#"{"message":{"id":"m","channel_id":"7"}}"#,
    );
    let collected = added.collect().await;
    assert_eq!(collected.end, EndReason::MessageDeleted);
    let users: Vec<_> = collected
        .items
        .iter()
        .map(|reaction| reaction.user_id.to_string())
        .collect();
    assert_eq!(users, ["1", "2"]);
    let removals: Vec<_> = all
        .collect()
        .await
        .items
        .iter()
        .map(super::CollectedReaction::is_removal)
        .collect();
    assert_eq!(removals, [false, true]);
}

#[tokio::test(start_paused = true)]
async fn buttons_are_collected_in_their_chat() {
    let client = client();
    let presses = context(&client, "G", "A").collect_buttons().max(1).start();
    let press = |group: &str, kind: u8| {
        let data = format!(
            r#"{{"id":"i","type":{kind},"group_openid":"{group}","group_member_openid":"B","data":{{"resolved":{{"button_data":"yes"}}}}}}"#
        );
        arrive(&client, "INTERACTION_CREATE", &data)
    };
    press("H", 11);
    press("G", 13);
    press("G", 11);
    let press = presses.await.unwrap();
    assert_eq!(press.data(), "yes");
    assert_eq!(press.author(), Some(ChatUserId::Member("B".into())));
}

#[tokio::test(start_paused = true)]
async fn a_stop_of_the_client_ends_all_and_a_start_begins_anew() {
    let client = client();
    let ctx = context(&client, "G", "A");
    let waiting = ctx.next_message().start();
    let knowledge = &client.shared().knowledge;
    knowledge.close();
    assert_eq!(waiting.await.unwrap_err(), EndReason::Shutdown);
    assert_eq!(ctx.next_message().await.unwrap_err(), EndReason::Shutdown);
    knowledge.open();
    let again = ctx.next_message().start();
    say(&client, "G", "A", "again");
    assert_eq!(again.await.unwrap().text(), "again");
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_dropped_collector_stays() {
    let client = client();
    let ctx = context(&client, "G", "A");
    let held = Arc::new(());
    let (in_filter, in_until) = (Arc::clone(&held), Arc::clone(&held));
    let mut collector = ctx
        .collect_messages()
        .filter(move |_| Arc::strong_count(&in_filter) > 0)
        .until(async move {
            let _held = in_until;
            std::future::pending::<()>().await;
        })
        .start();
    say(&client, "G", "A", "1");
    assert!(collector.next().await.is_some());
    assert!(timeout(SECOND, collector.next()).await.is_err());
    assert_eq!(Arc::strong_count(&held), 3);
    drop(collector);
    assert_eq!(Arc::strong_count(&held), 1);
    assert_eq!(client.active_collectors(), 0);
    let before = Arc::strong_count(client.shared());
    for n in 0..1000 {
        let collector = ctx.next_message().start();
        if n % 2 == 0 {
            say(&client, "G", "A", "x");
        }
        drop(collector);
    }
    assert_eq!(client.active_collectors(), 0);
    assert_eq!(Arc::strong_count(client.shared()), before);
}

#[tokio::test(start_paused = true)]
async fn what_an_event_changed_is_told_to_the_callback() {
    let client = client();
    arrive(
        &client,
        "CHANNEL_CREATE",
        r#"{"id":"7","guild_id":"1","name":"before"}"#,
    );
    let event = Event::decode(
        "CHANNEL_UPDATE",
        r#"{"id":"7","guild_id":"1","name":"after"}"#,
    );
    let mut delivery = delivery(event);
    let shared = client.shared();
    let (origin, _) = shared.knowledge.observe(shared, &mut delivery);
    let ctx = Context::new(shared, origin);
    let changes: Vec<_> = ctx.changes().iter().collect();
    let [qq_cache::Change::Channel(change)] = &changes[..] else {
        panic!("{changes:?}");
    };
    assert_eq!(&*change.old().unwrap().name, "before");
    assert_eq!(&*ctx.cache().channel(&"7".into()).unwrap().name, "after");
}

#[tokio::test(start_paused = true)]
async fn an_end_by_two_causes_is_one_end() {
    let client = client();
    let ctx = context(&client, "G", "A");
    let mut collector = ctx.collect_messages().time(SECOND).max(1).start();
    let handle = collector.handle();
    say(&client, "G", "A", "1");
    handle.stop();
    tokio::time::advance(2 * SECOND).await;
    assert_eq!(collector.end_reason(), Some(EndReason::Limit));
    assert_eq!(collector.next().await.unwrap().raw_content(), "1");
    assert!(collector.next().await.is_none());
}

/// The quickest of some rounds of events for nobody and for one.
fn quickest_round(client: &ClientHandle) -> Duration {
    let data = message("nobody", "waits", "here");
    let event = Arc::new(Event::decode("GROUP_MESSAGE_CREATE", &data));
    let ctx = context(client, "nobody", "waits");
    let collectors = &client.shared().knowledge.collectors;
    let round = || {
        let began = std::time::Instant::now();
        for _ in 0..200 {
            assert!(!collectors.offer(&event, || ctx.clone()));
        }
        began.elapsed()
    };
    (0..20).map(|_| round()).min().unwrap()
}

#[tokio::test]
async fn an_event_costs_the_same_however_many_collectors_there_are() {
    let start = |client: &ClientHandle, chats: u32| -> Vec<_> {
        let collector = |n: u32| {
            let ctx = context(client, &format!("group {n}"), &format!("member {n}"));
            ctx.next_message().keep_from_handlers().start()
        };
        (0..chats).map(collector).collect()
    };
    let few = client();
    let _few = start(&few, 100);
    let many = client();
    let held = start(&many, 100_000);
    let (few, with_many) = (quickest_round(&few), quickest_round(&many));
    // A cost in proportion to their number would be a thousand times as much.
    assert!(
        with_many < few * 20,
        "{few:?} with 100, {with_many:?} with 100,000"
    );
    drop(held);
    assert_eq!(many.active_collectors(), 0);
}
