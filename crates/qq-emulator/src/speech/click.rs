//! Users press buttons.

use std::time::Duration;

use serde_json::{Value, json};

use super::push_event;
use crate::clock::rfc3339;
use crate::platform::State;
use crate::views::TimelineItem;
use crate::world::User;
use crate::world::messages::Scene;
use crate::world::store::clicks::Click;

/// What a button of a keyboard is called by.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Button<'a> {
    /// Its own id.
    Id(&'a str),
    /// Row and column, from 0.
    At(usize, usize),
}

/// Ids of the event that a click has caused.
#[derive(Debug)]
pub(crate) struct Clicked {
    pub(crate) interaction: String,
    pub(crate) event_id: String,
}

/// A user presses a button: pushes `INTERACTION_CREATE`.
///
/// # Errors
/// A sentence that names the field and the fix.
pub(crate) fn click(
    state: &mut State,
    message: &str,
    button: Button<'_>,
    author: Option<&str>,
) -> Result<Clicked, String> {
    let item = state.timeline.find(|item| item.message_id == message);
    let item = item.filter(|item| !item.recalled).ok_or_else(|| {
        format!("message_id: there is no message {message:?}; GET timeline lists them")
    })?;
    let item = item.clone();
    let ([row, column], button) = find(&item, button)?;
    let kind = button["action"]["type"].as_i64().unwrap_or(0);
    if kind != 1 {
        return Err(format!(
            "button: its action has type {kind}; only those of type 1 are sent to the bot"
        ));
    }
    let user = presser(state, &item, author)?;
    may_press(state, &item, &button["action"]["permission"], &user)?;
    let interaction = state.ids.uuid();
    let d = event(state, &item, &button, &user, &interaction);
    let (event_id, _) = push_event(state, "INTERACTION_CREATE", None, &d, None);
    if item.scene == Scene::Direct
        && let Some(answerable) = state.memory.get_mut(&event_id)
    {
        // Its event looks like one of a channel.
        answerable.scene = Some(Scene::Direct);
        answerable.conversation = Some(item.conversation.clone());
    }
    let click = Click {
        interaction: interaction.clone(),
        button: [row, column],
        user: id_in(item.scene, &user).to_owned(),
        code: None,
        late: false,
    };
    state.store.clicks.add(message, click);
    state.feed.message(message);
    let window = state.settings.interaction_window;
    if window > 0 {
        let id = interaction.clone();
        state.put_off(Duration::from_millis(window), move |state| {
            if let Some(message) = state.store.clicks.settle(&id, |click| click.late = true) {
                state.feed.message(&message);
            }
        });
    }
    Ok(Clicked {
        interaction,
        event_id,
    })
}

/// The button and its place.
fn find(item: &TimelineItem, wanted: Button<'_>) -> Result<([usize; 2], Value), String> {
    let body = item.body.as_ref().unwrap_or(&Value::Null);
    let rows = body["keyboard"]["content"]["rows"].as_array();
    let rows = rows.map_or(&[][..], Vec::as_slice);
    for (row, buttons) in rows.iter().enumerate() {
        let buttons = buttons["buttons"].as_array();
        for (column, button) in buttons.into_iter().flatten().enumerate() {
            let found = match wanted {
                Button::Id(id) => button["id"] == id,
                Button::At(at_row, at_column) => (at_row, at_column) == (row, column),
            };
            if found {
                return Ok(([row, column], button.clone()));
            }
        }
    }
    Err("button: the message has no such button; give its id, or row and column from 0".into())
}

/// Who presses: in a conversation of two, its user.
fn presser(state: &State, item: &TimelineItem, author: Option<&str>) -> Result<User, String> {
    let own = match item.scene {
        Scene::C2c => Some(item.conversation.as_str()),
        Scene::Direct => state
            .world
            .direct(&item.conversation)
            .map(|direct| direct.user_id.as_str()),
        Scene::Group | Scene::Channel => None,
    };
    let user = super::place::find_author(state, author.or(own))?;
    if own.is_some_and(|own| own != user.id && own != user.openid) {
        return Err("author: in a conversation of two its user presses; leave it out".into());
    }
    Ok(user.clone())
}

