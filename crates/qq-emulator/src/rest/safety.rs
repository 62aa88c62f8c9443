//! Words that the platform refuses, wherever a bot says them.

use serde_json::Value;

use super::error::Refusal;
use crate::platform::State;
use crate::violations::Finding;

/// Refuses texts with one of the banned words, with the number that the caller's routes have for it.
pub(super) fn check<'a>(
    state: &State,
    code: i64,
    texts: impl IntoIterator<Item = &'a Value>,
) -> Result<(), Box<Refusal>> {
    let banned = &state.settings.banned_words;
    if banned.is_empty() {
        return Ok(());
    }
    match texts.into_iter().find_map(|value| find(value, banned)) {
        None => Ok(()),
        Some(word) => Err(Refusal::code(code).finding(Finding::warn(
            "rest.banned_word",
            "texts hold none of the words that the platform refuses",
            format!("{word:?} is one of banned_words"),
        ))),
    }
}

/// The first of the words that any text of the value holds, in whatever case.
pub(super) fn find<'a>(value: &Value, banned: &'a [String]) -> Option<&'a str> {
    match value {
        Value::String(text) => {
            let text = text.to_lowercase();
            let mut words = banned.iter().map(String::as_str);
            words.find(|word| text.contains(&word.to_lowercase()))
        }
        Value::Array(items) => items.iter().find_map(|item| find(item, banned)),
        Value::Object(members) => members.values().find_map(|value| find(value, banned)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn finds_words_in_any_text_and_case() {
        let banned = ["casino".to_owned(), "赌".to_owned()];
        let hit = json!({"markdown": {"content": "a CASINO"}, "n": 1});
        assert_eq!(find(&hit, &banned), Some("casino"));
        let hit = json!({"rows": [{"label": "x"}, {"label": "赌博"}]});
        assert_eq!(find(&hit, &banned), Some("赌"));
        // Names of members are no texts.
        assert_eq!(find(&json!({"casino": ["x", null]}), &banned), None);
    }
}
