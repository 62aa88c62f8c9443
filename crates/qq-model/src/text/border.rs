//! Where a text may be cut.

use super::markup::leading;

/// The longest start of a text of at most `limit` characters that cuts through no emoji, no letter with its
/// marks and no mention, in bytes; the characters alone decide when nothing shorter is left. Never 0.
pub(super) fn hard(text: &str, limit: usize) -> usize {
    let window = window(text, limit.max(1));
    if window == text.len() {
        return window;
    }
    let end = outside_entity(text, window);
    (1..=end)
        .rev()
        .find(|at| text.is_char_boundary(*at) && is_between_clusters(text, *at))
        .unwrap_or(window)
}

/// The length in bytes of the first `limit` characters.
pub(super) fn window(text: &str, limit: usize) -> usize {
    text.char_indices()
        .nth(limit)
        .map_or(text.len(), |(at, _)| at)
}

/// The start of the entity that reaches over `at`, or `at`.
pub(super) fn outside_entity(text: &str, at: usize) -> usize {
    // An entity is short: what opens further back is none.
    const LONGEST: usize = 512;
    let from = floor_boundary(text, at.saturating_sub(LONGEST));
    // `@everyone` may stand inside what begins with `<`, so the outer one is asked first.
    let reaching = |open: usize| leading(&text[open..]).is_some_and(|(_, len)| open + len > at);
    let last = |sign: char| text[from..at].rfind(sign).map(|open| from + open);
    last('<')
        .filter(|open| reaching(*open))
        .or_else(|| last('@').filter(|open| reaching(*open)))
        .unwrap_or(at)
}

fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// Whether a cut here leaves what is seen as one character whole, as far as the ranges below tell.
pub(super) fn is_between_clusters(text: &str, at: usize) -> bool {
    let (Some(before), Some(after)) = (text[..at].chars().next_back(), text[at..].chars().next())
    else {
        return true;
    };
    if before == ZERO_WIDTH_JOINER || extends(after) || (before == '\r' && after == '\n') {
        return false;
    }
    if is_regional(before) && is_regional(after) {
        // Flags are pairs: a cut is fine after an even number of them.
        let run = text[..at]
            .chars()
            .rev()
            .take_while(|c| is_regional(*c))
            .count();
        return run % 2 == 0;
    }
    true
}

const ZERO_WIDTH_JOINER: char = '\u{200D}';

const fn extends(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036F}'
        | '\u{0483}'..='\u{0489}'
        | '\u{0591}'..='\u{05BD}'
        | '\u{064B}'..='\u{065F}'
        | '\u{0900}'..='\u{0903}'
        | '\u{093A}'..='\u{094F}'
        | '\u{0E31}'
        | '\u{0E34}'..='\u{0E3A}'
        | '\u{0E47}'..='\u{0E4E}'
        | '\u{1AB0}'..='\u{1AFF}'
        | '\u{1DC0}'..='\u{1DFF}'
        | '\u{200D}'
        | '\u{20D0}'..='\u{20FF}'
        | '\u{302A}'..='\u{302F}'
        | '\u{3099}'..='\u{309A}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FE20}'..='\u{FE2F}'
        | '\u{1F3FB}'..='\u{1F3FF}'
        | '\u{E0020}'..='\u{E007F}'
        | '\u{E0100}'..='\u{E01EF}')
}

const fn is_regional(c: char) -> bool {
    matches!(c, '\u{1F1E6}'..='\u{1F1FF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_as_one_character_stays_whole() {
        for (text, limit, kept) in [
            ("a👨‍👩‍👧b", 2, "a"),
            ("ae\u{301}b", 2, "a"),
            ("🇨🇳🇩🇪x", 3, "🇨🇳"),
            ("👍🏽", 1, "👍"),
            ("文文文", 2, "文文"),
        ] {
            assert_eq!(&text[..hard(text, limit)], kept, "{text}");
        }
    }

    #[test]
    fn mentions_stay_whole() {
        for text in ["ab <@!12345> c", "ab <#12345> c", "ab @everyone c"] {
            assert_eq!(&text[..hard(text, 6)], "ab ", "{text}");
        }
        // Nothing else fits: the limit holds.
        assert_eq!(hard("<@!12345>", 4), 4);
        assert_eq!(&"a < b > c"[..hard("a < b > c", 4)], "a < ");
    }
}
