//! Every route with the types of its body, its query and its answer.

use super::{Described, Object};
use crate::announce::{Announces, CreateAnnounce, CreateChannelAnnounce};
use crate::api_permission::{ApiPermissionDemand, ApiPermissions, CreateApiPermissionDemand};
use crate::app_access_token::{AccessTokenRequest, AccessTokenResponse};
use crate::audio::AudioControl;
use crate::channel::{Channel, CreateChannel, ModifyChannel, OnlineNums};
use crate::dms::{CreateDirectMessageSession, DirectMessageSession};
use crate::forum::{PutThread, PutThreadResult, ThreadDetail, ThreadList};
use crate::gateway::{CreateWebhookSession, Gateway, GatewayBot, HttpReady, HttpSession};
use crate::group::{
    ApproveJoinRequest, BatchRemoveMembers, BatchRemoveResult, BlacklistPage, BlacklistResult,
    CreateJoinApprovalStrategy, GroupBotState, GroupInfo, GroupMember, GroupMemberList,
    JoinApprovalStrategyPage, JoinApprovalStrategyResult, JoinRequestList, LegacyGroupMemberList,
    ListBlacklist, ListGroupMembers, ListGroupMembersLegacy, ListJoinApprovalStrategies,
    ListJoinRequests, ModifyBlacklist, ModifyJoinApprovalStrategy, ModifyWhitelist,
    RestrictChatSetting, SetRestrictChat, WhitelistResult,
};
use crate::guild::{Guild, ListGuildMembers, ListMyGuilds, RemoveMember};
use crate::interaction::InteractionAck;
use crate::menu::{MenuResult, MenuVersion, PutMenu};
use crate::message::Message;
use crate::message_setting::{MessageSetting, PostDirectSettingGuide, PostSettingGuide};
use crate::mute::{Mute, MuteMembers, MuteResult};
use crate::outgoing::{
    DeleteMessage, EditMessage, FileUploadRequest, FileUploadResult, GuildMessageRequest,
    ListMessages, MessageDetail, SentMessage, StreamMessageRequest, StreamMessageResult,
    UploadPartFinishRequest, UploadPrepareRequest, UploadPrepareResult, V2MessageRequest,
};
use crate::panel::{
    CreatePanel, ListPanels, PanelCreated, PanelPage, PanelRecord, PanelVersion, UpdatePanel,
    UpdatePanelTarget,
};
use crate::permission::{ChannelPermissions, ModifyChannelPermissions};
use crate::pin::PinsMessage;
use crate::reaction::{ListReactionUsers, ReactionUsers};
use crate::role::{
    AssignRole, CreateRole, GuildRoles, ListRoleMembers, ModifyRole, RoleMembers, RoleResult,
};
use crate::schedule::{ListSchedules, Schedule, ScheduleBody};
use crate::share_link::{GenerateUrlLink, UrlLinkResult};
use crate::user::{Member, SelfUser};

/// A route and its types.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The name of the route in the tables.
    pub id: &'static str,
    /// What is sent.
    pub body: Option<&'static Object>,
    /// What stands in the query.
    pub query: Option<&'static Object>,
    /// What comes back.
    pub reply: Reply,
}

