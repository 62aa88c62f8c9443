//! A bot by webhook within a web application that is there already: the callbacks are one more route.
//!
//! It wants `QQ_BOT_APP_ID` and `QQ_BOT_SECRET`, and listens on 127.0.0.1:8080 for a proxy that speaks HTTPS with the
//! platform. The callback address in the console ends in `/qqbot`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example shows what it does"
)]

use axum::Router;
use axum::routing::get;
use qq_http::{Error, HttpClient, Sent};
use qq_model::{Environment, Event, Token};
use qq_webhook::{Verifier, WebhookEvent, WebhookEvents, WebhookService};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let token = Token::from_env()?;
    let (service, events) = WebhookService::new(Verifier::new(&token)?);
    let verifier = service.verifier().clone();
    let app = Router::new()
        .route("/", get(|| async { "An application with a bot in it." }))
        .route(
            "/qqbot/stats",
            get(|| async move { format!("{:?}", verifier.stats()) }),
        )
        .route_service("/qqbot", service);

    let http = HttpClient::builder(token)
        .environment(Environment::from_env()?)
        .build()?;
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    println!("Listening on {}", listener.local_addr()?);
    tokio::select! {
        result = axum::serve(listener, app) => result?,
        () = work(&http, events) => {}
    }
    Ok(())
}

/// The platform has its acknowledgement by now, so this may take its time. More events than fit into the queue are
/// refused meanwhile, and the platform sends them again.
async fn work(http: &HttpClient, mut events: WebhookEvents) {
    while let Some(event) = events.next().await {
        if let Err(error) = answer(http, &event).await {
            eprintln!("not answered: {error}");
        }
    }
}

async fn answer(http: &HttpClient, event: &WebhookEvent) -> Result<Option<Sent>, Error> {
    let (conversation, id, text) = match &event.dispatch.event {
        Event::GroupAtMessageCreate(message) => {
            (message.conversation(), &message.id, message.text())
        }
        Event::C2CMessageCreate(message) => (message.conversation(), &message.id, message.text()),
        _ => return Ok(None),
    };
    if text != "!ping" {
        return Ok(None);
    }
    let reply = http
        .conversation(&conversation)
        .send("Pong!")
        .reply_to(id)
        .msg_seq(1);
    reply.await.map(Some)
}
