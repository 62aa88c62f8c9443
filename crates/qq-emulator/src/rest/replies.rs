//! Answers and messages that answer nothing: windows, budgets, numbers, quotas.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value};

use super::content::text;
use super::error::Refusal;
use crate::clock::Millis;
use crate::platform::State;
use crate::violations::Finding;
use crate::world::messages::Scene;
use crate::world::store::wakeups;

const SECOND: Millis = 1_000;
const MINUTE: Millis = 60 * SECOND;
const DAY: Millis = 24 * 60 * MINUTE;

/// What a message answers.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) to: String,
    msg_seq: i64,
    digest: u64,
    counts: bool,
}

/// Events that can be answered with their `event_id`.
const ANSWERABLE_V2: [&str; 6] = [
    "INTERACTION_CREATE",
    "C2C_MSG_RECEIVE",
    "FRIEND_ADD",
    "GROUP_ADD_ROBOT",
    "GROUP_MSG_RECEIVE",
    "GROUP_MEMBER_ADD",
];
const ANSWERABLE_GUILD: [&str; 13] = [
    "INTERACTION_CREATE",
    "GUILD_MEMBER_ADD",
    "GUILD_MEMBER_UPDATE",
    "GUILD_MEMBER_REMOVE",
    "MESSAGE_REACTION_ADD",
    "MESSAGE_REACTION_REMOVE",
    "FORUM_THREAD_CREATE",
    "FORUM_THREAD_UPDATE",
    "FORUM_THREAD_DELETE",
    "FORUM_POST_CREATE",
    "FORUM_POST_DELETE",
    "FORUM_REPLY_CREATE",
    "FORUM_REPLY_DELETE",
];

/// Checks whether the message may be sent as an answer; `None` if it answers nothing.
pub(super) fn check(
    state: &mut State,
    scene: Scene,
    conversation: &str,
    fields: &Map<String, Value>,
    findings: &mut Vec<Finding>,
) -> Result<Option<Reply>, Box<Refusal>> {
    let (msg_id, event_id) = (text(fields, "msg_id"), text(fields, "event_id"));
    if msg_id.is_some() && event_id.is_some() {
        findings.push(Finding::warn(
            "rest.reply.both_ids",
            "msg_id and event_id exclude each other",
            "both are present; msg_id counts",
        ));
    }
    if (msg_id.is_some() || event_id.is_some())
        && fields.get("is_wakeup").and_then(Value::as_bool) == Some(true)
    {
        return Err(Refusal::code(40_034_125).finding(Finding::error(
            "rest.reply.wakeup",
            "is_wakeup excludes msg_id and event_id",
            "is_wakeup together with msg_id or event_id",
        )));
    }
    let reply_to = match (msg_id, event_id) {
        (Some(id), _) => {
            check_target(state, scene, conversation, id, false)?;
            id
        }
        (None, Some(id)) => {
            check_target(state, scene, conversation, id, true)?;
            id
        }
        (None, None) => return Ok(None),
    };
    let kind = fields.get("msg_type").and_then(Value::as_i64);
    let mut reply = Reply {
        to: reply_to.to_owned(),
        msg_seq: fields.get("msg_seq").and_then(Value::as_i64).unwrap_or(1),
        digest: digest(fields),
        counts: kind != Some(6) || state.settings.typing_costs_budget,
    };
    if scene.is_guild_side() {
        // No msg_seq here: every answer has a number of its own.
        reply.msg_seq = i64::from(state.memory.answers(reply_to).count);
    } else {
        check_seq(state, &reply)?;
    }
    check_budget(state, scene, &reply)?;
    Ok(Some(reply))
}

