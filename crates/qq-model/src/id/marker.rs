//! What an [`Id`](super::Id) is an id of. These types have no values.

macro_rules! markers {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        $($(#[$doc])* #[derive(Clone, Copy, Debug)] pub enum $name {})*
    };
}

markers! {
    /// A bot application.
    App,
    /// A guild.
    Guild,
    /// A channel of a guild.
    Channel,
    /// A user in guild scenes.
    User,
    /// A role of a guild.
    Role,
    /// A message.
    Message,
    /// A pushed event.
    Event,
    /// An interaction.
    Interaction,
    /// A schedule.
    Schedule,
    /// A forum thread.
    Thread,
    /// A comment on a forum thread.
    Post,
    /// A reply to a forum comment.
    Reply,
    /// A message audit.
    Audit,
    /// An attachment.
    Attachment,
    /// A user in one-to-one chats.
    UserOpen,
    /// A QQ group.
    GroupOpen,
    /// A member of a QQ group.
    MemberOpen,
    /// A person as the QQ chat at hand knows them.
    PersonOpen,
    /// A user across bots of one owner.
    UnionOpen,
    /// A gateway session.
    Session,
}
