//! A quiz with buttons: say `!quiz` in a group or to the bot alone. Whoever presses the right button first gets the
//! point; `!name` shows how to ask for something in words.
//!
//! Without credentials it starts the emulator beside itself and prints the address of its chat page. With
//! `QQ_BOT_APP_ID` and `QQ_BOT_SECRET` it connects to the real platform, with `QQ_BOT_BASE_URL` to that server.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to whoever started it"
)]

use std::collections::HashMap;
use std::env;
use std::time::Duration;

use qqbot::client::EndReason;
use qqbot::model::outgoing::{Button, Keyboard};
use qqbot::prelude::*;
use qqbot_examples::Platform;

struct Question {
    text: &'static str,
    choices: [&'static str; 3],
    right: &'static str,
}

const QUESTIONS: [Question; 3] = [
    Question {
        text: "Which planet is the largest?",
        choices: ["Mars", "Jupiter", "Venus"],
        right: "Jupiter",
    },
    Question {
        text: "How many legs does a spider have?",
        choices: ["Six", "Eight", "Ten"],
        right: "Eight",
    },
    Question {
        text: "What is H2O?",
        choices: ["Water", "Salt", "Air"],
        right: "Water",
    },
];

/// How long everybody may think about a question.
const THINKING: Duration = Duration::from_secs(30);

pub(crate) struct Quiz;

impl Quiz {
    async fn play(ctx: &Context) -> Result<(), BotError> {
        let mut points: HashMap<ChatUserId, u32> = HashMap::new();
        // Each question answers the press before it: so a quiz never runs out of answers.
        let mut at_hand = ctx.clone();
        for (number, question) in QUESTIONS.iter().enumerate() {
            // Collecting begins before the question is seen, so no press is too early.
            let mut presses = ctx
                .collect_buttons()
                .filter(move |press| press.data().starts_with(&format!("{number}:")))
                .keep_from_handlers()
                .time(THINKING)
                .start();
            at_hand.reply(ask(number, question)).await?;
            let winner = loop {
                match presses.next().await {
                    Some(press) if press.data().ends_with(question.right) => break Some(press),
                    // Wrong: somebody else may know.
                    Some(_) => {}
                    None => break None,
                }
            };
            match winner {
                Some(press) => {
                    if let Some(author) = press.author() {
                        *points.entry(author).or_default() += 1;
                    }
                    at_hand = press.context().clone();
                }
                None if presses.end_reason() == Some(EndReason::Time) => {
                    at_hand
                        .reply(format!("Time is up! It is {}.", question.right))
                        .await?;
                }
                // The bot stops, or was removed.
                None => return Ok(()),
            }
        }
        let mut points: Vec<_> = points.into_values().collect();
        points.sort_unstable_by(|a, b| b.cmp(a));
        let result = match points[..] {
            [] => "Nobody knew anything. Say !quiz to try again.".to_owned(),
            [best, ..] => format!("The winner has {best} of {} points!", QUESTIONS.len()),
        };
        at_hand.reply(result).await?;
        Ok(())
    }

    async fn ask_for_a_name(ctx: &Context) -> Result<(), BotError> {
        let answer = ctx
            .next_message()
            .keep_from_handlers()
            .time(THINKING)
            .start();
        ctx.reply("What shall I call you?").await?;
        match answer.await {
            Ok(message) => {
                message
                    .reply(format!("Nice to meet you, {}!", message.text()))
                    .await?
            }
            Err(_) => ctx.reply("You need not tell me.").await?,
        };
        Ok(())
    }

    async fn answer(ctx: &Context, text: &str) {
        let result = match text {
            "!quiz" => Self::play(ctx).await,
            "!name" => Self::ask_for_a_name(ctx).await,
            "!help" => ctx
                .reply("!quiz: three questions\n!name: tell me your name")
                .await
                .map(drop),
            _ => Ok(()),
        };
        if let Err(error) = result {
            eprintln!("not answered: {error:?}");
        }
    }
}

fn ask(number: usize, question: &Question) -> MessageBody {
    let buttons = question
        .choices
        .map(|choice| Button::callback(choice, format!("{number}:{choice}")));
    let text = format!("**{}.** {}", number + 1, question.text);
    MessageBody::markdown(MessageMarkdown::native(text)).keyboard(Keyboard::rows([buttons]))
}

impl EventHandler for Quiz {
    async fn ready(&self, _ctx: Context, ready: Ready) {
        println!("Status: online as {}", ready.user.username);
    }

    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        Self::answer(&ctx, &message.text()).await;
    }

    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        Self::answer(&ctx, &message.text()).await;
    }

    async fn error(&self, error: BotError) {
        eprintln!("Status: {error:?}");
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(env::var("RUST_LOG").unwrap_or_else(|_| "error".to_owned()))
        .with_writer(std::io::stderr)
        .init();
    let platform = Platform::find().await?;
    if let Some(hint) = platform.hint() {
        println!("{hint}");
    }
    let client = Client::builder(
        platform.token.clone(),
        Intents::default().with_group_and_c2c().with_interaction(),
    )
    .environment(platform.environment.clone())
    .handler(Quiz)
    .build()?;
    println!("Say !quiz in a group or to the bot alone. Ctrl-C stops it.");
    client.run_until_ctrl_c().await?;
    Ok(())
}
