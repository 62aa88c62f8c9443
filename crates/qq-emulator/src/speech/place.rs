//! Who speaks where.

use super::Say;
use crate::platform::State;
use crate::world::messages::Scene;
use crate::world::{Direct, User};

/// An author in a conversation.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) conversation: String,
    pub(crate) author: User,
    /// The direct conversation, in that scene.
    pub(crate) direct: Option<Direct>,
}

/// Finds both; what is left out comes from the world.
///
/// # Errors
/// A sentence that names the field and the fix.
pub(crate) fn find(state: &State, say: &Say) -> Result<Place, String> {
    let world = &state.world;
    let author = match say.author.as_deref() {
        Some(key) => Some(find_author(state, Some(key))?),
        None => None,
    };
    let unknown = |what: &str, key: &str| {
        format!("conversation: there is no {what} {key:?}; GET world lists them")
    };
    let nobody = || "author: the world has no users".to_owned();
    let first = || author.or(world.users.first()).ok_or_else(nobody);
    let place = |conversation: &str, author: &User, direct: Option<&Direct>| Place {
        conversation: conversation.to_owned(),
        author: author.clone(),
        direct: direct.cloned(),
    };
    let key = say.conversation.as_deref();
    match say.scene {
        Scene::Group => {
            let group = match key {
                Some(key) => world.group(key).ok_or_else(|| unknown("group", key))?,
                None => world
                    .groups
                    .first()
                    .ok_or("conversation: the world has no groups")?,
            };
            Ok(place(&group.id, first()?, None))
        }
        Scene::Channel => {
            let channel = match key {
                Some(key) => world
                    .channel(key)
                    .or_else(|| world.channels().find(|channel| channel.name == key))
                    .ok_or_else(|| unknown("channel", key))?,
                None => world
                    .channels()
                    .find(|channel| channel.kind == 0)
                    .ok_or("conversation: the world has no text channels")?,
            };
            Ok(place(&channel.id, first()?, None))
        }
        Scene::C2c => {
            let user = match key {
                Some(key) => world.user(key).ok_or_else(|| unknown("user", key))?,
                None => first()?,
            };
            match author {
                Some(author) if author.openid != user.openid => {
                    Err("author: in a C2C conversation the author is its user; leave it out".into())
                }
                _ => Ok(place(&user.openid, user, None)),
            }
        }
        Scene::Direct => {
            let of_user = |user: &User| world.direct.iter().find(|d| d.user_id == user.id);
            let direct = match key {
                Some(key) => world
                    .direct(key)
                    .or_else(|| of_user(world.user(key)?))
                    .ok_or_else(|| unknown("direct conversation", key))?,
                None => {
                    of_user(first()?).ok_or("conversation: the user has no direct conversation")?
                }
            };
            let user = world.user(&direct.user_id).ok_or_else(nobody)?;
            match author {
                Some(author) if author.id != user.id => Err(
                    "author: in a direct conversation the author is its user; leave it out".into(),
                ),
                _ => Ok(place(&direct.guild_id, user, Some(direct))),
            }
        }
    }
}

/// The user with this id, openid or name; the first user of the world without one.
///
/// # Errors
/// A sentence that names the field and the fix.
pub(super) fn find_author<'a>(state: &'a State, key: Option<&str>) -> Result<&'a User, String> {
    let world = &state.world;
    match key {
        Some(key) => world.user(key).ok_or_else(|| {
            format!("author: there is no user {key:?}; GET world lists the users' ids")
        }),
        None => {
            let first = world.users.first();
            first.ok_or_else(|| "author: the world has no users".to_owned())
        }
    }
}
