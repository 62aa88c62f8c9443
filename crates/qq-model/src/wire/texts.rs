//! Objects whose members are all texts.

use std::collections::BTreeMap;

use serde::Deserializer;
use serde::de::MapAccess;

use super::{Lenient, Present, Seed, read_object};

/// Texts by name.
pub type Texts = BTreeMap<Box<str>, Box<str>>;

impl<'de> Present<'de> for Texts {
    fn fill<A: MapAccess<'de>>(&mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key()? {
            if let Some(text) = map.next_value_seed(Seed::new())? {
                self.insert(name, text);
            }
        }
        Ok(())
    }
}

impl<'de> Lenient<'de> for Texts {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        read_object::<Self, _, D>(deserializer)
    }
}
