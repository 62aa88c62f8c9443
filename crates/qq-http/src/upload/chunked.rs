//! Uploads in parts: prepare, store each part, report each part, put them together.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use qq_model::error_code::Retryable;
use qq_model::outgoing::{
    FileUploadRequest, FileUploadResult, UploadPartFinishRequest, UploadPrepareRequest,
    UploadPrepareResult,
};
use tokio::time::{Instant, sleep};

use super::plan::{Slice, slices};
use super::progress::{Reporter, UploadStep};
use super::source::Opened;
use super::storage::NotStored;
use super::{CALL_TIMEOUT, Job, Life, Uploaded};
use crate::error::{Error, ErrorKind};
use crate::request::{Repeat, Request};
use crate::response::Response;

/// "Come again": the platform is still busy with a part, or with putting them together.
const BUSY: i64 = 40_093_001;
/// The day's volume is used up.
const VOLUME: i64 = 40_093_002;
/// How often addresses that went bad are asked for anew.
const RENEWALS: u32 = 1;
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How the server wants an upload to go about it, within bounds of our own.
struct Pace {
    concurrency: usize,
    /// How long a busy platform is asked again.
    patience: Duration,
    /// How long to wait before that.
    delay: Duration,
}

/// Why not all parts are there.
enum Failure {
    /// An address was no longer good.
    Expired(Error),
    Other(Error),
}

impl Job {
    /// An upload in parts.
    pub(super) async fn in_parts(
        &self,
        opened: &Opened,
        reporter: &mut Reporter,
    ) -> Result<(Uploaded, Life), Error> {
        let size = opened.content.size();
        let mut renewals = 0;
        // A second round must not report less than the first.
        let mut reported = 0;
        loop {
            let body =
                UploadPrepareRequest::new(self.kind, &*self.name, size, opened.digests.clone());
            let request = self.target.prepare()?.checked_json(&body)?;
            let response = self.http.run(&request, Some(CALL_TIMEOUT)).await?;
            // The platform has this file already, and says so at once.
            let instant: FileUploadResult = response.json()?;
            if let Some(uploaded) = Uploaded::from_result(instant) {
                return Ok(uploaded);
            }
            let prepared: UploadPrepareResult = response.json()?;
            if prepared.upload_id.is_empty() {
                return Err(response.undecodable("the answer has no `upload_id`".to_owned()));
            }
            let pace = Pace::of(&prepared, self.policy.concurrency);
            let upload_id = prepared.upload_id.clone();
            // Without parts there is nothing left to store: the platform has the bytes.
            let slices = if prepared.parts.is_empty() {
                Vec::new()
            } else {
                slices(prepared, size).map_err(|why| response.undecodable(why))?
            };
            let mut stored = 0;
            let progress = |bytes: u64| {
                stored += bytes;
                if stored > reported {
                    reported = stored;
                    reporter.report(UploadStep::Sending, stored, Some(size));
                }
            };
            match self
                .store(opened, &upload_id, &slices, &pace, progress)
                .await
            {
                Ok(()) => {
                    let body =
                        FileUploadRequest::merge(self.kind, upload_id).file_name(&*self.name);
                    let request = self.target.files()?.checked_json(&body)?;
                    return Uploaded::read(&self.insist(request, &pace).await?);
                }
                Err(Failure::Expired(_)) if renewals < RENEWALS => renewals += 1,
                Err(Failure::Expired(error) | Failure::Other(error)) => return Err(error),
            }
        }
    }

