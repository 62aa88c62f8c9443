//! How values are read off the wire, and the macros that define what is read.
//!
//! The platform leaves members out, sends them as `null`, as an empty text, as a number where a text is
//! documented and the other way round. One odd member must not cost the whole event, so every type of this
//! crate is read through [`Lenient`]: a value of a foreign shape counts as absent, and the rest of the
//! payload stays.

#[macro_use]
mod object;
#[macro_use]
mod open_enum;
#[macro_use]
mod setters;
mod any;
mod extra;
pub(crate) mod json;
pub(crate) mod names;
mod patch;
mod scalar;
mod structure;
mod texts;

pub use self::extra::Extra;
pub(crate) use self::object::{
    Payload, Present, Renewed, read_object, read_object_into, require_object,
};
pub use self::patch::Patch;
pub(crate) use self::scalar::read_scalar;
pub use self::scalar::{FromScalar, Scalar};
pub(crate) use self::setters::Fill;
pub(crate) use self::structure::{Place, Seed, ignore_map, ignore_seq};
pub use self::texts::Texts;

use serde::Deserializer;

/// A type that can be read from any JSON value, however unexpected.
///
/// Only JSON that is not well-formed is an error.
pub trait Lenient<'de>: Sized {
    /// Reads a value; `None` when it is `null` or of a shape that cannot be one.
    ///
    /// # Errors
    ///
    /// Those of the deserializer: the input is not well-formed.
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error>;

    /// Reads a value into a box; `None` where [`read`](Self::read) gives it.
    ///
    /// # Errors
    ///
    /// Those of the deserializer: the input is not well-formed.
    fn read_boxed<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<Self>>, D::Error> {
        Ok(Self::read(deserializer)?.map(Box::new))
    }

    /// Reads a value into a place, which stays as it is where [`read`](Self::read) gives `None`.
    ///
    /// # Errors
    ///
    /// Those of the deserializer: the input is not well-formed.
    fn read_into<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        if let Some(value) = Self::read(deserializer)? {
            *self = value;
        }
        Ok(())
    }

    /// Reads a value into a place, where [`read`](Self::read) gives `None` as well.
    ///
    /// # Errors
    ///
    /// Those of the deserializer: the input is not well-formed.
    fn read_option_into<D: Deserializer<'de>>(
        place: &mut Option<Self>,
        deserializer: D,
    ) -> Result<(), D::Error> {
        *place = Self::read(deserializer)?;
        Ok(())
    }

    /// Whether this value is left out when its object is written.
    fn is_absent(&self) -> bool {
        false
    }
}
