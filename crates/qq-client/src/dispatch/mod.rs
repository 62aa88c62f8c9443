//! From events to callbacks: repeats dropped, ordered within a conversation, side by side across.

mod delivery;
mod duplicates;
mod lane;
mod lanes;
mod pipeline;
mod settings;

pub(crate) use self::delivery::Delivery;
pub(crate) use self::duplicates::Duplicates;
pub(crate) use self::lanes::Lanes;
pub(crate) use self::pipeline::Pipeline;
pub(crate) use self::settings::DispatchSettings;
