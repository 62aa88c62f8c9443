//! Values whose shape is open.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Lenient;

impl<'de> Lenient<'de> for Value {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Self::deserialize(deserializer).map(Some)
    }

    fn is_absent(&self) -> bool {
        self.is_null()
    }
}
