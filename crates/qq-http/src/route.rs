//! The route table: every REST call of the platform that this crate makes, written once.

use std::fmt;

use http::Method;

/// Which of the platform's limits a call counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quota {
    /// The token endpoint: no published number, too many calls are answered 100001.
    Token,
    /// The gateway's address: 2 per minute, bursts of 10.
    Gateway,
    /// The bot's own account: 50 per second.
    Account,
    /// Guilds and their channels: 50 per second.
    Guild,
    /// Share links: 50 per second.
    ShareLink,
    /// Acknowledgements: 50 per second.
    Interaction,
    /// New schedule entries: 10 per administrator and day, 100 per guild and day.
    CreateSchedule,
    /// Asking for calls: 3 per guild and day.
    ApiPermissionDemand,
    /// Recalling group and one-to-one messages: 10 per second.
    Recall,
    /// Managing groups: 30 or 60 per minute, by call.
    Group,
    /// The menu: 30 reads and 5 changes per minute.
    Menu,
    /// Panels: 30 reads, 10 changes and 60 changes of their targets per minute.
    Panel,
    /// No published number.
    Unpublished,
    /// Messages to one guild channel: 5 per second and channel.
    ChannelMessage,
    /// Guild direct messages: active ones 2 per user and day, 200 per bot and day.
    DirectMessage,
    /// Group messages: 100 per second; active ones 20 per minute and 1000 per day for one group.
    GroupMessage,
    /// One-to-one messages: 100 per second; active ones 20 per minute and 1000 per day for one user.
    C2CMessage,
    /// Frames of streams: 50 per second.
    StreamMessage,
    /// Uploads, whole or put together: 50 per second.
    Upload,
    /// Beginning uploads in parts: 10 per second.
    UploadPrepare,
    /// Finished parts of uploads: 10 per second.
    UploadPart,
}

macro_rules! routes {
    ($($(#[$doc:meta])* $route:ident = $id:literal, $method:ident $template:literal, $quota:ident, idempotent: $idempotent:literal;)*) => {
        /// A REST call of the platform.
        ///
        /// ```
        /// use qq_http::Route;
        ///
        /// assert_eq!(Route::SendGroupMessage.to_string(), "POST /v2/groups/{group_openid}/messages");
        /// assert!(!Route::SendGroupMessage.is_idempotent());
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Route {
            $($(#[$doc])* $route,)*
        }

        impl Route {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$route,)*];

            /// The call's name in the platform's data, in snake case.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$route => $id,)* }
            }

            /// The HTTP method.
            #[must_use]
            pub const fn method(self) -> Method {
                match self { $(Self::$route => Method::$method,)* }
            }

            /// The path, with its parameters in braces.
            #[must_use]
            pub const fn template(self) -> &'static str {
                match self { $(Self::$route => $template,)* }
            }

            /// The limit it counts against.
            #[must_use]
            pub const fn quota(self) -> Quota {
                match self { $(Self::$route => Quota::$quota,)* }
            }

            /// Whether making the call twice does no more than making it once.
            #[must_use]
            pub const fn is_idempotent(self) -> bool {
                match self { $(Self::$route => $idempotent,)* }
            }
        }
    };
}

