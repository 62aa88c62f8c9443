#![forbid(unsafe_code)]
//! The program `qqbot`, as somebody runs it.

use std::borrow::Cow;
use std::io;
use std::process::{Command, Output};

use qq_emulator::Emulator;

async fn run(environment: &[(&str, &str)], arguments: &[&str]) -> io::Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qqbot"));
    command
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    output.map_err(io::Error::other)?
}

fn text(output: &Output) -> Cow<'_, str> {
    String::from_utf8_lossy(&output.stdout)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_says_what_is_wrong_and_ends_with_a_code() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = |secret| {
        [
            ("QQ_BOT_BASE_URL", emulator.base_url()),
            ("QQ_BOT_APP_ID", emulator.app_id()),
            ("QQ_BOT_SECRET", secret),
        ]
    };
    let healthy = run(
        &bot(emulator.secret()),
        &["doctor", "--intents", "group_and_c2c_event"],
    )
    .await
    .unwrap();
    assert!(healthy.status.success(), "{healthy:?}");
    assert!(text(&healthy).contains("sessions left"), "{healthy:?}");
    let wrong = run(&bot("wrong"), &["doctor", "--lang", "zh"])
        .await
        .unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(text(&wrong).contains("AppSecret 不匹配"), "{wrong:?}");
    let none = run(&[("LANG", "zh_CN.UTF-8")], &["doctor"]).await.unwrap();
    assert_eq!(none.status.code(), Some(1));
    assert!(text(&none).contains("QQ_BOT_APP_ID"), "{none:?}");
    let intents = run(&bot("wrong"), &["doctor", "--intents", "nonsense"])
        .await
        .unwrap();
    assert_eq!(intents.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_tells_what_a_code_means() {
    for (code, word) in [
        ("11298", "allow list"),
        ("4914", "sandbox"),
        ("13007", "op 13"),
        ("22009", "quota"),
    ] {
        let told = run(&[], &["explain", code]).await.unwrap();
        assert!(
            told.status.success() && text(&told).contains(word),
            "{told:?}"
        );
    }
    assert_eq!(
        run(&[], &["explain", "1"]).await.unwrap().status.code(),
        Some(1)
    );
}
