//! How each type is decoded and encoded.

use qq_model::app_access_token::AccessTokenResponse;
use qq_model::gateway::{Identify, Resume};
use qq_model::webhook::HttpCallbackAck;
use qq_model::{Intents, id::SessionId};
use serde_json::{Value, json};

/// Decodes a JSON text and encodes it again; `None` for what is never written.
pub(crate) type Codec = fn(&str) -> serde_json::Result<Option<Value>>;

macro_rules! codecs {
    ($($module:ident: $($name:ident),+;)*) => {
        /// Every type that a macro describes, with its codec.
        pub(crate) const CODECS: &[(&str, Codec)] = &[$($((
            stringify!($name),
            |text| serde_json::to_value(serde_json::from_str::<qq_model::$module::$name>(text)?).map(Some),
        ),)+)*];
    };
}

/// Hands every type that a macro describes, by module, to another macro.
macro_rules! types {
    ($callback:ident) => {
        $callback! {
            announce: Announces, CreateAnnounce, CreateChannelAnnounce, RecommendChannel;
            api_error: ApiError, ApiErrorData, MessageAuditRef;
            api_permission: ApiPermission, ApiPermissionDemand, ApiPermissionDemandIdentify, ApiPermissions, CreateApiPermissionDemand;
            audio: AudioAction, AudioControl, AudioOrLiveChannelMember;
            audit: MessageAudited;
            channel: Channel, CreateChannel, ModifyChannel, OnlineNums;
            dms: CreateDirectMessageSession, DirectMessageSession;
            forum: AtChannel, AtGuild, AtInfo, AtRole, AtUser, Elem, ForumAuditResult, ForumEmojiInfo, ImageElem, OpenForumEvent, Paragraph, ParagraphProps, PlatImage, PlatVideo, Post, PostInfo, PutThread, PutThreadResult, Reply, ReplyInfo, RichObject, RichText, TextElem, TextInfo, TextProps, Thread, ThreadDetail, ThreadInfo, ThreadList, UrlElem, UrlInfo, VideoElem;
            friend: EnterAioEvent, FriendAddEvent, FriendAuthor, FriendDelEvent, UserSwitchEvent;
            gateway: CreateWebhookSession, Gateway, GatewayBot, Hello, HttpReady, HttpSession, Ready, SessionStartLimit;
            group: ApproveJoinRequest, AutoApproved, BatchRemoveMembers, BatchRemoveResult, BlacklistPage, BlacklistResult, BlacklistUser, CreateJoinApprovalStrategy, GlobalMuteRule, GroupAction, GroupBotState, GroupInfo, GroupJoinRequestEvent, GroupMember, GroupMemberEvent, GroupMemberList, GroupRobotEvent, JoinApprovalStrategy, JoinApprovalStrategyPage, JoinApprovalStrategyResult, JoinRequest, JoinRequestList, LegacyGroupMember, LegacyGroupMemberList, ListBlacklist, ListGroupMembers, ListGroupMembersLegacy, ListJoinApprovalStrategies, ListJoinRequests, MemberMuteState, ModifyBlacklist, ModifyJoinApprovalStrategy, ModifyWhitelist, MuteRecurringRule, MuteScheduleRule, RestrictChatSetting, ReviewQa, SetMemberMuteState, SetRestrictChat, VerifyInfo, WhitelistResult;
            guild: Guild, GuildMemberEvent, ListGuildMembers, ListMyGuilds, RemoveMember;
            interaction: AuthorizeData, Interaction, InteractionAck, InteractionData, InteractionResolved;
            menu: Menu, MenuItem, MenuResult, MenuSwitch, MenuVersion, PutMenu, SubMenuItem;
            message: ArkData, Attachment, C2CMessage, GroupMessage, Mention, Message, MessageArk, MessageArkKv, MessageArkObj, MessageArkObjKv, MessageAttachment, MessageDelete, MessageEmbed, MessageEmbedField, MessageEmbedThumbnail, MessageReference, MessageScene, MsgElement, ParallelMessage, ParallelNode, V2User;
            message_setting: MessageSetting, PostDirectSettingGuide, PostSettingGuide, SettingGuide;
            mute: Mute, MuteMembers, MuteResult;
            outgoing: ActionButton, Button, ButtonAction, ButtonModal, ButtonPermission, ButtonRenderData, DeleteMessage, EditMessage, FileUploadRequest, FileUploadResult, GuildMessageRequest, InputNotify, Keyboard, KeyboardContent, KeyboardRow, KeyboardStyle, LegacyStream, ListMessages, MarkdownParam, MarkdownStyle, MediaInfo, MessageDetail, MessageExtInfo, MessageMarkdown, PromptKeyboard, SentMessage, StreamMessageRequest, StreamMessageResult, SubscribeData, SubscribeTemplate, UploadConfig, UploadPart, UploadPartFinishRequest, UploadPrepareRequest, UploadPrepareResult, V2MessageRequest;
            panel: CreatePanel, ListPanels, Panel, PanelCreated, PanelItem, PanelPage, PanelRecord, PanelVersion, UpdatePanel, UpdatePanelTarget;
            permission: ChannelPermissions, ModifyChannelPermissions;
            pin: PinsMessage;
            reaction: Emoji, ListReactionUsers, MessageReaction, ReactionTarget, ReactionUsers;
            role: AssignRole, CreateRole, GuildRoles, ListRoleMembers, ModifyRole, Role, RoleChannel, RoleMembers, RoleResult;
            schedule: ListSchedules, Schedule, ScheduleBody;
            share_link: GenerateUrlLink, UrlLink, UrlLinkResult;
            subscribe: SubscribeMessageStatus, SubscribeMsgTemplateResult;
            user: Member, SelfUser, User;
            webhook: WebhookValidation, WebhookValidationReply;
        }
    };
}

