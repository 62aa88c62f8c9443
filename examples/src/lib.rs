#![forbid(unsafe_code)]
//! Where the examples run: on the real platform with credentials, on an emulator without, so that each can be tried at
//! once.
//!
//! A bot of your own needs none of this. Where an example says `Platform::find()`, it says `Token::from_env()?`, and
//! leaves `environment` away:
//!
//! ```no_run
//! # use qqbot::prelude::*;
//! # async fn run() -> Result<(), BotError> {
//! let client = Client::builder(Token::from_env()?, Intents::default()).build()?;
//! client.run_until_ctrl_c().await
//! # }
//! ```

use std::env;
use std::error::Error;

use qq_emulator::{Emulator, EmulatorBuilder};
use qqbot::model::credentials::{APP_ID_VARIABLE, SECRET_VARIABLE};
use qqbot::model::environment::BASE_URL_VARIABLE;
use qqbot::prelude::*;

/// Where the emulator's chat page usually is.
const PORT: u16 = 8787;
/// Where NATS is unless `NATS_URL` says otherwise.
const NATS: &str = "nats://127.0.0.1:4222";

/// Where NATS is, for the examples of a cluster.
#[must_use]
pub fn nats_url() -> String {
    env::var("NATS_URL").unwrap_or_else(|_| NATS.to_owned())
}

/// Who the bot is and where it lives.
#[derive(Debug)]
pub struct Platform {
    /// Who it is.
    pub token: Token,
    /// Where it lives.
    pub environment: Environment,
    /// An emulator of its own, which lives as long as this.
    pub emulator: Option<Emulator>,
}

impl Platform {
    /// With `QQ_BOT_APP_ID` and `QQ_BOT_SECRET` the real platform; with `QQ_BOT_BASE_URL` that server; otherwise an
    /// emulator that is started here.
    ///
    /// # Errors
    ///
    /// Credentials of which one half is missing, a malformed address, or no port for the emulator.
    pub async fn find() -> Result<Self, Box<dyn Error>> {
        if let Some(platform) = Self::from_env()? {
            return Ok(platform);
        }
        let emulator = match Emulator::builder().port(PORT).start().await {
            Err(error) if error.is_address_in_use() => Emulator::builder().port(0).start().await,
            started => started,
        }?;
        Self::with(emulator)
    }

    /// The same for programs that work together: one emulator serves all of this machine. Whoever asks first starts it,
    /// as it is built here.
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find).
    pub async fn shared(emulator: EmulatorBuilder) -> Result<Self, Box<dyn Error>> {
        if let Some(platform) = Self::from_env()? {
            return Ok(platform);
        }
        match emulator.port(PORT).start().await {
            Err(error) if error.is_address_in_use() => Self::joined(),
            started => Self::with(started?),
        }
    }

    /// The same, but somebody else starts the emulator.
    ///
    /// # Errors
    ///
    /// Credentials of which one half is missing, or a malformed address.
    pub fn joined() -> Result<Self, Box<dyn Error>> {
        match Self::from_env()? {
            Some(platform) => Ok(platform),
            None => Ok(Self {
                token: emulated(),
                environment: Environment::custom(format!("http://127.0.0.1:{PORT}"))?,
                emulator: None,
            }),
        }
    }

    /// What to tell whoever started the program without credentials.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let emulator = self.emulator.as_ref()?;
        Some(format!(
            "No credentials are set ({APP_ID_VARIABLE}, {SECRET_VARIABLE}): the bot runs on the emulator.\n\
             Talk to it at {}/",
            emulator.base_url()
        ))
    }

    /// What the environment names, if it names any.
    fn from_env() -> Result<Option<Self>, Box<dyn Error>> {
        let token = if is_set(APP_ID_VARIABLE) || is_set(SECRET_VARIABLE) {
            Token::from_env()?
        } else if is_set(BASE_URL_VARIABLE) {
            emulated()
        } else {
            return Ok(None);
        };
        Ok(Some(Self {
            token,
            environment: Environment::from_env()?,
            emulator: None,
        }))
    }

    fn with(emulator: Emulator) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            token: emulated(),
            environment: Environment::custom(emulator.base_url())?,
            emulator: Some(emulator),
        })
    }
}

fn emulated() -> Token {
    Token::new(qq_emulator::DEFAULT_APP_ID, qq_emulator::DEFAULT_SECRET)
}

fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}
