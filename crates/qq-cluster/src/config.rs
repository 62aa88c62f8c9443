//! How a process takes part in a cluster.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ClusterError, ClusterErrorKind};

/// What a process of the cluster does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Holds gateway sessions or takes webhooks, and publishes what comes.
    Receiver,
    /// Handles what was published.
    Worker,
    /// Both.
    #[default]
    Both,
}

impl Role {
    /// Whether events are received.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::Receiver | Self::Both)
    }

    /// Whether events are handled.
    #[must_use]
    pub const fn works(self) -> bool {
        matches!(self, Self::Worker | Self::Both)
    }
}

/// How a process takes part in a cluster: where NATS is, what the process does, and how the cluster's streams and
/// buckets are laid out when they do not exist yet.
///
/// All processes of a cluster must agree on [`partitions`](Self::partitions); a process that does not is refused at
/// start.
///
/// ```
/// use qq_cluster::{ClusterConfig, Role};
///
/// let config = ClusterConfig::new("nats://127.0.0.1:4222").role(Role::Worker).replicas(3);
/// ```
#[derive(Clone)]
pub struct ClusterConfig {
    pub(crate) servers: Box<str>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) role: Role,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) tls: TlsFiles,
    pub(crate) partitions: u16,
    pub(crate) replicas: usize,
    pub(crate) retention: Retention,
    pub(crate) lease: Duration,
    pub(crate) max_attempts: u32,
    pub(crate) in_flight: usize,
    pub(crate) remember_handled: Option<Duration>,
}

/// How NATS knows this process.
#[derive(Clone)]
pub(crate) enum Credentials {
    Token(Box<str>),
    User { name: Box<str>, password: Box<str> },
    NKey(Box<str>),
    File(PathBuf),
}

/// Files of the TLS connection to NATS.
#[derive(Clone, Debug, Default)]
pub(crate) struct TlsFiles {
    pub(crate) is_required: bool,
    pub(crate) roots: Option<PathBuf>,
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
}

/// How much may wait for workers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retention {
    pub(crate) max_age: Duration,
    pub(crate) max_bytes: i64,
    pub(crate) max_events: i64,
    pub(crate) duplicate_window: Duration,
}

/// The most partitions: each has a consumer of its own.
const MOST_PARTITIONS: u16 = 1024;
/// Shorter leases than this are lost by a slow network alone.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);

impl ClusterConfig {
    /// Takes part in the cluster of the NATS servers at these addresses, separated by commas:
    /// `nats://10.0.0.1:4222,nats://10.0.0.2:4222`, or `tls://…`.
    #[must_use]
    pub fn new(servers: impl Into<Box<str>>) -> Self {
        Self {
            servers: servers.into(),
            name: None,
            role: Role::default(),
            credentials: None,
            tls: TlsFiles::default(),
            partitions: 64,
            replicas: 1,
            retention: Retention {
                max_age: Duration::from_secs(60 * 60),
                max_bytes: 256 << 20,
                max_events: 1_000_000,
                duplicate_window: Duration::from_secs(10 * 60),
            },
            lease: Duration::from_secs(5),
            max_attempts: 5,
            in_flight: 256,
            remember_handled: None,
        }
    }

    /// The name that streams and buckets begin with; `qqbot-` and the app id unless said otherwise. Letters, digits,
    /// `-` and `_`, at most 32 characters.
    #[must_use]
    pub fn name(mut self, name: impl Into<Box<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What this process does; both unless said otherwise.
    #[must_use]
    pub const fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// NATS's token authentication.
    #[must_use]
    pub fn token(mut self, token: impl Into<Box<str>>) -> Self {
        self.credentials = Some(Credentials::Token(token.into()));
        self
    }

    /// NATS's user and password authentication.
    #[must_use]
    pub fn user(mut self, name: impl Into<Box<str>>, password: impl Into<Box<str>>) -> Self {
        self.credentials = Some(Credentials::User {
            name: name.into(),
            password: password.into(),
        });
        self
    }

    /// NATS's authentication by `NKey`, with this seed (`SU…`).
    #[must_use]
    pub fn nkey(mut self, seed: impl Into<Box<str>>) -> Self {
        self.credentials = Some(Credentials::NKey(seed.into()));
        self
    }

    /// NATS's decentralised authentication, with this `.creds` file.
    #[must_use]
    pub fn credentials_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.credentials = Some(Credentials::File(path.into()));
        self
    }

    /// Speaks to no server that does not speak TLS.
    #[must_use]
    pub const fn require_tls(mut self) -> Self {
        self.tls.is_required = true;
        self
    }

    /// Trusts the certificates of this PEM file as well.
    #[must_use]
    pub fn root_certificates(mut self, path: impl Into<PathBuf>) -> Self {
        self.tls.roots = Some(path.into());
        self
    }

    /// Shows NATS the certificate of these PEM files.
    #[must_use]
    pub fn client_certificate(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.tls.identity = Some((certificate.into(), key.into()));
        self
    }

    /// Into how many partitions conversations fall, 64 unless said otherwise, at most 1,024. A partition has one worker
    /// at a time, so this is also the largest useful number of workers. Fixed when the cluster is first started.
    #[must_use]
    pub const fn partitions(mut self, partitions: u16) -> Self {
        self.partitions = partitions;
        self
    }

