//! Fetching the bot's guilds before it goes online.

use tokio::time::{Instant, timeout_at};

use super::Prefetch;
use crate::error::ErrorKind;
use crate::shared::Shared;
use crate::{BotError, manager};

impl Prefetch {
    /// Fetches what is asked for into the cache.
    ///
    /// # Errors
    ///
    /// The first failure. What was fetched until then stays.
    pub(crate) async fn run(self, shared: &Shared) -> Result<(), BotError> {
        let mut progress = (0, 0);
        let fetch = self.fetch(shared, &mut progress);
        let result = match timeout_at(Instant::now() + self.deadline, fetch).await {
            Ok(result) => result,
            Err(_) => Err(BotError::new(
                ErrorKind::Timeout,
                format!("it took longer than {:?}", self.deadline),
            )),
        };
        let (guilds, whole) = progress;
        result.map_err(|error| {
            BotError::with_source(
                error.kind(),
                format!(
                    "the bot starts without all of its guilds: {guilds} are known, {whole} of them whole"
                ),
                error,
            )
        })
    }

    async fn fetch(self, shared: &Shared, progress: &mut (usize, usize)) -> Result<(), BotError> {
        let mut pages = shared.access.api.guilds().pages();
        let mut ids = Vec::new();
        while let Some(guilds) = pages.next().await {
            for guild in guilds? {
                ids.push(guild.id.clone());
                shared.knowledge.cache.insert_guild(guild);
            }
            progress.0 = ids.len();
        }
        for guild in &ids {
            if self.channels {
                manager::fetch_channels(shared, guild).await?;
            }
            if self.roles {
                manager::fetch_roles(shared, guild).await?;
            }
            progress.1 += 1;
        }
        Ok(())
    }
}
