//! Mentions, channel links and emoji inside texts.

use crate::id::{ChannelId, MemberOpenid, UserId};

/// The mention of everyone in guild scenes. The platform limits how often it may be used.
pub const MENTION_EVERYONE: &str = "@everyone";

/// The mention of a user in guild scenes: `<@!id>`.
#[must_use]
pub fn mention_user(user: &UserId) -> String {
    format!("<@!{user}>")
}

/// The mention of a member as texts of groups have it: `<@openid>`.
#[must_use]
pub fn mention_member(member: &MemberOpenid) -> String {
    format!("<@{member}>")
}

/// A link to a channel of the same guild: `<#id>`.
#[must_use]
pub fn channel_link(channel: &ChannelId) -> String {
    format!("<#{channel}>")
}

/// A system emoji in guild scenes: `<emoji:number>`.
#[must_use]
pub fn emoji(number: u32) -> String {
    format!("<emoji:{number}>")
}

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entity<'a> {
    /// Plain text, as it stands: entities such as `&lt;` are not turned back.
    Text(&'a str),
    /// `<@id>` or `<@!id>`: the id of a user or a member.
    Mention(&'a str),
    /// `@everyone` or `<@all>`.
    Everyone,
    /// `<#id>`: the id of a channel.
    Channel(&'a str),
    /// `<emoji:number>`.
    Emoji(&'a str),
    /// `<faceType=...>`: a face; [`Face::parse`](super::Face::parse) reads it.
    Face(&'a str),
}

/// Takes a text apart. What is not closed, or is none of the known forms, is plain text.
///
/// ```
/// use qq_model::text::{Entity, entities};
///
/// let pieces: Vec<_> = entities("hi <@!7>, see <#2>").collect();
/// assert_eq!(
///     pieces,
///     [Entity::Text("hi "), Entity::Mention("7"), Entity::Text(", see "), Entity::Channel("2")],
/// );
/// ```
#[must_use]
pub const fn entities(text: &str) -> Entities<'_> {
    Entities { rest: text }
}

/// The pieces of a text; see [`entities`].
#[derive(Clone, Debug)]
pub struct Entities<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Entities<'a> {
    type Item = Entity<'a>;

    fn next(&mut self) -> Option<Entity<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        if let Some((entity, len)) = leading(self.rest) {
            self.rest = &self.rest[len..];
            return Some(entity);
        }
        let len = self
            .rest
            .match_indices(['<', '@'])
            .map(|(at, _)| at)
            .find(|at| *at > 0 && leading(&self.rest[*at..]).is_some())
            .unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(len);
        self.rest = rest;
        Some(Entity::Text(text))
    }
}

/// The entity that a text starts with, and its length in bytes.
pub(super) fn leading(text: &str) -> Option<(Entity<'_>, usize)> {
    if text.starts_with(MENTION_EVERYONE) {
        return Some((Entity::Everyone, MENTION_EVERYONE.len()));
    }
    let inside = text.strip_prefix('<')?;
    let (inside, _) = inside.split_once('>')?;
    let len = inside.len() + 2;
    if inside.contains('<') {
        return None;
    }
    let entity = if inside == "@all" {
        Entity::Everyone
    } else if let Some(id) = inside.strip_prefix('@') {
        Entity::Mention(is_id(id.strip_prefix('!').unwrap_or(id))?)
    } else if let Some(id) = inside.strip_prefix('#') {
        Entity::Channel(is_id(id)?)
    } else if let Some(number) = inside.strip_prefix("emoji:") {
        Entity::Emoji(is_id(number)?)
    } else if inside.starts_with("faceType=") {
        Entity::Face(&text[..len])
    } else {
        return None;
    };
    Some((entity, len))
}

fn is_id(text: &str) -> Option<&str> {
    (!text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
    .then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_form_is_known_and_look_alikes_are_text() {
        let one = |text| entities(text).collect::<Vec<_>>();
        assert_eq!(one("<@AB12>"), [Entity::Mention("AB12")]);
        assert_eq!(one("@everyone!"), [Entity::Everyone, Entity::Text("!")]);
        assert_eq!(one("<@all>"), [Entity::Everyone]);
        assert_eq!(one("<emoji:4>"), [Entity::Emoji("4")]);
        for text in ["<@>", "<@!", "< @1>", "<#a b>", "a@b <c>", "<<@"] {
            assert_eq!(one(text), [Entity::Text(text)], "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let text = format!(
            "{}{}{}",
            mention_user(&"7".into()),
            channel_link(&"2".into()),
            emoji(4)
        );
        assert_eq!(
            entities(&text).collect::<Vec<_>>(),
            [
                Entity::Mention("7"),
                Entity::Channel("2"),
                Entity::Emoji("4")
            ]
        );
        assert_eq!(mention_member(&"AB".into()), "<@AB>");
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "(<@!?[0-9]{1,3}>|<#[0-9]>|@everyone|<emoji:[0-9]>|[a<>@#! 文]){0,12}") {
            let back: String = entities(&text)
                .map(|entity| match entity {
                    Entity::Text(text) | Entity::Face(text) => text.to_owned(),
                    Entity::Mention(id) => format!("<@{id}>"),
                    Entity::Everyone => MENTION_EVERYONE.to_owned(),
                    Entity::Channel(id) => format!("<#{id}>"),
                    Entity::Emoji(id) => format!("<emoji:{id}>"),
                })
                .collect();
            prop_assert_eq!(back.replace("<@!", "<@"), text.replace("<@!", "<@"));
        }
    }
}
