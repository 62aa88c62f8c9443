//! What bots make and change beyond the world.

pub(crate) mod clicks;
pub(crate) mod console;
pub(crate) mod groups;
pub(crate) mod guilds;
pub(crate) mod interactions;
pub(crate) mod reactions;
pub(crate) mod streams;
pub(crate) mod uploads;
pub(crate) mod wakeups;

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use crate::clock::Millis;

use clicks::Clicks;
use console::Console;
use groups::{GroupNotes, Strategies};
use guilds::{ChannelNotes, GuildNotes};
use interactions::Interactions;
use reactions::Reactions;
use streams::Streams;
use uploads::Uploads;
use wakeups::Wakeups;

/// Everything of it; each part is bounded by itself.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) uploads: Uploads,
    pub(crate) streams: Streams,
    pub(crate) reactions: Reactions,
    /// By guild id.
    pub(crate) guilds: HashMap<String, GuildNotes>,
    /// By channel id.
    pub(crate) channels: HashMap<String, ChannelNotes>,
    /// By group openid.
    pub(crate) groups: HashMap<String, GroupNotes>,
    pub(crate) strategies: Strategies,
    pub(crate) interactions: Interactions,
    pub(crate) clicks: Clicks,
    pub(crate) console: Console,
    pub(crate) wakeups: Wakeups,
    /// Who takes no messages that answer nothing: users and groups by openid, guilds by id. And
    /// users of the guild side who take no direct messages at all, by id.
    pub(crate) refusing: BTreeSet<String>,
    /// Users who have removed the bot from their friends, by openid.
    pub(crate) strangers: BTreeSet<String>,
}

/// Users and groups remembered as refusing, and users as no friends.
const MOST_REFUSING: usize = 10_000;

impl Store {
    /// What belongs to a guild.
    pub(crate) fn guild(&mut self, id: &str) -> &mut GuildNotes {
        self.guilds.entry(id.to_owned()).or_default()
    }

    /// What belongs to a channel.
    pub(crate) fn channel(&mut self, id: &str) -> &mut ChannelNotes {
        self.channels.entry(id.to_owned()).or_default()
    }

    /// What belongs to a group.
    pub(crate) fn group(&mut self, id: &str) -> &mut GroupNotes {
        self.groups.entry(id.to_owned()).or_default()
    }

    /// Takes over what an event tells about users.
    pub(crate) fn learn(&mut self, event: &str, d: &Value, now: Millis) {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        match event {
            "MESSAGE_REACTION_ADD" | "MESSAGE_REACTION_REMOVE" => {
                let emoji = (d["emoji"]["type"].as_i64(), text(&d["emoji"]["id"]));
                let who = (text(&d["target"]["id"]), text(&d["user_id"]));
                if let ((Some(kind), Some(id)), (Some(message), Some(user))) = (emoji, who) {
                    if event.ends_with("ADD") {
                        self.reactions.add(&message, kind, &id, &user);
                    } else {
                        self.reactions.remove(&message, kind, &id, &user);
                    }
                }
            }
            "AUDIO_OR_LIVE_CHANNEL_MEMBER_ENTER" | "AUDIO_OR_LIVE_CHANNEL_MEMBER_EXIT" => {
                if let (Some(channel), Some(user)) = (text(&d["channel_id"]), text(&d["user_id"]))
                    && let Some(notes) = self.channels.get_mut(&channel)
                {
                    notes.listen(&user, event.ends_with("ENTER"));
                }
            }
            "C2C_MSG_REJECT" | "GROUP_MSG_REJECT" | "C2C_MSG_RECEIVE" | "GROUP_MSG_RECEIVE" => {
                if let Some(openid) = text(&d["group_openid"]).or_else(|| text(&d["openid"])) {
                    self.refusing.remove(&openid);
                    if event.ends_with("REJECT") && self.refusing.len() < MOST_REFUSING {
                        self.refusing.insert(openid);
                    }
                }
            }
            "FRIEND_ADD" | "FRIEND_DEL" => {
                if let Some(openid) = text(&d["openid"]) {
                    self.strangers.remove(&openid);
                    if event == "FRIEND_DEL" && self.strangers.len() < MOST_REFUSING {
                        self.strangers.insert(openid);
                    }
                }
            }
            "C2C_MESSAGE_CREATE" => {
                let author = &d["author"];
                if let Some(user) = text(&author["user_openid"]).or_else(|| text(&author["id"])) {
                    self.wakeups.spoke(&user, now);
                }
            }
            "INTERACTION_CREATE" => {
                if let Some(id) = text(&d["id"]) {
                    let kind = d["type"].as_i64().unwrap_or(0);
                    self.interactions.add(id, kind, now);
                }
            }
            _ => {}
        }
    }
}
