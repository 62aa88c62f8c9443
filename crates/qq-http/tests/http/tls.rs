//! TLS over the `Connect` seam: always verified, and HTTP/2 where the server speaks it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use qq_http::{ErrorKind, HttpClient, RetryPolicy};
use qq_model::{Environment, Token};
use qq_transport::{Connect, ConnectFuture, Connection, Tls};
use serde_json::json;
use tokio::io::DuplexStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

/// For `localhost`, self-signed; it opens nothing but this test.
const CERTIFICATE: &[u8] = include_bytes!("certificate/localhost.der");
const KEY: &[u8] = include_bytes!("certificate/localhost.key.der");

/// A server that speaks TLS and the given protocols, and notes which one each request came by.
#[derive(Clone)]
struct TlsServer {
    alpn: &'static [&'static str],
    versions: Arc<Mutex<Vec<http::Version>>>,
}

impl TlsServer {
    fn new(alpn: &'static [&'static str]) -> Self {
        Self {
            alpn,
            versions: Arc::default(),
        }
    }

    fn client(&self, host: &str, tls: Tls) -> HttpClient {
        HttpClient::builder(Token::new("1", "canary-secret"))
            .environment(Environment::custom(format!("https://{host}")).unwrap())
            .connect(self.clone())
            .tls(tls)
            .retry(RetryPolicy::never())
            .build()
            .unwrap()
    }

    async fn serve(self, stream: DuplexStream) {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(CERTIFICATE)],
                PrivatePkcs8KeyDer::from(KEY).into(),
            )
            .unwrap();
        config.alpn_protocols = self
            .alpn
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        let Ok(stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await else {
            return;
        };
        let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let service = service_fn(move |request| self.clone().answer(request));
        let stream = TokioIo::new(stream);
        let _ = if is_h2 {
            hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(stream, service)
                .await
        } else {
            hyper::server::conn::http1::Builder::new()
                .serve_connection(stream, service)
                .await
        };
    }

    async fn answer(
        self,
        request: http::Request<Incoming>,
    ) -> Result<http::Response<Full<Bytes>>, Infallible> {
        self.versions.lock().unwrap().push(request.version());
        let path = request.uri().path().to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let answer = if path.ends_with("getAppAccessToken") {
            assert!(
                std::str::from_utf8(&body)
                    .unwrap()
                    .contains("canary-secret")
            );
            json!({"access_token": "canary-token", "expires_in": "7200"})
        } else {
            json!({"id": "1", "username": "bot"})
        };
        Ok(http::Response::new(Full::from(answer.to_string())))
    }
}

impl Connect for TlsServer {
    fn connect<'a>(&'a self, _: &'a str, _: u16) -> ConnectFuture<'a> {
        Box::pin(async move {
            let (client, server) = tokio::io::duplex(64 * 1024);
            tokio::spawn(self.clone().serve(server));
            Ok(Box::new(client) as Connection)
        })
    }
}

#[tokio::test]
async fn the_newest_protocol_of_both_is_spoken() {
    for (alpn, version) in [
        (&["h2", "http/1.1"][..], http::Version::HTTP_2),
        (&["http/1.1"], http::Version::HTTP_11),
        (&[], http::Version::HTTP_11),
    ] {
        let server = TlsServer::new(alpn);
        let http = server.client("localhost", Tls::with_extra_roots([CERTIFICATE]).unwrap());
        http.me().await.unwrap();
        assert_eq!(http.group("g").send("hi").await.unwrap().id().unwrap(), "1");
        assert_eq!(*server.versions.lock().unwrap(), [version; 3], "{alpn:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_gets_nothing() {
    let trusting = || Tls::with_extra_roots([CERTIFICATE]).unwrap();
    for (host, tls) in [("localhost", Tls::new()), ("other.example", trusting())] {
        let server = TlsServer::new(&["h2", "http/1.1"]);
        let error = server.client(host, tls).me().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network);
        assert!(error.to_string().contains("certificate"), "{error}");
        assert!(
            server.versions.lock().unwrap().is_empty(),
            "neither secret nor token left"
        );
    }
}
