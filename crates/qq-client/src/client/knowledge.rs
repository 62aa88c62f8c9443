//! What is known, collected and sent by hand, from the client and its handle.

use std::sync::Arc;

use qq_cache::Cache;

use super::{Client, ClientHandle};
use crate::collector::{self, ButtonPress, CollectedMessage, CollectedReaction, CollectorBuilder};
use crate::error::ErrorKind;
use crate::shared::Shared;
use crate::{BotError, Doctor};

impl ClientHandle {
    /// What the bot has seen.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.shared.knowledge.cache
    }

    /// Collects messages: of every chat, unless the builder says otherwise.
    pub fn create_message_collector(&self) -> CollectorBuilder<CollectedMessage> {
        collector::builder(&self.shared, collector::From::default())
    }

    /// Collects reactions: in every channel, unless the builder says otherwise.
    pub fn create_reaction_collector(&self) -> CollectorBuilder<CollectedReaction> {
        collector::builder(&self.shared, collector::From::default())
    }

    /// Collects presses of buttons: in every chat, unless the builder says otherwise.
    pub fn create_button_collector(&self) -> CollectorBuilder<ButtonPress> {
        collector::builder(&self.shared, collector::From::default())
    }

    /// How many collectors collect.
    #[must_use]
    pub fn active_collectors(&self) -> usize {
        self.shared.knowledge.collectors.len()
    }

    /// Sends a frame of your own, JSON text with an `op`, through every shard that has a session; through how many.
    ///
    /// No bot needs it: the session is the client's business, and the platform has no presence frame. It is for
    /// opcodes that this version does not know. At most 4,096 bytes, and 100 frames per shard within 60 s, for the
    /// platform closes connections that send too much (4008).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotReady`] when no shard has a session, [`ErrorKind::InvalidRequest`] for a frame that is too large
    /// or no frame, [`ErrorKind::RateLimited`] when it were too many.
    pub fn send_to_gateway(&self, frame: &str) -> Result<usize, BotError> {
        match self.send_frame(frame, |_| true)? {
            0 => Err(BotError::new(
                ErrorKind::NotReady,
                "no shard has a session: wait until the client is ready",
            )),
            sent => Ok(sent),
        }
    }

    /// Like [`send_to_gateway`](Self::send_to_gateway), through this shard, counted from 0.
    ///
    /// # Errors
    ///
    /// As for [`send_to_gateway`](Self::send_to_gateway).
    pub fn send_to_shard(&self, shard: u32, frame: &str) -> Result<(), BotError> {
        match self.send_frame(frame, |index| index == shard)? {
            0 => Err(BotError::new(
                ErrorKind::NotReady,
                format!("shard {shard} has no session: wait until it has, or name another"),
            )),
            _ => Ok(()),
        }
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn send_frame(&self, frame: &str, picks: impl Fn(u32) -> bool) -> Result<usize, BotError> {
        let live = self.shared.sessions();
        self.shared.knowledge.gateways.send(frame, &live, picks)
    }
}

impl<H> Client<H> {
    /// Finds out what is wrong, when the bot does not run: see [`Doctor`]. Beside a bot that runs, use
    /// [`without_session`](Doctor::without_session).
    pub fn doctor(&self) -> Doctor {
        Doctor::new(self.shared.access.api.clone(), self.settings.intents)
            .tls(self.settings.tls.clone())
    }

    /// What the bot has seen.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.shared.knowledge.cache
    }

    /// Collects messages: of every chat, unless the builder says otherwise.
    pub fn create_message_collector(&self) -> CollectorBuilder<CollectedMessage> {
        self.handle().create_message_collector()
    }

    /// Collects reactions: in every channel, unless the builder says otherwise.
    pub fn create_reaction_collector(&self) -> CollectorBuilder<CollectedReaction> {
        self.handle().create_reaction_collector()
    }

    /// Collects presses of buttons: in every chat, unless the builder says otherwise.
    pub fn create_button_collector(&self) -> CollectorBuilder<ButtonPress> {
        self.handle().create_button_collector()
    }

    /// Sends a frame of your own to the gateway; see [`ClientHandle::send_to_gateway`].
    ///
    /// # Errors
    ///
    /// As for [`ClientHandle::send_to_gateway`].
    pub fn send_to_gateway(&self, frame: &str) -> Result<usize, BotError> {
        self.handle().send_to_gateway(frame)
    }

    /// Sends a frame of your own through one shard; see [`ClientHandle::send_to_shard`].
    ///
    /// # Errors
    ///
    /// As for [`ClientHandle::send_to_gateway`].
    pub fn send_to_shard(&self, shard: u32, frame: &str) -> Result<(), BotError> {
        self.handle().send_to_shard(shard, frame)
    }
}
