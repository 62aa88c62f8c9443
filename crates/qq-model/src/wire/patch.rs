//! Members of partial updates.

use std::fmt;
use std::marker::PhantomData;

use serde::de::Visitor;
use serde::{Deserializer, Serialize, Serializer};

use super::{Lenient, Seed};

/// What a partial update does with one member: leave it alone, clear it, or set it.
///
/// Three different things on the wire: the member is absent, `null`, or has a value, which may be `0` or an
/// empty text. Setting to zero is not leaving alone.
///
/// ```
/// use qq_model::wire::Patch;
///
/// assert_eq!(Patch::from(0), Patch::Set(0));
/// assert_eq!(Patch::<u32>::default(), Patch::Keep);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Patch<T> {
    /// Leave it as it is: the member is not sent.
    #[default]
    Keep,
    /// Clear it: `null` is sent.
    Clear,
    /// Set it to this value.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether the member is not sent.
    #[must_use]
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The value to set, if any.
    #[must_use]
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }
}

impl<T> From<T> for Patch<T> {
    fn from(value: T) -> Self {
        Self::Set(value)
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<'de, T: Lenient<'de>> Lenient<'de> for Patch<T> {
    /// `null` clears; a value of a foreign shape leaves alone.
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        deserializer.deserialize_option(PatchVisitor(PhantomData))
    }

    fn is_absent(&self) -> bool {
        self.is_keep()
    }
}

struct PatchVisitor<T>(PhantomData<fn() -> T>);

impl<'de, T: Lenient<'de>> Visitor<'de> for PatchVisitor<T> {
    type Value = Option<Patch<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Some(Patch::Clear))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Some(Patch::Clear))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        use serde::de::DeserializeSeed;
        Ok(Seed::<T>::new().deserialize(deserializer)?.map(Patch::Set))
    }
}

#[cfg(test)]
mod tests {
    #![expect(unreachable_pub, reason = "the macro makes public types")]

    use super::*;

    objects! {
        /// A test object.
        pub struct Update {
            /// A number.
            pub n: Patch<u32>,
        }
    }

    #[test]
    fn absent_null_and_zero_are_three_things() {
        for (json, n) in [
            ("{}", Patch::Keep),
            (r#"{"n":null}"#, Patch::Clear),
            (r#"{"n":0}"#, Patch::Set(0)),
        ] {
            let update: Update = serde_json::from_str(json).unwrap();
            assert_eq!(update.n, n, "{json}");
            assert_eq!(serde_json::to_string(&update).unwrap(), json);
        }
        // Some formats call an absent value a unit.
        let unit = PatchVisitor::<u32>(PhantomData).visit_unit::<serde::de::value::Error>();
        assert_eq!(unit, Ok(Some(Patch::Clear)));
        let odd: Update = serde_json::from_str(r#"{"n":[1]}"#).unwrap();
        assert_eq!(odd.n, Patch::Keep);
    }
}
