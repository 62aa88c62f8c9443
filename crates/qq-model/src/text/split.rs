//! Splitting plain text.

use super::border::{hard, outside_entity, window};

/// Splits a text into pieces of at most `limit` characters (not bytes), at the best border near the end of each:
/// an empty line, a line's end, a sentence's end, a space. White space at the borders is dropped. Mentions and
/// other entities stay whole, and so does what is seen as one character, unless it alone is longer than the limit.
///
/// A limit of 0 counts as 1. White space alone gives no piece.
///
/// ```
/// use qq_model::text::split;
///
/// assert_eq!(split("一二三。四五六七", 5), ["一二三。", "四五六七"]);
/// assert_eq!(split("see <@!7>", 7), ["see", "<@!7>"]);
/// ```
#[must_use]
pub fn split(text: &str, limit: usize) -> Vec<&str> {
    let limit = limit.max(1);
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = border(rest, limit);
        let (piece, after) = rest.split_at(end);
        pieces.push(piece.trim_end());
        rest = after.trim_start();
    }
    pieces
}

/// The length in bytes of the next piece.
pub(super) fn border(text: &str, limit: usize) -> usize {
    let end = window(text, limit);
    if end == text.len() {
        return end;
    }
    // A space right behind the window is as good as one inside it.
    let reach = end + text[end..].chars().next().map_or(0, char::len_utf8);
    let view = &text[..reach];
    // A piece of less than half the limit for the sake of a better border would only make more pieces.
    let least = window(text, limit / 2).max(1);
    let paragraph = view.rfind("\n\n");
    let line = || view.rfind('\n');
    let sentence = || {
        text[..end]
            .char_indices()
            .rev()
            .find(|(at, c)| ends_sentence(&text[*at..], *c))
            .map(|(at, c)| at + c.len_utf8())
    };
    let space = || view.rfind(char::is_whitespace);
    let good = |at: &usize| *at >= least && outside_entity(text, *at) == *at;
    paragraph
        .filter(good)
        .or_else(|| line().filter(good))
        .or_else(|| sentence().filter(good))
        .or_else(|| space().filter(good))
        .unwrap_or_else(|| hard(text, limit))
}

fn ends_sentence(from: &str, c: char) -> bool {
    match c {
        '。' | '！' | '？' | '；' | '…' => true,
        '.' | '!' | '?' | ';' => from[1..].starts_with(char::is_whitespace),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn better_borders_win() {
        assert_eq!(split("aaaaaa\n\nbb\ncc", 10), ["aaaaaa", "bb\ncc"]);
        assert_eq!(split("aaaa bb\ncc dddd", 10), ["aaaa bb", "cc dddd"]);
        assert_eq!(split("Yes. No way", 8), ["Yes.", "No way"]);
        assert_eq!(split("version 1.25 now", 10), ["version", "1.25 now"]);
        assert_eq!(split("aaaaaaaaaa", 4), ["aaaa", "aaaa", "aa"]);
        assert!(split(" \n ", 4).is_empty());
    }

    #[test]
    fn a_space_inside_markup_is_no_border() {
        let face = r#"<faceType=1,faceId="1",ext="x y">"#;
        let text = format!("{} {face}", "a".repeat(20));
        assert_eq!(split(&text, 52), ["a".repeat(20), face.to_owned()]);
    }

    fn solid(text: &str) -> String {
        text.chars().filter(|c| !c.is_whitespace()).collect()
    }

    proptest! {
        #[test]
        fn pieces_keep_the_limit_and_every_character(
            text in "([a-z]{1,9}|[\\u4e00-\\u4e20]{1,6}|<@!?[0-9]{1,4}>|@everyone| |\n|。|👨‍👩‍👧|🇨🇳|e\u{301}|<|&){0,40}",
            limit in 0_usize..30,
        ) {
            let pieces = split(&text, limit);
            for piece in &pieces {
                prop_assert!(!piece.is_empty());
                prop_assert!(piece.chars().count() <= limit.max(1), "{piece:?}");
            }
            prop_assert_eq!(solid(&pieces.concat()), solid(&text));
        }

        #[test]
        fn entities_that_fit_stay_whole(
            text in "([a-z ]{0,9}<@!?[0-9]{1,4}>){1,12}",
            limit in 8_usize..30,
        ) {
            for piece in split(&text, limit) {
                prop_assert_eq!(piece.matches('<').count(), piece.matches('>').count(), "{:?}", piece);
            }
        }
    }
}
