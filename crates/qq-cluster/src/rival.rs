//! One cluster to a bot: two with one app id would each open every session and answer every message.

use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::{Context, ErrorCode};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use crate::nats::{Bucket, interrupted};
use crate::{ClusterError, ClusterErrorKind};

/// How often a change is tried that others are faster with.
const TRIES: u32 = 8;

/// The entry of a bot, under its app id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Enrolled {
    /// The cluster that runs it, or ran it last.
    cluster: Box<str>,
}

/// Where a cluster is enrolled as the one of its bot.
#[derive(Debug)]
pub(crate) struct Enrolment<'a> {
    pub(crate) context: &'a Context,
    pub(crate) registry: &'a Bucket,
    /// The cluster.
    pub(crate) name: &'a str,
    pub(crate) app_id: &'a str,
}

impl Enrolment<'_> {
    /// Makes sure that no other cluster of the bot runs, before anything is created.
    ///
    /// # Errors
    ///
    /// [`ClusterErrorKind::Rival`], which names the other.
    pub(crate) async fn check(&self) -> Result<(), ClusterError> {
        match self.registry.load::<Enrolled>(self.app_id).await? {
            Some(entry) if *entry.value.cluster != *self.name => {
                self.refuse_living(&entry.value).await
            }
            _ => Ok(()),
        }
    }

    /// Enrols the cluster. Whoever is enrolled already stays so while a process of it lives.
    ///
    /// # Errors
    ///
    /// As for [`check`](Self::check).
    pub(crate) async fn enrol(&self) -> Result<(), ClusterError> {
        // So many requests in one future make it large.
        Box::pin(self.enrol_now()).await
    }

    async fn enrol_now(&self) -> Result<(), ClusterError> {
        let mine = Enrolled {
            cluster: self.name.into(),
        };
        for _ in 0..TRIES {
            let result = match self.registry.load::<Enrolled>(self.app_id).await? {
                Some(entry) if entry.value == mine => return Ok(()),
                Some(entry) => self.succeed(&entry.value, &mine, entry.revision).await,
                None => self.registry.create(self.app_id, &mine).await.map(drop),
            };
            match result {
                Err(error) if error.kind() == ClusterErrorKind::Conflict => {}
                result => return result,
            }
        }
        Err(ClusterError::new(
            ClusterErrorKind::Conflict,
            format!(
                "others enrol clusters of the bot {} all the time",
                self.app_id
            ),
        ))
    }

    /// Takes the place of a cluster that does not run any more.
    async fn succeed(
        &self,
        other: &Enrolled,
        mine: &Enrolled,
        revision: u64,
    ) -> Result<(), ClusterError> {
        self.refuse_living(other).await?;
        let revision = self.registry.update(self.app_id, mine, revision).await?;
        // A process of the other may have joined just before: it stays.
        let result = self.refuse_living(other).await;
        if result.is_err() {
            self.registry.update(self.app_id, other, revision).await?;
        }
        result
    }

    async fn refuse_living(&self, other: &Enrolled) -> Result<(), ClusterError> {
        let members = self.count_members(&other.cluster).await?;
        if members == 0 {
            return Ok(());
        }
        Err(ClusterError::new(
            ClusterErrorKind::Rival,
            format!(
                "the bot {} runs in the cluster {} already ({members} processes): stop it, or give this process its name instead of {}",
                self.app_id, other.cluster, self.name
            ),
        ))
    }

    /// How many processes of a cluster live.
    async fn count_members(&self, cluster: &str) -> Result<usize, ClusterError> {
        const FAILED: &str = "NATS could not be asked for another cluster";
        let bucket = format!("{cluster}-members");
        let stream = match self.context.get_stream(format!("KV_{bucket}")).await {
            Ok(stream) => stream,
            Err(error) if matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND) =>
            {
                return Ok(0);
            }
            Err(error) => return Err(interrupted(FAILED, error)),
        };
        let subjects: Vec<(String, usize)> = stream
            .info_with_subjects(format!("$KV.{bucket}.>"))
            .await
            .map_err(|error| interrupted(FAILED, error))?
            .try_collect()
            .await
            .map_err(|error| interrupted(FAILED, error))?;
        Ok(subjects.len())
    }
}
