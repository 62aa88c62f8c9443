//! Members of an object that this version does not know.

use serde::de::MapAccess;
use serde_json::Value;

/// Members that the platform sent and this version of the crate has no field for.
///
/// They are written back with their object. One pointer wide; empty costs nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extra(Option<Box<Members>>);

type Members = Vec<(Box<str>, Value)>;

impl Extra {
    /// Whether every member was known.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The value of a member, by its name on the wire.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.iter()
            .find(|(member, _)| *member == name)
            .map(|(_, value)| value)
    }

    /// All members in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0
            .iter()
            .flat_map(|members| members.iter())
            .map(|(name, value)| (&**name, value))
    }

    /// Takes the value that is next, with the name that nobody knew.
    #[cold]
    #[inline(never)]
    pub(crate) fn read<'de, A: MapAccess<'de>>(
        &mut self,
        name: Option<Box<str>>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let value = map.next_value()?;
        self.push(name.unwrap_or_default(), value);
        Ok(())
    }

    pub(crate) fn push(&mut self, name: Box<str>, value: Value) {
        self.0.get_or_insert_default().push((name, value));
    }
}