/// Is it known, of this conversation, still open?
fn check_target(
    state: &State,
    scene: Scene,
    conversation: &str,
    id: &str,
    is_event: bool,
) -> Result<(), Box<Refusal>> {
    let guild = scene.is_guild_side();
    let (name, unknown, expired) = match (guild, is_event) {
        (true, false) => ("msg_id", 304_026, 304_027),
        (true, true) => ("event_id", 304_026, 304_027),
        (false, false) => ("msg_id", 40_034_024, 40_034_005),
        (false, true) => ("event_id", 40_034_025, 40_034_026),
    };
    let wrong_id = |code: i64, why: String| {
        Refusal::code(code).finding(Finding::error(
            "rest.reply.id",
            "an answer names a message or event of its own conversation",
            why,
        ))
    };
    let Some(target) = state.memory.get(id) else {
        return Err(wrong_id(unknown, format!("{name} {id:?} is not known")));
    };
    let elsewhere = target.scene.is_some_and(|known| known != scene)
        || target
            .conversation
            .as_ref()
            .is_some_and(|known| known != conversation);
    if elsewhere {
        let code = if guild { 50_038 } else { unknown };
        return Err(wrong_id(
            code,
            format!("{name} {id:?} is of another conversation"),
        ));
    }
    if target.by_bot {
        let code = if guild { 50_045 } else { unknown };
        return Err(wrong_id(code, format!("{name} {id:?} is the bot's own")));
    }
    let answerable: &[&str] = if guild {
        &ANSWERABLE_GUILD
    } else {
        &ANSWERABLE_V2
    };
    if is_event && !answerable.contains(&target.event.as_str()) {
        let code = if guild { unknown } else { 40_034_027 };
        return Err(wrong_id(
            code,
            format!("{} cannot be answered by event_id", target.event),
        ));
    }
    let age = state.clock.now().saturating_sub(target.at);
    let window = match scene {
        Scene::Group => state.settings.group_reply_window,
        Scene::C2c => state.settings.c2c_reply_window,
        Scene::Channel | Scene::Direct => state.settings.guild_reply_window,
    };
    if age > window {
        return Err(Refusal::code(expired).finding(Finding::warn(
            "rest.reply.expired",
            "an answer comes within the window of its scene",
            format!(
                "{name} is {} s old, the window is {} s",
                age / 1000,
                window / 1000
            ),
        )));
    }
    Ok(())
}

fn check_seq(state: &mut State, reply: &Reply) -> Result<(), Box<Refusal>> {
    if !(0..=i64::from(u32::MAX)).contains(&reply.msg_seq) {
        return Err(Refusal::code(40_034_125).finding(Finding::error(
            "rest.reply.seq",
            "msg_seq is a small positive number",
            format!("msg_seq is {}", reply.msg_seq),
        )));
    }
    let Some(before) = state.memory.answers(&reply.to).seqs.get(&reply.msg_seq) else {
        return Ok(());
    };
    const RULE: &str = "the pair of msg_id and msg_seq is new";
    let message = format!("msg_seq {} was used for {:?}", reply.msg_seq, reply.to);
    // The same body once more is a retry whose first answer was lost; another is a lost message.
    let finding = if *before == reply.digest {
        Finding::info("rest.reply.repeated", RULE, message)
    } else {
        Finding::error("rest.reply.duplicate_seq", RULE, message)
    };
    Err(Refusal::code(40_054_005).finding(finding))
}

fn check_budget(state: &mut State, scene: Scene, reply: &Reply) -> Result<(), Box<Refusal>> {
    let budget = match scene {
        Scene::Group => state.settings.group_reply_budget,
        Scene::C2c => state.settings.c2c_reply_budget,
        Scene::Channel | Scene::Direct => state.settings.guild_reply_budget,
    };
    if !reply.counts || budget == 0 || state.memory.answers(&reply.to).count < budget {
        return Ok(());
    }
    let code = if scene.is_guild_side() {
        304_027
    } else {
        40_034_128
    };
    Err(Refusal::code(code).finding(Finding::warn(
        "rest.reply.budget",
        "a message is answered at most as often as its scene allows",
        format!("{:?} has {budget} answers already", reply.to),
    )))
}

/// Counts an answer that was sent.
pub(super) fn record(state: &mut State, reply: &Reply) {
    let answers = state.memory.answers(&reply.to);
    answers.count += u32::from(reply.counts);
    answers.seqs.insert(reply.msg_seq, reply.digest);
}

