//! The control API under `/emulator/v1/`.

mod actions;
mod acts;
mod error;
mod faults;
mod feed;
mod files;
mod live;
mod logs;
mod manage;
mod openapi;
mod plan;
mod shown;
mod speak;
mod webhook;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};

use crate::platform::Platform;

pub(crate) use files::keep_file;
pub(crate) use openapi::index;

pub(crate) fn router() -> Router<Arc<Platform>> {
    Router::new()
        .route("/", get(index))
        .route("/world", get(logs::world))
        .route("/outbox", get(logs::outbox))
        .route("/requests", get(logs::requests))
        .route("/violations", get(logs::violations))
        .route("/sessions", get(logs::sessions))
        .route("/timeline", get(logs::timeline))
        .route("/frames", get(logs::frames))
        .route("/live", get(live::live))
        .route("/feed", get(feed::feed))
        .route("/messages", post(speak::message))
        .route("/events", post(speak::event))
        .route("/clicks", post(acts::click))
        .route("/reactions", post(acts::react))
        .route("/recalls", post(acts::recall))
        .route("/users", post(acts::join))
        .route("/files", post(files::keep))
        .route("/actions", post(actions::action))
        .route("/gateway/close", post(faults::close))
        .route("/gateway/drop", post(faults::drop_connections))
        .route("/gateway/reconnect", post(faults::reconnect))
        .route("/gateway/invalid-session", post(faults::invalid_session))
        .route(
            "/faults",
            get(plan::list).post(plan::add).delete(plan::clear),
        )
        .route("/faults/{place}", delete(plan::remove))
        .route("/webhook", get(webhook::list).post(webhook::set))
        .route("/webhook/bad", post(webhook::bad))
        .route("/replay", get(manage::replay))
        .route("/reset", post(manage::reset))
        .route("/tokens/expire", post(manage::expire_tokens))
        .route(
            "/settings",
            get(manage::settings).patch(manage::change_settings),
        )
        .route("/clock", get(manage::clock).post(manage::advance_clock))
        .route("/openapi.json", get(openapi::description))
        .fallback(error::unknown_call)
        .method_not_allowed_fallback(error::wrong_method)
}
