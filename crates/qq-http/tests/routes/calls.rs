//! Every call of the client, each in the forms that it takes together to name every member of its route.

use std::pin::Pin;
use std::time::Duration;

use qq_http::{Error, HttpClient, Request, Sent};
use qq_model::Intents;
use qq_model::Timestamp;
use qq_model::announce::{AnnouncesType, CreateAnnounce, RecommendChannel};
use qq_model::api_permission::CreateApiPermissionDemand;
use qq_model::audio::AudioControl;
use qq_model::channel::{
    ApplicationId, ChannelSubType, ChannelType, CreateChannel, ModifyChannel, PrivateType,
    SpeakPermission,
};
use qq_model::forum::{PutThread, ThreadFormat};
use qq_model::gateway::{CreateWebhookSession, ShardId};
use qq_model::group::{
    ApproveJoinRequest, BatchRemoveMembers, CreateJoinApprovalStrategy, GroupAction,
    ListGroupMembersLegacy, ListOp, ModifyBlacklist, ModifyJoinApprovalStrategy, ModifyWhitelist,
    OnOff, SetMemberMuteState,
};
use qq_model::guild::{DeleteHistoryMsgDays, RemoveMember};
use qq_model::interaction::{InteractionAck, InteractionAckCode};
use qq_model::menu::MenuItem;
use qq_model::message_setting::PostSettingGuide;
use qq_model::mute::Mute;
use qq_model::outgoing::{EditMessage, MessageMarkdown};
use qq_model::panel::{CreatePanel, Panel, PanelItem, PanelScope, UpdatePanelTarget};
use qq_model::permission::{ModifyChannelPermissions, Permissions};
use qq_model::reaction::Emoji;
use qq_model::role::{CreateRole, ModifyRole};
use qq_model::schedule::Schedule;
use qq_model::share_link::GenerateUrlLink;
use serde_json::{Value, json};

/// One form of a call: as a value, and made.
pub(crate) struct Form {
    pub(crate) route: &'static str,
    pub(crate) request: fn(&HttpClient) -> Result<Request, Error>,
    pub(crate) make: fn(HttpClient) -> Made,
}

/// The answer as JSON: what was read of it.
pub(crate) type Made = Pin<Box<dyn Future<Output = Result<Value, Error>> + Send>>;

macro_rules! calls {
    ($http:ident; $($route:ident: $call:expr $(, $answer:ident => $shown:expr)?;)*) => {
        &[$(Form {
            route: stringify!($route),
            request: |$http| $call.try_into_request(),
            make: |$http| Box::pin(async move {
                let answer = $call.await?;
                Ok(calls!(@shown answer $(, $answer => $shown)?))
            }),
        },)*]
    };
    (@shown $given:ident) => { serde_json::to_value($given).unwrap() };
    (@shown $given:ident, $answer:ident => $shown:expr) => {{
        let $answer = $given;
        $shown
    }};
}

fn sent(sent: &Sent) -> Value {
    json!({"id": sent.id(), "timestamp": sent.time()})
}

fn soon() -> Timestamp {
    "2026-05-23T10:00:00+08:00".parse().unwrap()
}

fn schedule() -> Schedule {
    Schedule::new("tea", &soon(), &soon())
        .description("green")
        .jump_channel_id("3")
}

fn panel() -> Panel {
    Panel::new([PanelItem::command("help").desc("what there is")]).remark("first")
}

fn mute() -> Mute {
    Mute::lasting(Duration::from_secs(60))
}

fn mute_until() -> Mute {
    Mute::until(&soon()).unwrap()
}

fn edit() -> EditMessage {
    let keyboard = serde_json::from_value(json!({"id": "template"})).unwrap();
    let mut edit = EditMessage::new(keyboard).markdown(MessageMarkdown::native("# new"));
    edit.msg_id = Some("m".into());
    edit.event_id = Some("e".into());
    edit
}

const TEXT: &str = "FEC0ACE0EE8970E6BC3ADAFB5BEC6152";

