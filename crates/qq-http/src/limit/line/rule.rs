//! A limit of the whole bot, and this process's share of it.

use std::time::Duration;

use tokio::time::Instant;

use super::Kind;
use crate::limit::Counted;
use crate::limit::meter::{Meter, Rate};
use crate::limit::share::{LimitUsage, SettledPlaces};

/// One part in so many of a limit is fetched ahead.
const PARTS: u32 = 16;

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) counted: Counted,
    /// The whole limit.
    whole: Rate,
    meter: Meter,
    /// `None` when it is all this process's.
    share: Option<Share>,
}

#[derive(Debug)]
struct Share {
    places: u32,
    /// The places that a bucket's rate is of: those, or as many as were taken.
    rated: u32,
    /// So many it could get.
    at_most: u32,
    /// The rate of the places.
    rate: Rate,
    is_wanted: bool,
}

impl Rule {
    pub(crate) fn new(counted: Counted, rate: Rate, is_shared: bool, now: Instant) -> Self {
        Self {
            counted,
            whole: rate,
            meter: Meter::new(&rate, now),
            share: is_shared.then(|| Share {
                places: 0,
                rated: 0,
                at_most: rate.most(),
                rate: rate.part(0),
                is_wanted: false,
            }),
        }
    }

    /// Whether it counts a kind of request.
    pub(super) fn applies(&self, kind: Kind) -> bool {
        self.counted == Counted::All || kind == Counted::Active
    }

    pub(super) fn start(&mut self) {
        self.meter.start();
    }

    pub(super) fn end(&mut self, was_sent: bool, now: Instant) {
        self.meter.expire(&self.whole, now);
        // Windows count alike whatever the share; a bucket is refilled as slowly as the share is small.
        let rate = match &self.share {
            Some(share) if self.whole.burst.is_some() => &share.rate,
            _ => &self.whole,
        };
        self.meter.end(rate, was_sent, now);
    }

    pub(super) fn expire(&mut self, now: Instant) {
        self.meter.expire(&self.whole, now);
    }

    /// When the `n`th request from now may start; `None` when the process needs places first.
    pub(super) fn nth(&self, n: u32, now: Instant) -> Option<Instant> {
        match &self.share {
            None => Some(self.meter.nth(&self.whole, n, now)),
            Some(share) if share.places == 0 => None,
            Some(share) => Some(self.meter.nth(&share.rate, n, now)),
        }
    }

    /// The same if the process had as many places as it could get.
    pub(super) fn nth_at_best(&self, n: u32, now: Instant) -> Option<Instant> {
        match &self.share {
            None => Some(self.meter.nth(&self.whole, n, now)),
            Some(share) if share.at_most == 0 => None,
            Some(share) => Some(self.meter.nth(&self.whole.part(share.at_most), n, now)),
        }
    }

    /// Whether a share of it is too small for one more request, and could be larger.
    pub(super) fn lacks_places(&self, now: Instant) -> bool {
        self.share.as_ref().is_some_and(|share| {
            self.taken(share, now) >= share.places && share.places < share.at_most
        })
    }

    /// Notes whether more places are wanted; whether that is news.
    pub(super) fn want(&mut self, now: Instant) -> bool {
        let is_low = self.is_low(now);
        match &mut self.share {
            Some(share) => is_low && !std::mem::replace(&mut share.is_wanted, is_low),
            None => false,
        }
    }

    pub(super) fn usage(&mut self, waiting: u32, now: Instant) -> LimitUsage {
        let is_low = self.is_low(now);
        let Some(share) = &mut self.share else {
            return LimitUsage::default();
        };
        share.is_wanted &= is_low;
        let is_wanted = share.is_wanted;
        let (taken, places) = self.share.as_ref().map_or((0, 0), |share| {
            (self.taken(share, now), share.places.max(share.rated))
        });
        LimitUsage {
            places: places.max(taken),
            taken,
            waiting,
            is_wanted,
        }
    }

    /// Whether so few places are free that more are wanted.
    fn is_low(&self, now: Instant) -> bool {
        self.share.as_ref().is_some_and(|share| {
            let low = (self.whole.most() / PARTS).max(1);
            self.taken(share, now).saturating_add(low) > share.places
                && share.places < self.whole.most()
        })
    }

    /// Whether the process could get more until now.
    pub(super) fn set_places(&mut self, places: u32, at_most: u32, now: Instant) -> bool {
        let places = places.min(self.whole.most());
        let at_most = at_most.clamp(places, self.whole.most());
        let Some(share) = &self.share else {
            return false;
        };
        let is_less = at_most < share.at_most;
        // What a bucket owes is paid back at the rate of its places.
        let rated = match self.whole.burst {
            Some(_) => places.max(self.taken(share, now)),
            None => places,
        };
        let rate = self.whole.part(rated);
        self.meter.change_rate(&share.rate, &rate, now);
        self.share = Some(Share {
            places,
            rated,
            at_most,
            rate,
            is_wanted: false,
        });
        is_less
    }

    pub(super) fn settle(&mut self, now: Instant) -> Vec<SettledPlaces> {
        self.expire(now);
        let Some(share) = &mut self.share else {
            return Vec::new();
        };
        let settled: Vec<SettledPlaces> = self
            .meter
            .take_answered(&self.whole)
            .map(|(free_at, places)| SettledPlaces::new(free_at, places))
            .collect();
        let sum: u32 = settled.iter().map(|settled| settled.places).sum();
        share.places = share.places.saturating_sub(sum);
        share.rated = share.rated.saturating_sub(sum);
        if self.whole.burst.is_none() {
            share.rate = self.whole.part(share.places);
        }
        settled
    }

    fn taken(&self, share: &Share, now: Instant) -> u32 {
        self.meter.taken(&share.rate, &self.whole, now)
    }
}

impl Rate {
    /// How long a place is taken after the answer, at most.
    pub(crate) fn memory(&self) -> Duration {
        match self.burst {
            None => self.per,
            Some(burst) => self.interval().saturating_mul(burst),
        }
    }

    /// The rate of so many places out of [`most`](Self::most). Of none nothing is ever asked.
    fn part(&self, places: u32) -> Self {
        match self.burst {
            None => Self {
                requests: places.max(1),
                ..*self
            },
            Some(burst) => Self {
                requests: self.requests,
                per: self
                    .per
                    .saturating_mul(burst)
                    .checked_div(places.max(1))
                    .unwrap_or(Duration::MAX),
                burst: Some(places.max(1)),
            },
        }
    }
}
