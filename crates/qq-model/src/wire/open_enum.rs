//! `open_enum!`: enumerations to which the platform may add values.

/// Defines enumerations by number (`: i64`) or by text (`: str`). A value without a name becomes
/// `Unknown` and is written back as it came.
///
/// One call per module: it also lists its enumerations in a constant `ENUMS` for
/// [`describe`](crate::describe).
macro_rules! open_enum {
    ($(
        $(#[$meta:meta])*
        pub enum $name:ident: $repr:tt {
            $($(#[$variant_meta:meta])* $variant:ident = $value:literal,)*
        }
    )*) => {
        $(open_enum! { @one
            $(#[$meta])*
            pub enum $name: $repr {
                $($(#[$variant_meta])* $variant = $value,)*
            }
        })*

        /// What [`describe`](crate::describe) lists of this module.
        pub(crate) const ENUMS: &[$crate::describe::Enum] = &[$($crate::describe::Enum {
            name: stringify!($name),
            values: &[$(open_enum!(@value $repr $value)),*],
        }),*];
    };
    (@value i64 $value:literal) => { $crate::describe::Value::Number($value) };
    (@value str $value:literal) => { $crate::describe::Value::Text($value) };
    (@one
        $(#[$meta:meta])*
        pub enum $name:ident: i64 {
            $($(#[$variant_meta:meta])* $variant:ident = $value:literal,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)*
            /// A value that this version does not know.
            Unknown(i64),
        }

        impl $name {
            /// Every value that this version knows.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The number on the wire.
            #[must_use]
            pub const fn value(self) -> i64 {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Unknown(value) => value,
                }
            }
        }

        impl From<i64> for $name {
            fn from(value: i64) -> Self {
                match value {
                    $($value => Self::$variant,)*
                    unknown => Self::Unknown(unknown),
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::from(0)
            }
        }

        impl $crate::wire::FromScalar for $name {
            fn from_scalar(scalar: $crate::wire::Scalar<'_>) -> Option<Self> {
                i64::from_scalar(scalar).map(Self::from)
            }
        }

        open_enum!(@serde $name);

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_i64(self.value())
            }
        }
    };
    (@one
        $(#[$meta:meta])*
        pub enum $name:ident: str {
            $($(#[$variant_meta:meta])* $variant:ident = $value:literal,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)*
            /// A value that this version does not know.
            Unknown(Box<str>),
        }

        impl $name {
            /// Every value that this version knows.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The text on the wire.
            #[must_use]
            pub const fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Unknown(value) => value,
                }
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                match value {
                    $($value => Self::$variant,)*
                    unknown => Self::Unknown(unknown.into()),
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::from("")
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::wire::FromScalar for $name {
            fn from_scalar(scalar: $crate::wire::Scalar<'_>) -> Option<Self> {
                match scalar {
                    $crate::wire::Scalar::Text(text) => Some(Self::from(text)),
                    other => String::from_scalar(other).map(|text| Self::from(&*text)),
                }
            }
        }

        open_enum!(@serde $name);

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
    (@serde $name:ident) => {
        impl<'de> $crate::wire::Lenient<'de> for $name {
            fn read<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                $crate::wire::read_scalar(deserializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <Self as $crate::wire::Lenient>::read(deserializer).map(Option::unwrap_or_default)
            }
        }
    };
}
