//! The documented limits, written once.
//!
//! Source: the platform's pages of 2025 and 2026 on each call, and its page on active messages of 2026. Each call has a
//! counter of its own. [`Limits`](super::Limits) names those that cannot be kept from here.

use super::{Certification, Counted, LimitScope};
use crate::route::Route;

/// One documented limit.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    /// The calls, by [`Route::id`](crate::Route::id); each is counted alone.
    pub(super) routes: &'static [&'static str],
    pub(super) counted: Counted,
    pub(super) scope: LimitScope,
    /// The bots it is for; `None` for all.
    pub(super) certification: Option<Certification>,
    pub(super) requests: u32,
    pub(super) seconds: u64,
    pub(super) burst: Option<u32>,
}

const SECOND: u64 = 1;
const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * 60;

macro_rules! rows {
    ($($name:literal: $counted:ident per $scope:ident, $certification:tt, $requests:literal / $period:ident $(burst $burst:literal)?, [$($route:ident)*];)*) => {
        pub(super) const DOCUMENTED: &[Row] = &[$(Row {
            name: $name,
            routes: &[$(stringify!($route)),*],
            counted: Counted::$counted,
            scope: LimitScope::$scope,
            certification: certification!($certification),
            requests: $requests,
            seconds: $period,
            burst: burst!($($burst)?),
        },)*];
    };
}

macro_rules! certification {
    (any) => {
        None
    };
    ($level:ident) => {
        Some(Certification::$level)
    };
}

macro_rules! burst {
    () => {
        None
    };
    ($burst:literal) => {
        Some($burst)
    };
}

rows! {
    "gateway": All per Bot, any, 2 / MINUTE burst 10, [get_gateway get_gateway_bot];
    "account": All per Bot, any, 50 / SECOND, [get_me list_my_guilds generate_url_link put_interaction];
    "guild": All per Bot, any, 50 / SECOND, [get_guild list_guild_channels create_guild_channel get_channel modify_channel delete_channel];
    "guild.schedule": All per Peer, any, 10 / DAY, [create_schedule];
    "guild.permission_demand": All per Peer, any, 3 / DAY, [post_api_permission_demand];
    "channel.send": All per Peer, any, 5 / SECOND, [send_channel_message];
    "channel.active": Active per Peer, any, 20 / DAY, [send_channel_message];
    "direct.active.bot": Active per Bot, any, 200 / DAY, [send_dms_message];
    "direct.active.user": Active per Peer, any, 2 / DAY, [send_dms_message];
    "c2c.send": All per Bot, any, 100 / SECOND, [send_c2c_message];
    "c2c.active.bot": Active per Bot, Verified, 10 / SECOND, [send_c2c_message];
    "c2c.active.bot": Active per Bot, Unverified, 5 / SECOND, [send_c2c_message];
    "c2c.active.bot.minute": Active per Bot, Unverified, 30 / MINUTE, [send_c2c_message];
    "c2c.active.user": Active per Peer, any, 20 / MINUTE, [send_c2c_message];
    "c2c.active.user.day": Active per Peer, any, 1000 / DAY, [send_c2c_message];
    "c2c.stream": All per Bot, any, 50 / SECOND, [send_c2c_stream_message];
    "group.send": All per Bot, any, 100 / SECOND, [send_group_message];
    "group.active.bot": Active per Bot, Verified, 60 / MINUTE, [send_group_message];
    "group.active.bot": Active per Bot, Unverified, 30 / MINUTE, [send_group_message];
    "group.active.group": Active per Peer, any, 20 / MINUTE, [send_group_message];
    "group.active.group.day": Active per Peer, any, 1000 / DAY, [send_group_message];
    "recall": All per Bot, any, 10 / SECOND, [delete_c2c_message delete_group_message];
    "files": All per Bot, any, 50 / SECOND, [upload_c2c_file upload_group_file];
    "upload": All per Bot, any, 10 / SECOND, [c2c_upload_prepare c2c_upload_part_finish group_upload_prepare group_upload_part_finish];
    "group.read": All per Bot, any, 30 / MINUTE, [get_group_info get_group_bot_state get_group_member batch_remove_group_members
        list_group_join_requests list_group_member_blacklist get_group_restrict_chat_setting];
    "group.write": All per Bot, any, 60 / MINUTE, [list_group_members approve_group_join_request modify_group_member_blacklist
        set_group_restrict_chat_setting list_join_approval_strategies create_join_approval_strategy modify_join_approval_strategy
        delete_join_approval_strategy execute_join_approval_strategy modify_join_approval_whitelist];
    "menu.read": All per Bot, any, 30 / MINUTE, [get_menu];
    "menu.write": All per Bot, any, 5 / MINUTE, [put_menu];
    "panel.read": All per Bot, any, 30 / MINUTE, [list_panels get_panel];
    "panel.write": All per Bot, any, 10 / MINUTE, [create_panel update_panel delete_panel];
    "panel.target": All per Bot, any, 60 / MINUTE, [update_panel_target];
}

