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
    pub(crate) quote: Option<&'a Quote>,
    pub(crate) author: &'a User,
}

/// The message that another one answers.
#[derive(Debug)]
pub(crate) struct Quote {
    pub(crate) id: String,
    /// The index of a group or C2C message.
    pub(crate) index: String,
    pub(crate) content: String,
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
    finish(d, said)
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
    finish(d, said)
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
    finish(d, said)
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
    finish(d, said)
}

fn guild_author(user: &User) -> Value {
    json!({"id": user.id, "username": user.name, "avatar": user.avatar, "bot": false})
}

/// `attachments` is absent without any: several clients lose an event that has it as null.
fn finish(mut d: Value, said: &Said<'_>) -> Value {
    if !said.attachments.is_empty() {
        d["attachments"] = Value::Array(said.attachments.to_vec());
    }
    let Some(quote) = said.quote else {
        return d;
    };
    if let Some(ext) = d["message_scene"]["ext"].as_array_mut() {
        ext.insert(0, format!("ref_msg_idx={}", quote.index).into());
        d["message_type"] = 103.into();
        d["msg_elements"] = json!([{
            "msg_idx": quote.index, "message_type": 0, "content": quote.content,
        }]);
    } else {
        d["message_reference"] = json!({"message_id": quote.id});
    }
    d
}

/// The index by which a group or C2C message is quoted.
pub(crate) fn own_index(d: &Value) -> Option<String> {
    let ext = d["message_scene"]["ext"].as_array()?;
    ext.iter()
        .find_map(|one| one.as_str()?.strip_prefix("msg_idx="))
        .map(str::to_owned)
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
