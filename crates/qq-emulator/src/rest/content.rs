//! What a message may consist of.

use serde_json::{Map, Value};

use super::error::Refusal;
use super::templates;
use crate::settings::Settings;
use crate::violations::Finding;
use crate::world::messages::Scene;

type Fields = Map<String, Value>;

/// Checks the parts of a message against each other.
pub(super) fn check(
    scene: Scene,
    fields: &Fields,
    findings: &mut Vec<Finding>,
) -> Result<(), Box<Refusal>> {
    check_keyboard(scene, fields)?;
    check_cards(fields)?;
    if let Some(markdown) = present(fields, "markdown") {
        templates::check_values(scene, markdown)?;
    }
    if scene.is_guild_side() {
        check_guild(fields)
    } else {
        check_v2(scene, fields, findings)
    }
}

/// A member that says something: not absent, not null, not empty.
pub(super) fn present<'a>(fields: &'a Fields, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    })
}

/// A text member that is not empty.
pub(super) fn text<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    present(fields, name).and_then(Value::as_str)
}

pub(super) fn refuse(code: i64, why: &str) -> Box<Refusal> {
    Refusal::code(code).finding(Finding::error(
        "rest.message.content",
        "the parts of a message fit together",
        why,
    ))
}

fn check_guild(fields: &Fields) -> Result<(), Box<Refusal>> {
    const PARTS: [&str; 5] = ["content", "embed", "ark", "image", "file_image"];
    let parts: Vec<&str> = PARTS
        .into_iter()
        .filter(|part| present(fields, part).is_some())
        .collect();
    let Some(markdown) = present(fields, "markdown") else {
        return if parts.is_empty() {
            Err(refuse(
                50_006,
                "one of content, embed, ark, image, file_image, markdown is needed",
            ))
        } else {
            Ok(())
        };
    };
    if let Some(part) = parts.first() {
        let why = format!("markdown goes alone or with keyboard, not with {part}");
        return Err(refuse(50_037, &why));
    }
    check_markdown(markdown, 50_057, 50_055)
}

/// Markdown is its own text or a template's; the codes are for both and for neither.
fn check_markdown(markdown: &Value, both: i64, neither: i64) -> Result<(), Box<Refusal>> {
    let filled = |name: &str| match &markdown[name] {
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_i64() != Some(0),
        _ => false,
    };
    let templated = filled("template_id") || filled("custom_template_id");
    match (filled("content"), templated) {
        (true, true) => Err(refuse(
            both,
            "markdown.content and a template exclude each other",
        )),
        (false, false) => Err(refuse(
            neither,
            "markdown has neither content nor a template",
        )),
        _ => Ok(()),
    }
}

fn check_v2(
    scene: Scene,
    fields: &Fields,
    findings: &mut Vec<Finding>,
) -> Result<(), Box<Refusal>> {
    let kind = fields.get("msg_type").and_then(Value::as_i64).unwrap_or(0);
    let content = text(fields, "content");
    if let (Some(_), Some(content)) = (present(fields, "markdown"), content)
        && !content.trim().is_empty()
    {
        return Err(refuse(
            304_061,
            "content must be empty when markdown is present",
        ));
    }
    let needs = |part: &str| {
        if present(fields, part).is_some() {
            Ok(())
        } else {
            let why = format!("msg_type {kind} needs {part}");
            Err(refuse(22_006, &why))
        }
    };
    match kind {
        0 => {
            for part in ["markdown", "ark", "embed", "media"] {
                if present(fields, part).is_some() {
                    let why = format!("msg_type 0 is text, but {part} is present");
                    return Err(refuse(22_006, &why));
                }
            }
            match content {
                Some(_) => Ok(()),
                None => Err(refuse(304_061, "msg_type 0 needs content")),
            }
        }
        1 if content.is_some() => {
            findings.push(Finding::warn(
                "rest.message.msg_type",
                "msg_type is one of the documented values",
                "msg_type 1 is not documented",
            ));
            Ok(())
        }
        2 => match present(fields, "markdown") {
            Some(markdown) => check_markdown(markdown, 40_034_011, 40_034_011),
            None => needs("markdown"),
        },
        3 => needs("ark"),
        4 => needs("embed"),
        7 => needs("media"),
        6 if scene == Scene::C2c => needs("input_notify"),
        _ if scene == Scene::Group => Err(refuse(340_069, "msg_type is not valid in groups")),
        _ => Err(refuse(22_006, "msg_type is not valid")),
    }
}

