//! QQ bots in Rust: guild channels, guild direct messages, groups and one-to-one chats.
