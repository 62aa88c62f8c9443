//! B9, B10 and B12: what callbacks are given.

use qq_emulator::{Emulator, OutboxEntry, Say, Scene};
use qqbot::client::{
    AudioSession, ChannelSession, ForumSession, GuildSession, ManageSession, MemberSession,
    OpenForumSession, ReactionSession, Reply,
};
use qqbot::http::Upload;
use qqbot::model::event::payload;
use qqbot::prelude::*;
use serde_json::json;

use crate::a::messages::PICTURE;
use crate::support::{
    Notes, SCENES, TRANSPORTS, Transport, assert_no_violations, emulator, eventually, stop,
};

/// Uses everything that a session offers.
#[derive(Clone, Default)]
struct Sessions(Notes);

macro_rules! use_session {
    ($self:ident, $session:ident, $message:ident, $name:literal) => {{
        let me = $session.api().me().await.unwrap();
        assert_eq!($session.bot_info().unwrap().username, me.username);
        $session.reply("text").await.unwrap();
        $message.reply(&$session, "of the message").await.unwrap();
        let markdown = MessageMarkdown::native("# markdown");
        $session.send_markdown(markdown).await.unwrap();
        $session.send_media(Media::bytes(PICTURE)).await.unwrap();
        let upload = $session.upload(Upload::bytes(PICTURE)).await;
        $self.0.add(format!("{} upload {}", $name, upload.is_ok()));
    }};
}

impl EventHandler for Sessions {
    async fn ready(&self, session: ReadySession, ready: Ready) {
        assert_eq!(session.bot_info().unwrap().username, ready.user.username);
        self.0.add("ready");
    }
    async fn message_create(&self, session: ChannelReplySession, message: Message) {
        use_session!(self, session, message, "Channel");
    }
    async fn direct_message_create(&self, session: DirectReplySession, message: DirectMessage) {
        use_session!(self, session, message, "Direct");
    }
    async fn group_message_create(&self, session: GroupReplySession, message: GroupMessage) {
        use_session!(self, session, message, "Group");
    }
    async fn c2c_message_create(&self, session: C2CReplySession, message: C2CMessage) {
        use_session!(self, session, message, "C2c");
    }
    async fn message_reaction_add(&self, session: ReactionSession, _: payload::MessageReaction) {
        self.0.add(session.kind().unwrap().as_str());
    }
    async fn guild_create(&self, session: GuildSession, _: Guild) {
        self.0.add(session.kind().unwrap().as_str());
    }
    async fn channel_create(&self, session: ChannelSession, _: Channel) {
        self.0.add(session.kind().unwrap().as_str());
    }
    async fn guild_member_add(&self, session: MemberSession, _: payload::GuildMemberEvent) {
        self.0.add(session.kind().unwrap().as_str());
    }
    async fn group_add_robot(&self, session: ManageSession, _: payload::GroupRobotEvent) {
        self.0.add(session.kind().unwrap().as_str());
    }
    async fn audio_start(&self, session: AudioSession, _: payload::AudioAction) {
        self.0.add(session.kind().unwrap().as_str());
    }
    async fn forum_thread_create(&self, session: ForumSession, _: payload::Thread) {
        self.0.add(session.kind().unwrap().as_str());
    }
    async fn open_forum_thread_create(
        &self,
        session: OpenForumSession,
        _: payload::OpenForumEvent,
    ) {
        self.0.add(session.kind().unwrap().as_str());
    }
    async fn unknown_event(&self, session: UnknownEventSession, event: UnknownEvent) {
        assert_eq!(session.kind(), None);
        self.0.add(format!("{} {}", event.name, event.raw));
    }
    async fn error(&self, error: BotError) {
        self.0.add(format!("{error:?}"));
    }
}

