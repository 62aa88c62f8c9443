//! Objects whose members are all texts.

use std::collections::BTreeMap;

use serde::Deserializer;
use serde::de::MapAccess;

use super::{Lenient, Present, Seed, read_object};

/// Texts by name.
pub type Texts = BTreeMap<Box<str>, Box<str>>;

impl<'de> Present<'de> for Texts {
    fn from_members<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut texts = Self::new();
        while let Some(name) = map.next_key()? {
            if let Some(text) = map.next_value_seed(Seed::new())? {
                texts.insert(name, text);
            }
        }
        Ok(texts)
    }
}

impl<'de> Lenient<'de> for Texts {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        read_object(deserializer)
    }
}
