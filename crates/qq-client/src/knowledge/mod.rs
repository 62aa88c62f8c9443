//! What the client knows of what it has seen.

mod commands;
mod own;
mod prefetch;
mod quotes;
mod settings;

pub(crate) use self::commands::Gateways;
pub(crate) use self::quotes::QuoteSettings;
pub(crate) use self::settings::{KnowledgeSettings, Prefetch};

use self::quotes::Quotes;

use std::sync::Arc;

use qq_cache::Cache;
use qq_model::{Event, EventKinds};

use crate::Context;
use crate::collector::Collectors;
use crate::context::Origin;
use crate::dispatch::{Delivery, Held};
use crate::manager::Flights;
use crate::shared::Shared;

/// What one client knows.
pub(crate) struct Knowledge {
    pub(crate) cache: Cache,
    pub(crate) collectors: Collectors,
    pub(crate) flights: Flights,
    pub(crate) gateways: Gateways,
    pub(crate) quotes: Quotes,
}

/// What becomes of an event that was observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Observed {
    /// Handlers see it.
    Pass,
    /// A collector keeps it from the handlers.
    Taken,
}

impl Knowledge {
    pub(crate) fn new(settings: &KnowledgeSettings) -> Self {
        Self {
            cache: settings.cache.clone(),
            collectors: Collectors::new(),
            flights: Flights::new(settings.missing),
            gateways: Gateways::default(),
            quotes: Quotes::new(settings.quotes.clone()),
        }
    }

    /// Whether somebody may hold on to this event, so that it has to be shared. A message whose text was kept is kept as
    /// that text.
    pub(crate) fn wants_to_hold(&self, delivery: &Delivery) -> bool {
        self.collectors.wait_for(&delivery.event)
            || (self.quotes.has_store() && delivery.event.as_message().is_some())
            || (delivery.text.is_none() && self.cache.keeps_message(&delivery.event))
    }

    /// Takes note of an event that is no duplicate, before handlers see it: the cache first, so that collectors and
    /// handlers find what the event changed.
    pub(crate) fn observe(
        &self,
        shared: &Arc<Shared>,
        delivery: &mut Delivery,
    ) -> (Arc<Origin>, Observed) {
        self.collectors.end_gone(&delivery.event, &self.cache);
        self.forget_missing(&delivery.event);
        if let Some(event) = delivery.event.as_shared() {
            self.quotes.note(event);
        }
        let changes = match (&delivery.event, &delivery.text) {
            (event, Some(text)) => self.cache.update_with_text(event, text),
            (Held::Shared(event), None) => self.cache.update_shared(event),
            (event, None) => self.cache.update(event),
        };
        let origin = Arc::new(Origin::new(shared, delivery, changes));
        // A collector that is filed only now comes too late for an event that nobody was to hold.
        let is_taken = delivery.event.as_shared().is_some_and(|event| {
            let context = || Context::new(shared, Arc::clone(&origin));
            self.collectors.offer(event, context)
        });
        let observed = if is_taken {
            Observed::Taken
        } else {
            Observed::Pass
        };
        (origin, observed)
    }

    /// The kinds of which the cache keeps the text.
    pub(crate) fn text_kinds(&self) -> EventKinds {
        self.cache.message_kinds()
    }

    /// The client runs.
    pub(crate) fn open(&self) {
        self.collectors.reopen();
    }

    /// The client stops: nothing is collected any more, so that callbacks that wait for it come to their end.
    pub(crate) fn close(&self) {
        self.collectors.shut_down();
        self.gateways.clear();
    }

    /// What an event brings is missing no longer.
    fn forget_missing(&self, event: &Event) {
        match event {
            Event::GuildCreate(guild) => self.flights.guilds.forget(&guild.id),
            Event::ChannelCreate(channel) => self.flights.channels.forget(&channel.id),
            Event::GuildMemberAdd(member) => self
                .flights
                .members
                .forget(&(member.guild_id.clone(), member.user.id.clone())),
            Event::GroupAddRobot(group) => self.flights.groups.forget(&group.group_openid),
            _ => {}
        }
    }
}