/// What comes back.
#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// Nothing, or an empty object.
    Nothing,
    /// An object.
    Object(&'static Object),
    /// A bare list.
    List(&'static Object),
}

/// `name(Body)?[Query] => Answer;`, each part but the name where there is one.
macro_rules! routes {
    ($($id:ident $(($body:ty))? $(? $query:ty)? => $reply:tt;)*) => {
        /// Every route.
        pub const ROUTES: &[Route] = &[$(Route {
            id: stringify!($id),
            body: routes!(@maybe $($body)?),
            query: routes!(@maybe $($query)?),
            reply: routes!(@reply $reply),
        }),*];
    };
    (@maybe) => { None };
    (@maybe $ty:ty) => { Some(&<$ty as Described>::OBJECT) };
    (@reply ()) => { Reply::Nothing };
    (@reply [$item:ty]) => { Reply::List(&<$item as Described>::OBJECT) };
    (@reply $ty:ident) => { Reply::Object(&<$ty as Described>::OBJECT) };
}

routes! {
    get_app_access_token(AccessTokenRequest<'static>) => AccessTokenResponse;
    get_gateway => Gateway;
    get_gateway_bot => GatewayBot;
    create_webhook_session(CreateWebhookSession) => HttpReady;
    check_webhook_sessions => [HttpSession];
    list_webhook_sessions => [HttpSession];
    delete_webhook_session => ();
    get_me => SelfUser;
    list_my_guilds ? ListMyGuilds => [Guild];
    generate_url_link(GenerateUrlLink) => UrlLinkResult;
    get_guild => Guild;
    list_guild_channels => [Channel];
    create_guild_channel(CreateChannel) => Channel;
    get_channel => Channel;
    modify_channel(ModifyChannel) => Channel;
    delete_channel => ();
    get_channel_online_nums => OnlineNums;
    list_guild_members ? ListGuildMembers => [Member];
    list_guild_role_members ? ListRoleMembers => RoleMembers;
    get_guild_member => Member;
    delete_guild_member(RemoveMember) => ();
    list_guild_roles => GuildRoles;
    create_guild_role(CreateRole) => RoleResult;
    modify_guild_role(ModifyRole) => RoleResult;
    delete_guild_role => ();
    add_guild_member_role(AssignRole) => ();
    remove_guild_member_role(AssignRole) => ();
    get_channel_user_permissions => ChannelPermissions;
    put_channel_user_permissions(ModifyChannelPermissions) => ();
    get_channel_role_permissions => ChannelPermissions;
    put_channel_role_permissions(ModifyChannelPermissions) => ();
    send_channel_message(GuildMessageRequest) => Message;
    get_channel_message => MessageDetail;
    list_channel_messages ? ListMessages => [Message];
    edit_channel_message(EditMessage) => Message;
    delete_channel_message ? DeleteMessage => ();
    post_channel_setting_guide(PostSettingGuide) => Message;
    get_guild_message_setting => MessageSetting;
    create_dms(CreateDirectMessageSession) => DirectMessageSession;
    send_dms_message(GuildMessageRequest) => Message;
    get_dms_message => Message;
    delete_dms_message ? DeleteMessage => ();
    post_dms_setting_guide(PostDirectSettingGuide) => Message;
    mute_guild(Mute) => ();
    mute_guild_members(MuteMembers) => MuteResult;
    mute_guild_member(Mute) => ();
    create_guild_announce(CreateAnnounce) => Announces;
    delete_guild_announce => ();
    create_channel_announce(CreateChannelAnnounce) => Announces;
    delete_channel_announce => ();
    list_pins => PinsMessage;
    add_pin => PinsMessage;
    delete_pin => ();
    list_schedules(ListSchedules) ? ListSchedules => [Schedule];
    get_schedule => Schedule;
    create_schedule(ScheduleBody) => Schedule;
    modify_schedule(ScheduleBody) => Schedule;
    delete_schedule => ();
    put_reaction => ();
    delete_reaction => ();
    list_reaction_users ? ListReactionUsers => ReactionUsers;
    audio_control(AudioControl) => ();
    mic_on => ();
    mic_off => ();
    list_voice_members => [Member];
    list_threads => ThreadList;
    get_thread => ThreadDetail;
    put_thread(PutThread) => PutThreadResult;
    delete_thread => ();
    get_api_permission => ApiPermissions;
    post_api_permission_demand(CreateApiPermissionDemand) => ApiPermissionDemand;
    put_interaction(InteractionAck) => ();
    send_c2c_message(V2MessageRequest) => SentMessage;
    send_c2c_stream_message(StreamMessageRequest) => StreamMessageResult;
    delete_c2c_message => ();
    upload_c2c_file(FileUploadRequest) => FileUploadResult;
    c2c_upload_prepare(UploadPrepareRequest) => UploadPrepareResult;
    c2c_upload_part_finish(UploadPartFinishRequest) => ();
    send_group_message(V2MessageRequest) => SentMessage;
    delete_group_message => ();
    upload_group_file(FileUploadRequest) => FileUploadResult;
    group_upload_prepare(UploadPrepareRequest) => UploadPrepareResult;
    group_upload_part_finish(UploadPartFinishRequest) => ();
    get_group_info => GroupInfo;
    get_group_bot_state => GroupBotState;
    list_group_members ? ListGroupMembers => GroupMemberList;
    get_group_member => GroupMember;
    list_group_members_legacy(ListGroupMembersLegacy) => LegacyGroupMemberList;
    batch_remove_group_members(BatchRemoveMembers) => BatchRemoveResult;
    list_group_join_requests ? ListJoinRequests => JoinRequestList;
    approve_group_join_request(ApproveJoinRequest) => ();
    list_group_member_blacklist ? ListBlacklist => BlacklistPage;
    modify_group_member_blacklist(ModifyBlacklist) => BlacklistResult;
    get_group_restrict_chat_setting => RestrictChatSetting;
    set_group_restrict_chat_setting(SetRestrictChat) => ();
    list_join_approval_strategies ? ListJoinApprovalStrategies => JoinApprovalStrategyPage;
    create_join_approval_strategy(CreateJoinApprovalStrategy) => JoinApprovalStrategyResult;
    modify_join_approval_strategy(ModifyJoinApprovalStrategy) => JoinApprovalStrategyResult;
    delete_join_approval_strategy => ();
    execute_join_approval_strategy => ();
    modify_join_approval_whitelist(ModifyWhitelist) => WhitelistResult;
    get_menu => MenuResult;
    put_menu(PutMenu) => MenuVersion;
    delete_menu => ();
    list_panels ? ListPanels => PanelPage;
    create_panel(CreatePanel) => PanelCreated;
    get_panel => PanelRecord;
    update_panel(UpdatePanel) => PanelVersion;
    delete_panel => ();
    update_panel_target(UpdatePanelTarget) => ();
    put_upload_part => ();
}
