//! What the doctor says about each thing that can be wrong.

use std::fmt::Write as _;
use std::time::Duration;

use qq_emulator::{Emulator, Fault};
use qqbot::client::{Cause, Checkup, Doctor, Language};
use qqbot::http::RetryPolicy;
use qqbot::prelude::*;

async fn check_as(emulator: &Emulator, secret: &str, intents: Intents) -> Checkup {
    let http = HttpClient::builder(Token::new(emulator.app_id(), secret))
        .environment(Environment::custom(emulator.base_url()).unwrap())
        .retry(RetryPolicy::never())
        .timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    Doctor::new(http, intents).check().await
}

async fn check(emulator: &Emulator) -> Checkup {
    check_as(emulator, emulator.secret(), Intents::default()).await
}

fn cause(checkup: &Checkup) -> Option<(Cause, Option<i64>)> {
    let finding = checkup.findings().next()?;
    Some((finding.cause, finding.code))
}

/// The report without what differs from run to run: what was measured, and the platform's own words.
fn stable(checkup: &Checkup, language: Language) -> String {
    let mut text = String::new();
    for line in checkup.text(language).lines() {
        let is_detail = ["Detail:", "详情:"]
            .iter()
            .any(|detail| line.trim_start().starts_with(detail));
        let is_passed = line.starts_with("[ok") || line.starts_with("[正常");
        if is_passed {
            let _ = writeln!(text, "{}", line.split(": ").next().unwrap_or_default());
        } else if !is_detail {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

#[tokio::test]
async fn c13_doctor_tells_what_the_platform_says_about_a_healthy_bot() {
    let emulator = Emulator::builder().start().await.unwrap();
    let checkup = check_as(
        &emulator,
        emulator.secret(),
        Intents::default().with_group_and_c2c(),
    )
    .await;
    assert!(checkup.is_healthy(), "{checkup}");
    assert_eq!(
        checkup.identity.as_ref().map(|me| &*me.username),
        Some("robin")
    );
    let limit = checkup
        .gateway
        .as_ref()
        .unwrap()
        .session_start_limit
        .clone();
    assert!(limit.remaining > 0 && limit.total >= limit.remaining);
    assert_eq!(
        checkup.granted,
        Some(Intents::default().with_group_and_c2c())
    );
    assert!(checkup.clock_skew.unwrap().abs() < 60);
    for (language, word) in [
        (Language::English, "sessions left"),
        (Language::Chinese, "会话还剩"),
    ] {
        assert!(checkup.text(language).contains(word));
    }
    let session = &emulator.sessions()[0];
    assert!(!session.connected, "the session was closed again");
    assert!(
        emulator.violations().is_empty(),
        "{:?}",
        emulator.violations()
    );
}

/// Each thing that can be wrong, as the emulator plays it.
#[tokio::test]
async fn each_cause_is_named_with_its_next_step_in_both_languages() {
    let (mut english, mut chinese) = (String::new(), String::new());
    let mut note = |name: &str, checkup: &Checkup| {
        let _ = writeln!(english, "# {name}\n{}", stable(checkup, Language::English));
        let _ = writeln!(chinese, "# {name}\n{}", stable(checkup, Language::Chinese));
    };
    let emulator = Emulator::builder().start().await.unwrap();

    let checkup = check_as(&emulator, "wrong", Intents::default()).await;
    assert_eq!(cause(&checkup), Some((Cause::Secret, Some(100_016))));
    note("wrong secret", &checkup);

    for (route, status, code, expected) in [
        ("get_app_access_token", 200, 100_007, Cause::AppId),
        ("get_me", 401, 11_298, Cause::SourceAddress),
        ("get_me", 401, 40_023_002, Cause::SourceAddress),
        ("get_me", 401, 11_245, Cause::OldToken),
        ("get_gateway_bot", 403, 11_253, Cause::Privilege),
    ] {
        // A token of an earlier check would make the token endpoint unneeded.
        emulator.expire_tokens();
        emulator
            .fault(Fault::route(route).status(status).code(code))
            .unwrap();
        let checkup = check(&emulator).await;
        emulator.clear_faults();
        // The platform names that of the address list beside an older one, which is shown.
        let shown = if code == 40_023_002 { 11_298 } else { code };
        assert_eq!(cause(&checkup), Some((expected, Some(shown))), "{checkup}");
        note(&format!("{route} {code}"), &checkup);
    }

    for (code, expected) in [
        (4914, Cause::Offline),
        (4915, Cause::Banned),
        (4924, Cause::RefusedConnection),
        (4013, Cause::UndefinedIntents),
        (4014, Cause::RefusedIntents),
    ] {
        emulator.fault(Fault::event("READY").close(code)).unwrap();
        let checkup = check(&emulator).await;
        emulator.clear_faults();
        assert_eq!(
            cause(&checkup),
            Some((expected, Some(code.into()))),
            "{checkup}"
        );
        note(&format!("close {code}"), &checkup);
    }

    let intents = Intents::default()
        .with_group_and_c2c()
        .with_guild_messages();
    emulator
        .change_settings(|settings| settings.granted_intents = Intents::default().bits().into());
    let checkup = check_as(&emulator, emulator.secret(), intents).await;
    assert_eq!(
        checkup.granted,
        Some(intents.without(intents.needs_approval()))
    );
    assert_eq!(checkup.refused, Some(intents.needs_approval()));
    note("intents not granted", &checkup);

    emulator.change_settings(|settings| settings.remaining = 0);
    let checkup = check(&emulator).await;
    assert_eq!(
        cause(&checkup),
        Some((Cause::SessionQuota, None)),
        "{checkup}"
    );
    note("no session left", &checkup);
    emulator.change_settings(|settings| settings.remaining = 1000);

    let me = r#"{"id":"1","username":"robin"}"#;
    let fault = Fault::route("get_me").status(200).body(me);
    emulator
        .fault(fault.header("date", "Sun, 06 Nov 1994 08:49:37 GMT"))
        .unwrap();
    let checkup = check(&emulator).await;
    emulator.clear_faults();
    assert_eq!(cause(&checkup), Some((Cause::Clock, None)), "{checkup}");
    note("wrong clock", &checkup);

    emulator.fault(Fault::route("get_me").html(502)).unwrap();
    let checkup = check(&emulator).await;
    emulator.clear_faults();
    assert_eq!(
        cause(&checkup),
        Some((Cause::NotThePlatform, None)),
        "{checkup}"
    );
    note("a proxy's page", &checkup);

    let error = Token::new("", "x").validate().unwrap_err();
    note("no credentials", &Checkup::of_invalid_token(&error));

    compare(
        "doctor.en.txt",
        &english,
        include_str!("snapshots/doctor.en.txt"),
    );
    compare(
        "doctor.zh.txt",
        &chinese,
        include_str!("snapshots/doctor.zh.txt"),
    );
}

/// With `UPDATE_SNAPSHOTS` set, writes what is there instead.
fn compare(name: &str, is: &str, wanted: &str) {
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/knowledge/snapshots");
        std::fs::write(format!("{folder}/{name}"), is).unwrap();
        return;
    }
    assert_eq!(
        is, wanted,
        "{name}: run once with UPDATE_SNAPSHOTS=1 if that is as it should be"
    );
}

#[tokio::test]
async fn a_platform_that_cannot_be_reached_is_told_apart() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let http = HttpClient::builder(Token::new("102000000", "secret"))
        .environment(Environment::custom(format!("http://127.0.0.1:{port}")).unwrap())
        .retry(RetryPolicy::never())
        .timeout(Duration::from_secs(2))
        .build()
        .unwrap();
    let checkup = Doctor::new(http, Intents::default()).check().await;
    assert_eq!(
        cause(&checkup).map(|(cause, _)| cause),
        Some(Cause::Network),
        "{checkup}"
    );
}