    /// How many NATS servers keep each event and entry, 1 unless said otherwise, at most 5.
    #[must_use]
    pub const fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }

    /// How long an event waits for a worker at most, one hour unless said otherwise; older ones are dropped by NATS.
    #[must_use]
    pub const fn max_age(mut self, max_age: Duration) -> Self {
        self.retention.max_age = max_age;
        self
    }

    /// How many bytes of events wait for workers at most, 256 MiB unless said otherwise; NATS sets them aside. On a
    /// single server they are in up to eight streams, each with its part of the partitions and of the bytes. A full stream takes
    /// no more, and what it does not take stays with the platform.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: i64) -> Self {
        self.retention.max_bytes = bytes;
        self
    }

    /// How many events wait for workers at most, one million unless said otherwise; see [`max_bytes`](Self::max_bytes).
    #[must_use]
    pub const fn max_events(mut self, events: i64) -> Self {
        self.retention.max_events = events;
        self
    }

    /// How long NATS knows an event again and drops its repeats, ten minutes unless said otherwise. A worker does so for what it
    /// handled itself, and where several servers older than 2.10.14 keep the events nobody else does.
    #[must_use]
    pub const fn duplicate_window(mut self, window: Duration) -> Self {
        self.retention.duplicate_window = window;
        self
    }

    /// Remembers for so long which events were handled, for repeats that come later than
    /// [`duplicate_window`](Self::duplicate_window): of a session that is resumed after a long outage, or of a webhook. Not at
    /// all unless said otherwise, for it costs each event one question and one entry in NATS more. All processes must have
    /// the same.
    #[must_use]
    pub const fn remember_handled(mut self, age: Duration) -> Self {
        self.remember_handled = Some(age);
        self
    }

    /// After how long a process that says nothing counts as dead, 5 s unless said otherwise, at least 1 s. Its shards and
    /// partitions move to others then.
    #[must_use]
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How often an event may end its worker, or fail, before it is put aside as a dead letter; 5 unless said otherwise. Ending
    /// workers takes three times at least, as it shows only then which event it was.
    #[must_use]
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// How many events of a partition a worker takes at a time, 256 unless said otherwise.
    #[must_use]
    pub const fn in_flight(mut self, events: usize) -> Self {
        self.in_flight = events;
        self
    }

    /// The settings, when they can be used; otherwise which cannot, and why.
    pub(crate) fn validate(&self) -> Result<(), ClusterError> {
        let refuse =
            |message: String| Err(ClusterError::new(ClusterErrorKind::Configuration, message));
        if self.servers.trim().is_empty() {
            return refuse(
                "servers: no address; give one such as nats://127.0.0.1:4222".to_owned(),
            );
        }
        if let Some(name) = &self.name
            && !is_name(name)
        {
            return refuse(format!(
                "name: {name:?} is not 1 to 32 letters, digits, '-' and '_'"
            ));
        }
        if !(1..=MOST_PARTITIONS).contains(&self.partitions) {
            return refuse(format!(
                "partitions: {} is not between 1 and {MOST_PARTITIONS}",
                self.partitions
            ));
        }
        if !(1..=5).contains(&self.replicas) {
            return refuse(format!(
                "replicas: {} is not between 1 and 5",
                self.replicas
            ));
        }
        if self.lease < SHORTEST_LEASE {
            return refuse(format!(
                "lease: {:?} is less than {SHORTEST_LEASE:?}",
                self.lease
            ));
        }
        if self.max_attempts == 0 || self.in_flight == 0 {
            return refuse("max_attempts and in_flight: 0 would handle nothing".to_owned());
        }
        let retention = &self.retention;
        if retention.duplicate_window > retention.max_age {
            return refuse(format!(
                "duplicate_window: {:?} is longer than max_age, {:?}, and NATS does not allow that",
                retention.duplicate_window, retention.max_age
            ));
        }
        if let Some(age) = self.remember_handled
            && age <= retention.duplicate_window
        {
            return refuse(format!(
                "remember_handled: {age:?} is not longer than duplicate_window, {:?}, which knows repeats already",
                retention.duplicate_window
            ));
        }
        if retention.max_bytes < 1 || retention.max_events < 1 {
            return refuse("max_bytes and max_events: at least 1".to_owned());
        }
        Ok(())
    }
}

/// Secrets stay out.
impl fmt::Debug for ClusterConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterConfig")
            .field("name", &self.name)
            .field("role", &self.role)
            .field("partitions", &self.partitions)
            .field("replicas", &self.replicas)
            .finish_non_exhaustive()
    }
}

fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_is_named() {
        let config = || ClusterConfig::new("nats://127.0.0.1");
        assert!(config().validate().is_ok());
        for (config, field) in [
            (ClusterConfig::new(" "), "servers"),
            (config().name("a b"), "name"),
            (config().name(""), "name"),
            (config().partitions(0), "partitions"),
            (config().partitions(2000), "partitions"),
            (config().replicas(6), "replicas"),
            (config().lease(Duration::from_millis(10)), "lease"),
            (config().max_attempts(0), "max_attempts"),
            (
                config().duplicate_window(Duration::from_secs(9999)),
                "duplicate_window",
            ),
            (config().max_bytes(0), "max_bytes"),
            (
                config().remember_handled(Duration::from_secs(60)),
                "remember_handled",
            ),
        ] {
            let error = config.validate().unwrap_err();
            assert_eq!(error.kind(), ClusterErrorKind::Configuration);
            assert!(error.to_string().starts_with(field), "{error}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let config = ClusterConfig::new("nats://u:hunter2@127.0.0.1")
            .user("bot", "hunter2")
            .token("hunter2");
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
