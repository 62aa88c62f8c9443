//! Quotas of verified bots, messages that call back, and audits of every message.

use std::time::Duration;

use qq_emulator::MessageAudit;
use serde_json::{Value, json};

use crate::api::{Api, EVERYTHING, ids};
use crate::client::{Gateway, control, start};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn text() -> Value {
    json!({"content": "x", "msg_type": 0})
}

#[tokio::test]
async fn a_verified_bot_may_send_more() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    emulator.change_settings(|settings| {
        settings.active_per_minute = 0;
        settings.route_limits = true;
    });
    let group = format!("/v2/groups/{}/messages", ids.group);
    let user = format!("/v2/users/{}/messages", ids.users[0].1);
    for (verified, in_group, in_second) in [(false, 30, 5), (true, 60, 10)] {
        emulator.change_settings(|settings| settings.verified = verified);
        emulator.advance(Duration::from_secs(60));
        for _ in 0..in_group {
            api.ok("POST", &group, text()).await;
        }
        assert_eq!(api.refused("POST", &group, text()).await, 40_034_100);
        // All at once: however slow the machine is, more than that fall into one second.
        let message = text();
        let calls = (0..in_second * 3).map(|_| api.call("POST", &user, &message));
        let answers = futures_util::future::join_all(calls).await;
        let sent = answers.iter().filter(|answer| answer.status == 200).count();
        assert!((in_second..in_second * 3).contains(&sent), "{sent}");
    }
}

#[tokio::test]
async fn a_user_is_called_back_once_in_each_of_four_periods() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let path = format!("/v2/users/{}/messages", ids.users[0].1);
    let call_back = || json!({"content": "come back", "msg_type": 0, "is_wakeup": true});
    assert_eq!(api.refused("POST", &path, call_back()).await, 40_034_123);
    emulator.user("mia").in_c2c().says("hi").await;
    for days in [0, 1, 2, 4] {
        emulator.advance(DAY * days);
        let token = Api::new(&emulator).await;
        token.ok("POST", &path, call_back()).await;
        assert_eq!(token.refused("POST", &path, call_back()).await, 40_034_122);
    }
    emulator.advance(DAY * 30);
    let api = Api::new(&emulator).await;
    assert_eq!(api.refused("POST", &path, call_back()).await, 40_034_123);
    emulator.user("mia").in_c2c().says("here I am").await;
    api.ok("POST", &path, call_back()).await;
}

#[tokio::test]
async fn every_message_can_be_audited_and_time_is_moved_for_it() {
    let emulator = start().await;
    let (api, ids) = (Api::new(&emulator).await, ids(&emulator));
    let (mut gateway, _) = Gateway::ready(&emulator, EVERYTHING).await;
    let path = format!("/v2/groups/{}/messages", ids.group);
    let patch = json!({"message_audit_everywhere": true, "message_audit_ms": 3_600_000});
    control(&emulator, "PATCH", "settings", &patch).await;
    for (outcome, event, delivered) in [
        (MessageAudit::Pass, "MESSAGE_AUDIT_PASS", 1),
        (MessageAudit::Reject, "MESSAGE_AUDIT_REJECT", 1),
    ] {
        emulator.change_settings(|settings| settings.message_audit = outcome);
        let answer = api.call("POST", &path, &text()).await;
        assert_eq!((answer.status, answer.code()), (202, 304_023));
        gateway.quiet().await;
        emulator.advance(Duration::from_secs(3_600));
        let frame = gateway.frame().await;
        assert_eq!(frame["t"], event);
        assert_eq!(frame["d"]["group_openid"], ids.group);
        assert_eq!(emulator.outbox().len(), delivered);
        gateway.send(&json!({"op": 1, "d": null})).await;
        gateway.frame().await;
    }
    emulator.change_settings(|settings| settings.message_audit = MessageAudit::Never);
    // The token of the beginning has expired meanwhile.
    let api = Api::new(&emulator).await;
    assert_eq!(api.call("POST", &path, &text()).await.status, 202);
    emulator.advance(Duration::from_secs(40));
    gateway.quiet().await;
    assert_eq!(emulator.outbox().len(), 1);
}