/// Checks and counts a message that answers nothing.
pub(super) fn spend_active(
    state: &mut State,
    scene: Scene,
    conversation: &str,
    fields: &Map<String, Value>,
) -> Result<(), Box<Refusal>> {
    if !scene.is_guild_side() && state.store.refusing.contains(conversation) {
        return Err(Refusal::code(40_034_105).finding(Finding::warn(
            "rest.active.refused",
            "who has switched active messages off gets none",
            format!("{conversation:?} takes answers only"),
        )));
    }
    let channel = state.world.channel(conversation);
    if scene == Scene::Channel
        && channel.is_some_and(|channel| state.store.refusing.contains(&channel.guild_id))
    {
        return Err(Refusal::code(304_048).finding(Finding::warn(
            "rest.active.refused",
            "who has switched active messages off gets none",
            "the guild takes answers only",
        )));
    }
    let now = state.clock.now();
    if scene == Scene::C2c && fields.get("is_wakeup").and_then(Value::as_bool) == Some(true) {
        return call_back(state, conversation, now);
    }
    let settings = &state.settings;
    let quotas = &mut state.quotas;
    let key = format!("{}/{conversation}", scene.as_str());
    let bot_key = format!("bot/{}", scene.as_str());
    let over = |code: i64, what: &str| {
        Refusal::code(code).finding(Finding::warn(
            "rest.active.quota",
            "messages that answer nothing stay within the quotas",
            what,
        ))
    };
    match scene {
        Scene::Group | Scene::C2c => {
            // A verified bot has no limit per minute to users, and twice that to groups.
            let per_minute = match (scene, settings.verified) {
                (Scene::Group, true) => settings.active_per_bot_minute.saturating_mul(2),
                (Scene::C2c, true) => 0,
                _ => settings.active_per_bot_minute,
            };
            if quotas.used_up(&bot_key, now, MINUTE, per_minute) {
                return Err(over(
                    40_034_100,
                    "the bot's quota of this minute is used up",
                ));
            }
            let per_second = if settings.verified { 10 } else { 5 };
            if scene == Scene::C2c
                && settings.route_limits
                && quotas.used_up(&bot_key, now, SECOND, per_second)
            {
                return Err(over(
                    40_034_100,
                    "the bot's quota of this second is used up",
                ));
            }
            if quotas.used_up(&key, now, MINUTE, settings.active_per_minute) {
                return Err(over(
                    40_034_100,
                    "the conversation's quota of this minute is used up",
                ));
            }
            if quotas.used_up(&key, now, DAY, settings.active_per_day) {
                return Err(over(
                    22_009,
                    "the conversation's quota of this day is used up",
                ));
            }
            quotas.done(bot_key, now);
        }
        Scene::Channel => {
            if quotas.used_up(&key, now, DAY, settings.active_per_channel_day) {
                return Err(over(304_045, "the channel's quota of this day is used up"));
            }
            let guild = state
                .world
                .channel(conversation)
                .map(|channel| format!("guild/{}/", channel.guild_id))
                .unwrap_or_default();
            let channel_key = format!("{guild}{conversation}");
            let most = settings.active_channels_per_guild_day as usize;
            if most > 0
                && quotas.count(&channel_key, now, DAY) == 0
                && quotas.active_today(&guild, now) >= most
            {
                return Err(over(
                    304_047,
                    "the guild's quota of channels of this day is used up",
                ));
            }
            quotas.done(channel_key, now);
        }
        Scene::Direct => {
            if quotas.used_up(&key, now, DAY, settings.active_direct_per_user_day) {
                return Err(over(304_049, "the user's quota of this day is used up"));
            }
            if quotas.used_up("direct", now, DAY, settings.active_direct_per_day) {
                return Err(over(304_050, "the bot's quota of this day is used up"));
            }
            quotas.done("direct".into(), now);
        }
    }
    quotas.done(key, now);
    Ok(())
}

/// A message that calls a user back has quotas of its own.
fn call_back(state: &mut State, user: &str, now: Millis) -> Result<(), Box<Refusal>> {
    const RULE: &str = "within 30 days after the user spoke, one message in each of four periods";
    let (code, why) = match state.store.wakeups.spend(user, now) {
        Ok(()) => return Ok(()),
        Err(wakeups::Refused::UsedUp) => (40_034_122, "the message of this period was sent"),
        Err(wakeups::Refused::Silent) => (40_034_123, "the user has not spoken for 30 days"),
    };
    Err(Refusal::code(code).finding(Finding::warn("rest.active.quota", RULE, why)))
}

/// Tells whether two bodies are the same message.
fn digest(fields: &Map<String, Value>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (name, value) in fields {
        // `timestamp` is when the client tried.
        if name != "timestamp" {
            name.hash(&mut hasher);
            value.to_string().hash(&mut hasher);
        }
    }
    hasher.finish()
}
