//! Templates: their values, and which of them the bot was granted.

use serde_json::{Map, Value};

use super::content::{present, refuse};
use super::error::Refusal;
use crate::settings::Settings;
use crate::world::messages::Scene;

/// The numbers that a kind of scene has for wrong values of a template.
struct Codes {
    empty: i64,
    line_break: i64,
    markdown: i64,
    other: i64,
}

const GUILD: Codes = Codes {
    empty: 50_041,
    line_break: 50_054,
    markdown: 50_054,
    other: 50_054,
};
const V2: Codes = Codes {
    empty: 40_034_008,
    line_break: 40_034_009,
    markdown: 40_034_010,
    other: 40_034_124,
};

/// Checks the values that fill a markdown template.
pub(super) fn check_values(scene: Scene, markdown: &Value) -> Result<(), Box<Refusal>> {
    let codes = if scene.is_guild_side() { GUILD } else { V2 };
    let params = markdown["params"].as_array();
    let params = params.map(Vec::as_slice).unwrap_or_default();
    for (place, param) in params.iter().enumerate() {
        let key = param["key"].as_str().unwrap_or_default();
        let at = format!("markdown.params[{place}]");
        if key.is_empty() {
            return Err(refuse(codes.other, &format!("{at}.key is empty")));
        }
        if params[..place].iter().any(|other| other["key"] == key) {
            let why = format!("{at}.key: {key:?} is there twice");
            return Err(refuse(codes.other, &why));
        }
        let values = param["values"].as_array();
        let values = values.map(Vec::as_slice).unwrap_or_default();
        if values.is_empty() {
            return Err(refuse(codes.empty, &format!("{at}.values is empty")));
        }
        for value in values.iter().filter_map(Value::as_str) {
            let (code, why) = match value {
                "" => (codes.empty, "a value is empty"),
                _ if value.contains(['\n', '\r']) => (codes.line_break, "a value has a line break"),
                _ if is_markdown(value) => (codes.markdown, "a value has markdown syntax"),
                _ => continue,
            };
            return Err(refuse(code, &format!("{at}.values: {why}")));
        }
    }
    Ok(())
}

/// Whether a value would not be shown as it is.
fn is_markdown(value: &str) -> bool {
    const ANYWHERE: [&str; 5] = ["](", "**", "~~", "__", "```"];
    const AT_THE_START: [&str; 5] = ["# ", "## ", "> ", "- ", "* "];
    ANYWHERE.iter().any(|mark| value.contains(mark))
        || AT_THE_START.iter().any(|mark| value.starts_with(mark))
}

/// Whether the templates of a message are among those granted, if only some are.
pub(super) fn check_grants(
    scene: Scene,
    fields: &Map<String, Value>,
    settings: &Settings,
) -> Result<(), Box<Refusal>> {
    let Some(granted) = &settings.granted_templates else {
        return Ok(());
    };
    let markdown_code = if scene.is_guild_side() {
        304_036
    } else {
        40_034_127
    };
    for (part, member, code) in [
        ("ark", "template_id", 304_014),
        ("markdown", "template_id", markdown_code),
        ("markdown", "custom_template_id", markdown_code),
        ("keyboard", "id", 304_038),
    ] {
        let id = present(fields, part).map(|part| &part[member]);
        let id = match id {
            Some(Value::String(id)) if !id.is_empty() => id.clone(),
            // Some clients send 0 for none.
            Some(Value::Number(id)) if id.as_i64() != Some(0) => id.to_string(),
            _ => continue,
        };
        if !granted.contains(&id) {
            let why = format!("{part}.{member}: {id} is not one of granted_templates");
            return Err(refuse(code, &why));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_have_numbers_by_what_is_wrong() {
        let values = |values: Value| json!([{"key": "title", "values": values}]);
        let value = |value: &str| values(json!([value]));
        for (params, v2, guild) in [
            (value("a plain value, 1 * 2"), None, None),
            (Value::Null, None, None),
            (values(json!([])), Some(40_034_008), Some(50_041)),
            (value(""), Some(40_034_008), Some(50_041)),
            (value("a\nb"), Some(40_034_009), Some(50_054)),
            (value("[a](b)"), Some(40_034_010), Some(50_054)),
            (value("# a"), Some(40_034_010), Some(50_054)),
            (
                json!([{"key": "", "values": ["x"]}]),
                Some(40_034_124),
                Some(50_054),
            ),
            (
                json!([{"key": "a", "values": ["x"]}, {"key": "a", "values": ["y"]}]),
                Some(40_034_124),
                Some(50_054),
            ),
        ] {
            let markdown = json!({"custom_template_id": "1", "params": params});
            let code = |scene| {
                let refusal = check_values(scene, &markdown).err();
                refusal.map(|refusal| refusal.code)
            };
            assert_eq!(code(Scene::Group), v2, "{params}");
            assert_eq!(code(Scene::Channel), guild, "{params}");
        }
    }

    #[test]
    fn templates_are_granted_by_id() {
        let mut settings = Settings::default();
        let body = |body: Value| body.as_object().cloned().unwrap();
        let ark = body(json!({"ark": {"template_id": 23, "kv": []}}));
        let buttons = body(json!({"keyboard": {"id": "101_1"}}));
        let markdown = body(json!({"markdown": {"template_id": 0, "custom_template_id": "101_2"}}));
        let code = |scene, fields: &Map<String, Value>, settings: &Settings| {
            let refusal = check_grants(scene, fields, settings).err();
            refusal.map(|refusal| refusal.code)
        };
        for fields in [&ark, &buttons, &markdown] {
            assert_eq!(code(Scene::Group, fields, &settings), None);
        }
        settings.granted_templates = Some(vec!["23".into()]);
        assert_eq!(code(Scene::Group, &ark, &settings), None);
        assert_eq!(code(Scene::C2c, &buttons, &settings), Some(304_038));
        assert_eq!(code(Scene::C2c, &markdown, &settings), Some(40_034_127));
        assert_eq!(code(Scene::Direct, &markdown, &settings), Some(304_036));
        settings.granted_templates = Some(vec!["101_2".into()]);
        assert_eq!(code(Scene::Channel, &ark, &settings), Some(304_014));
        assert_eq!(code(Scene::Direct, &markdown, &settings), None);
    }
}
