//! The tables' sentences about who may call a route, and how often.

/// How often a bot may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) calls: u32,
    /// Milliseconds.
    pub(crate) window: u64,
}

impl Rate {
    /// Reads `50 per second`, `2 per minute, burst 10`; limits per day are counted elsewhere.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let calls = text.split(' ').next()?.parse().ok()?;
        let first = text.split([',', ';']).next()?;
        let window = if first.contains("per second") {
            1_000
        } else if first.contains("per minute") {
            60_000
        } else {
            return None;
        };
        let burst = text
            .split("burst ")
            .nth(1)
            .and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next())
            .and_then(|number| number.parse().ok())
            .unwrap_or(0);
        Some(Self {
            calls: burst.max(calls),
            window,
        })
    }
}

/// What a bot must be to call a route.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) private_domain: bool,
    pub(crate) guild_administrator: bool,
    pub(crate) group_administrator: bool,
    /// Only bots that the platform has invited or put on its list.
    pub(crate) invited: bool,
}

impl Terms {
    pub(super) fn parse(text: &str) -> Self {
        Self {
            private_domain: text.starts_with("private-domain bots only"),
            guild_administrator: text.contains("must be an administrator of the guild"),
            group_administrator: text.contains("must be an administrator of the group"),
            invited: text.contains("11253 otherwise"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::routes;

    fn route(id: &str) -> &'static crate::tables::Route {
        routes().iter().find(|route| route.id == id).unwrap()
    }

    #[test]
    fn reads_rates() {
        let rate = |calls, window| Some(Rate { calls, window });
        assert_eq!(route("get_gateway").rate, rate(10, 60_000));
        assert_eq!(route("delete_c2c_message").rate, rate(10, 1_000));
        assert_eq!(route("put_menu").rate, rate(5, 60_000));
        assert_eq!(route("send_group_message").rate, rate(100, 1_000));
        assert_eq!(route("send_channel_message").rate, rate(5, 1_000));
        assert_eq!(route("create_schedule").rate, None);
        assert_eq!(route("get_gateway_bot").rate, None);
    }

    #[test]
    fn reads_who_may_call() {
        let terms = route("create_guild_channel").terms;
        assert!(terms.private_domain && terms.guild_administrator && !terms.invited);
        assert!(route("get_group_info").terms.invited);
        assert!(route("list_group_join_requests").terms.group_administrator);
        assert_eq!(route("get_me").terms, Terms::default());
    }
}
