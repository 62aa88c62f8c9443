//! From events to callbacks: repeats dropped, ordered within a conversation, side by side across.

mod duplicates;
mod lane;
mod lanes;
mod settings;

pub(crate) use self::duplicates::Duplicates;
pub(crate) use self::lanes::Lanes;
pub(crate) use self::settings::DispatchSettings;
