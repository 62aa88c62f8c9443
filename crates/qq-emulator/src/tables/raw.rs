//! The files as they are written; members that the emulator has no use for are skipped.

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Route {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body: Vec<Field>,
    pub(super) success_status: u16,
    pub(super) rate_limit: Option<String>,
    pub(super) who_may_call: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Field {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) required: Option<bool>,
    pub(super) optional: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct Models {
    pub(super) objects: Vec<Object>,
}

#[derive(Deserialize)]
pub(super) struct Object {
    pub(super) name: String,
    #[serde(default)]
    pub(super) fields: Vec<Field>,
}

#[derive(Deserialize)]
pub(super) struct Errors {
    pub(super) codes: Vec<Code>,
}

#[derive(Deserialize)]
pub(super) struct Code {
    pub(super) code: i64,
    pub(super) meaning: String,
}

#[derive(Deserialize)]
pub(super) struct Intents {
    pub(super) intents: Vec<Intent>,
}

#[derive(Deserialize)]
pub(super) struct Intent {
    pub(super) value: u64,
    pub(super) status: String,
    pub(super) events: Vec<String>,
}
