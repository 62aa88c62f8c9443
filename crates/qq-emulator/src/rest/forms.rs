//! The other forms in which clients send the same body.

use serde_json::{Map, Value, json};

type Fields = Map<String, Value>;

/// The documented form of a body, whichever form it came in.
pub(super) fn usual(route: &str, mut fields: Fields) -> Fields {
    match route {
        "create_guild_role" | "modify_guild_role" => {
            // Wrapped in `info`, with a `filter` that says which members count.
            if let Some(Value::Object(info)) = fields.remove("info") {
                let filter = fields.remove("filter");
                fields = info;
                if let Some(Value::Object(filter)) = filter {
                    fields.retain(|name, _| {
                        filter
                            .get(name)
                            .is_none_or(|flag| flag != &json!(0) && flag != &json!(false))
                    });
                }
            }
            to_integer(&mut fields, "hoist");
            to_integer(&mut fields, "color");
        }
        "create_schedule" | "modify_schedule" if !fields.contains_key("schedule") => {
            let schedule = std::mem::take(&mut fields);
            if !schedule.is_empty() {
                fields.insert("schedule".into(), Value::Object(schedule));
            }
        }
        "add_guild_member_role" | "remove_guild_member_role" => {
            if let Some(id) = fields.remove("id") {
                fields.entry("channel").or_insert_with(|| json!({"id": id}));
            }
        }
        "mute_guild" | "mute_guild_members" | "mute_guild_member" => {
            to_string(&mut fields, "mute_end_timestamp");
            to_string(&mut fields, "mute_seconds");
        }
        "c2c_upload_prepare" | "group_upload_prepare" => to_string(&mut fields, "file_size"),
        "c2c_upload_part_finish" | "group_upload_part_finish" => {
            to_string(&mut fields, "block_size");
        }
        // A merge needs nothing but the upload's id.
        "upload_c2c_file" | "upload_group_file"
            if fields.get("upload_id").is_some_and(Value::is_string) =>
        {
            fields.entry("file_type").or_insert(0.into());
        }
        "put_interaction" => to_integer(&mut fields, "code"),
        "create_guild_channel" | "modify_channel" => {
            if let Some(kind) = fields.remove("subtype") {
                fields.entry("sub_type").or_insert(kind);
            }
        }
        "create_guild_announce" => {
            let channels = fields.get_mut("recommend_channels");
            for channel in channels.and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(channel) = channel.as_object_mut()
                    && let Some(text) = channel.remove("channel_introduce")
                {
                    channel.entry("introduce").or_insert(text);
                }
            }
        }
        "list_schedules" => to_integer(&mut fields, "since"),
        _ => {}
    }
    fields
}

/// Members that no document knows and that clients send all the same, to no harm.
pub(super) fn tolerated(route: &str, name: &str) -> bool {
    match route {
        "create_guild_role" | "modify_guild_role" => name == "guild_id",
        "delete_guild_member" => name == "delete_message_days",
        "update_panel" => matches!(name, "target_type" | "user_openids" | "group_openids"),
        _ => false,
    }
}

fn to_integer(fields: &mut Fields, name: &str) {
    let Some(value) = fields.get_mut(name) else {
        return;
    };
    let number = match value {
        Value::Bool(flag) => Some(i64::from(*flag)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    if let Some(number) = number {
        *value = number.into();
    }
}

fn to_string(fields: &mut Fields, name: &str) {
    if let Some(value) = fields.get_mut(name)
        && value.is_number()
    {
        *value = value.to_string().into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual_of(route: &str, body: Value) -> Value {
        let Value::Object(fields) = body else {
            panic!("not an object")
        };
        Value::Object(usual(route, fields))
    }

    #[test]
    fn roles_come_flat_and_wrapped() {
        let flat = json!({"name": "x", "color": 1, "hoist": 1});
        for body in [
            json!({"name": "x", "color": 1, "hoist": true}),
            json!({"name": "x", "color": "1", "hoist": "1"}),
            json!({"guild_id": "1", "filter": {"name": 1, "color": 1, "hoist": 1},
                   "info": {"name": "x", "color": 1, "hoist": 1}}),
        ] {
            assert_eq!(usual_of("create_guild_role", body), flat);
        }
        let filtered =
            json!({"filter": {"name": 1, "color": 0}, "info": {"name": "x", "color": 0}});
        assert_eq!(
            usual_of("modify_guild_role", filtered),
            json!({"name": "x"})
        );
    }

    #[test]
    fn the_rest() {
        for (route, body, wanted) in [
            (
                "create_schedule",
                json!({"name": "x"}),
                json!({"schedule": {"name": "x"}}),
            ),
            ("create_schedule", json!({}), json!({})),
            (
                "add_guild_member_role",
                json!({"id": "1"}),
                json!({"channel": {"id": "1"}}),
            ),
            (
                "mute_guild",
                json!({"mute_seconds": 5}),
                json!({"mute_seconds": "5"}),
            ),
            (
                "c2c_upload_prepare",
                json!({"file_size": 5}),
                json!({"file_size": "5"}),
            ),
            (
                "upload_c2c_file",
                json!({"upload_id": "u"}),
                json!({"upload_id": "u", "file_type": 0}),
            ),
            ("put_interaction", json!({"code": "0"}), json!({"code": 0})),
            ("get_me", json!({"code": "0"}), json!({"code": "0"})),
        ] {
            assert_eq!(usual_of(route, body), wanted, "{route}");
        }
    }
}
