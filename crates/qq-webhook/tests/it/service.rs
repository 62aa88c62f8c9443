//! The tower service: limits, deadlines, the queue, other sinks, axum.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::support::{event, signed, verifier};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::{Body, Frame, SizeHint};
use qq_webhook::{
    AnswerBody, Error, ErrorKind, EventSink, RawEvent, WebhookEvents, WebhookService,
    WebhookServiceBuilder,
};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tower_service::Service;

/// A test that takes this long hangs. With a stopped clock nobody waits for it.
const HANG: Duration = Duration::from_secs(3600);

const ACKNOWLEDGED: (u16, &str) = (200, r#"{"op":12,"d":0}"#);
const FAILED: (u16, &str) = (503, r#"{"op":12,"d":1}"#);

fn builder() -> WebhookServiceBuilder {
    WebhookService::builder(verifier())
}

fn request<B>(headers: HeaderMap, body: B) -> Request<B> {
    let mut request = Request::post("/").body(body).unwrap();
    *request.headers_mut() = headers;
    request
}

async fn send<B>(service: &WebhookService, request: Request<B>) -> (u16, String)
where
    WebhookService: Service<Request<B>, Response = Response<AnswerBody>, Error = Infallible>,
{
    let response = service.clone().call(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn post(service: &WebhookService, body: &str) -> (u16, String) {
    send(
        service,
        request(signed(body), Full::<Bytes>::from(body.to_owned())),
    )
    .await
}

fn is(answer: &(u16, String), expected: (u16, &str)) -> bool {
    (answer.0, answer.1.as_str()) == expected
}

/// What is there now.
async fn drain(events: &mut WebhookEvents) -> Vec<String> {
    let mut ids = Vec::new();
    while !events.is_empty() {
        ids.push(
            events
                .next()
                .await
                .unwrap()
                .dispatch
                .id
                .unwrap()
                .to_string(),
        );
    }
    ids
}

fn refused(service: &WebhookService, kind: ErrorKind) -> u64 {
    service.verifier().stats().refused(kind)
}

/// A body that comes frame by frame, of no known length.
struct Slow {
    frames: mpsc::UnboundedReceiver<Result<Frame<Bytes>, &'static str>>,
    announced: u64,
}

impl Body for Slow {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        self.frames.poll_recv(context)
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.announced);
        hint
    }
}

fn slow(
    announced: u64,
) -> (
    mpsc::UnboundedSender<Result<Frame<Bytes>, &'static str>>,
    Slow,
) {
    let (sender, frames) = mpsc::unbounded_channel();
    (sender, Slow { frames, announced })
}

#[tokio::test]
async fn three_sends_are_one_event() {
    let (service, mut events) = builder().build();
    for _ in 0..3 {
        assert!(is(&post(&service, &event("1")).await, ACKNOWLEDGED));
    }
    assert_eq!(drain(&mut events).await, ["1"]);
    let stats = service.verifier().stats();
    assert_eq!((stats.accepted, stats.repeated), (1, 2));
}

#[tokio::test]
async fn what_a_full_queue_refuses_is_taken_when_it_comes_again() {
    let (service, mut events) = builder().queue(2, 1 << 20).build();
    for id in ["1", "2"] {
        assert!(is(&post(&service, &event(id)).await, ACKNOWLEDGED));
    }
    for _ in 0..2 {
        assert!(is(&post(&service, &event("3")).await, FAILED));
    }
    assert_eq!(refused(&service, ErrorKind::QueueFull), 2);
    // What was taken before is acknowledged, also while the queue is full.
    assert!(is(&post(&service, &event("1")).await, ACKNOWLEDGED));
    assert_eq!(drain(&mut events).await, ["1", "2"]);
    assert!(is(&post(&service, &event("3")).await, ACKNOWLEDGED));
    assert!(is(&post(&service, &event("3")).await, ACKNOWLEDGED));
    assert_eq!(drain(&mut events).await, ["3"]);
}

#[tokio::test]
async fn the_queue_is_bounded_in_bytes_too() {
    let length = event("1").len();
    let (service, mut events) = builder().queue(100, length * 2 + 1).build();
    for (id, expected) in [("1", ACKNOWLEDGED), ("2", ACKNOWLEDGED), ("3", FAILED)] {
        assert!(is(&post(&service, &event(id)).await, expected), "{id}");
    }
    assert_eq!(drain(&mut events).await, ["1", "2"]);
    // The room is free again.
    for id in ["3", "4"] {
        assert!(is(&post(&service, &event(id)).await, ACKNOWLEDGED), "{id}");
    }
    assert_eq!(drain(&mut events).await, ["3", "4"]);
    // Larger than the whole queue, and yet it can be delivered.
    let large = event(&"x".repeat(length * 3));
    assert!(is(&post(&service, &large).await, ACKNOWLEDGED));
    assert!(is(&post(&service, &event("5")).await, FAILED));
}

#[tokio::test(start_paused = true)]
async fn the_stream_ends_with_the_service_and_the_service_notices_the_end_of_the_stream() {
    let (service, mut events) = builder().build();
    post(&service, &event("1")).await;
    drop(service);
    assert!(events.next().await.is_some());
    assert!(timeout(HANG, events.next()).await.unwrap().is_none());

    let (service, events) = builder().build();
    drop(events);
    assert!(is(&post(&service, &event("1")).await, FAILED));
    assert_eq!(refused(&service, ErrorKind::QueueClosed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_reader_is_woken() {
    let (service, mut events) = builder().build();
    let waiting = tokio::spawn(async move { events.next_raw().await });
    tokio::task::yield_now().await;
    post(&service, &event("1")).await;
    let woken = timeout(HANG, waiting).await.unwrap().unwrap();
    assert_eq!(woken.unwrap().name(), "C2C_MESSAGE_CREATE");

    let (service, mut events) = builder().build();
    let waiting = tokio::spawn(async move { events.next().await });
    tokio::task::yield_now().await;
    drop(service);
    assert!(timeout(HANG, waiting).await.unwrap().unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn no_answer_waits_for_a_handler() {
    let (service, mut events) = builder().build();
    let handler = tokio::spawn(async move {
        while events.next().await.is_some() {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
    });
    let start = Instant::now();
    for n in 0..1000 {
        assert!(
            is(&post(&service, &event(&n.to_string())).await, ACKNOWLEDGED),
            "{n}"
        );
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    handler.abort();
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_is_given_up() {
    let (service, _events) = builder().body_deadline(Duration::from_secs(5)).build();
    let (sender, body) = slow(0);
    let trickle = tokio::spawn(async move {
        while sender
            .send(Ok(Frame::data(Bytes::from_static(b"{"))))
            .is_ok()
        {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let start = Instant::now();
    let answer = send(&service, request(signed("{"), body)).await;
    assert_eq!((answer.0, start.elapsed()), (408, Duration::from_secs(5)));
    assert_eq!(refused(&service, ErrorKind::BodyTimeout), 1);
    // The body is let go, so whoever feeds it notices.
    timeout(Duration::from_secs(2), trickle)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused() {
    let body = event("1");
    let exact = builder().body_limit(body.len()).build();
    assert!(is(&post(&exact.0, &body).await, ACKNOWLEDGED));

    let (service, _events) = builder().body_limit(body.len() - 1).build();
    assert_eq!(post(&service, &body).await.0, 413);
    // In frames of one byte and of no known length.
    let (sender, unannounced) = slow(0);
    for byte in body.bytes() {
        sender.send(Ok(Frame::data(vec![byte].into()))).unwrap();
    }
    assert_eq!(
        send(&service, request(signed(&body), unannounced)).await.0,
        413
    );
    // Announced: not a byte has to come.
    let (_sender, announced) = slow(u64::MAX);
    assert_eq!(
        send(&service, request(signed(&body), announced)).await.0,
        413
    );
    assert_eq!(refused(&service, ErrorKind::BodyTooLarge), 3);
}

#[tokio::test]
async fn bodies_in_pieces_and_with_trailers_are_read() {
    let (service, mut events) = builder().build();
    let body = event("1");
    let (sender, pieces) = slow(0);
    for byte in body.bytes() {
        sender.send(Ok(Frame::data(vec![byte].into()))).unwrap();
    }
    sender.send(Ok(Frame::trailers(HeaderMap::new()))).unwrap();
    drop(sender);
    assert!(is(
        &send(&service, request(signed(&body), pieces)).await,
        ACKNOWLEDGED
    ));
    assert_eq!(drain(&mut events).await, ["1"]);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let (service, _events) = builder().build();
    let (sender, broken) = slow(0);
    sender.send(Err("the connection is gone")).unwrap();
    assert_eq!(send(&service, request(signed("{"), broken)).await.0, 400);
    assert_eq!(refused(&service, ErrorKind::BodyInterrupted), 1);
}

#[tokio::test]
async fn all_bodies_together_are_bounded() {
    let body = event("1");
    let (service, _events) = builder().body_memory(body.len() + 100).build();
    let (sender, open) = slow(0);
    sender
        .send(Ok(Frame::data(vec![b' '; 101].into())))
        .unwrap();
    let waiting = tokio::spawn({
        let service = service.clone();
        async move { send(&service, request(signed(""), open)).await }
    });
    tokio::task::yield_now().await;
    assert!(is(&post(&service, &body).await, FAILED));
    assert_eq!(refused(&service, ErrorKind::Overloaded), 1);
    drop(sender);
    assert_eq!(waiting.await.unwrap().0, 401);
    // The room is free again.
    assert!(is(&post(&service, &body).await, ACKNOWLEDGED));
}

#[tokio::test]
async fn headers_are_refused_before_the_body_is_read() {
    let (service, _events) = builder().build();
    // The other end of this body is open for ever.
    let (_sender, body) = slow(0);
    assert_eq!(send(&service, request(HeaderMap::new(), body)).await.0, 401);
    let (_sender, body) = slow(0);
    let mut get = request(signed(""), body);
    *get.method_mut() = Method::GET;
    assert_eq!(send(&service, get).await.0, 405);
    assert_eq!(
        send(&service, request(signed("x"), Empty::<Bytes>::new()))
            .await
            .0,
        401
    );
}

/// Takes events when it may.
struct Moody {
    is_willing: Arc<AtomicBool>,
    taken: Arc<AtomicUsize>,
}

impl EventSink for Moody {
    fn accept(&self, _: RawEvent) -> qq_webhook::AcceptFuture<'_> {
        Box::pin(async {
            if !self.is_willing.load(Ordering::SeqCst) {
                return Err(Error::not_accepted("the broker is away"));
            }
            self.taken.fetch_add(1, Ordering::SeqCst);
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_sink_decides_about_the_answer() {
    let (is_willing, taken) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let service = builder().build_with_sink(Moody {
        is_willing: Arc::clone(&is_willing),
        taken: Arc::clone(&taken),
    });
    assert!(is(&post(&service, &event("1")).await, FAILED));
    is_willing.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        assert!(is(&post(&service, &event("1")).await, ACKNOWLEDGED));
    }
    assert_eq!(taken.load(Ordering::SeqCst), 1);
    assert_eq!(refused(&service, ErrorKind::NotAccepted), 1);
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_hangs_is_given_up_and_the_event_can_come_again() {
    let hangs = Arc::new(AtomicBool::new(true));
    let service = builder()
        .accept_deadline(Duration::from_secs(3))
        .build_with_sink({
            let hangs = Arc::clone(&hangs);
            move |_: RawEvent| {
                let hangs = hangs.swap(false, Ordering::SeqCst);
                async move {
                    if hangs {
                        std::future::pending::<()>().await;
                    }
                    Ok(())
                }
            }
        });
    let start = Instant::now();
    let first = tokio::spawn({
        let service = service.clone();
        async move { post(&service, &event("1")).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    // The platform did not wait.
    assert!(is(&post(&service, &event("1")).await, FAILED));
    assert_eq!(refused(&service, ErrorKind::InProgress), 1);
    assert!(is(&first.await.unwrap(), FAILED));
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    assert_eq!(refused(&service, ErrorKind::AcceptTimeout), 1);
    assert!(is(&post(&service, &event("1")).await, ACKNOWLEDGED));
}

#[tokio::test]
async fn a_request_that_is_given_up_gives_its_event_back() {
    let service = builder().build_with_sink(|_: RawEvent| std::future::pending());
    let body = event("1");
    let mut first = Box::pin(post(&service, &body));
    assert!(poll_once(&mut first).await.is_pending());
    assert!(is(&post(&service, &event("1")).await, FAILED));
    drop(first);
    assert_eq!(refused(&service, ErrorKind::InProgress), 1);
    let mut again = Box::pin(post(&service, &body));
    // It waits for the sink, so it was not put off.
    assert!(poll_once(&mut again).await.is_pending());
}

async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context))).await
}

#[tokio::test]
async fn it_mounts_in_axum() {
    let (service, mut events) = builder().build();
    let mut app = axum::Router::new()
        .route("/health", axum::routing::get(|| async { "well" }))
        .route_service("/qqbot", service.clone());
    let body = event("1");
    for (path, status) in [("/qqbot", 200), ("/elsewhere", 404)] {
        let mut request = request(signed(&body), axum::body::Body::from(body.clone()));
        *request.uri_mut() = path.parse().unwrap();
        let response = Service::call(&mut app, request).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
    }
    assert_eq!(drain(&mut events).await, ["1"]);
}

#[test]
fn futures_and_handles_go_between_threads() {
    fn is_send<T: Send + 'static>(_: &T) {}
    fn is_sync<T: Send + Sync + Clone + 'static>(_: &T) {}
    let (mut service, events) = builder().build();
    is_sync(&service);
    is_send(&events);
    let body: UnsyncBoxBody<Bytes, Infallible> = Empty::new().boxed_unsync();
    is_send(&service.call(request(signed(""), body)));
}
