//! `GET openapi.json`: a description of the control API. At its root, the same in short.

use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::error::{Json, PREFIX};

const DESCRIPTION: &str = include_str!("openapi.json");

pub(super) async fn description() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DESCRIPTION)
}

/// What somebody finds who opens the address of the API.
pub(crate) async fn index() -> impl IntoResponse {
    let description: Value = serde_json::from_str(DESCRIPTION).unwrap_or_default();
    let paths = description["paths"].as_object();
    let calls: Vec<Value> = paths
        .into_iter()
        .flatten()
        .flat_map(|(path, operations)| {
            let operations = operations.as_object().into_iter().flatten();
            operations.map(move |(method, operation)| {
                json!({
                    "method": method.to_uppercase(),
                    "path": format!("{PREFIX}{path}"),
                    "does": operation["summary"],
                })
            })
        })
        .collect();
    Json(json!({"openapi": format!("{PREFIX}/openapi.json"), "calls": calls}))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::settings::Settings;

    /// Method and path of every route of the router, read from its source.
    fn routes() -> BTreeSet<(String, String)> {
        let source = include_str!("mod.rs");
        let mut routes = BTreeSet::new();
        for route in source.split(".route(").skip(1) {
            let path = route.split('"').nth(1).unwrap();
            let handlers = route.split(".fallback").next().unwrap();
            for method in ["get", "post", "patch", "put", "delete"] {
                if handlers.contains(&format!("{method}(")) {
                    routes.insert((method.to_owned(), path.to_owned()));
                }
            }
        }
        routes
    }

    #[test]
    fn describes_every_route_and_no_other() {
        let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
        let mut described = BTreeSet::new();
        for (path, operations) in description["paths"].as_object().unwrap() {
            for method in operations.as_object().unwrap().keys() {
                described.insert((method.clone(), path.clone()));
            }
        }
        assert!(described.len() > 20);
        assert_eq!(described, routes());
    }

    #[test]
    fn describes_every_setting_with_its_default_and_values() {
        let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
        let schemas = &description["components"]["schemas"];
        let described = schemas["Settings"]["properties"].as_object().unwrap();
        let defaults = serde_json::to_value(Settings::default()).unwrap();
        let defaults = defaults.as_object().unwrap();
        let names = |of: &serde_json::Map<String, Value>| -> BTreeSet<String> {
            of.keys().cloned().collect()
        };
        assert_eq!(names(described), names(defaults));
        let mut changes = names(schemas["SettingsChange"]["properties"].as_object().unwrap());
        assert!(changes.remove("reply_budget"));
        assert_eq!(changes, names(defaults));
        for (name, property) in described {
            assert_eq!(property["default"], defaults[name], "{name}");
            assert!(
                property["description"].as_str().unwrap().len() > 10,
                "{name}"
            );
            let refused = Settings::default().patch(&json!({name: "no such value"}));
            match property["enum"].as_array() {
                Some(values) => {
                    // Serde names the values that there are.
                    let known = refused.unwrap_err();
                    assert_eq!(known.matches('`').count() / 2, values.len() + 1, "{known}");
                    for value in values {
                        Settings::default().patch(&json!({name: value})).unwrap();
                    }
                }
                None => assert!(refused.is_err(), "{name}"),
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
        let mut references = 0;
        for part in DESCRIPTION.split("\"$ref\": \"#").skip(1) {
            let pointer = part.split('"').next().unwrap();
            assert!(description.pointer(pointer).is_some(), "{pointer}");
            references += 1;
        }
        assert!(references > 10);
    }
}