/// Every call, but those of messages, uploads and streams, which have tests of their own.
pub(crate) const CALLS: &[Form] = calls! { http;
    get_gateway: http.gateway();
    get_gateway_bot: http.gateway_bot();
    create_webhook_session: http.webhook_sessions().create(&CreateWebhookSession::new(
        Intents::GUILDS, ShardId::ONE, "https://bot.example/events"));
    check_webhook_sessions: http.webhook_sessions().check("check");
    list_webhook_sessions: http.webhook_sessions().list();
    delete_webhook_session: http.webhook_sessions().delete("session");
    get_me: http.me();
    list_my_guilds: http.guilds().after(1).limit(100);
    list_my_guilds: http.guilds().before("a/b?c");
    generate_url_link: http.share_link(&GenerateUrlLink::default().callback_data("poster"));
    get_guild: http.guild(1).get();
    list_guild_channels: http.guild(1).channels();
    create_guild_channel: http.guild(1).create_channel(&CreateChannel::new("tea", ChannelType::Text)
        .sub_type(ChannelSubType::Chat).position(2).parent_id(3).private_type(PrivateType::AdminAndMembers)
        .private_user_ids([4]).speak_permission(SpeakPermission::Everyone).application_id(ApplicationId::Vote));
    get_channel: http.channel(2).get();
    modify_channel: http.channel(2).modify(&ModifyChannel::default().name("coffee").position(2).parent_id(3)
        .private_type(PrivateType::Public).speak_permission(SpeakPermission::Everyone));
    delete_channel: http.channel(2).delete();
    get_channel_online_nums: http.channel(2).online_nums();
    list_guild_members: http.guild(1).members().after(5).limit(400);
    list_guild_role_members: http.guild(1).role(6).members().start_index("9").limit(400);
    get_guild_member: http.guild(1).member(5).get();
    delete_guild_member: http.guild(1).member(5).remove(&RemoveMember::default().add_blacklist(true)
        .delete_history_msg_days(DeleteHistoryMsgDays::Days7));
    list_guild_roles: http.guild(1).roles();
    create_guild_role: http.guild(1).create_role(&CreateRole::default().name("cook").color(1_u32).hoist(true));
    modify_guild_role: http.guild(1).role(6).modify(&ModifyRole::default().name("cook").color(1_u32).hoist(false));
    delete_guild_role: http.guild(1).role(6).delete();
    add_guild_member_role: http.guild(1).member(5).add_role(6);
    add_guild_member_role: http.guild(1).member(5).add_channel_admin(2);
    remove_guild_member_role: http.guild(1).member(5).remove_role(6);
    remove_guild_member_role: http.guild(1).member(5).remove_channel_admin(2);
    get_channel_user_permissions: http.channel(2).member(5).permissions();
    put_channel_user_permissions: http.channel(2).member(5).modify_permissions(
        &ModifyChannelPermissions::default().grant(Permissions::VIEW).revoke(Permissions::SPEAK));
    get_channel_role_permissions: http.channel(2).role(6).permissions();
    put_channel_role_permissions: http.channel(2).role(6).modify_permissions(
        &ModifyChannelPermissions::default().grant(Permissions::VIEW).revoke(Permissions::SPEAK));
    get_channel_message: http.channel(2).message("m").get();
    list_channel_messages: http.channel(2).messages().around("m").limit(20);
    list_channel_messages: http.channel(2).messages().limit(20).before("m");
    list_channel_messages: http.channel(2).messages().before("x").after("m");
    edit_channel_message: http.channel(2).message("m").edit(&edit());
    delete_channel_message: http.channel(2).message("m").recall().hidetip(true);
    post_channel_setting_guide: http.channel(2).post_setting_guide(&PostSettingGuide::new("please")), answer => sent(&answer);
    get_guild_message_setting: http.guild(1).message_setting();
    create_dms: http.create_direct(5, 1);
    get_dms_message: http.direct(9).message("m").get();
    delete_dms_message: http.direct(9).message("m").recall().hidetip(false);
    post_dms_setting_guide: http.direct(9).post_setting_guide(1), answer => sent(&answer);
    mute_guild: http.guild(1).mute(&mute());
    mute_guild: http.guild(1).mute(&mute_until());
    mute_guild_members: http.guild(1).mute_members(&mute().members([5]));
    mute_guild_members: http.guild(1).mute_members(&mute_until().members([5]));
    mute_guild_member: http.guild(1).member(5).mute(&mute());
    mute_guild_member: http.guild(1).member(5).mute(&mute_until());
    create_guild_announce: http.guild(1).announces().create(&CreateAnnounce::message(2, "m").announces_type(AnnouncesType::Member));
    create_guild_announce: http.guild(1).announces().create(&CreateAnnounce::channels([RecommendChannel::new(2, "tea")]));
    delete_guild_announce: http.guild(1).announces().delete("m");
    delete_guild_announce: http.guild(1).announces().clear();
    create_channel_announce: http.channel(2).announces().create("m");
    delete_channel_announce: http.channel(2).announces().delete("m");
    delete_channel_announce: http.channel(2).announces().clear();
    list_pins: http.channel(2).pins().get();
    add_pin: http.channel(2).pins().add("m");
    delete_pin: http.channel(2).pins().delete("m");
    delete_pin: http.channel(2).pins().clear();
    list_schedules: http.channel(2).schedules().list().since(&soon());
    get_schedule: http.channel(2).schedule("s").get();
    create_schedule: http.channel(2).schedules().create(schedule());
    modify_schedule: http.channel(2).schedule("s").modify(schedule());
    delete_schedule: http.channel(2).schedule("s").delete();
    put_reaction: http.channel(2).message("m").react(&Emoji::system(4));
    delete_reaction: http.channel(2).message("m").unreact(&Emoji::unicode('\u{2600}'));
    list_reaction_users: http.channel(2).message("m").reactions(&Emoji::system(4)).cookie("c==").limit(50);
    audio_control: http.channel(2).audio(&AudioControl::start("https://x.example/a.mp3", "song"));
    audio_control: http.channel(2).audio(&AudioControl::pause());
    mic_on: http.channel(2).mic_on();
    mic_off: http.channel(2).mic_off();
    list_voice_members: http.channel(2).voice_members();
    list_threads: http.channel(2).threads().get();
    get_thread: http.channel(2).thread("t").get();
    put_thread: http.channel(2).threads().create(&PutThread::new("tea", "green", ThreadFormat::Text));
    delete_thread: http.channel(2).thread("t").delete();
    get_api_permission: http.guild(1).api_permissions();
    post_api_permission_demand: http.guild(1).demand_api_permission(
        &CreateApiPermissionDemand::new(2, "GET", "/guilds/{guild_id}/members").desc("greet"));
    put_interaction: http.interaction("i").ack(InteractionAckCode::Success);
    put_interaction: http.interaction("i").ack_with(&InteractionAck::new(InteractionAckCode::Failed).data(json!({"a": 1})));
    delete_c2c_message: http.user(TEXT).message("m").recall();
    delete_group_message: http.group(TEXT).message("m").recall();
    get_group_info: http.group(TEXT).info();
    get_group_bot_state: http.group(TEXT).bot_state();
    list_group_members: http.group(TEXT).members().cursor("c");
    get_group_member: http.group(TEXT).member("u").get();
    list_group_members_legacy: http.group(TEXT).members_legacy(&ListGroupMembersLegacy::default().limit(500_u32).start_index(0_u32));
    batch_remove_group_members: http.group(TEXT).remove_members(&BatchRemoveMembers::new(["u"]).add_to_member_blacklist(true));
    list_group_join_requests: http.group(TEXT).join_requests().cursor("c").limit(50);
    approve_group_join_request: http.group(TEXT).member("u").answer_join_request(&ApproveJoinRequest::approve().join_request_id("r"));
    approve_group_join_request: http.group(TEXT).member("u").answer_join_request(&ApproveJoinRequest::ban(Some("no".into())));
    list_group_member_blacklist: http.group(TEXT).blacklist().cursor("c").limit(100);
    modify_group_member_blacklist: http.group(TEXT).modify_blacklist(&ModifyBlacklist::new(ListOp::Add, ["u"]));
    get_group_restrict_chat_setting: http.group(TEXT).mutes();
    set_group_restrict_chat_setting: http.group(TEXT).member("u").mute(soon());
    set_group_restrict_chat_setting: http.group(TEXT).member("u").unmute();
    set_group_restrict_chat_setting: http.group(TEXT).set_mutes(&[SetMemberMuteState::update("u", soon())].into_iter().collect());
    list_join_approval_strategies: http.join_approval_strategies().list().cursor("c").limit(50);
    create_join_approval_strategy: http.join_approval_strategies().create(&CreateJoinApprovalStrategy::groups([TEXT])
        .is_enable(OnOff::On).expire_at(soon()).remark("friends"));
    create_join_approval_strategy: http.join_approval_strategies().create(&CreateJoinApprovalStrategy::group_numbers([1]));
    modify_join_approval_strategy: http.join_approval_strategy("s").modify(&ModifyJoinApprovalStrategy::default()
        .is_enable(OnOff::Off).expire_at(soon()).group_action(GroupAction::groups(ListOp::Add, [TEXT])).remark("none"));
    delete_join_approval_strategy: http.join_approval_strategy("s").delete();
    execute_join_approval_strategy: http.join_approval_strategy("s").execute();
    modify_join_approval_whitelist: http.join_approval_strategy("s").modify_whitelist(&ModifyWhitelist::new(ListOp::Add, ["12345"]));
    get_menu: http.menu().get();
    put_menu: http.menu().set(&[MenuItem::message("help", "/help")].into_iter().collect());
    delete_menu: http.menu().delete();
    list_panels: http.panels().list(PanelScope::C2C).cursor("c").limit(50);
    list_panels: http.panels_of(PanelScope::Group);
    create_panel: http.panels().create(&CreatePanel::for_users([TEXT], panel()));
    create_panel: http.panels().create(&CreatePanel::for_groups([TEXT], panel()));
    get_panel: http.panel("p").get();
    update_panel: http.panel("p").update(panel());
    delete_panel: http.panel("p").delete();
    update_panel_target: http.panel("p").update_target(&UpdatePanelTarget::users(ListOp::Add, [TEXT]));
    update_panel_target: http.panel("p").update_target(&UpdatePanelTarget::groups(ListOp::Del, [TEXT]));
    send_channel_message: http.channel(2).messages().send("hi").reply_to("m"), answer => sent(&answer);
    send_dms_message: http.direct(9).send("hi").reply_to("m"), answer => sent(&answer);
    send_c2c_message: http.user(TEXT).send("hi").reply_to("m").msg_seq(1), answer => sent(&answer);
    send_group_message: http.group(TEXT).send("hi").reply_to("m").msg_seq(1), answer => sent(&answer);
};
