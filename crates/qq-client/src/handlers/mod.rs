//! Handlers that are closures: added and removed while the client runs.

mod raw_event;
mod registration;
mod registry;

pub use self::raw_event::RawEvent;
pub use self::registration::{EventName, HandlerGuard, Registration};
pub(crate) use self::registry::{Call, Handlers};
