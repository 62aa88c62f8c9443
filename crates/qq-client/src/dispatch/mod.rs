//! From events to callbacks: repeats dropped, ordered within a conversation, side by side across.

mod ack;
mod callbacks;
mod delivery;
mod duplicates;
mod executor;
mod guard;
mod lane;
mod leader;
mod overflow;
mod pipeline;
mod prehashed;
mod progress;
mod settings;
mod table;
mod watchdog;

pub(crate) use self::ack::Ack;
pub use self::ack::Outcome;
pub(crate) use self::delivery::{Delivery, Held};
pub(crate) use self::duplicates::{DuplicateSettings, Duplicates, Seen};
pub(crate) use self::executor::{Executor, Job};
pub(crate) use self::leader::{Incoming, Intake, Leaders, Post};
pub(crate) use self::overflow::Overflow;
pub use self::overflow::{DropReason, OverflowPolicy};
pub(crate) use self::pipeline::Pipeline;
pub(crate) use self::progress::Progress;
pub(crate) use self::settings::DispatchSettings;
pub(crate) use self::watchdog::Watchdog;
