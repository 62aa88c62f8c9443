//! The certificate, read again when its files change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ring::digest::{self, SHA256};
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::ConnectionCounters;
use super::error::{ServerError, ServerErrorKind};

/// However often it is asked for, the files are looked at no more often than this.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// Two files, and what was last made of them.
pub(super) struct Certificate {
    files: Files,
    interval: Duration,
    first: Seen,
    current: Mutex<Arc<ServerConfig>>,
}

/// What files held when they were looked at; nothing when they could not be read. Times of change are not relied on: they
/// are coarse, and a file that is linked anew may carry an old one. Digests, so that the key is not kept.
type Seen = Option<[[u8; 32]; 2]>;

impl Certificate {
    pub(super) async fn load(
        certificates: PathBuf,
        key: PathBuf,
        interval: Duration,
    ) -> Result<Self, ServerError> {
        let files = Files { certificates, key };
        let contents = files.read().await?;
        let config = files.configure(&contents)?;
        Ok(Self {
            first: Some(contents.digests()),
            files,
            interval: interval.max(SHORTEST_INTERVAL),
            current: Mutex::new(Arc::new(config)),
        })
    }

    /// What the next connection speaks TLS with.
    pub(super) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the files again and again. Never returns.
    pub(super) async fn watch(&self, counters: &ConnectionCounters) {
        let mut seen = self.first;
        loop {
            tokio::time::sleep(self.interval).await;
            let contents = self.files.read().await;
            let now = contents.as_ref().ok().map(Contents::digests);
            if now == seen {
                continue;
            }
            seen = now;
            match contents.and_then(|contents| self.files.configure(&contents)) {
                Ok(config) => {
                    *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
                    counters.certificates_loaded.add(1);
                    tracing::info!("a new certificate is in use");
                }
                Err(error) => {
                    counters.certificates_refused.add(1);
                    tracing::warn!(
                        %error,
                        source = ?std::error::Error::source(&error),
                        "the certificate files changed but cannot be used; the old certificate stays"
                    );
                }
            }
        }
    }
}

struct Files {
    certificates: PathBuf,
    key: PathBuf,
}

struct Contents {
    certificates: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Contents {
    fn digests(&self) -> [[u8; 32]; 2] {
        [self.certificates.as_slice(), self.key.as_slice()].map(|content| {
            let mut bytes = [0; 32];
            bytes.copy_from_slice(digest::digest(&SHA256, content).as_ref());
            bytes
        })
    }
}

impl Files {
    async fn read(&self) -> Result<Contents, ServerError> {
        Ok(Contents {
            certificates: read(&self.certificates).await?,
            key: Zeroizing::new(read(&self.key).await?),
        })
    }

    fn configure(&self, contents: &Contents) -> Result<ServerConfig, ServerError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&contents.certificates)
            .collect::<Result<_, _>>()
            .and_then(|chain: Vec<_>| {
                if chain.is_empty() {
                    Err(pem::Error::NoItemsFound)
                } else {
                    Ok(chain)
                }
            })
            .map_err(|error| {
                ServerError::new(ServerErrorKind::FileMalformed, error).of_file(&self.certificates)
            })?;
        let key = PrivateKeyDer::from_pem_slice(&contents.key).map_err(|error| {
            ServerError::new(ServerErrorKind::FileMalformed, error).of_file(&self.key)
        })?;
        let mismatch =
            |error| ServerError::new(ServerErrorKind::KeyMismatch, error).of_file(&self.key);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(mismatch)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(mismatch)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

async fn read(file: &Path) -> Result<Vec<u8>, ServerError> {
    tokio::fs::read(file)
        .await
        .map_err(|error| ServerError::new(ServerErrorKind::FileUnreadable, error).of_file(file))
}
