//! What this crate knows, as data: the objects, enumerations and routes for the coverage report.
//!
//! Not part of the interface: it serves `cargo xtask coverage` and this crate's tests.

mod by_hand;
mod lists;
mod routes;

pub use self::lists::{ENUMS, OBJECTS};
pub use self::routes::{ROUTES, Reply, Route};

macro_rules! payload_objects {
    ($($(#[$doc:meta])* $variant:ident = $wire:literal, $payload:ident, [$($intent:ident)?], $callback:ident;)*) => {
        [$(($wire, &<crate::event::payload::$payload as Described>::OBJECT)),*]
    };
}

/// An object and its members.
#[derive(Clone, Copy, Debug)]
pub struct Object {
    /// The type's name.
    pub name: &'static str,
    /// The members.
    pub fields: &'static [Field],
}

/// A member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name on the wire.
    pub name: &'static str,
    /// The type as written in the source.
    pub ty: &'static str,
}

/// An enumeration and its values.
#[derive(Clone, Copy, Debug)]
pub struct Enum {
    /// The type's name.
    pub name: &'static str,
    /// The values that have a name.
    pub values: &'static [Value],
}

/// A value of an enumeration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(i64),
    /// A text.
    Text(&'static str),
}

/// A type that describes itself.
pub trait Described {
    /// Its description.
    const OBJECT: Object;
}

impl Object {
    /// The member of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Field {
    /// The type without `Option`, `Box`, `Vec` and `Patch` around it, and without its path.
    #[must_use]
    pub fn inner_type(&self) -> &str {
        let mut ty = self.ty;
        while let Some((_, rest)) = ["Option", "Box", "Vec", "Patch"]
            .iter()
            .find_map(|outer| ty.strip_prefix(outer)?.trim_start().split_once('<'))
        {
            ty = rest.trim_end().strip_suffix('>').unwrap_or(rest).trim();
        }
        ty.rsplit("::").next().unwrap_or(ty)
    }
}

/// The payloads of events: the name of the event and its object.
pub const EVENTS: &[(&str, &Object)] = &crate::event_table!(payload_objects);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_come_off() {
        for (ty, inner) in [
            ("Option<Box<UrlElem>>", "UrlElem"),
            ("Vec<super::Elem>", "Elem"),
            ("bool", "bool"),
        ] {
            assert_eq!(Field { name: "x", ty }.inner_type(), inner);
        }
    }
}
