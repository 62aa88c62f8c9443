//! The text of a message: what a person meant, out of what the platform sent.

use std::borrow::Cow;

/// Turns `&`, `<` and `>` into the entities that guild scenes exchange, so that a text cannot form a mention,
/// a channel link or an emoji.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;"),
    )
}

/// Turns the entities of guild scenes back into `&`, `<` and `>`.
#[must_use]
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
}

/// The text without the mentions at its start for which `is_bot` says yes, and without white space around it.
pub(super) fn without_leading_mentions(text: &str, is_bot: impl Fn(&str) -> bool) -> &str {
    let mut rest = text.trim();
    while let Some((id, after)) = leading_mention(rest) {
        if !is_bot(id) {
            break;
        }
        rest = after.trim_start();
    }
    rest
}

/// The id in a mention `<@id>` or `<@!id>` that a text starts with, and what follows it.
fn leading_mention(text: &str) -> Option<(&str, &str)> {
    let (id, after) = text.strip_prefix("<@")?.split_once('>')?;
    Some((id.strip_prefix('!').unwrap_or(id), after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_mentions_of_the_bot_at_the_start_go() {
        let clean = |text| without_leading_mentions(text, |id| id == "1");
        assert_eq!(clean(" !ping "), "!ping");
        assert_eq!(clean("<@!1> /cmd  x"), "/cmd  x");
        assert_eq!(clean("<@1><@!1>\u{a0}hi"), "hi");
        assert_eq!(clean("<@2> hi <@1>"), "<@2> hi <@1>");
        assert_eq!(clean("<@1"), "<@1");
        assert_eq!(clean("<@!1>"), "");
    }

    proptest! {
        #[test]
        fn escaping_is_undone(text in "\\PC*|[&<>a;ltgmp]*") {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>']));
            prop_assert_eq!(unescape(&escaped), &*text);
        }
    }
}