types!(codecs);

/// Types that no macro describes: each by what can be done with it.
pub(crate) const BY_HAND: &[(&str, Codec)] = &[
    ("AccessTokenResponse", |text| {
        serde_json::from_str::<AccessTokenResponse>(text).map(|_| None)
    }),
    ("HttpCallbackAck", |text| {
        let ack = match serde_json::from_str::<Value>(text)?["d"].as_i64() {
            Some(0) => HttpCallbackAck::HANDLED,
            _ => HttpCallbackAck::FAILED,
        };
        serde_json::to_value(ack).map(Some)
    }),
    ("Identify", |text| {
        let value: Value = serde_json::from_str(text)?;
        let identify = Identify {
            token: value["token"].as_str().unwrap_or_default(),
            intents: Intents::from_bits_retain(
                u32::try_from(value["intents"].as_u64().unwrap_or_default()).unwrap_or_default(),
            ),
            shard: serde_json::from_value(value["shard"].clone())
                .unwrap_or(qq_model::gateway::ShardId::ONE),
            properties: qq_model::gateway::Properties::default(),
        };
        let mut encoded = serde_json::to_value(identify)?;
        // What a client calls itself is its own affair.
        encoded["properties"] = value["properties"].clone();
        Ok(Some(encoded))
    }),
    ("Resume", |text| {
        let value: Value = serde_json::from_str(text)?;
        let session_id = SessionId::new(value["session_id"].as_str().unwrap_or_default());
        let resume = Resume {
            token: value["token"].as_str().unwrap_or_default(),
            session_id: &session_id,
            seq: value["seq"].as_u64().unwrap_or_default(),
        };
        serde_json::to_value(resume).map(Some)
    }),
    ("AccessTokenRequest", |text| {
        let value: Value = serde_json::from_str(text)?;
        let part = |name: &str| value[name].as_str().unwrap_or_default();
        let token = qq_model::Token::new(part("appId"), part("clientSecret"));
        serde_json::to_value(qq_model::app_access_token::AccessTokenRequest::new(&token)).map(Some)
    }),
    ("Envelope", |text| {
        // Frames are scanned, not decoded: see `frame` in this folder.
        Ok(qq_model::gateway::Envelope::scan(text).ok().map(|envelope| {
            json!({"op": envelope.op.value(), "s": envelope.sequence, "t": envelope.name, "id": envelope.id})
        }))
    }),
    ("Resumed", |text| {
        serde_json::to_value(serde_json::from_str::<qq_model::gateway::Resumed>(text)?).map(Some)
    }),
];

macro_rules! debug {
    ($($module:ident: $($name:ident),+;)*) => {
        /// The `Debug` text of each type that a macro describes.
        const DEBUG: &[(&str, fn(&str) -> String)] = &[$($((
            stringify!($name),
            |text| format!("{:?}", serde_json::from_str::<qq_model::$module::$name>(text)),
        ),)+)*];
    };
}

types!(debug);

/// Whether a value of this type has members that the type has no field for.
pub(crate) fn has_unknown_members(name: &str, text: &str) -> bool {
    DEBUG
        .iter()
        .find(|(known, _)| *known == name)
        .is_some_and(|(_, debug)| debug(text).contains("extra: Extra(Some("))
}

/// The codec of a type.
pub(crate) fn codec(name: &str) -> Codec {
    CODECS
        .iter()
        .chain(BY_HAND)
        .find(|(known, _)| *known == name)
        .map_or_else(|| panic!("no codec for {name}"), |(_, codec)| *codec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_codec() {
        let described = qq_model::describe::OBJECTS
            .iter()
            .flat_map(|list| list.iter());
        let mut count = 0;
        for object in described {
            codec(object.name);
            count += 1;
        }
        assert_eq!(count, CODECS.len() + BY_HAND.len());
    }
}