/// Checks whether the bot may send such parts at all.
pub(super) fn check_grants(
    scene: Scene,
    fields: &Fields,
    settings: &Settings,
) -> Result<(), Box<Refusal>> {
    let guild = scene.is_guild_side();
    templates::check_grants(scene, fields, settings)?;
    check_length(guild, fields, settings.message_length)?;
    let has_url = |name: &str| {
        text(fields, name).is_some_and(|text| text.contains("http://") || text.contains("https://"))
    };
    if !settings.allow_urls && has_url("content") {
        let code = if guild { 304_003 } else { 40_054_010 };
        return Err(refuse(code, "the address in content is not registered"));
    }
    if let Some(markdown) = present(fields, "markdown")
        && !settings.allow_markdown
    {
        let native = markdown["content"].as_str().is_some_and(|t| !t.is_empty());
        let code = match (guild, native) {
            (true, true) => 50_056,
            (true, false) => 304_036,
            (false, true) => 40_034_090,
            (false, false) => 40_034_127,
        };
        return Err(refuse(code, "the bot may not send markdown"));
    }
    if let Some(keyboard) = present(fields, "keyboard")
        && !settings.allow_keyboards
    {
        let code = if keyboard["id"].is_string() {
            304_037
        } else {
            304_057
        };
        return Err(refuse(code, "the bot may not send keyboards"));
    }
    if present(fields, "ark").is_some() && !settings.allow_ark {
        return Err(refuse(304_004, "the bot may not send ark cards"));
    }
    Ok(())
}

/// The length of the text and of the markdown, in characters; 0 is no limit.
fn check_length(guild: bool, fields: &Fields, most: u32) -> Result<(), Box<Refusal>> {
    let markdown = present(fields, "markdown").and_then(|markdown| markdown["content"].as_str());
    for (name, text) in [
        ("content", text(fields, "content")),
        ("markdown.content", markdown),
    ] {
        let length = text.map_or(0, |text| text.chars().count());
        if most > 0 && length > most as usize {
            let code = if guild { 50_035 } else { 40_054_007 };
            let why = format!("{name} has {length} characters, and may have {most}");
            return Err(refuse(code, &why).message(why));
        }
    }
    Ok(())
}

/// The cards whose templates everybody may use.
fn check_cards(fields: &Fields) -> Result<(), Box<Refusal>> {
    if let Some(ark) = present(fields, "ark")
        && ark["template_id"].as_i64().is_none_or(|id| id <= 0)
    {
        return Err(refuse(304_011, "ark.template_id is not a template"));
    }
    if let Some(embed) = present(fields, "embed") {
        const MOST: usize = 100;
        let fields = embed["fields"].as_array().map_or(0, Vec::len);
        if fields > MOST {
            return Err(refuse(304_005, "an embed has at most 100 fields"));
        }
    }
    Ok(())
}