/// Whether the platform counts active messages of this route apart.
pub(super) fn tells_active_apart(route: Route) -> bool {
    DOCUMENTED
        .iter()
        .any(|row| row.counted == Counted::Active && row.routes.contains(&route.id()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
    struct Number {
        level: Option<&'static str>,
        is_active: bool,
        is_per_peer: bool,
        requests: u32,
        seconds: u64,
        burst: Option<u32>,
    }

    /// The numbers of a sentence of the protocol table.
    fn numbers(sentence: &str) -> BTreeSet<Number> {
        let mut found = Vec::<Number>::new();
        let mut is_active = false;
        for part in sentence.split([',', ';']) {
            is_active |= part.contains("active:");
            let words: Vec<&str> = part.split_whitespace().collect();
            let has = |word: &str| words.contains(&word);
            let is_per_peer = ["user", "group", "guild", "channel", "administrator"]
                .into_iter()
                .any(has);
            let level = ["unverified", "verified"]
                .into_iter()
                .find(|&level| has(level));
            for (at, word) in words.iter().enumerate() {
                let Ok(requests) = word.parse() else { continue };
                if at > 0 && words[at - 1] == "burst" {
                    found.last_mut().unwrap().burst = Some(requests);
                }
                let period = words[at..].iter().find_map(|word| match *word {
                    "second" => Some(SECOND),
                    "minute" => Some(MINUTE),
                    "day" => Some(DAY),
                    _ => None,
                });
                found.extend(period.map(|seconds| Number {
                    level,
                    is_active,
                    is_per_peer,
                    requests,
                    seconds,
                    burst: None,
                }));
            }
        }
        found.into_iter().collect()
    }

    fn rows(route: &str) -> BTreeSet<Number> {
        let rows = DOCUMENTED.iter().filter(|row| row.routes.contains(&route));
        rows.map(|row| Number {
            level: row.certification.map(|level| match level {
                Certification::Verified => "verified",
                Certification::Unverified => "unverified",
            }),
            is_active: row.counted == Counted::Active,
            is_per_peer: row.scope == LimitScope::Peer,
            requests: row.requests,
            seconds: row.seconds,
            burst: row.burst,
        })
        .collect()
    }

    #[test]
    fn the_sentences_are_read() {
        let number = |is_active, is_per_peer, requests, seconds, burst| Number {
            level: None,
            is_active,
            is_per_peer,
            requests,
            seconds,
            burst,
        };
        assert_eq!(
            numbers("2 per minute, burst 10 (docs2026)"),
            [number(false, false, 2, 60, Some(10))].into()
        );
        assert_eq!(
            numbers("active: 2 per user and day, 200 per bot and day"),
            [
                number(true, true, 2, DAY, None),
                number(true, false, 200, DAY, None)
            ]
            .into()
        );
        assert_eq!(
            numbers("5 messages per second and channel, active or passive"),
            [number(false, true, 5, 1, None)].into()
        );
    }

    #[test]
    fn every_route_has_the_limits_that_the_protocol_table_documents() {
        let routes: Vec<Value> =
            serde_json::from_str(include_str!("../../../qq-model/tables/routes.json")).unwrap();
        let mut counted = 0;
        for route in &routes {
            let id = route["id"].as_str().unwrap();
            let mut documented = numbers(route["rate_limit"].as_str().unwrap_or_default());
            match id {
                // "treat like /gateway"
                "get_gateway_bot" => documented = rows("get_gateway"),
                // No request says which guild a channel belongs to.
                "create_schedule" => documented.retain(|number| number.requests != 100),
                // Documented on the page on active messages alone.
                "send_channel_message" => {
                    documented.extend(numbers("active: 20 per channel and day"));
                }
                _ => {}
            }
            assert_eq!(rows(id), documented, "{id}");
            counted += documented.len();
        }
        assert!(counted > 60, "{counted}");
        let ids: BTreeSet<&str> = routes
            .iter()
            .map(|route| route["id"].as_str().unwrap())
            .collect();
        for row in DOCUMENTED {
            assert!(row.routes.iter().all(|id| ids.contains(id)), "{}", row.name);
        }
    }

    #[test]
    fn active_messages_have_the_documented_quotas() {
        let errors: Value =
            serde_json::from_str(include_str!("../../../qq-model/tables/errors.json")).unwrap();
        let quotas = errors["rate_limits"]["active_v2"].as_array().unwrap();
        assert_eq!(quotas.len(), 2);
        for quota in quotas {
            let (id, peer) = match quota["scope"].as_str().unwrap() {
                "C2C" => ("send_c2c_message", "user"),
                "group" => ("send_group_message", "group"),
                other => panic!("unknown scope {other}"),
            };
            let (bot, target) = (
                quota["bot"].as_str().unwrap(),
                quota["target"].as_str().unwrap(),
            );
            let spelt = format!(
                "active: {bot}; {}",
                target.replace(',', &format!(" per {peer},"))
            )
            .replace("/s", " per second")
            .replace("/min", " per minute")
            .replace("/day", " per day");
            let mut expected = rows(id);
            expected.retain(|number| number.is_active);
            assert_eq!(numbers(&spelt), expected, "{spelt}");
        }
        let documented = errors["rate_limits"]["documented"].to_string();
        assert!(documented.contains("20/day per channel, 2 channels/day per guild"));
    }

    #[test]
    fn names_are_unique_within_a_level() {
        for level in [Certification::Verified, Certification::Unverified] {
            let rows = DOCUMENTED
                .iter()
                .filter(|row| row.certification.is_none_or(|own| own == level));
            let names: Vec<&str> = rows.map(|row| row.name).collect();
            let unique: BTreeSet<&&str> = names.iter().collect();
            assert_eq!(unique.len(), names.len());
        }
    }
}
