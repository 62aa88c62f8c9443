//! Whether what was encoded has everything that was decoded.

use serde_json::Value;

/// Paths of what was lost or changed, and of what came in from nowhere.
///
/// Numbers, texts and booleans of the same text are equal; `null`, an absent member and an empty list are equal.
/// What is added must be a type's empty value: `false`, `0`, an empty text, an object of such.
pub(crate) fn differences(original: &Value, encoded: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", original, encoded, &mut found);
    found
}

fn compare(path: &str, original: &Value, encoded: &Value, found: &mut Vec<String>) {
    match (original, encoded) {
        (Value::Object(before), Value::Object(after)) => {
            for (name, value) in before {
                let path = format!("{path}.{name}");
                match after.get(name) {
                    Some(same) => compare(&path, value, same, found),
                    None if is_nothing(value) => {}
                    None => found.push(format!("{path} is lost: {value}")),
                }
            }
            for (name, value) in after {
                if !before.contains_key(name) && !is_empty(value) {
                    found.push(format!("{path}.{name} came in: {value}"));
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            let known = |items: &[Value]| -> Vec<Value> {
                let items = items.iter().filter(|value| !value.is_null());
                items.cloned().collect()
            };
            let (before, after) = (known(before), known(after));
            if before.len() != after.len() {
                found.push(format!("{path} has {} of {}", after.len(), before.len()));
                return;
            }
            for (index, (before, after)) in before.iter().zip(&after).enumerate() {
                compare(&format!("{path}[{index}]"), before, after, found);
            }
        }
        _ if is_nothing(original) && is_empty(encoded) => {}
        _ if text(original).is_some() && text(original) == text(encoded) => {}
        _ => found.push(format!("{path} was {original}, is {encoded}")),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The empty value of some type.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty() || text == "0",
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_empty),
        Value::Bool(true) => false,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::differences;

    #[test]
    fn losses_changes_and_additions_are_found() {
        for (original, encoded, is_same) in [
            (json!({"a": 1}), json!({"a": "1"}), true),
            (json!({"a": null, "b": []}), json!({}), true),
            (json!({}), json!({"a": false, "b": {"c": 0}}), true),
            (json!({"a": {}}), json!({}), false),
            (json!({"a": 1}), json!({"a": 2}), false),
            (json!({}), json!({"a": 1}), false),
            (json!({"a": [1, 2]}), json!({"a": [1]}), false),
            (json!({"a": ""}), json!({}), false),
            (json!({"a": [{"b": 1}]}), json!({"a": [{}]}), false),
        ] {
            assert_eq!(
                differences(&original, &encoded).is_empty(),
                is_same,
                "{original} {encoded}"
            );
        }
    }
}
