//! The text of a stream: what may be on the screen stays as it is, and the rest may change.

use super::error::StreamError;

/// The text so far. Positions are byte offsets at boundaries of characters, and never fall.
#[derive(Debug, Default)]
pub(super) struct Text {
    whole: String,
    /// Where the current message begins.
    base: usize,
    /// How far frames went, also those that may not have arrived.
    reached: usize,
    /// How far frames went that did arrive.
    accepted: usize,
    /// How many characters the current message can have, where the platform said so.
    capacity: Option<usize>,
}

impl Text {
    pub(super) fn whole(&self) -> &str {
        &self.whole
    }

    pub(super) fn push(&mut self, text: &str) {
        self.whole.push_str(text);
    }

    pub(super) fn set(&mut self, whole: &str) -> Result<(), StreamError> {
        let sent = &self.whole[..self.reached];
        if whole.starts_with(sent) {
            whole.clone_into(&mut self.whole);
            return Ok(());
        }
        let mut other = whole.chars();
        let position = sent
            .chars()
            .take_while(|character| other.next() == Some(*character))
            .count();
        Err(StreamError::prefix_changed(position))
    }

    /// The text of the current message up to there.
    pub(super) fn message(&self, end: usize) -> &str {
        &self.whole[self.base..end]
    }

    pub(super) const fn end(&self) -> usize {
        self.whole.len()
    }

    pub(super) const fn reached(&self) -> usize {
        self.reached
    }

    pub(super) const fn has_news(&self) -> bool {
        self.accepted < self.whole.len()
    }

    /// Notes that a frame went out; what was reached before, in case it did not.
    pub(super) fn reach(&mut self, end: usize) -> usize {
        let before = self.reached;
        self.reached = before.max(end);
        before
    }

    /// Takes back what [`reach`](Self::reach) noted: the frame is known not to have arrived.
    pub(super) const fn unreach(&mut self, before: usize) {
        self.reached = before;
    }

    /// Notes that a frame arrived, and how many characters more the message can have.
    pub(super) fn accept(&mut self, end: usize, remaining: Option<i64>) {
        self.accepted = self.accepted.max(end);
        if let Some(remaining) = remaining {
            let remaining = usize::try_from(remaining).unwrap_or(0);
            let capacity = self.message(end).chars().count().saturating_add(remaining);
            self.capacity = Some(capacity);
        }
    }

    /// Begins a further message there, which can have as many characters.
    pub(super) const fn roll_over(&mut self, end: usize) {
        self.base = end;
        self.accepted = end;
        self.reached = end;
        if matches!(self.capacity, Some(0)) {
            self.capacity = None;
        }
    }

    /// How far the current message can go. It breaks at white space where there is some near the end, and never
    /// before what went out already.
    pub(super) fn fitting(&self) -> usize {
        let rest = &self.whole[self.base..];
        let Some((cut, _)) = self
            .capacity
            .and_then(|capacity| rest.char_indices().nth(capacity))
        else {
            return self.whole.len();
        };
        let fixed = self.reached - self.base;
        let fits = &rest[..cut.max(fixed)];
        let nice = fits
            .char_indices()
            .rev()
            .take_while(|(at, _)| *at >= fixed && *at >= cut - cut / 4)
            .find(|(_, character)| character.is_whitespace())
            .map(|(at, character)| at + character.len_utf8());
        self.base + nice.unwrap_or(fits.len())
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::StreamErrorKind;
    use super::*;

    #[test]
    fn only_what_went_out_is_fixed() {
        let mut text = Text::default();
        text.push("你好 wor");
        text.reach("你好".len());
        text.set("你好 there").unwrap();
        let error = text.set("你们").unwrap_err();
        assert_eq!(error.kind(), StreamErrorKind::PrefixChanged { position: 1 });
        let error = text.set("你").unwrap_err();
        assert_eq!(error.kind(), StreamErrorKind::PrefixChanged { position: 1 });
        assert_eq!(text.whole(), "你好 there");
    }

    #[test]
    fn a_message_ends_where_the_platform_says() {
        let mut text = Text::default();
        text.push("ab");
        text.reach(2);
        text.accept(2, Some(8));
        text.push(" 一二三四五 六七八九");
        // Ten characters fit; the white space at the ninth is near the end.
        assert_eq!(text.message(text.fitting()), "ab 一二三四五 ");
        text.reach(text.end());
        assert_eq!(text.fitting(), text.end());
    }

    #[test]
    fn a_message_without_white_space_is_cut_at_a_character() {
        let mut text = Text::default();
        text.push("一");
        text.reach(3);
        text.accept(3, Some(3));
        text.push("二三四五六");
        let end = text.fitting();
        assert_eq!(text.message(end), "一二三四");
        text.roll_over(end);
        assert_eq!(text.message(text.fitting()), "五六");
        assert!(text.has_news());
        text.accept(text.end(), Some(-5));
        assert!(!text.has_news());
    }
}
