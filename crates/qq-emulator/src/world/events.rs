//! Bodies of the message events, with the platform's quirks.

use serde_json::{Map, Value, json};

use super::{Bot, Channel, Direct, Group, Guild, User};
use crate::clock::{Millis, rfc3339};
use crate::ids::Ids;

/// What every message has.
#[derive(Debug)]
pub(crate) struct Said<'a> {
    pub(crate) id: &'a str,
    pub(crate) at: Millis,
    pub(crate) content: &'a str,
    pub(crate) attachments: &'a [Value],
    pub(crate) author: &'a User,
}

/// `d` of `GROUP_AT_MESSAGE_CREATE`, or of `GROUP_MESSAGE_CREATE` when `full`.
pub(crate) fn group(
    said: &Said<'_>,
    group: &Group,
    mentioned: Option<&Bot>,
    full: bool,
    ids: &mut Ids,
) -> Value {
    let role = group
        .members
        .iter()
        .find(|member| member.openid == said.author.openid)
        .map_or("member", |member| &member.role);
    // The platform cuts the mention out of the event for mentions and leaves the space behind it.
    let content = match mentioned {
        Some(bot) if full => format!("<@{}> {}", bot.openid, said.content),
        Some(_) => format!(" {}", said.content),
        None => said.content.to_owned(),
    };
    let mut d = json!({
        "id": said.id,
        "author": {
            "id": said.author.openid,
            "member_openid": said.author.openid,
            "member_role": role,
            "username": said.author.name,
            "bot": false,
            "union_openid": "",
        },
        "content": content,
        "group_id": group.id,
        "group_openid": group.id,
        "message_type": 0,
        "timestamp": rfc3339(said.at),
        "message_scene": {
            "source": "default",
            "ext": [
                format!("msg_idx={}", ids.reference_index()),
                format!("auth_token={}", ids.hex(34)),
            ],
        },
    });
    if let (Some(bot), true) = (mentioned, full) {
        d["mentions"] = json!([{
            "id": bot.openid,
            "member_openid": bot.openid,
            "username": bot.name,
            "bot": true,
            "scope": "single",
            "is_you": true,
            "member_role": group.bot_role,
        }]);
    }
    with_attachments(d, said.attachments)
}

/// `d` of `C2C_MESSAGE_CREATE`.
pub(crate) fn c2c(said: &Said<'_>, ids: &mut Ids) -> Value {
    let d = json!({
        "id": said.id,
        "author": {
            "id": said.author.openid,
            "user_openid": said.author.openid,
            "union_openid": "",
            "username": "",
            "bot": false,
        },
        "content": said.content,
        "message_type": 0,
        "message_scene": {
            "source": "default",
            "ext": [format!("msg_idx={}", ids.reference_index())],
        },
        "timestamp": rfc3339(said.at),
    });
    with_attachments(d, said.attachments)
}

/// `d` of `AT_MESSAGE_CREATE` or `MESSAGE_CREATE`; `seq` counts the channel's messages.
pub(crate) fn channel(
    said: &Said<'_>,
    guild: &Guild,
    channel: &Channel,
    mentioned: Option<&Bot>,
    seq: u64,
) -> Value {
    let text = escape_html(said.content);
    let content = match mentioned {
        Some(bot) => format!("<@!{}> {text}", bot.id),
        None => text,
    };
    let member = guild.member(&said.author.id);
    let mut d = json!({
        "id": said.id,
        "channel_id": channel.id,
        "guild_id": guild.id,
        "content": content,
        "timestamp": rfc3339(said.at),
        "author": guild_author(said.author),
        "member": {
            "nick": said.author.name,
            "roles": member.map(|member| member.roles.as_slice()).unwrap_or_default(),
            "joined_at": member.map_or(guild.joined_at.as_str(), |member| &member.joined_at),
        },
        "seq": seq,
        "seq_in_channel": seq.to_string(),
    });
    if let Some(bot) = mentioned {
        d["mentions"] = json!([{
            "id": bot.id, "username": bot.name, "avatar": bot.avatar, "bot": true,
        }]);
    }
    with_attachments(d, said.attachments)
}

/// `d` of `DIRECT_MESSAGE_CREATE`.
pub(crate) fn direct(said: &Said<'_>, direct: &Direct, joined_at: &str, seq: u64) -> Value {
    let d = json!({
        "id": said.id,
        "channel_id": direct.channel_id,
        "guild_id": direct.guild_id,
        "src_guild_id": direct.src_guild_id,
        "direct_message": true,
        "content": escape_html(said.content),
        "timestamp": rfc3339(said.at),
        "author": guild_author(said.author),
        "member": {"joined_at": joined_at},
        "seq": seq,
        "seq_in_channel": seq.to_string(),
    });
    with_attachments(d, said.attachments)
}

fn guild_author(user: &User) -> Value {
    json!({"id": user.id, "username": user.name, "avatar": user.avatar, "bot": false})
}

/// `attachments` is absent without any: several clients lose an event that has it as null.
fn with_attachments(mut d: Value, attachments: &[Value]) -> Value {
    if !attachments.is_empty() {
        d["attachments"] = Value::Array(attachments.to_vec());
    }
    d
}

/// Fills in what the platform always says about an attachment.
pub(crate) fn complete_attachment(given: &Map<String, Value>, ids: &mut Ids) -> Value {
    let mut attachment = json!({
        "content_type": "image/png",
        "filename": format!("{}.png", ids.hex(32).to_ascii_uppercase()),
        "size": 1024,
        "width": 64,
        "height": 64,
    });
    for (name, value) in given {
        attachment[name] = value.clone();
    }
    attachment
}

/// The guild side exchanges `&`, `<` and `>` as HTML entities.
pub(crate) fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The reverse of [`escape_html`], for showing guild texts.
pub(crate) fn unescape_html(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}
