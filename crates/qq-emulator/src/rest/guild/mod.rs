//! Routes of guilds and channels that change them.

mod announces;
mod api_permissions;
mod audio;
mod channels;
mod direct;
mod forum;
mod members;
mod mutes;
mod permissions;
mod pins;
mod reactions;
mod roles;
mod schedules;

pub(crate) use members::event_of as member_event;

use serde_json::Value;

use super::Handler;
use crate::platform::State;
use crate::speech;

/// The handler of a route, if it is one of these.
pub(super) fn handler(route: &str) -> Option<Handler> {
    Some(match route {
        "create_guild_channel" => channels::create,
        "modify_channel" => channels::modify,
        "delete_channel" => channels::delete,
        "get_channel_online_nums" => audio::online_nums,
        "list_guild_role_members" => members::of_role,
        "delete_guild_member" => members::remove,
        "list_guild_roles" => roles::list,
        "create_guild_role" => roles::create,
        "modify_guild_role" => roles::modify,
        "delete_guild_role" => roles::delete,
        "add_guild_member_role" => roles::give,
        "remove_guild_member_role" => roles::take,
        "get_channel_user_permissions" => permissions::of_user,
        "put_channel_user_permissions" => permissions::change_user,
        "get_channel_role_permissions" => permissions::of_role,
        "put_channel_role_permissions" => permissions::change_role,
        "mute_guild" => mutes::everybody,
        "mute_guild_members" => mutes::members,
        "mute_guild_member" => mutes::member,
        "create_guild_announce" => announces::create,
        "delete_guild_announce" => announces::delete,
        "create_channel_announce" => announces::create_in_channel,
        "delete_channel_announce" => announces::delete_in_channel,
        "list_pins" => pins::list,
        "add_pin" => pins::add,
        "delete_pin" => pins::delete,
        "list_schedules" => schedules::list,
        "get_schedule" => schedules::get,
        "create_schedule" => schedules::create,
        "modify_schedule" => schedules::modify,
        "delete_schedule" => schedules::delete,
        "put_reaction" => reactions::put,
        "delete_reaction" => reactions::delete,
        "list_reaction_users" => reactions::list,
        "audio_control" => audio::control,
        "mic_on" => audio::mic_on,
        "mic_off" => audio::mic_off,
        "list_voice_members" => audio::members,
        "list_threads" => forum::list,
        "get_thread" => forum::get,
        "put_thread" => forum::put,
        "delete_thread" => forum::delete,
        "get_api_permission" => api_permissions::list,
        "post_api_permission_demand" => api_permissions::demand,
        "create_dms" => direct::create,
        "get_guild_message_setting" => direct::message_setting,
        _ => return None,
    })
}

/// Pushes an event that a call has caused.
fn push(state: &mut State, name: &str, d: &Value) {
    speech::push_event(state, name, None, d, None);
}
