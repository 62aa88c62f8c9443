//! `object!`: a struct that is read leniently and keeps members it does not know.

use std::borrow::BorrowMut;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};

use super::ignore_seq;

/// What `object!` implements for its types: reading the members of a JSON object.
pub(crate) trait Present<'de>: Default {
    /// Takes the members. It is filled where it is, so that a large object is never moved.
    fn fill<A: MapAccess<'de>>(&mut self, map: A) -> Result<(), A::Error>;
}

/// The payload of an event, which is boxed.
pub(crate) trait Payload<'de>: Sized {
    fn read_payload<D: Deserializer<'de>>(deserializer: D) -> Result<Box<Self>, D::Error>;
}

/// Where an object `T` is made.
pub(crate) trait Room<T> {
    /// An object without members.
    fn make(&mut self) -> &mut T;
}

/// Of the object itself, or of a box of it.
impl<T, P: BorrowMut<T> + Default> Room<T> for Option<P> {
    fn make(&mut self) -> &mut T {
        self.insert(P::default()).borrow_mut()
    }
}

/// An object that is there already, and is lost if there is a new one.
pub(crate) struct Renewed<'a, T>(pub(crate) &'a mut T);

impl<T: Default> Room<T> for Renewed<'_, T> {
    fn make(&mut self) -> &mut T {
        *self.0 = T::default();
        self.0
    }
}

/// Reads an object and says that it was one.
pub(crate) fn read_object_into<'de, T: Present<'de>, D: Deserializer<'de>>(
    room: &mut impl Room<T>,
    deserializer: D,
) -> Result<bool, D::Error> {
    deserializer.deserialize_any(ObjectVisitor(room, PhantomData))
}

/// Reads an object `T` into a new `P`, which is a `T` or a box of it; anything else gives `None`.
pub(crate) fn read_object<'de, T, P, D>(deserializer: D) -> Result<Option<P>, D::Error>
where
    T: Present<'de>,
    P: BorrowMut<T> + Default,
    D: Deserializer<'de>,
{
    let mut object = None;
    read_object_into(&mut object, deserializer)?;
    Ok(object)
}

/// Reads an object; anything else is an error.
pub(crate) fn require_object<'de, T, P, D>(deserializer: D) -> Result<P, D::Error>
where
    T: Present<'de>,
    P: BorrowMut<T> + Default,
    D: Deserializer<'de>,
{
    read_object(deserializer)?.ok_or_else(|| D::Error::custom("expected an object"))
}

struct ObjectVisitor<'a, T, R>(&'a mut R, PhantomData<fn() -> T>);

impl<'de, T: Present<'de>, R: Room<T>> Visitor<'de> for ObjectVisitor<'_, T, R> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<bool, A::Error> {
        self.0.make().fill(map)?;
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<bool, A::Error> {
        ignore_seq(seq).map(|()| false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}

/// The name of a member: the field's own, or the literal given after it.
macro_rules! wire_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $wire:literal) => {
        $wire
    };
}

/// Defines objects of the platform.
///
/// `field: Type` is a member of that name, `field: Type = "name"` one of another name. A member that is
/// missing, `null` or of a foreign shape takes the type's default; `Option` and `Vec` are left out of the
/// written object when they are empty, all others are always written. Unknown members go to `extra`.
/// `; name: Type` after the last member is a field of the crate's own, which is never on the wire.
///
/// One call per module: it also lists its objects in a constant `OBJECTS` for
/// [`describe`](crate::describe); inside tests, `objects!` does without.
macro_rules! object {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident { $($body:tt)* }
    )*) => {
        objects! { $($(#[$meta])* pub struct $name { $($body)* })* }

        /// What [`describe`](crate::describe) lists of this module.
        pub(crate) const OBJECTS: &[&$crate::describe::Object] =
            &[$(&<$name as $crate::describe::Described>::OBJECT),*];
    };
}

/// `object!` without the list.
macro_rules! objects {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$field_meta:meta])* pub $(($scope:ident))? $field:ident: $ty:ty $(= $wire:literal)?,)*
            $(; $($local:ident: $local_ty:ty,)*)?
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_meta])* pub $(($scope))? $field: $ty,)*
            $($(pub(crate) $local: $local_ty,)*)?
            /// Members that this version does not know.
            pub extra: $crate::wire::Extra,
        }

        impl $crate::describe::Described for $name {
            const OBJECT: $crate::describe::Object = $crate::describe::Object {
                name: stringify!($name),
                fields: &[$($crate::describe::Field {
                    name: wire_name!($field $($wire)?),
                    ty: stringify!($ty),
                }),*],
            };
        }

        const _: () = {
            #[allow(non_camel_case_types, dead_code, reason = "named after the fields, if there are any")]
            enum WireMember {
                $($field,)*
            }

            const TEXTS: &[&str] = &[$(wire_name!($field $($wire)?)),*];
            static NAMES: [$crate::wire::names::Name; TEXTS.len()] =
                $crate::wire::names::names([$(wire_name!($field $($wire)?)),*]);
            static TABLE: [u8; $crate::wire::names::table_len(TEXTS.len())] =
                $crate::wire::names::table(&NAMES);
            static MEMBERS: $crate::wire::names::Names =
                $crate::wire::names::Names::new(&NAMES, &TABLE);

            impl<'de> $crate::wire::Present<'de> for $name {
                // A few parents each, and none of them needs a copy.
                #[inline(never)]
                fn fill<A: serde::de::MapAccess<'de>>(&mut self, mut map: A) -> Result<(), A::Error> {
                    let mut unknown = None;
                    while let Some(place) = map.next_key_seed(MEMBERS.reader(&mut unknown))? {
                        match place {
                            $(_ if place == WireMember::$field as u8 => {
                                map.next_value_seed($crate::wire::Place(&mut self.$field))?;
                            })*
                            _ => self.extra.read(unknown.take(), &mut map)?,
                        }
                    }
                    Ok(())
                }
            }

            impl<'de> $crate::wire::Payload<'de> for $name {
                fn read_payload<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Box<Self>, D::Error> {
                    $crate::wire::require_object::<Self, _, D>(deserializer)
                }
            }

            impl<'de> $crate::wire::Lenient<'de> for $name {
                fn read<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                    $crate::wire::read_object::<Self, _, D>(deserializer)
                }

                fn read_into<D: serde::Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
                    let mut renewed = $crate::wire::Renewed(self);
                    $crate::wire::read_object_into(&mut renewed, deserializer).map(|_| ())
                }

                fn read_option_into<D: serde::Deserializer<'de>>(
                    place: &mut Option<Self>,
                    deserializer: D,
                ) -> Result<(), D::Error> {
                    if !$crate::wire::read_object_into::<Self, D>(place, deserializer)? {
                        *place = None;
                    }
                    Ok(())
                }

                fn read_boxed<D: serde::Deserializer<'de>>(
                    deserializer: D,
                ) -> Result<Option<Box<Self>>, D::Error> {
                    $crate::wire::read_object::<Self, _, D>(deserializer)
                }
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    $crate::wire::require_object::<Self, _, D>(deserializer)
                }
            }

            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    use serde::ser::SerializeMap;
                    let mut map = serializer.serialize_map(None)?;
                    $(if !$crate::wire::Lenient::is_absent(&self.$field) {
                        map.serialize_entry(wire_name!($field $($wire)?), &self.$field)?;
                    })*
                    for (name, value) in self.extra.iter() {
                        map.serialize_entry(name, value)?;
                    }
                    map.end()
                }
            }
        };
    )*};
}