fn id_in(scene: Scene, user: &User) -> &str {
    if scene.is_guild_side() {
        &user.id
    } else {
        &user.openid
    }
}

/// Whether the button's permission lets the user press it.
fn may_press(
    state: &State,
    item: &TimelineItem,
    permission: &Value,
    user: &User,
) -> Result<(), String> {
    let lists = |name: &str, id: &str| {
        let ids = permission[name].as_array();
        let mut ids = ids.into_iter().flatten();
        // Ids of roles are sent as numbers, too.
        ids.any(|known| {
            *known == id
                || known
                    .as_u64()
                    .is_some_and(|known| Some(known) == id.parse().ok())
        })
    };
    let roles = || {
        let channel = state.world.channel(&item.conversation);
        let guild = channel.and_then(|channel| state.world.guild(&channel.guild_id));
        let member = guild.and_then(|guild| guild.member(&user.id));
        member
            .map(|member| member.roles.clone())
            .unwrap_or_default()
    };
    let (may, who) = match permission["type"].as_i64() {
        Some(0) => (
            lists("specify_user_ids", id_in(item.scene, user)),
            "the listed users",
        ),
        Some(1) => (
            match item.scene {
                Scene::Group => state.world.group(&item.conversation).is_none_or(|group| {
                    let mut members = group.members.iter();
                    members.any(|member| member.openid == user.openid && member.role != "member")
                }),
                Scene::Channel => roles()
                    .iter()
                    .any(|role| matches!(role.as_str(), "2" | "4" | "5")),
                Scene::C2c | Scene::Direct => true,
            },
            "administrators",
        ),
        Some(3) => (
            roles().iter().any(|role| lists("specify_role_ids", role)),
            "the listed roles",
        ),
        _ => (true, ""),
    };
    if may {
        return Ok(());
    }
    Err(format!(
        "author: {} may not press this button, it is for {who}",
        user.name
    ))
}

/// `d` of the event.
fn event(
    state: &State,
    item: &TimelineItem,
    button: &Value,
    user: &User,
    interaction: &str,
) -> Value {
    let bot = state.world.bots.iter();
    let author = &item.author.id;
    let bot = bot
        .clone()
        .find(|bot| bot.id == *author || bot.openid == *author)
        .or(state.world.bots.first());
    let mut d = json!({
        "application_id": bot.map_or("", |bot| &bot.app_id),
        "data": {
            "resolved": {
                "button_data": button["action"]["data"].as_str().unwrap_or_default(),
                "button_id": button["id"].as_str().unwrap_or_default(),
            },
            "type": 11,
        },
        "id": interaction,
        "timestamp": rfc3339(state.clock.now()),
        "type": 11,
        "version": 1,
    });
    match item.scene {
        Scene::Group => {
            d["chat_type"] = 1.into();
            d["scene"] = "group".into();
            d["group_openid"] = item.conversation.as_str().into();
            d["group_member_openid"] = user.openid.as_str().into();
        }
        Scene::C2c => {
            d["chat_type"] = 2.into();
            d["scene"] = "c2c".into();
            d["user_openid"] = user.openid.as_str().into();
        }
        Scene::Channel | Scene::Direct => {
            let world = &state.world;
            let direct = world.direct(&item.conversation);
            let channel = world.channel(&item.conversation);
            d["chat_type"] = 0.into();
            d["scene"] = "guild".into();
            let (guild, channel) = match (direct, channel) {
                (Some(direct), _) => (direct.guild_id.as_str(), direct.channel_id.as_str()),
                (None, Some(channel)) => (channel.guild_id.as_str(), channel.id.as_str()),
                (None, None) => ("0", item.conversation.as_str()),
            };
            d["guild_id"] = guild.into();
            d["channel_id"] = channel.into();
            let resolved = &mut d["data"]["resolved"];
            resolved["user_id"] = user.id.as_str().into();
            resolved["message_id"] = item.message_id.as_str().into();
        }
    }
    d
}