    /// Stores all parts, as many at once as both sides allow. The first failure ends the others.
    async fn store(
        &self,
        opened: &Opened,
        upload_id: &str,
        slices: &[Slice],
        pace: &Pace,
        mut progress: impl FnMut(u64),
    ) -> Result<(), Failure> {
        let mut waiting = slices.iter();
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < pace.concurrency
                && let Some(slice) = waiting.next()
            {
                running.push(self.part(opened, upload_id, slice, pace));
            }
            match running.next().await {
                Some(stored) => progress(stored?),
                None => return Ok(()),
            }
        }
    }

    /// Stores and reports one part; its size.
    async fn part(
        &self,
        opened: &Opened,
        upload_id: &str,
        slice: &Slice,
        pace: &Pace,
    ) -> Result<u64, Failure> {
        let storage = &self.http.inner().storage;
        let put = storage.put(&opened.content, slice, &self.policy);
        let md5 = put.await.map_err(|failure| match failure {
            NotStored {
                error,
                is_expired: true,
                ..
            } => Failure::Expired(error),
            NotStored { error, .. } => Failure::Other(error),
        })?;
        let body = UploadPartFinishRequest::new(upload_id, &slice.part, slice.size, md5);
        let request = self
            .target
            .part_finish()
            .and_then(|request| request.checked_json(&body))
            .map_err(Failure::Other)?;
        self.insist(request, pace).await.map_err(Failure::Other)?;
        Ok(slice.size)
    }

    /// Makes a call that does no harm twice: while the platform is busy at its own pace and for as long as it says,
    /// and after other failures that may pass as often as the policy says.
    async fn insist(&self, request: Request, pace: &Pace) -> Result<Response, Error> {
        let request = request.repeat(Repeat::ByCaller);
        let end = Instant::now() + pace.patience;
        let (mut failures, mut backoff) = (0, FIRST_WAIT);
        loop {
            let error = match self.http.run(&request, Some(CALL_TIMEOUT)).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let wait = if error.has_code(BUSY) {
                pace.delay
            } else {
                failures += 1;
                if failures >= self.policy.attempts || !may_pass(&error) {
                    return Err(error);
                }
                let wait = error.retry_after().unwrap_or(backoff);
                backoff = (backoff * 2).min(LONGEST_WAIT);
                wait
            };
            if Instant::now() + wait >= end {
                return Err(error);
            }
            sleep(wait).await;
        }
    }
}

impl Pace {
    fn of(prepared: &UploadPrepareResult, most: usize) -> Self {
        const LONGEST: u64 = 600;
        let config = prepared.upload_config.as_ref();
        let concurrency = config
            .and_then(|config| config.concurrency)
            .or(prepared.concurrency)
            .unwrap_or(1);
        let patience = config
            .and_then(|config| config.retry_timeout)
            .or(prepared.retry_timeout)
            .unwrap_or(300);
        let delay = config.and_then(|config| config.retry_delay).unwrap_or(1);
        Self {
            concurrency: usize::try_from(concurrency).unwrap_or(most).clamp(1, most),
            patience: Duration::from_secs(patience.min(LONGEST)),
            delay: Duration::from_secs(delay.clamp(1, LONGEST)),
        }
    }
}

/// Whether the same call may end differently.
fn may_pass(error: &Error) -> bool {
    if error.has_code(VOLUME) {
        return false;
    }
    match error.kind() {
        ErrorKind::Network | ErrorKind::Timeout | ErrorKind::RateLimited => true,
        ErrorKind::Http | ErrorKind::Api => {
            error
                .status()
                .is_some_and(|status| status.is_server_error())
                || error.retryable() == Some(Retryable::Yes)
        }
        _ => false,
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pace(mut extra: Value) -> (usize, u64, u64) {
        extra["upload_id"] = json!("u");
        let pace = Pace::of(&serde_json::from_value(extra).unwrap(), 10);
        (
            pace.concurrency,
            pace.patience.as_secs(),
            pace.delay.as_secs(),
        )
    }

    #[test]
    fn the_servers_pace_is_taken_from_either_place_and_bounded() {
        assert_eq!(pace(json!({})), (1, 300, 1));
        assert_eq!(
            pace(
                json!({"upload_config": {"concurrency": "3", "retry_timeout": "60", "retry_delay": 2}})
            ),
            (3, 60, 2)
        );
        assert_eq!(
            pace(json!({"concurrency": 4, "retry_timeout": 90})),
            (4, 90, 1)
        );
        assert_eq!(
            pace(
                json!({"upload_config": {"concurrency": 999, "retry_timeout": 99999, "retry_delay": 0}})
            ),
            (10, 600, 1)
        );
        assert_eq!(pace(json!({"concurrency": 0})).0, 1);
    }
}