#[cfg(test)]
mod tests {
    #![expect(unreachable_pub, reason = "the macro makes public types")]

    objects! {
        /// A test object.
        pub struct Sample {
            /// Text.
            pub name: Box<str>,
            /// Renamed.
            pub kind: Option<u32> = "type",
            /// A list.
            pub tags: Vec<Box<str>>,
            /// An object.
            pub inner: Option<Box<Sample>>,
        }
    }

    fn read(json: &str) -> Sample {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn odd_members_cost_only_themselves() {
        let sample = read(
            r#"{"name":[1,{"a":2}],"type":"7","tags":["a",null,{},3],"inner":"x","new":{"k":18446744073709551615}}"#,
        );
        assert_eq!(&*sample.name, "");
        assert_eq!(sample.kind, Some(7));
        assert_eq!(sample.tags, ["a".into(), "3".into()]);
        assert_eq!(sample.inner, None);
        assert_eq!(sample.extra.get("new").unwrap()["k"], u64::MAX);
    }

    objects! {
        /// One inside another, in every way.
        pub struct Nest {
            /// As it is.
            pub plain: Sample,
            /// Perhaps.
            pub option: Option<Sample>,
            /// Elsewhere.
            pub boxed: Option<Box<Sample>>,
        }
    }

    /// Nothing is left of the first.
    #[test]
    fn of_a_member_that_is_there_twice_the_last_counts() {
        for member in ["plain", "option", "boxed"] {
            let first = format!(r#""{member}":{{"name":"a","type":1,"tags":["x"],"new":1}}"#);
            let second = format!(r#""{member}":{{"type":2}}"#);
            let read = |members: &[&str]| {
                let json = format!("{{{}}}", members.join(","));
                serde_json::from_str::<Nest>(&json).unwrap()
            };
            assert_eq!(read(&[&first, &second]), read(&[&second]), "{member}");
            assert_ne!(read(&[&first, &second]), read(&[&first]), "{member}");
            // A value of a foreign shape clears what may be absent, and nothing else.
            let foreign = format!(r#""{member}":[]"#);
            let expected = match member {
                "plain" => read(&[&first]),
                _ => read(&[]),
            };
            assert_eq!(read(&[&first, &foreign]), expected, "{member}");
        }
    }

    #[test]
    fn a_list_takes_no_more_room_than_it_needs() {
        let tags = |json| read(json).tags;
        assert_eq!(tags(r#"{"tags":["a"]}"#).capacity(), 1);
        assert_eq!(tags(r#"{"tags":[null,"a",{}]}"#).capacity(), 1);
        assert_eq!(tags(r#"{"tags":[null]}"#).capacity(), 0);
        assert_eq!(tags(r#"{"tags":[1,2,3,4,5]}"#).join(" "), "1 2 3 4 5");
    }

    #[test]
    fn unknown_members_are_written_back() {
        let json = r#"{"name":"n","type":1,"inner":{"name":"","deep":[null]},"new":{"k":1}}"#;
        assert_eq!(serde_json::to_string(&read(json)).unwrap(), json);
    }

    #[test]
    fn only_objects_are_objects() {
        for json in ["[]", "\"x\"", "null", "1", "{\"name\":", "{} {}"] {
            assert!(serde_json::from_str::<Sample>(json).is_err(), "{json}");
        }
    }
}
