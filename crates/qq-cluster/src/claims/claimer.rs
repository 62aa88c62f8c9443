//! Taking what is free, in the name of one process.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::table::Record;
use super::{Claim, Tenant, Things};
use crate::members::{Presence, living};
use crate::{ClusterError, ClusterErrorKind};

/// Changes claims for a process. Clones are for changing several at a time.
pub(super) struct Claimer<'a, T> {
    pub(super) things: &'a Things,
    pub(super) me: Box<str>,
    pub(super) tenant: Arc<T>,
}

/// Who is there of those that take part.
#[derive(Debug, Default)]
pub(super) struct Present {
    /// They live: what they have is theirs.
    pub(super) living: BTreeSet<Box<str>>,
    /// They have a share of everything. Those that are about to go have none.
    pub(super) sharing: BTreeSet<Box<str>>,
}

impl<T> Clone for Claimer<'_, T> {
    fn clone(&self) -> Self {
        Self {
            things: self.things,
            me: self.me.clone(),
            tenant: Arc::clone(&self.tenant),
        }
    }
}

impl<T: Tenant> Claimer<'_, T> {
    pub(super) fn key(&self, number: u32) -> String {
        format!("{}.{number}", self.things.prefix)
    }

    /// The members that take part and live now.
    pub(super) async fn present(&self) -> Result<Present, ClusterError> {
        let mut present = Present::default();
        for (id, Presence { duty, is_leaving }) in living(&self.things.members).await? {
            if (self.things.takes_part)(duty) {
                if !is_leaving {
                    present.sharing.insert(id.clone());
                }
                present.living.insert(id);
            }
        }
        Ok(present)
    }

    /// Who has a thing, as NATS says now.
    pub(super) async fn look(&self, number: u32) -> Result<Option<(Record, u64)>, ClusterError> {
        let entry = self.things.claims.load(&self.key(number)).await?;
        Ok(entry.map(|entry| (entry.value, entry.revision)))
    }

    /// Takes a thing of which this was known; `None` when somebody else who lives has it.
    pub(super) async fn take(
        self,
        number: u32,
        before: Option<(Record, u64)>,
    ) -> Result<Option<Claim>, ClusterError> {
        match self.try_take(number, before.as_ref()).await {
            Err(error) if error.kind() == ClusterErrorKind::Conflict => {}
            result => return result.map(Some),
        }
        // Another process was faster, which may have joined since; or the table lags.
        let now = self.look(number).await?;
        let living = self.present().await?.living;
        let is_free = now
            .as_ref()
            .is_none_or(|(record, _)| record.member == self.me || !living.contains(&record.member));
        if !is_free || now == before {
            return Ok(None);
        }
        match self.try_take(number, now.as_ref()).await {
            Err(error) if error.kind() == ClusterErrorKind::Conflict => Ok(None),
            result => result.map(Some),
        }
    }

    async fn try_take(
        &self,
        number: u32,
        before: Option<&(Record, u64)>,
    ) -> Result<Claim, ClusterError> {
        let key = self.key(number);
        let mut record = Record {
            member: self.me.clone(),
            floor: 0,
            deaths: 0,
        };
        let epoch = match before {
            None => self.things.claims.create(&key, &record).await?,
            Some((last, revision)) => {
                (record.floor, record.deaths) = if last.member == self.me {
                    (last.floor, last.deaths)
                } else {
                    self.tenant.autopsy(number, last).await?
                };
                self.things.claims.update(&key, &record, *revision).await?
            }
        };
        let is_takeover = before.is_some();
        tracing::info!(thing = key, epoch, is_takeover, "taken");
        Ok(Claim {
            number,
            epoch,
            is_takeover,
            floor: record.floor,
            deaths: record.deaths,
        })
    }

    /// Gives a claim up.
    pub(super) async fn give_up(self, number: u32, epoch: u64) {
        let thing = self.key(number);
        match self.things.claims.delete(&thing, epoch).await {
            Ok(()) => tracing::info!(thing, "handed over"),
            // The claim ends with this process's place among the members.
            Err(error) => {
                tracing::warn!(error = ?error, thing, "the claim could not be given up");
            }
        }
    }
}
