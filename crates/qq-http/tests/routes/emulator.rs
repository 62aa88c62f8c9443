//! The calls against the emulator, over real sockets: it judges them by its own copy of the platform's tables.

use std::time::Duration;

use qq_emulator::{Emulator, Said, Say};
use qq_http::{ErrorKind, HttpClient};
use qq_model::announce::CreateAnnounce;
use qq_model::audio::AudioControl;
use qq_model::channel::{ChannelType, CreateChannel, ModifyChannel};
use qq_model::forum::{PutThread, ThreadFormat};
use qq_model::group::{ApproveJoinRequest, ListOp, ModifyBlacklist};
use qq_model::menu::MenuItem;
use qq_model::mute::Mute;
use qq_model::panel::{CreatePanel, Panel, PanelItem, PanelScope, UpdatePanelTarget};
use qq_model::permission::{ModifyChannelPermissions, Permissions};
use qq_model::reaction::Emoji;
use qq_model::role::{CreateRole, ModifyRole};
use qq_model::schedule::Schedule;
use qq_model::share_link::GenerateUrlLink;
use qq_model::{Environment, Timestamp, Token};

use crate::calls::CALLS;

async fn start() -> (Emulator, HttpClient) {
    let emulator = Emulator::builder().start().await.unwrap();
    let http = HttpClient::builder(Token::new(emulator.app_id(), emulator.secret()))
        .environment(Environment::custom(emulator.base_url()).unwrap())
        .build()
        .unwrap();
    (emulator, http)
}

fn in_an_hour(more: u64) -> Timestamp {
    (std::time::SystemTime::now() + Duration::from_secs(3600 + more)).into()
}

/// The ids of the calls are nobody's, so most are refused: but each for what it names, never for how it is made.
#[tokio::test]
async fn the_emulator_knows_every_call() {
    let (emulator, http) = start().await;
    for form in CALLS {
        if let Err(error) = (form.make)(http.clone()).await {
            assert_eq!(error.kind(), ErrorKind::Api, "{}: {error}", form.route);
        }
    }
    assert!(emulator.requests().len() > CALLS.len());
    for violation in emulator.violations() {
        let is_about_form = [
            "rest.path",
            "rest.method",
            "rest.query",
            "rest.auth",
            "rest.body",
        ]
        .iter()
        .any(|code| violation.code.starts_with(code));
        assert!(!is_about_form, "{violation:?}");
    }
}

#[tokio::test]
async fn a_guild_is_read_and_changed() {
    let (emulator, http) = start().await;
    let world = emulator.world();
    let (harbour, user) = (&world.guilds[0], &world.users[2]);
    let guild = http.guild(&harbour.id);
    assert_eq!(guild.get().await.unwrap().name, harbour.name.clone().into());
    let guilds: Vec<_> = http.guilds().await.unwrap();
    assert_eq!(guilds.len(), 2);

    let mut members = guild.members().limit(1).items();
    let mut count = 0;
    while let Some(member) = members.next().await {
        member.unwrap();
        count += 1;
    }
    assert_eq!(count, harbour.members.len());
    let member = guild.member(&user.id);
    assert_eq!(
        member.get().await.unwrap().user.unwrap().id,
        *user.id.as_str()
    );

    let cook = CreateRole::default().name("cook");
    let role = guild.create_role(&cook).await.unwrap().role_id;
    let renamed = ModifyRole::default().name("chef").hoist(true);
    let changed = guild.role(&role).modify(&renamed).await.unwrap();
    assert_eq!(&*changed.role.name, "chef");
    member.add_role(&role).await.unwrap();
    let holders = guild.role(&role).members().limit(10).await.unwrap();
    assert_eq!(holders.data.len(), 1);
    member.remove_role(&role).await.unwrap();
    guild.role(&role).delete().await.unwrap();
    let roles = guild.roles().await.unwrap().roles;
    assert!(roles.iter().all(|one| one.id != role));

    let channel = guild.create_channel(&CreateChannel::new("tea", ChannelType::Text));
    let channel = http.channel(channel.await.unwrap().id);
    let renamed = ModifyChannel::default().name("coffee");
    assert_eq!(&*channel.modify(&renamed).await.unwrap().name, "coffee");
    let grant = ModifyChannelPermissions::default().grant(Permissions::SPEAK);
    channel
        .member(&user.id)
        .modify_permissions(&grant)
        .await
        .unwrap();
    let permissions = channel.member(&user.id).permissions().await.unwrap();
    assert!(permissions.permissions.contains(Permissions::SPEAK));
    channel.delete().await.unwrap();
    assert_eq!(channel.get().await.unwrap_err().kind(), ErrorKind::Api);

    let minute = Mute::lasting(Duration::from_secs(60));
    member.mute(&minute).await.unwrap();
    let muted = guild
        .mute_members(&minute.members([&*user.id]))
        .await
        .unwrap();
    assert_eq!(muted.user_ids.len(), 1);
    guild.mute(&Mute::lift()).await.unwrap();
    assert!(!guild.api_permissions().await.unwrap().is_empty());
    guild.message_setting().await.unwrap();
}

