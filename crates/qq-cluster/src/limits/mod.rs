//! The bot's rate limits, kept by all processes together.
//!
//! Each limit has an entry that says how many of its places each process has. A process takes places in blocks, before it
//! runs out of them, uses them again and again without asking anybody, and gives them back when another's calls wait.
//! What is taken for hours is written down, so that it outlives the process.

mod keeper;
mod plan;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use qq_http::{LimitStore, SharedLimits};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use self::keeper::Keeper;
use crate::nats::Layout;

/// How long giving places back may hold up a stop.
const RELEASE: Duration = Duration::from_secs(1);

/// A [`LimitStore`] that all processes of a cluster share.
#[derive(Clone)]
pub(crate) struct ClusterLimits {
    inner: Arc<Inner>,
}

struct Inner {
    layout: Layout,
    lease: Duration,
    runtime: Handle,
    keepers: Mutex<Keepers>,
}

#[derive(Default)]
struct Keepers {
    /// They end with the cluster.
    tasks: JoinSet<()>,
    doors: Vec<mpsc::Sender<oneshot::Sender<()>>>,
}

impl ClusterLimits {
    /// To be called in a runtime.
    pub(crate) fn new(layout: &Layout, lease: Duration) -> Self {
        Self {
            inner: Arc::new(Inner {
                layout: layout.clone(),
                lease,
                runtime: Handle::current(),
                keepers: Mutex::default(),
            }),
        }
    }

    /// Gives everything back that this process has no use for, as far as that is quickly done: others need not wait for
    /// its lease to end.
    pub(crate) async fn release(&self) {
        let doors = {
            let mut keepers = self.inner.lock();
            keepers.doors.retain(|door| !door.is_closed());
            keepers.doors.clone()
        };
        let released = doors.into_iter().map(|door| async move {
            let (done, is_done) = oneshot::channel();
            if door.send(done).await.is_ok() {
                // A keeper that ends has nothing left to give.
                let _ = is_done.await;
            }
        });
        let released = futures_util::future::join_all(released);
        if timeout(RELEASE, released).await.is_err() {
            tracing::debug!("shares of limits are left to the end of the lease");
        }
    }
}

impl LimitStore for ClusterLimits {
    fn open(&self, limits: SharedLimits) {
        let (door, requests) = mpsc::channel(1);
        let keeper = Keeper::new(&self.inner.layout, self.inner.lease, limits, requests);
        let mut keepers = self.inner.lock();
        while keepers.tasks.try_join_next().is_some() {}
        keepers.doors.retain(|door| !door.is_closed());
        keepers.doors.push(door);
        keepers.tasks.spawn_on(keeper.run(), &self.inner.runtime);
    }
}

impl Inner {
    /// Plain data that is whole after every statement, so a panic elsewhere spoils nothing.
    fn lock(&self) -> std::sync::MutexGuard<'_, Keepers> {
        self.keepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ClusterLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterLimits").finish_non_exhaustive()
    }
}
