//! What a bot sets up for itself: menu, panels, webhook sessions.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Millis;

/// A panel with commands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Panel {
    pub(crate) id: String,
    pub(crate) scope: String,
    pub(crate) specific: bool,
    pub(crate) content: Value,
    pub(crate) version: u64,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
    pub(crate) users: Vec<String>,
    pub(crate) groups: Vec<String>,
}

/// All of it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Console {
    pub(crate) menu: Option<Value>,
    pub(crate) menu_version: u64,
    /// Oldest first.
    pub(crate) panels: Vec<Panel>,
    /// As they are shown.
    pub(crate) webhook_sessions: Vec<Value>,
}