fn check_keyboard(scene: Scene, fields: &Fields) -> Result<(), Box<Refusal>> {
    const MOST: usize = 5;
    const STYLES: std::ops::RangeInclusive<i64> = 0..=4;
    let rows = &fields.get("keyboard").unwrap_or(&Value::Null)["content"]["rows"];
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    let too_wide = rows
        .iter()
        .any(|row| row["buttons"].as_array().map_or(0, Vec::len) > MOST);
    if rows.len() > MOST || too_wide {
        let code = if scene.is_guild_side() {
            304_040
        } else {
            40_034_029
        };
        return Err(refuse(code, "a keyboard has at most 5 rows of 5 buttons"));
    }
    let mut buttons = rows
        .iter()
        .filter_map(|row| row["buttons"].as_array())
        .flatten();
    let unknown_style = buttons.clone().any(|button| {
        let style = button["render_data"]["style"].as_i64();
        style.is_some_and(|style| !STYLES.contains(&style))
    });
    if scene == Scene::Group && unknown_style {
        return Err(refuse(305_007, "render_data.style is 0 to 4"));
    }
    let sends_at_once =
        buttons.any(|button| button["action"]["type"] == 2 && button["action"]["enter"] == true);
    if scene == Scene::Group && sends_at_once {
        return Err(refuse(
            40_034_106,
            "action.enter is not supported in groups",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::ErrorBody;
    use serde_json::json;

    fn code(scene: Scene, body: Value) -> Option<i64> {
        let Value::Object(fields) = body else {
            panic!("not an object")
        };
        check(scene, &fields, &mut Vec::new())
            .err()
            .map(|refusal| refusal.body("", ErrorBody::Both)["code"].as_i64().unwrap())
    }

    #[test]
    fn guild_messages() {
        for (body, wanted) in [
            (json!({"content": "x"}), None),
            (json!({"image": "https://example.com/a.png"}), None),
            (json!({"markdown": {"content": "x"}}), None),
            (
                json!({"markdown": {"content": "x", "template_id": 0, "params": null}}),
                None,
            ),
            (
                json!({"markdown": {"custom_template_id": "1_2"}, "keyboard": {"id": "1"}}),
                None,
            ),
            (json!({}), Some(50_006)),
            (
                json!({"content": "", "embed": {}, "markdown": null}),
                Some(50_006),
            ),
            (json!({"keyboard": {"id": "1"}}), Some(50_006)),
            (
                json!({"content": "x", "markdown": {"content": "x"}}),
                Some(50_037),
            ),
            (
                json!({"markdown": {"content": "x", "custom_template_id": "1"}}),
                Some(50_057),
            ),
            (json!({"markdown": {"template_id": 0}}), Some(50_055)),
        ] {
            assert_eq!(code(Scene::Channel, body.clone()), wanted, "{body}");
            assert_eq!(code(Scene::Direct, body.clone()), wanted, "{body}");
        }
    }

    #[test]
    fn v2_messages() {
        for (body, wanted) in [
            (json!({"content": "x"}), None),
            (
                json!({"content": "x", "msg_type": 0, "markdown": null}),
                None,
            ),
            (
                json!({"msg_type": 2, "markdown": {"content": "x"}, "content": " "}),
                None,
            ),
            (
                json!({"msg_type": 3, "ark": {"template_id": 23, "kv": []}}),
                None,
            ),
            (json!({"msg_type": 1, "content": "x"}), None),
            (json!({}), Some(304_061)),
            (json!({"markdown": {"content": "x"}}), Some(22_006)),
            (json!({"msg_type": 2, "content": "x"}), Some(22_006)),
            (json!({"msg_type": 7, "media": null}), Some(22_006)),
            (
                json!({"msg_type": 2, "content": "x", "markdown": {"content": "x"}}),
                Some(304_061),
            ),
            (
                json!({"msg_type": 2, "markdown": {"content": ""}}),
                Some(40_034_011),
            ),
            (
                json!({"msg_type": 2, "markdown": {"content": "x", "custom_template_id": "1"}}),
                Some(40_034_011),
            ),
            (
                json!({"msg_type": 2, "markdown": {"custom_template_id": "1", "params": [
                    {"key": "a", "values": ["x\ny"]}]}}),
                Some(40_034_009),
            ),
            (
                json!({"msg_type": 7, "media": {"file_info": "a"}, "content": " "}),
                None,
            ),
            (
                json!({"msg_type": 6, "input_notify": {"input_type": 1}}),
                Some(340_069),
            ),
            (json!({"msg_type": 9, "content": "x"}), Some(340_069)),
        ] {
            assert_eq!(code(Scene::Group, body.clone()), wanted, "{body}");
        }
        let typing = json!({"msg_type": 6, "input_notify": {"input_type": 1, "input_second": 5}});
        assert_eq!(code(Scene::C2c, typing), None);
        assert_eq!(code(Scene::C2c, json!({"msg_type": 9})), Some(22_006));
    }

    #[test]
    fn keyboards() {
        let keyboard = |rows: usize, buttons: usize, enter: bool| {
            let button = json!({"action": {"type": 2, "enter": enter}});
            json!({"content": "x", "keyboard": {"content": {"rows":
                vec![json!({"buttons": vec![button; buttons]}); rows]}}})
        };
        assert_eq!(code(Scene::Group, keyboard(5, 5, false)), None);
        assert_eq!(code(Scene::Group, keyboard(6, 1, false)), Some(40_034_029));
        assert_eq!(code(Scene::Channel, keyboard(1, 6, false)), Some(304_040));
        assert_eq!(code(Scene::Group, keyboard(1, 1, true)), Some(40_034_106));
        assert_eq!(code(Scene::C2c, keyboard(1, 1, true)), None);
        let styled = |style: i64| {
            let button = json!({"render_data": {"label": "a", "style": style}, "action": {}});
            json!({"content": "x", "keyboard": {"content": {"rows": [{"buttons": [button]}]}}})
        };
        assert_eq!(code(Scene::Group, styled(4)), None);
        assert_eq!(code(Scene::Group, styled(5)), Some(305_007));
        assert_eq!(code(Scene::C2c, styled(5)), None);
    }
}
