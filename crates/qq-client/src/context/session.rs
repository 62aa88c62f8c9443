//! The context under the names of the sessions that it is.

use super::Context;

macro_rules! sessions {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $($(#[$doc])* pub type $name = Context;)*
    };
}

sessions! {
    /// The session of `ready`.
    ReadySession;
    /// The session of `resumed`.
    ResumedSession;
    /// The session of a message in a guild channel.
    ChannelReplySession;
    /// The session of a guild direct message.
    DirectReplySession;
    /// The session of a message in a QQ group.
    GroupReplySession;
    /// The session of a message in a one-to-one chat.
    C2CReplySession;
    /// The session of an interaction: a button, a menu entry.
    InteractionSession;
    /// The session of a reaction.
    ReactionSession;
    /// The session of a guild event.
    GuildSession;
    /// The session of a channel event.
    ChannelSession;
    /// The session of a member event.
    MemberSession;
    /// The session of an event about the bot in a group or a one-to-one chat: added, removed, switched on and off.
    ManageSession;
    /// The session of an audit.
    AuditSession;
    /// The session of an audio event.
    AudioSession;
    /// The session of a forum event.
    ForumSession;
    /// The session of an open-forum event.
    OpenForumSession;
    /// The session of an event that this version does not know.
    UnknownEventSession;
}
