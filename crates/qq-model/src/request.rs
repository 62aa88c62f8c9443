//! What bodies of REST calls have in common: they are checked once, before they are sent.
//!
//! Limits are those that the platform prints, in its units: characters, never bytes, and where it says so
//! columns ([`text_width`]), of which a CJK character takes two.

use std::fmt;

use serde::Serialize;

/// A body of a REST call.
pub trait RequestBody: Serialize {
    /// Checks what the platform would refuse for its form: limits, and members that exclude or need each other.
    ///
    /// # Errors
    ///
    /// [`BodyError`], which names the field, the limit and the value's size.
    fn validate(&self) -> Result<(), BodyError> {
        Ok(())
    }
}

impl<T: RequestBody> RequestBody for &T {
    fn validate(&self) -> Result<(), BodyError> {
        (**self).validate()
    }
}

/// How many columns a text takes where the platform counts a CJK character as two.
///
/// The platform does not print which characters it means. Everything from U+1100 on counts two here, which
/// covers CJK, kana, hangul, full-width forms and emoji: a text that passes is never too long for the platform.
///
/// ```
/// use qq_model::request::text_width;
///
/// assert_eq!(text_width("菜单a"), 5);
/// ```
#[must_use]
pub fn text_width(text: &str) -> usize {
    text.chars()
        .map(|c| if c < '\u{1100}' { 1 } else { 2 })
        .sum()
}

/// A body that the platform would refuse for its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyError {
    field: &'static str,
    why: &'static str,
    index: Option<u32>,
    measure: Option<Measure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Measure {
    unit: &'static str,
    size: u64,
    limit: u64,
}

impl BodyError {
    pub(crate) const fn new(field: &'static str, why: &'static str) -> Self {
        Self {
            field,
            why,
            index: None,
            measure: None,
        }
    }

    const fn measured(self, unit: &'static str, size: u64, limit: u64) -> Self {
        Self {
            measure: Some(Measure { unit, size, limit }),
            ..self
        }
    }

    /// Which element of a list, from 0.
    pub(crate) fn at(self, index: usize) -> Self {
        Self {
            index: Some(u32::try_from(index).unwrap_or(u32::MAX)),
            ..self
        }
    }

    /// Which field, by its path in the body.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// What is wrong with it.
    #[must_use]
    pub const fn why(&self) -> &'static str {
        self.why
    }

    /// Which element of the innermost list on the path, from 0.
    #[must_use]
    pub const fn index(&self) -> Option<u32> {
        self.index
    }

    /// The limit that was missed, in the unit that `Display` names.
    #[must_use]
    pub const fn limit(&self) -> Option<u64> {
        match self.measure {
            Some(measure) => Some(measure.limit),
            None => None,
        }
    }

    /// The size of the value, in the same unit.
    #[must_use]
    pub const fn size(&self) -> Option<u64> {
        match self.measure {
            Some(measure) => Some(measure.size),
            None => None,
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field)?;
        if let Some(index) = self.index {
            write!(f, " (element {index})")?;
        }
        write!(f, " {}", self.why)?;
        if let Some(Measure { unit, size, limit }) = self.measure {
            write!(f, ": {size} {unit}, the limit is {limit}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BodyError {}

const _: () = assert!(size_of::<BodyError>() <= 96);

/// At most so many characters.
pub(crate) fn max_chars(field: &'static str, text: &str, limit: usize) -> Result<(), BodyError> {
    at_most(field, "characters", text.chars().count(), limit)
}

/// At most so many columns.
pub(crate) fn max_width(field: &'static str, text: &str, limit: usize) -> Result<(), BodyError> {
    at_most(
        field,
        "columns (a CJK character is two)",
        text_width(text),
        limit,
    )
}

/// At most so many elements.
pub(crate) fn max_len<T>(field: &'static str, list: &[T], limit: usize) -> Result<(), BodyError> {
    at_most(field, "elements", list.len(), limit)
}

/// A number inside a range.
pub(crate) fn in_range(
    field: &'static str,
    value: u64,
    lowest: u64,
    highest: u64,
) -> Result<(), BodyError> {
    if value < lowest {
        return Err(BodyError::new(field, "is too small").measured("given", value, lowest));
    }
    if value > highest {
        return Err(BodyError::new(field, "is too large").measured("given", value, highest));
    }
    Ok(())
}

/// More than white space.
pub(crate) fn not_blank(field: &'static str, text: &str) -> Result<(), BodyError> {
    if text.trim().is_empty() {
        return Err(BodyError::new(field, "is empty"));
    }
    Ok(())
}

/// At least one element.
pub(crate) fn not_empty<T>(field: &'static str, list: &[T]) -> Result<(), BodyError> {
    if list.is_empty() {
        return Err(BodyError::new(field, "is empty"));
    }
    Ok(())
}

/// An id that is there.
pub(crate) fn has_id<K>(field: &'static str, id: &crate::id::Id<K>) -> Result<(), BodyError> {
    if id.is_empty() {
        return Err(BodyError::new(field, "is empty"));
    }
    Ok(())
}

/// An address that the platform takes in panels and menus.
pub(crate) fn https(field: &'static str, url: &str) -> Result<(), BodyError> {
    if url.starts_with("https://") {
        return Ok(());
    }
    Err(BodyError::new(field, "must start with https://"))
}

/// Runs a check on each element; an error says which element it is about.
pub(crate) fn each<T>(
    list: &[T],
    mut check: impl FnMut(&T) -> Result<(), BodyError>,
) -> Result<(), BodyError> {
    list.iter()
        .enumerate()
        .try_for_each(|(index, item)| check(item).map_err(|error| error.at(index)))
}

/// At most so many of a unit.
pub(crate) fn at_most(
    field: &'static str,
    unit: &'static str,
    size: usize,
    limit: usize,
) -> Result<(), BodyError> {
    if size <= limit {
        return Ok(());
    }
    Err(BodyError::new(field, "is too long").measured(unit, size as u64, limit as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_field_the_limit_and_the_size() {
        let error = max_chars("label", "一二三", 2).unwrap_err().at(4);
        assert_eq!(
            (error.field(), error.limit(), error.size(), error.index()),
            ("label", Some(2), Some(3), Some(4))
        );
        assert_eq!(
            error.to_string(),
            "label (element 4) is too long: 3 characters, the limit is 2"
        );
        max_chars("label", "一二", 2).unwrap();
    }

    #[test]
    fn cjk_takes_two_columns() {
        max_width("name", "一二三四五六七", 14).unwrap();
        assert_eq!(
            max_width("name", "一二三四五六七a", 14).unwrap_err().size(),
            Some(15)
        );
    }

    #[test]
    fn ranges_include_their_ends() {
        for value in [1, 60] {
            in_range("n", value, 1, 60).unwrap();
        }
        assert_eq!(in_range("n", 0, 1, 60).unwrap_err().limit(), Some(1));
        assert_eq!(in_range("n", 61, 1, 60).unwrap_err().limit(), Some(60));
    }
}
