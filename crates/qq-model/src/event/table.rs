//! The event table: each event is one row, written once.

/// Hands the rows of the event table to another macro.
///
/// A row is `Variant = "WIRE_NAME", Payload, [INTENT], callback;`. The variant names the row in
/// [`Event`](crate::Event) and [`EventKind`](crate::EventKind), the callback in the client's event handler.
/// Rows without an intent are control events, sent to every session.
#[doc(hidden)]
#[macro_export]
macro_rules! event_table {
    ($callback:ident) => {
        $callback! {
            /// The first event after IDENTIFY: the session stands. It brings no guilds.
            Ready = "READY", Ready, [], ready;
            /// Every missed event was replayed after RESUME.
            Resumed = "RESUMED", Resumed, [], resumed;
            /// The bot was added to a guild. Not sent for the guilds it is already in.
            GuildCreate = "GUILD_CREATE", Guild, [GUILDS], guild_create;
            /// A guild changed; this is how it is now.
            GuildUpdate = "GUILD_UPDATE", Guild, [GUILDS], guild_update;
            /// A guild was dissolved, or the bot removed; this is how it was.
            GuildDelete = "GUILD_DELETE", Guild, [GUILDS], guild_delete;
            /// A channel was made.
            ChannelCreate = "CHANNEL_CREATE", Channel, [GUILDS], channel_create;
            /// A channel changed.
            ChannelUpdate = "CHANNEL_UPDATE", Channel, [GUILDS], channel_update;
            /// A channel was deleted.
            ChannelDelete = "CHANNEL_DELETE", Channel, [GUILDS], channel_delete;
            /// Somebody joined a guild.
            GuildMemberAdd = "GUILD_MEMBER_ADD", GuildMemberEvent, [GUILD_MEMBERS], guild_member_add;
            /// A member's name or roles in a guild changed.
            GuildMemberUpdate = "GUILD_MEMBER_UPDATE", GuildMemberEvent, [GUILD_MEMBERS], guild_member_update;
            /// Somebody left a guild or was removed.
            GuildMemberRemove = "GUILD_MEMBER_REMOVE", GuildMemberEvent, [GUILD_MEMBERS], guild_member_remove;
            /// A message that mentions the bot, or replies to it, in a guild channel.
            AtMessageCreate = "AT_MESSAGE_CREATE", Message, [PUBLIC_GUILD_MESSAGES], at_message_create;
            /// Any message in a guild channel; private-domain bots only.
            MessageCreate = "MESSAGE_CREATE", Message, [GUILD_MESSAGES], message_create;
            /// A message that mentioned the bot was recalled in a guild channel.
            PublicMessageDelete = "PUBLIC_MESSAGE_DELETE", MessageDelete, [PUBLIC_GUILD_MESSAGES], public_message_delete;
            /// A message was recalled in a guild channel; private-domain bots only.
            MessageDelete = "MESSAGE_DELETE", MessageDelete, [GUILD_MESSAGES], message_delete;
            /// A guild direct message to the bot.
            DirectMessageCreate = "DIRECT_MESSAGE_CREATE", DirectMessage, [DIRECT_MESSAGE], direct_message_create;
            /// A guild direct message was recalled.
            DirectMessageDelete = "DIRECT_MESSAGE_DELETE", MessageDelete, [DIRECT_MESSAGE], direct_message_delete;
            /// Somebody reacted with an emoji in a guild.
            MessageReactionAdd = "MESSAGE_REACTION_ADD", MessageReaction, [GUILD_MESSAGE_REACTIONS], message_reaction_add;
            /// Somebody took an emoji back in a guild.
            MessageReactionRemove = "MESSAGE_REACTION_REMOVE", MessageReaction, [GUILD_MESSAGE_REACTIONS], message_reaction_remove;
            /// A message of the bot passed its audit.
            MessageAuditPass = "MESSAGE_AUDIT_PASS", MessageAudited, [MESSAGE_AUDIT], message_audit_pass;
            /// A message of the bot was refused by its audit.
            MessageAuditReject = "MESSAGE_AUDIT_REJECT", MessageAudited, [MESSAGE_AUDIT], message_audit_reject;
            /// A message that mentions the bot in a QQ group.
            GroupAtMessageCreate = "GROUP_AT_MESSAGE_CREATE", GroupMessage, [GROUP_AND_C2C_EVENT], group_at_message_create;
            /// Any message in a QQ group whose administrator lets the bot read everything.
            GroupMessageCreate = "GROUP_MESSAGE_CREATE", GroupMessage, [GROUP_AND_C2C_EVENT], group_message_create;
            /// A message in a one-to-one chat.
            C2CMessageCreate = "C2C_MESSAGE_CREATE", C2CMessage, [GROUP_AND_C2C_EVENT], c2c_message_create;
            /// The bot was added to a QQ group.
            GroupAddRobot = "GROUP_ADD_ROBOT", GroupRobotEvent, [GROUP_AND_C2C_EVENT], group_add_robot;
            /// The bot was removed from a QQ group.
            GroupDelRobot = "GROUP_DEL_ROBOT", GroupRobotEvent, [GROUP_AND_C2C_EVENT], group_del_robot;
            /// A QQ group switched off messages that the bot sends unasked.
            GroupMsgReject = "GROUP_MSG_REJECT", GroupRobotEvent, [GROUP_AND_C2C_EVENT], group_msg_reject;
            /// A QQ group switched on messages that the bot sends unasked.
            GroupMsgReceive = "GROUP_MSG_RECEIVE", GroupRobotEvent, [GROUP_AND_C2C_EVENT], group_msg_receive;
            /// Somebody joined a QQ group.
            GroupMemberAdd = "GROUP_MEMBER_ADD", GroupMemberEvent, [GROUP_MEMBER_EVENT], group_member_add;
            /// Somebody left a QQ group or was removed.
            GroupMemberRemove = "GROUP_MEMBER_REMOVE", GroupMemberEvent, [GROUP_MEMBER_EVENT], group_member_remove;
            /// Somebody asks to join a QQ group in which the bot is administrator.
            GroupJoinRequest = "GROUP_JOIN_REQUEST", GroupJoinRequestEvent, [GROUP_MEMBER_EVENT], group_join_request;
            /// A user added the bot.
            FriendAdd = "FRIEND_ADD", FriendAddEvent, [GROUP_AND_C2C_EVENT], friend_add;
            /// A user removed the bot.
            FriendDel = "FRIEND_DEL", FriendDelEvent, [GROUP_AND_C2C_EVENT], friend_del;
            /// A user switched off messages that the bot sends unasked.
            C2CMsgReject = "C2C_MSG_REJECT", UserSwitchEvent, [GROUP_AND_C2C_EVENT], c2c_msg_reject;
            /// A user switched on messages that the bot sends unasked.
            C2CMsgReceive = "C2C_MSG_RECEIVE", UserSwitchEvent, [GROUP_AND_C2C_EVENT], c2c_msg_receive;
            /// A user or a QQ group changed which message templates the bot may send.
            SubscribeMessageStatus = "SUBSCRIBE_MESSAGE_STATUS", SubscribeMessageStatus, [GROUP_AND_C2C_EVENT], subscribe_message_status;
            /// A user opened the chat with the bot. Known from the Go SDK only.
            EnterAio = "ENTER_AIO", EnterAioEvent, [ENTER_AIO], enter_aio;
            /// A button, a menu entry, feedback, an authorisation.
            InteractionCreate = "INTERACTION_CREATE", Interaction, [INTERACTION], interaction_create;
            /// A forum thread was made; without its text.
            OpenForumThreadCreate = "OPEN_FORUM_THREAD_CREATE", OpenForumEvent, [OPEN_FORUMS_EVENT], open_forum_thread_create;
            /// A forum thread changed; without its text.
            OpenForumThreadUpdate = "OPEN_FORUM_THREAD_UPDATE", OpenForumEvent, [OPEN_FORUMS_EVENT], open_forum_thread_update;
            /// A forum thread was deleted; without its text.
            OpenForumThreadDelete = "OPEN_FORUM_THREAD_DELETE", OpenForumEvent, [OPEN_FORUMS_EVENT], open_forum_thread_delete;
            /// A forum thread got a comment; without its text.
            OpenForumPostCreate = "OPEN_FORUM_POST_CREATE", OpenForumEvent, [OPEN_FORUMS_EVENT], open_forum_post_create;
            /// A comment on a forum thread was deleted; without its text.
            OpenForumPostDelete = "OPEN_FORUM_POST_DELETE", OpenForumEvent, [OPEN_FORUMS_EVENT], open_forum_post_delete;
            /// A forum comment got a reply; without its text.
            OpenForumReplyCreate = "OPEN_FORUM_REPLY_CREATE", OpenForumEvent, [OPEN_FORUMS_EVENT], open_forum_reply_create;
            /// A reply to a forum comment was deleted; without its text.
            OpenForumReplyDelete = "OPEN_FORUM_REPLY_DELETE", OpenForumEvent, [OPEN_FORUMS_EVENT], open_forum_reply_delete;
            /// A forum thread was made; private-domain bots only.
            ForumThreadCreate = "FORUM_THREAD_CREATE", Thread, [FORUMS_EVENT], forum_thread_create;
            /// A forum thread changed; private-domain bots only.
            ForumThreadUpdate = "FORUM_THREAD_UPDATE", Thread, [FORUMS_EVENT], forum_thread_update;
            /// A forum thread was deleted; private-domain bots only.
            ForumThreadDelete = "FORUM_THREAD_DELETE", Thread, [FORUMS_EVENT], forum_thread_delete;
            /// A forum thread got a comment; private-domain bots only.
            ForumPostCreate = "FORUM_POST_CREATE", Post, [FORUMS_EVENT], forum_post_create;
            /// A comment on a forum thread was deleted; private-domain bots only.
            ForumPostDelete = "FORUM_POST_DELETE", Post, [FORUMS_EVENT], forum_post_delete;
            /// A forum comment got a reply; private-domain bots only.
            ForumReplyCreate = "FORUM_REPLY_CREATE", Reply, [FORUMS_EVENT], forum_reply_create;
            /// A reply to a forum comment was deleted; private-domain bots only.
            ForumReplyDelete = "FORUM_REPLY_DELETE", Reply, [FORUMS_EVENT], forum_reply_delete;
            /// What the bot published in a forum was audited; private-domain bots only.
            ForumPublishAuditResult = "FORUM_PUBLISH_AUDIT_RESULT", ForumAuditResult, [FORUMS_EVENT], forum_publish_audit_result;
            /// Audio began.
            AudioStart = "AUDIO_START", AudioAction, [AUDIO_ACTION], audio_start;
            /// Audio ended.
            AudioFinish = "AUDIO_FINISH", AudioAction, [AUDIO_ACTION], audio_finish;
            /// The bot took the microphone.
            AudioOnMic = "AUDIO_ON_MIC", AudioAction, [AUDIO_ACTION], audio_on_mic;
            /// The bot left the microphone.
            AudioOffMic = "AUDIO_OFF_MIC", AudioAction, [AUDIO_ACTION], audio_off_mic;
            /// Somebody entered an audio or live channel.
            AudioOrLiveChannelMemberEnter = "AUDIO_OR_LIVE_CHANNEL_MEMBER_ENTER", AudioOrLiveChannelMember, [AUDIO_OR_LIVE_CHANNEL_MEMBER], audio_or_live_channel_member_enter;
            /// Somebody left an audio or live channel.
            AudioOrLiveChannelMemberExit = "AUDIO_OR_LIVE_CHANNEL_MEMBER_EXIT", AudioOrLiveChannelMember, [AUDIO_OR_LIVE_CHANNEL_MEMBER], audio_or_live_channel_member_exit;
        }
    };
}
