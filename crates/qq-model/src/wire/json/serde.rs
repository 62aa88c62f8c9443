//! What is made of values: whatever `serde` says.

use std::mem;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::reader::Token;
use super::{Malformed, Reader};
use crate::wire::Scalar;

impl<'de> Deserializer<'de> for &mut Reader<'_> {
    type Error = Malformed;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        let depth = self.depth();
        let value = match self.token()? {
            Token::Scalar(Scalar::Text(text)) => return visitor.visit_str(text),
            Token::Scalar(Scalar::Unsigned(n)) => return visitor.visit_u64(n),
            Token::Scalar(Scalar::Signed(n)) => return visitor.visit_i64(n),
            Token::Scalar(Scalar::Float(n)) => return visitor.visit_f64(n),
            Token::Scalar(Scalar::Bool(value)) => return visitor.visit_bool(value),
            Token::Null => return visitor.visit_unit(),
            Token::List => visitor.visit_seq(Items {
                reader: &mut *self,
                before: b'[',
            })?,
            Token::Object => visitor.visit_map(Members {
                reader: &mut *self,
                before: b'{',
            })?,
        };
        // Who did not read to its end wanted less than there is.
        if self.depth() == depth {
            return Ok(value);
        }
        Err(Malformed)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        if self.null()? {
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        self.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct enum identifier
    }
}

/// The members of an object.
struct Members<'r, 'a> {
    reader: &'r mut Reader<'a>,
    before: u8,
}

impl<'de> MapAccess<'de> for Members<'_, '_> {
    type Error = Malformed;

    // One for the names of all objects.
    #[inline(never)]
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Malformed> {
        let before = mem::replace(&mut self.before, b',');
        // What calls nothing is done first.
        if let Some(name) = self.reader.plain_key(before) {
            return seed.deserialize(StrDeserializer::new(name)).map(Some);
        }
        self.any_key_seed(seed, before)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Malformed> {
        seed.deserialize(&mut *self.reader)
    }
}

impl Members<'_, '_> {
    #[inline(never)]
    fn any_key_seed<'de, K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
        before: u8,
    ) -> Result<Option<K::Value>, Malformed> {
        if before == b',' && self.reader.is_closed() {
            return Ok(None);
        }
        match self.reader.key(before)? {
            Some(name) => seed.deserialize(StrDeserializer::new(name)).map(Some),
            None => Ok(None),
        }
    }
}

/// The items of a list.
struct Items<'r, 'a> {
    reader: &'r mut Reader<'a>,
    before: u8,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Malformed;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Malformed> {
        let before = mem::replace(&mut self.before, b',');
        if self.reader.item(before)? {
            return seed.deserialize(&mut *self.reader).map(Some);
        }
        Ok(None)
    }
}
