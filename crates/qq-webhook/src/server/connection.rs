//! One connection: TLS if any, then HTTP/1.1.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use super::certificate::Certificate;
use super::stall::WriteDeadline;
use super::{ConnectionCounters, Control};
use crate::error::{Error, ErrorKind};
use crate::service::{AnswerBody, WebhookService};

/// The longest header of a request, in bytes.
const HEADER_LIMIT: usize = 16 << 10;

/// What all connections of a server have in common.
pub(super) struct Settings {
    pub(super) service: WebhookService,
    pub(super) path: String,
    pub(super) certificate: Option<Certificate>,
    pub(super) header_deadline: Duration,
    pub(super) answer_deadline: Duration,
}

impl Settings {
    /// Never returns.
    pub(super) async fn keep_certificate_fresh(&self, counters: &ConnectionCounters) {
        match &self.certificate {
            Some(certificate) => certificate.watch(counters).await,
            None => std::future::pending().await,
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<AnswerBody>, Infallible> {
        if request.uri().path() == self.path {
            return self.service.clone().call(request).await;
        }
        let refused: Result<(), Error> = self
            .service
            .verifier()
            .counted(Err(ErrorKind::PathNotFound));
        Ok(refused
            .map_or_else(|error| error.response(), |()| Response::default())
            .map(AnswerBody::from))
    }
}

pub(super) async fn serve(stream: TcpStream, settings: &Settings, control: &Control) {
    // Answers are small and the platform waits for them.
    let _ = stream.set_nodelay(true);
    let stream = WriteDeadline::new(stream, settings.answer_deadline);
    let Some(certificate) = &settings.certificate else {
        return speak(stream, settings, control).await;
    };
    let handshake = TlsAcceptor::from(certificate.current()).accept(stream);
    tokio::select! {
        stream = tokio::time::timeout(settings.header_deadline, handshake) => match stream {
            Ok(Ok(stream)) => speak(stream, settings, control).await,
            _ => control.counters.handshakes_failed.add(1),
        },
        () = control.stopped() => control.counters.handshakes_failed.add(1),
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    settings: &Settings,
    control: &Control,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_deadline)
        .max_buf_size(HEADER_LIMIT)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(|request| settings.answer(request)),
        );
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = control.stopped() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        control.counters.broken.add(1);
        tracing::debug!(%error, "a connection broke");
    }
}