#[tokio::test]
async fn a_channel_is_read_and_changed() {
    let (emulator, http) = start().await;
    let world = emulator.world();
    let channels = &world.guilds[0].channels;
    let of_name = |name: &str| {
        let channel = channels.iter().find(|channel| channel.name == name);
        http.channel(&channel.unwrap().id)
    };
    let Said {
        message_id: id,
        conversation,
        ..
    } = emulator.say(Say::channel("hello")).await;
    let channel = http.channel(&conversation);
    let message = channel.message(&id);
    assert!(message.get().await.unwrap().content.ends_with("hello"));
    let sent = channel.clone().send("hi").reply_to(&id).await.unwrap();

    message.react(&Emoji::system(4)).await.unwrap();
    let users = message.reactions(&Emoji::system(4)).await.unwrap().users;
    assert_eq!(users.len(), 1);
    message.unreact(&Emoji::system(4)).await.unwrap();

    let pins = channel.pins();
    assert_eq!(pins.add(&id).await.unwrap().message_ids.len(), 1);
    pins.delete(&id).await.unwrap();
    assert!(pins.get().await.unwrap().message_ids.is_empty());
    let announces = http.guild(&world.guilds[0].id).announces();
    announces
        .create(&CreateAnnounce::message(&conversation, &id))
        .await
        .unwrap();
    announces.clear().await.unwrap();
    let sent = channel.message(sent.id().unwrap());
    sent.recall().hidetip(true).await.unwrap();

    let calendar = of_name("calendar");
    let tea = Schedule::new("tea", &in_an_hour(0), &in_an_hour(60));
    let id = calendar
        .schedules()
        .create(tea.clone())
        .await
        .unwrap()
        .id
        .unwrap();
    let listed = calendar
        .schedules()
        .list()
        .since(&in_an_hour(0))
        .await
        .unwrap();
    assert_eq!(listed.len(), 1);
    let changed = calendar
        .schedule(&id)
        .modify(tea.description("green"))
        .await
        .unwrap();
    assert_eq!(changed.description.as_deref(), Some("green"));
    calendar.schedule(&id).delete().await.unwrap();

    let forum = of_name("forum");
    let thread = PutThread::new("tea", "green", ThreadFormat::Text);
    forum.threads().create(&thread).await.unwrap();
    let threads = forum.threads().get().await.unwrap().threads;
    let thread = forum.thread(&threads[0].thread_info.thread_id);
    assert_eq!(
        thread.get().await.unwrap().thread_info.title.plain_text(),
        "tea"
    );
    thread.delete().await.unwrap();

    let voice = of_name("voice");
    voice.mic_on().await.unwrap();
    let song = AudioControl::start("https://x.example/a.mp3", "song");
    voice.audio(&song).await.unwrap();
    voice.online_nums().await.unwrap();
    voice.mic_off().await.unwrap();
}

#[tokio::test]
async fn a_group_and_the_bots_own_things_are_read_and_changed() {
    let (emulator, http) = start().await;
    let world = emulator.world();
    let (tea_house, user) = (&world.groups[0], &world.users[2]);
    let group = http.group(&tea_house.id);
    assert_eq!(&*group.info().await.unwrap().group_name, "tea house");
    group.bot_state().await.unwrap();
    // The bot may be a member of its own list.
    assert!(group.members().items().next().await.unwrap().is_ok());
    let member = group.member(&user.openid);
    assert_eq!(
        member.get().await.unwrap().member_openid,
        *user.openid.as_str()
    );
    member.mute(in_an_hour(0)).await.unwrap();
    assert_eq!(group.mutes().await.unwrap().members.len(), 1);
    member.unmute().await.unwrap();

    let request = group.join_requests().items().next().await.unwrap().unwrap();
    let applicant = group.member(&request.member_openid);
    applicant
        .answer_join_request(&ApproveJoinRequest::ban(None))
        .await
        .unwrap();
    assert_eq!(group.blacklist().await.unwrap().users.len(), 1);
    let free = ModifyBlacklist::new(ListOp::Del, [&request.member_openid]);
    assert!(
        group
            .modify_blacklist(&free)
            .await
            .unwrap()
            .fail_openids
            .is_empty()
    );

    let menu = [MenuItem::message("help", "/help")].into_iter().collect();
    http.menu().set(&menu).await.unwrap();
    assert_eq!(
        http.menu().get().await.unwrap().menu.unwrap().items.len(),
        1
    );
    let panel = Panel::new([PanelItem::command("help")]);
    let created = CreatePanel::for_groups([&tea_house.id], panel.clone());
    let id = http.panels().create(&created).await.unwrap().panel_id;
    http.panel(&id)
        .update(panel.remark("second"))
        .await
        .unwrap();
    let out = UpdatePanelTarget::groups(ListOp::Del, [&tea_house.id]);
    http.panel(&id).update_target(&out).await.unwrap();
    assert_eq!(
        http.panels_of(PanelScope::Group)
            .items()
            .next()
            .await
            .unwrap()
            .unwrap()
            .panel_id,
        id
    );
    http.panel(&id).delete().await.unwrap();
    let link = GenerateUrlLink::default().callback_data("poster");
    assert!(http.share_link(&link).await.unwrap().starts_with("http"));
    let direct = http
        .create_direct(&user.id, &world.guilds[0].id)
        .await
        .unwrap();
    http.direct(direct.guild_id).send("hi").await.unwrap();
}
