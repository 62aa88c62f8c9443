//! One cluster to a bot: two with one app id would each open every session and answer every message.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::GetStreamErrorKind;
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use crate::nats::{Layout, interrupted};
use crate::{ClusterError, ClusterErrorKind};

/// How often a change is tried that others are faster with.
const TRIES: u32 = 8;

/// The entry of a bot, under its app id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Enrolled {
    /// The cluster that runs it, or ran it last.
    cluster: Box<str>,
}

/// Enrols this cluster as the one of its bot. Whoever is enrolled already stays so while a process of it lives.
///
/// # Errors
///
/// [`ClusterErrorKind::Rival`], which names the other.
pub(crate) async fn enrol(layout: &Layout, app_id: &str) -> Result<(), ClusterError> {
    let mine = Enrolled {
        cluster: layout.name.clone(),
    };
    for _ in 0..TRIES {
        let result = match layout.registry.load::<Enrolled>(app_id).await? {
            Some(entry) if entry.value == mine => return Ok(()),
            Some(entry) => {
                refuse_living(layout, app_id, &entry.value).await?;
                let result = layout.registry.update(app_id, &mine, entry.revision).await;
                if let Ok(revision) = result {
                    // A process of the other may have joined just before: it stays.
                    let refused = refuse_living(layout, app_id, &entry.value).await;
                    if refused.is_err() {
                        layout
                            .registry
                            .update(app_id, &entry.value, revision)
                            .await?;
                        return refused;
                    }
                }
                result
            }
            None => layout.registry.create(app_id, &mine).await,
        };
        match result {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ClusterErrorKind::Conflict => {}
            Err(error) => return Err(error),
        }
    }
    Err(ClusterError::new(
        ClusterErrorKind::Conflict,
        format!("others enrol clusters of the bot {app_id} all the time"),
    ))
}

async fn refuse_living(
    layout: &Layout,
    app_id: &str,
    other: &Enrolled,
) -> Result<(), ClusterError> {
    let members = count_members(layout, &other.cluster).await?;
    if members == 0 {
        return Ok(());
    }
    Err(ClusterError::new(
        ClusterErrorKind::Rival,
        format!(
            "the bot {app_id} runs in the cluster {} already ({members} processes): stop it, or give this process its name instead of {}",
            other.cluster, layout.name
        ),
    ))
}

/// How many processes of a cluster live.
async fn count_members(layout: &Layout, cluster: &str) -> Result<usize, ClusterError> {
    const FAILED: &str = "NATS could not be asked for another cluster";
    let bucket = format!("{cluster}-members");
    let stream = match layout.context.get_stream(format!("KV_{bucket}")).await {
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
