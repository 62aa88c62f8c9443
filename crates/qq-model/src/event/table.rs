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
            /// The first event after IDENTIFY: the session stands.
            Ready = "READY", Ready, [], ready;
            /// Every missed event was replayed after RESUME.
            Resumed = "RESUMED", Resumed, [], resumed;
            /// A message that mentions the bot, or replies to it, in a guild channel.
            AtMessageCreate = "AT_MESSAGE_CREATE", Message, [PUBLIC_GUILD_MESSAGES], at_message_create;
            /// Any message in a guild channel; private-domain bots only.
            MessageCreate = "MESSAGE_CREATE", Message, [GUILD_MESSAGES], message_create;
            /// A guild direct message to the bot.
            DirectMessageCreate = "DIRECT_MESSAGE_CREATE", DirectMessage, [DIRECT_MESSAGE], direct_message_create;
            /// A message that mentions the bot in a QQ group.
            GroupAtMessageCreate = "GROUP_AT_MESSAGE_CREATE", GroupMessage, [GROUP_AND_C2C_EVENT], group_at_message_create;
            /// Any message in a QQ group whose administrator lets the bot read everything.
            GroupMessageCreate = "GROUP_MESSAGE_CREATE", GroupMessage, [GROUP_AND_C2C_EVENT], group_message_create;
            /// A message in a one-to-one chat.
            C2CMessageCreate = "C2C_MESSAGE_CREATE", C2CMessage, [GROUP_AND_C2C_EVENT], c2c_message_create;
        }
    };
}
