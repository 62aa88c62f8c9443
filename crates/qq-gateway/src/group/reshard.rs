//! Going over to another plan.

use qq_model::gateway::ShardId;

use super::slot::Role;
use super::{ShardGroup, ShardStream, key};
use crate::{CloseMode, ShardPlan, ShardStatus};

impl<S: ShardStream> ShardGroup<S> {
    /// The shards of a plan.
    ///
    /// # Errors
    ///
    /// What `build` returns; it is called for one shard after the other, in order.
    pub fn from_plan<E>(
        plan: &ShardPlan,
        build: impl FnMut(ShardId) -> Result<S, E>,
    ) -> Result<Self, E> {
        let mut group = Self::new();
        group.reshard(plan, build)?;
        Ok(group)
    }

    /// Goes over to another plan: runs its shards beside the old ones, and closes the old ones when every new
    /// one is live.
    ///
    /// The old shards deliver until then, so no event is lost between the two. In the meantime the platform
    /// may send an event to an old and to a new shard; the two have the same
    /// [`Dispatch::id`](qq_model::Dispatch::id). A shard that the platform has closed with 4011 gets nothing
    /// any more: the events of its guilds are missing until the new shards are live, and no RESUME brings them
    /// back, for a session belongs to its shard.
    ///
    /// Shards of the new plan that run already, of the same count, go on as they are. If one of the new shards
    /// ends for good, the old ones stay; another call, or [`remove`](Self::remove), settles that. New sessions
    /// are spaced by the identify queue that `build` gives to the shards. Processes that run parts of one plan
    /// have to agree on the moment by themselves: their old shards must not close before the new ones of
    /// all are live.
    ///
    /// # Errors
    ///
    /// What `build` returns; the group is as it was. It is called for one shard after the other, in order.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use std::sync::Arc;
    /// # use qq_gateway::{InMemoryIdentifyQueue, Shard, ShardError, ShardGroup, ShardPlan};
    /// # use qq_model::gateway::{GatewayBot, ShardId};
    /// # async fn gateway_bot() -> GatewayBot { GatewayBot::default() }
    /// # async fn run(
    /// #     mut shards: ShardGroup,
    /// #     mut plan: ShardPlan,
    /// #     queue: Arc<InMemoryIdentifyQueue>,
    /// #     build: impl Fn(ShardId) -> Result<Shard, ShardError>,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// while let Some((_, item)) = shards.next().await {
    ///     if let Err(error) = item
    ///         && error.needs_resharding()
    ///         && !shards.is_resharding()
    ///     {
    ///         let answer = gateway_bot().await; // GET /gateway/bot
    ///         let next = plan.grown(&answer)?;
    ///         queue.update(&answer.session_start_limit);
    ///         queue.check(next.len())?; // or wait for the reset that the error names
    ///         shards.reshard(&next, &build)?;
    ///         plan = next;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn reshard<E>(
        &mut self,
        plan: &ShardPlan,
        build: impl FnMut(ShardId) -> Result<S, E>,
    ) -> Result<(), E> {
        let missing = plan.shards().filter(|id| !self.is_running(*id));
        let fresh = missing.map(build).collect::<Result<Vec<S>, E>>()?;
        for (&(count, index), slot) in &mut self.slots {
            let stays = ShardId::new(index, count).is_some_and(|id| plan.contains(id));
            slot.role = match slot.role {
                Role::Leaving => Role::Leaving,
                Role::Incoming if stays => Role::Incoming,
                _ if stays => Role::Current,
                _ => Role::Outgoing,
            };
        }
        for shard in fresh {
            self.put(shard, Role::Incoming);
        }
        self.retire_if_replaced();
        Ok(())
    }

    /// Whether shards of an old plan wait for the new ones.
    #[must_use]
    pub fn is_resharding(&self) -> bool {
        self.slots.values().any(|slot| slot.role == Role::Incoming)
            && self.slots.values().any(|slot| slot.role == Role::Outgoing)
    }

    fn is_running(&self, id: ShardId) -> bool {
        // A shard that has just yielded why it stopped has ended for whoever reads that.
        self.slots.get(&key(id)).is_some_and(|slot| {
            slot.role != Role::Leaving && slot.stream.as_ref().status() != ShardStatus::Closed
        })
    }

    /// A shard was polled: a new one may be live, and a replaced one gone.
    pub(super) fn polled(&mut self, id: ShardId) {
        let Some(slot) = self.slots.get_mut(&key(id)) else {
            return;
        };
        match slot.role {
            Role::Incoming if slot.is_live() => {
                slot.role = Role::Current;
                self.retire_if_replaced();
            }
            Role::Leaving if slot.has_ended => {
                self.slots.remove(&key(id));
            }
            _ => {}
        }
    }

    /// Closes the old shards if every new one was live.
    pub(super) fn retire_if_replaced(&mut self) {
        if self.slots.values().any(|slot| slot.role == Role::Incoming) {
            return;
        }
        self.slots
            .retain(|_, slot| slot.role != Role::Outgoing || !slot.has_ended);
        for slot in self.slots.values_mut() {
            if slot.role == Role::Outgoing {
                slot.role = Role::Leaving;
                slot.close(CloseMode::Finish);
            }
        }
    }
}