#[tokio::test]
async fn b9_sessions_given_to_callbacks() {
    for transport in TRANSPORTS {
        let emulator = emulator().await;
        let bot = Sessions::default();
        let running = transport.run(&emulator, bot.clone()).await;
        if *transport == Transport::Gateway {
            bot.0.wait_for("ready").await;
        }
        for scene in SCENES {
            let sent = emulator.outbox().len();
            let said = emulator.say(Say::new(scene, "hello")).await;
            // Guild scenes take pictures in the message and have no uploads.
            let uploads = matches!(scene, Scene::Group | Scene::C2c);
            bot.0.wait_for(&format!("{scene:?} upload {uploads}")).await;
            let answers = emulator.outbox().split_off(sent);
            let texts: Vec<_> = answers.iter().map(OutboxEntry::text).collect();
            assert_eq!(texts[..3], ["text", "of the message", "# markdown"]);
            assert_eq!(answers.len(), 4, "{scene:?}");
            for answer in &answers {
                assert_eq!(answer.conversation, said.conversation);
                assert_eq!(answer.reply_to.as_ref(), Some(&said.message_id));
            }
            let picture = &answers[3].body;
            let is_picture = !picture["media"].is_null() || !picture["file_image"].is_null();
            assert!(is_picture, "{picture}");
        }
        let names = [
            "MESSAGE_REACTION_ADD",
            "GUILD_CREATE",
            "CHANNEL_CREATE",
            "GUILD_MEMBER_ADD",
            "GROUP_ADD_ROBOT",
            "AUDIO_START",
            "FORUM_THREAD_CREATE",
            "OPEN_FORUM_THREAD_CREATE",
        ];
        for name in names {
            let event = json!({"id": "5", "guild_id": "1", "channel_id": "2", "group_openid": "G"});
            emulator.push_event(name, event).await;
            bot.0.wait_for(name).await;
        }
        assert_no_violations(&emulator);
        stop(&emulator, running).await;
    }
}

#[tokio::test]
async fn b10_unknown_event() {
    for transport in TRANSPORTS {
        let emulator = emulator().await;
        let bot = Sessions::default();
        let running = transport.run(&emulator, bot.clone()).await;
        let event = json!({"new": [1, "二"]});
        emulator.push_event("BRAND_NEW_EVENT", event).await;
        bot.0.wait_for(r#"BRAND_NEW_EVENT {"new":[1,"二"]}"#).await;
        assert_eq!(running.client.stats().events_of(None), 1);
        stop(&emulator, running).await;
    }
}

#[tokio::test]
async fn b12_shared_api_client() {
    struct Sharing(HttpClient, Notes);
    impl EventHandler for Sharing {
        async fn c2c_message_create(&self, ctx: Context, _message: C2CMessage) {
            for api in [&self.0, ctx.api(), ctx.client().api()] {
                let conversation = ctx.conversation().unwrap();
                let sent = api.conversation(conversation).send("shared").await;
                self.1.add(format!("{}", sent.is_ok()));
            }
        }
    }
    // One pointer.
    assert_eq!(size_of::<HttpClient>(), size_of::<usize>());
    let emulator = Emulator::builder().start().await.unwrap();
    let token = Token::new(emulator.app_id(), emulator.secret());
    let api = HttpClient::builder(token)
        .environment(Environment::custom(emulator.base_url()).unwrap())
        .build()
        .unwrap();
    for transport in TRANSPORTS {
        emulator.reset();
        let notes = Notes::default();
        let bot = Sharing(api.clone(), notes.clone());
        let running = transport.run(&emulator, bot).await;
        let clones: Vec<_> = (0..50).map(|_| running.client.api().clone()).collect();
        futures_util::future::join_all(clones.iter().map(|api| api.me().into_future())).await;
        let asked = emulator.requests();
        let is_token = |request: &&qq_emulator::RequestEntry| {
            request.route.as_deref() == Some("get_app_access_token")
        };
        let tokens = asked.iter().filter(is_token).count();
        assert_eq!(tokens, 1, "all clones share one access token");
        emulator.say(Say::c2c("go")).await;
        eventually("three messages", || notes.all().len() == 3).await;
        assert_eq!(notes.all(), ["true", "true", "true"]);
        assert_eq!(emulator.outbox().len(), 3);
        assert_no_violations(&emulator);
        stop(&emulator, running).await;
    }
}
