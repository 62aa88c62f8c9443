//! A bot by webhook as a serverless function: no server, no runtime of its own, and nothing but `qq-webhook` and `qq-http`.
//!
//! The program is one invocation. It reads the request from standard input in the form in which API gateways hand it to
//! functions, and writes the answer to standard output:
//!
//! ```console
//! $ echo '{"httpMethod":"POST","headers":{},"body":"{}"}' | cargo run --example webhook_function
//! {"statusCode":401,"headers":{"content-type":"text/plain; charset=utf-8"},"body":"..."}
//! ```
//!
//! It wants `QQ_BOT_APP_ID` and `QQ_BOT_SECRET`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example shows what it does"
)]

use std::collections::HashMap;
use std::io;

use http::{Method, Response};
use qq_http::HttpClient;
use qq_model::{Environment, Event, Token};
use qq_webhook::{Error, Received, Verifier, WebhookEvent};
use serde_json::{Value, json};

type AnyError = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), AnyError> {
    let token = Token::from_env()?;
    let verifier = Verifier::new(&token)?;
    let http = HttpClient::builder(token)
        .environment(Environment::from_env()?)
        .build()?;

    let request = serde_json::from_reader(io::stdin())?;
    println!("{}", function(&verifier, &http, &request).await?);
    Ok(())
}

/// One request. Functions are frozen when they have answered, so the work comes first, and the answer says whether it
/// succeeded: if not, the platform sends the event again.
async fn function(
    verifier: &Verifier,
    http: &HttpClient,
    request: &Value,
) -> Result<Value, AnyError> {
    let method: Method = request["httpMethod"].as_str().unwrap_or("POST").parse()?;
    let headers: HashMap<&str, &str> = request["headers"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
        .collect();
    // The signature covers the body as it came: pass it on as it is.
    let body = request["body"].as_str().unwrap_or_default().to_owned();

    let response = match verifier.receive(&method, &headers, body) {
        Ok(Received::Answered(response)) => response,
        Ok(Received::Event(event, claim)) => match work(http, &event.decode()).await {
            Ok(()) => claim.accept(),
            Err(error) => {
                eprintln!("not done: {error}");
                claim.refuse(&Error::not_accepted(error))
            }
        },
        Err(error) => {
            eprintln!("refused: {error}");
            error.response()
        }
    };
    Ok(in_gateway_form(&response))
}

async fn work(http: &HttpClient, event: &WebhookEvent) -> Result<(), qq_http::Error> {
    if let Event::C2CMessageCreate(message) = &event.dispatch.event {
        // The number makes a second attempt harmless: the platform shows one answer with it.
        let reply = http
            .user(message.author_id())
            .send("Pong!")
            .reply_to(&message.id)
            .msg_seq(1);
        reply.await?;
    }
    Ok(())
}

fn in_gateway_form(response: &Response<impl AsRef<[u8]>>) -> Value {
    let headers: HashMap<&str, &str> = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    json!({
        "statusCode": response.status().as_u16(),
        "headers": headers,
        "body": String::from_utf8_lossy(response.body().as_ref()),
    })
}
