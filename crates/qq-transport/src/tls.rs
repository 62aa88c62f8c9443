//! TLS by rustls, verified against Mozilla's roots or the given ones.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::Connection;

/// How TLS is spoken: which roots are trusted. Cheap to clone.
///
/// ```
/// let tls = qq_transport::Tls::new();
/// ```
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
}

impl Tls {
    /// Trusts Mozilla's root certificates.
    #[must_use]
    pub fn new() -> Self {
        Self::with_store(mozilla_roots())
    }

    /// Trusts these root certificates (DER) besides Mozilla's, as for a company's own proxy.
    ///
    /// # Errors
    ///
    /// [`InvalidRootCertificate`] with the index of the certificate that cannot be read.
    pub fn with_extra_roots<C: AsRef<[u8]>>(
        certificates: impl IntoIterator<Item = C>,
    ) -> Result<Self, InvalidRootCertificate> {
        let mut roots = mozilla_roots();
        for (index, certificate) in certificates.into_iter().enumerate() {
            let certificate = CertificateDer::from(certificate.as_ref().to_vec());
            roots
                .add(certificate)
                .map_err(|source| InvalidRootCertificate { index, source })?;
        }
        Ok(Self::with_store(roots))
    }

    /// The configuration, for HTTP stacks that do the handshake themselves. ALPN is theirs to set.
    #[must_use]
    pub fn client_config(&self) -> ClientConfig {
        (*self.config).clone()
    }

    /// The TLS handshake. Dropping the future gives up.
    ///
    /// # Errors
    ///
    /// The host is no valid name, the certificate is not trusted for it, or the connection failed.
    pub async fn handshake(&self, host: &str, connection: Connection) -> io::Result<Connection> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let stream = TlsConnector::from(Arc::clone(&self.config))
            .connect(name, connection)
            .await?;
        Ok(Box::new(stream))
    }

    fn with_store(roots: RootCertStore) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        #[expect(
            clippy::expect_used,
            reason = "ring provides cipher suites for every default version"
        )]
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            config: Arc::new(config),
        }
    }
}

impl Default for Tls {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

fn mozilla_roots() -> RootCertStore {
    RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    }
}

/// A root certificate that cannot be read.
#[derive(Debug)]
pub struct InvalidRootCertificate {
    index: usize,
    source: rustls::Error,
}

impl fmt::Display for InvalidRootCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "root certificate {} (from 0) is no DER certificate",
            self.index
        )
    }
}

impl std::error::Error for InvalidRootCertificate {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_root_is_named_by_its_index() {
        let error = Tls::with_extra_roots([b"not a certificate"]).unwrap_err();
        assert!(error.to_string().contains("certificate 0"));
    }

    #[tokio::test]
    async fn a_server_that_speaks_no_tls_is_an_error() {
        let (client, server) = tokio::io::duplex(1024);
        let server = tokio::spawn(async move {
            let mut server = server;
            tokio::io::AsyncWriteExt::write_all(&mut server, b"HTTP/1.1 400 Bad Request\r\n\r\n")
                .await
        });
        assert!(
            Tls::new()
                .handshake("localhost", Box::new(client))
                .await
                .is_err()
        );
        server.await.unwrap().unwrap();
    }
}
