//! Texts, numbers and booleans, each of which may arrive as one of the others.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};

use super::{Lenient, ignore_map, ignore_seq};

/// A JSON value that is neither an object, a list nor `null`.
#[derive(Clone, Copy, Debug)]
pub enum Scalar<'a> {
    /// A text.
    Text(&'a str),
    /// A number of zero or more.
    Unsigned(u64),
    /// A number below zero.
    Signed(i64),
    /// A number with a fraction, or too large for the others.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
}

/// A type that one [`Scalar`] or several forms of it can stand for.
pub trait FromScalar: Sized {
    /// The value, or `None` when this scalar cannot stand for one.
    fn from_scalar(scalar: Scalar<'_>) -> Option<Self>;
}

/// Reads a [`FromScalar`] type; `null`, lists and objects give `None`.
pub(crate) fn read_scalar<'de, T: FromScalar, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(ScalarVisitor(PhantomData))
}

struct ScalarVisitor<T>(PhantomData<fn() -> T>);

impl<'de, T: FromScalar> Visitor<'de> for ScalarVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(T::from_scalar(Scalar::Text(text)))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Self::Value, E> {
        Ok(T::from_scalar(Scalar::Unsigned(n)))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Self::Value, E> {
        Ok(T::from_scalar(
            u64::try_from(n).map_or(Scalar::Signed(n), Scalar::Unsigned),
        ))
    }

    fn visit_f64<E>(self, n: f64) -> Result<Self::Value, E> {
        Ok(T::from_scalar(Scalar::Float(n)))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(T::from_scalar(Scalar::Bool(value)))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        ignore_seq(seq).map(|()| None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        ignore_map(map).map(|()| None)
    }
}

macro_rules! lenient_scalars {
    ($($ty:ty),*) => {$(
        impl<'de> Lenient<'de> for $ty {
            fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                read_scalar(deserializer)
            }
        }
    )*};
}

lenient_scalars!(bool, u8, u16, u32, u64, i32, i64, f64, String, Box<str>);

macro_rules! integers {
    ($($ty:ty),*) => {$(
        impl FromScalar for $ty {
            fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
                match scalar {
                    Scalar::Text(text) => text.trim().parse().ok(),
                    Scalar::Unsigned(n) => n.try_into().ok(),
                    Scalar::Signed(n) => n.try_into().ok(),
                    Scalar::Float(n) => whole(n)?.try_into().ok(),
                    Scalar::Bool(value) => Some(value.into()),
                }
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, i32, i64);

/// `7.0` as `7`; numbers that an `f64` cannot hold exactly are refused rather than rounded.
fn whole(n: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the number is whole and below 2^53"
    )]
    (n.fract() == 0.0 && n.abs() <= EXACT).then_some(n as i64)
}

impl FromScalar for f64 {
    fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
        match scalar {
            Scalar::Text(text) => text.trim().parse().ok(),
            #[expect(
                clippy::cast_precision_loss,
                reason = "whoever asks for a float accepts its precision"
            )]
            Scalar::Unsigned(n) => Some(n as Self),
            #[expect(
                clippy::cast_precision_loss,
                reason = "whoever asks for a float accepts its precision"
            )]
            Scalar::Signed(n) => Some(n as Self),
            Scalar::Float(n) => Some(n),
            Scalar::Bool(_) => None,
        }
    }
}

impl FromScalar for bool {
    fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
        match scalar {
            Scalar::Bool(value) => Some(value),
            Scalar::Unsigned(0) | Scalar::Text("0" | "false") => Some(false),
            Scalar::Unsigned(1) | Scalar::Text("1" | "true") => Some(true),
            _ => None,
        }
    }
}

impl FromScalar for String {
    fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
        Some(written(scalar))
    }
}

impl FromScalar for Box<str> {
    #[inline]
    fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
        match scalar {
            Scalar::Text(text) => Some(text.into()),
            other => Some(written(other).into()),
        }
    }
}

#[inline(never)]
fn written(scalar: Scalar<'_>) -> String {
    match scalar {
        Scalar::Text(text) => text.to_owned(),
        Scalar::Unsigned(n) => n.to_string(),
        Scalar::Signed(n) => n.to_string(),
        Scalar::Float(n) => n.to_string(),
        Scalar::Bool(value) => value.to_string(),
    }
}