routes! {
    /// Fetches an access token. The only call without an `Authorization` header.
    GetAppAccessToken = "get_app_access_token", POST "/app/getAppAccessToken", Token, idempotent: true;
    /// The gateway's address.
    GetGateway = "get_gateway", GET "/gateway", Gateway, idempotent: true;
    /// The gateway's address with the advice on sharding.
    GetGatewayBot = "get_gateway_bot", GET "/gateway/bot", Gateway, idempotent: true;
    /// The bot itself.
    GetMe = "get_me", GET "/users/@me", Account, idempotent: true;
    /// Opens a webhook session. Legacy.
    CreateWebhookSession = "create_webhook_session", POST "/gateway/webhook/sessions", Unpublished, idempotent: false;
    /// Checks the webhook sessions. Legacy.
    CheckWebhookSessions = "check_webhook_sessions", PATCH "/gateway/webhook/sessions", Unpublished, idempotent: true;
    /// The webhook sessions. Legacy.
    ListWebhookSessions = "list_webhook_sessions", GET "/gateway/webhook/sessions", Unpublished, idempotent: true;
    /// Ends a webhook session. Legacy.
    DeleteWebhookSession = "delete_webhook_session", DELETE "/gateway/webhook/sessions/{session_id}", Unpublished, idempotent: true;
    /// The guilds that the bot is in.
    ListMyGuilds = "list_my_guilds", GET "/users/@me/guilds", Account, idempotent: true;
    /// A link that leads people to the bot.
    GenerateUrlLink = "generate_url_link", POST "/v2/generate_url_link", ShareLink, idempotent: true;
    /// A guild.
    GetGuild = "get_guild", GET "/guilds/{guild_id}", Guild, idempotent: true;
    /// The channels of a guild.
    ListGuildChannels = "list_guild_channels", GET "/guilds/{guild_id}/channels", Guild, idempotent: true;
    /// Makes a channel.
    CreateGuildChannel = "create_guild_channel", POST "/guilds/{guild_id}/channels", Guild, idempotent: false;
    /// A channel.
    GetChannel = "get_channel", GET "/channels/{channel_id}", Guild, idempotent: true;
    /// Changes a channel.
    ModifyChannel = "modify_channel", PATCH "/channels/{channel_id}", Guild, idempotent: true;
    /// Deletes a channel, for good.
    DeleteChannel = "delete_channel", DELETE "/channels/{channel_id}", Guild, idempotent: true;
    /// How many people are in a voice or live channel.
    GetChannelOnlineNums = "get_channel_online_nums", GET "/channels/{channel_id}/online_nums", Unpublished, idempotent: true;
    /// The members of a guild.
    ListGuildMembers = "list_guild_members", GET "/guilds/{guild_id}/members", Unpublished, idempotent: true;
    /// The members of a guild with a role.
    ListGuildRoleMembers = "list_guild_role_members", GET "/guilds/{guild_id}/roles/{role_id}/members", Unpublished, idempotent: true;
    /// A member of a guild.
    GetGuildMember = "get_guild_member", GET "/guilds/{guild_id}/members/{user_id}", Unpublished, idempotent: true;
    /// Removes a member from a guild.
    DeleteGuildMember = "delete_guild_member", DELETE "/guilds/{guild_id}/members/{user_id}", Unpublished, idempotent: true;
    /// The roles of a guild.
    ListGuildRoles = "list_guild_roles", GET "/guilds/{guild_id}/roles", Unpublished, idempotent: true;
    /// Makes a role.
    CreateGuildRole = "create_guild_role", POST "/guilds/{guild_id}/roles", Unpublished, idempotent: false;
    /// Changes a role.
    ModifyGuildRole = "modify_guild_role", PATCH "/guilds/{guild_id}/roles/{role_id}", Unpublished, idempotent: true;
    /// Deletes a role.
    DeleteGuildRole = "delete_guild_role", DELETE "/guilds/{guild_id}/roles/{role_id}", Unpublished, idempotent: true;
    /// Gives a member a role.
    AddGuildMemberRole = "add_guild_member_role", PUT "/guilds/{guild_id}/members/{user_id}/roles/{role_id}", Unpublished, idempotent: true;
    /// Takes a role from a member.
    RemoveGuildMemberRole = "remove_guild_member_role", DELETE "/guilds/{guild_id}/members/{user_id}/roles/{role_id}", Unpublished, idempotent: true;
    /// What a member may do in a channel.
    GetChannelUserPermissions = "get_channel_user_permissions", GET "/channels/{channel_id}/members/{user_id}/permissions", Unpublished, idempotent: true;
    /// Changes what a member may do in a channel.
    PutChannelUserPermissions = "put_channel_user_permissions", PUT "/channels/{channel_id}/members/{user_id}/permissions", Unpublished, idempotent: true;
    /// What a role may do in a channel.
    GetChannelRolePermissions = "get_channel_role_permissions", GET "/channels/{channel_id}/roles/{role_id}/permissions", Unpublished, idempotent: true;
    /// Changes what a role may do in a channel.
    PutChannelRolePermissions = "put_channel_role_permissions", PUT "/channels/{channel_id}/roles/{role_id}/permissions", Unpublished, idempotent: true;
    /// A message of a guild channel. Undocumented.
    GetChannelMessage = "get_channel_message", GET "/channels/{channel_id}/messages/{message_id}", Unpublished, idempotent: true;
    /// Messages of a guild channel. Undocumented.
    ListChannelMessages = "list_channel_messages", GET "/channels/{channel_id}/messages", Unpublished, idempotent: true;
    /// Changes a message with buttons. Undocumented.
    EditChannelMessage = "edit_channel_message", PATCH "/channels/{channel_id}/messages/{message_id}", Unpublished, idempotent: true;
    /// Recalls a message of a guild channel.
    DeleteChannelMessage = "delete_channel_message", DELETE "/channels/{channel_id}/messages/{message_id}", Unpublished, idempotent: true;
    /// A card in a channel that leads to the message settings. Undocumented.
    PostChannelSettingGuide = "post_channel_setting_guide", POST "/channels/{channel_id}/settingguide", Unpublished, idempotent: false;
    /// How often the bot may speak in a guild.
    GetGuildMessageSetting = "get_guild_message_setting", GET "/guilds/{guild_id}/message/setting", Unpublished, idempotent: true;
    /// Opens a guild direct conversation.
    CreateDms = "create_dms", POST "/users/@me/dms", Unpublished, idempotent: true;
    /// A guild direct message. Unconfirmed.
    GetDmsMessage = "get_dms_message", GET "/dms/{guild_id}/messages/{message_id}", Unpublished, idempotent: true;
    /// Recalls a guild direct message.
    DeleteDmsMessage = "delete_dms_message", DELETE "/dms/{guild_id}/messages/{message_id}", Unpublished, idempotent: true;
    /// A card in a direct conversation that leads to the message settings. Undocumented.
    PostDmsSettingGuide = "post_dms_setting_guide", POST "/dms/{guild_id}/settingguide", Unpublished, idempotent: false;
    /// Mutes a guild.
    MuteGuild = "mute_guild", PATCH "/guilds/{guild_id}/mute", Unpublished, idempotent: true;
    /// Mutes several members of a guild, by the same path as the guild.
    MuteGuildMembers = "mute_guild_members", PATCH "/guilds/{guild_id}/mute", Unpublished, idempotent: true;
    /// Mutes a member of a guild.
    MuteGuildMember = "mute_guild_member", PATCH "/guilds/{guild_id}/members/{user_id}/mute", Unpublished, idempotent: true;
    /// Announces something in a guild.
    CreateGuildAnnounce = "create_guild_announce", POST "/guilds/{guild_id}/announces", Unpublished, idempotent: true;
    /// Takes an announcement of a guild back.
    DeleteGuildAnnounce = "delete_guild_announce", DELETE "/guilds/{guild_id}/announces/{message_id}", Unpublished, idempotent: true;
    /// Announces a message in its channel. Retired.
    CreateChannelAnnounce = "create_channel_announce", POST "/channels/{channel_id}/announces", Unpublished, idempotent: true;
    /// Takes an announcement of a channel back. Retired.
    DeleteChannelAnnounce = "delete_channel_announce", DELETE "/channels/{channel_id}/announces/{message_id}", Unpublished, idempotent: true;
    /// The pinned messages of a channel.
    ListPins = "list_pins", GET "/channels/{channel_id}/pins", Unpublished, idempotent: true;
    /// Pins a message.
    AddPin = "add_pin", PUT "/channels/{channel_id}/pins/{message_id}", Unpublished, idempotent: true;
    /// Takes a pin away.
    DeletePin = "delete_pin", DELETE "/channels/{channel_id}/pins/{message_id}", Unpublished, idempotent: true;
    /// The entries of a schedule channel.
    ListSchedules = "list_schedules", GET "/channels/{channel_id}/schedules", Unpublished, idempotent: true;
    /// An entry of a schedule channel.
    GetSchedule = "get_schedule", GET "/channels/{channel_id}/schedules/{schedule_id}", Unpublished, idempotent: true;
    /// Makes an entry in a schedule channel.
    CreateSchedule = "create_schedule", POST "/channels/{channel_id}/schedules", CreateSchedule, idempotent: false;
    /// Changes an entry of a schedule channel.
    ModifySchedule = "modify_schedule", PATCH "/channels/{channel_id}/schedules/{schedule_id}", Unpublished, idempotent: true;
    /// Deletes an entry of a schedule channel.
    DeleteSchedule = "delete_schedule", DELETE "/channels/{channel_id}/schedules/{schedule_id}", Unpublished, idempotent: true;
    /// Reacts to a message.
    PutReaction = "put_reaction", PUT "/channels/{channel_id}/messages/{message_id}/reactions/{type}/{id}", Unpublished, idempotent: true;
    /// Takes the bot's reaction back.
    DeleteReaction = "delete_reaction", DELETE "/channels/{channel_id}/messages/{message_id}/reactions/{type}/{id}", Unpublished, idempotent: true;
    /// Who reacted to a message.
    ListReactionUsers = "list_reaction_users", GET "/channels/{channel_id}/messages/{message_id}/reactions/{type}/{id}", Unpublished, idempotent: true;
    /// Plays audio in a voice channel.
    AudioControl = "audio_control", POST "/channels/{channel_id}/audio", Unpublished, idempotent: false;
    /// Takes the microphone of a voice channel.
    MicOn = "mic_on", PUT "/channels/{channel_id}/mic", Unpublished, idempotent: true;
    /// Leaves the microphone of a voice channel.
    MicOff = "mic_off", DELETE "/channels/{channel_id}/mic", Unpublished, idempotent: true;
    /// Who is in a voice channel. Undocumented.
    ListVoiceMembers = "list_voice_members", GET "/channels/{channel_id}/voice/members", Unpublished, idempotent: true;
    /// The threads of a forum channel.
    ListThreads = "list_threads", GET "/channels/{channel_id}/threads", Unpublished, idempotent: true;
    /// A thread of a forum channel.
    GetThread = "get_thread", GET "/channels/{channel_id}/threads/{thread_id}", Unpublished, idempotent: true;
    /// Publishes a thread in a forum channel: each call another one.
    PutThread = "put_thread", PUT "/channels/{channel_id}/threads", Unpublished, idempotent: false;
    /// Deletes a thread of a forum channel.
    DeleteThread = "delete_thread", DELETE "/channels/{channel_id}/threads/{thread_id}", Unpublished, idempotent: true;
    /// Which calls a guild grants.
    GetApiPermission = "get_api_permission", GET "/guilds/{guild_id}/api_permission", Unpublished, idempotent: true;
    /// Asks a guild's administrators for a call.
    PostApiPermissionDemand = "post_api_permission_demand", POST "/guilds/{guild_id}/api_permission/demand", ApiPermissionDemand, idempotent: false;
    /// Acknowledges an interaction.
    PutInteraction = "put_interaction", PUT "/interactions/{interaction_id}", Interaction, idempotent: true;
    /// Recalls a one-to-one message.
    DeleteC2CMessage = "delete_c2c_message", DELETE "/v2/users/{user_openid}/messages/{message_id}", Recall, idempotent: true;
    /// Recalls a group message.
    DeleteGroupMessage = "delete_group_message", DELETE "/v2/groups/{group_openid}/messages/{message_id}", Recall, idempotent: true;
    /// A group.
    GetGroupInfo = "get_group_info", GET "/v2/groups/{group_openid}/info", Group, idempotent: true;
    /// The bot in a group.
    GetGroupBotState = "get_group_bot_state", GET "/v2/groups/{group_openid}/bot_state", Group, idempotent: true;
    /// The members of a group.
    ListGroupMembers = "list_group_members", GET "/v2/groups/{group_openid}/members", Group, idempotent: true;
    /// A member of a group.
    GetGroupMember = "get_group_member", GET "/v2/groups/{group_openid}/members/{member_openid}", Group, idempotent: true;
    /// The members of a group, the older way. Legacy.
    ListGroupMembersLegacy = "list_group_members_legacy", POST "/v2/groups/{group_openid}/members", Unpublished, idempotent: true;
    /// Removes members from a group.
    BatchRemoveGroupMembers = "batch_remove_group_members", POST "/v2/groups/{group_openid}/batch_remove_members", Group, idempotent: true;
    /// Who asks to join a group.
    ListGroupJoinRequests = "list_group_join_requests", GET "/v2/groups/{group_openid}/join_request_list", Group, idempotent: true;
    /// Answers a request to join a group.
    ApproveGroupJoinRequest = "approve_group_join_request", POST "/v2/groups/{group_openid}/approval_join_request/{member_openid}", Group, idempotent: true;
    /// Who is banned from a group.
    ListGroupMemberBlacklist = "list_group_member_blacklist", GET "/v2/groups/{group_openid}/member_blacklist", Group, idempotent: true;
    /// Bans people from a group, or frees them.
    ModifyGroupMemberBlacklist = "modify_group_member_blacklist", POST "/v2/groups/{group_openid}/member_blacklist", Group, idempotent: true;
    /// Who is muted in a group.
    GetGroupRestrictChatSetting = "get_group_restrict_chat_setting", GET "/v2/groups/{group_openid}/restrict_chat_setting", Group, idempotent: true;
    /// Mutes members of a group, or lifts it.
    SetGroupRestrictChatSetting = "set_group_restrict_chat_setting", POST "/v2/groups/{group_openid}/restrict_chat_setting", Group, idempotent: true;
    /// The rules that approve requests to join.
    ListJoinApprovalStrategies = "list_join_approval_strategies", GET "/v2/groups/join_approval_strategy", Group, idempotent: true;
    /// Makes a rule that approves requests to join.
    CreateJoinApprovalStrategy = "create_join_approval_strategy", POST "/v2/groups/join_approval_strategy", Group, idempotent: false;
    /// Changes such a rule.
    ModifyJoinApprovalStrategy = "modify_join_approval_strategy", PATCH "/v2/groups/join_approval_strategy/{strategy_id}", Group, idempotent: true;
    /// Deletes such a rule.
    DeleteJoinApprovalStrategy = "delete_join_approval_strategy", DELETE "/v2/groups/join_approval_strategy/{strategy_id}", Group, idempotent: true;
    /// Applies such a rule to the requests that wait.
    ExecuteJoinApprovalStrategy = "execute_join_approval_strategy", POST "/v2/groups/join_approval_strategy/{strategy_id}/execute", Group, idempotent: true;
    /// Changes whom such a rule lets in.
    ModifyJoinApprovalWhitelist = "modify_join_approval_whitelist", POST "/v2/groups/join_approval_strategy/{strategy_id}/whitelist_users", Group, idempotent: true;
    /// The menu.
    GetMenu = "get_menu", GET "/v2/menu", Menu, idempotent: true;
    /// Sets the menu.
    PutMenu = "put_menu", PUT "/v2/menu", Menu, idempotent: true;
    /// Takes the menu away. Unconfirmed.
    DeleteMenu = "delete_menu", DELETE "/v2/menu", Menu, idempotent: true;
    /// The panels.
    ListPanels = "list_panels", GET "/v2/panels", Panel, idempotent: true;
    /// Makes a panel.
    CreatePanel = "create_panel", POST "/v2/panels", Panel, idempotent: false;
    /// A panel.
    GetPanel = "get_panel", GET "/v2/panels/{panel_id}", Panel, idempotent: true;
    /// Changes what a panel shows.
    UpdatePanel = "update_panel", PUT "/v2/panels/{panel_id}", Panel, idempotent: true;
    /// Deletes a panel.
    DeletePanel = "delete_panel", DELETE "/v2/panels/{panel_id}", Panel, idempotent: true;
    /// Changes to whom a panel is shown.
    UpdatePanelTarget = "update_panel_target", PUT "/v2/panels/{panel_id}/target", Panel, idempotent: true;
    /// A message to a guild channel.
    SendChannelMessage = "send_channel_message", POST "/channels/{channel_id}/messages", ChannelMessage, idempotent: false;
    /// A guild direct message.
    SendDmsMessage = "send_dms_message", POST "/dms/{guild_id}/messages", DirectMessage, idempotent: false;
    /// A one-to-one message.
    SendC2CMessage = "send_c2c_message", POST "/v2/users/{user_openid}/messages", C2CMessage, idempotent: false;
    /// A frame of a one-to-one message that grows.
    SendC2CStreamMessage = "send_c2c_stream_message", POST "/v2/users/{user_openid}/stream_messages", StreamMessage, idempotent: false;
    /// Uploads a file for one-to-one chats, or puts its parts together.
    UploadC2CFile = "upload_c2c_file", POST "/v2/users/{user_openid}/files", Upload, idempotent: true;
    /// Uploads a file for groups, or puts its parts together.
    UploadGroupFile = "upload_group_file", POST "/v2/groups/{group_openid}/files", Upload, idempotent: true;
    /// Begins an upload in parts for one-to-one chats.
    C2CUploadPrepare = "c2c_upload_prepare", POST "/v2/users/{user_openid}/upload_prepare", UploadPrepare, idempotent: true;
    /// Begins an upload in parts for groups.
    GroupUploadPrepare = "group_upload_prepare", POST "/v2/groups/{group_openid}/upload_prepare", UploadPrepare, idempotent: true;
    /// Says that a part was uploaded, for one-to-one chats.
    C2CUploadPartFinish = "c2c_upload_part_finish", POST "/v2/users/{user_openid}/upload_part_finish", UploadPart, idempotent: true;
    /// Says that a part was uploaded, for groups.
    GroupUploadPartFinish = "group_upload_part_finish", POST "/v2/groups/{group_openid}/upload_part_finish", UploadPart, idempotent: true;
    /// A group message.
    SendGroupMessage = "send_group_message", POST "/v2/groups/{group_openid}/messages", GroupMessage, idempotent: false;
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method(), self.template())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_rows_are_the_same_call() {
        let calls: HashSet<String> = Route::ALL.iter().map(ToString::to_string).collect();
        let ids: HashSet<&str> = Route::ALL.iter().map(|route| route.id()).collect();
        // A guild and several of its members are muted by the same call: the body tells them apart.
        assert_eq!(
            (calls.len(), ids.len()),
            (Route::ALL.len() - 1, Route::ALL.len())
        );
        assert_eq!(
            Route::MuteGuild.to_string(),
            Route::MuteGuildMembers.to_string()
        );
    }

    #[test]
    fn only_posts_can_repeat_their_effect() {
        for route in Route::ALL {
            assert!(
                // Publishing a thread is a PUT, and makes another thread each time.
                route.is_idempotent()
                    || route.method() == Method::POST
                    || *route == Route::PutThread,
                "{route}"
            );
        }
    }
}
