//! The chat page: its files, compiled in.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};

use crate::platform::Platform;

/// Nothing runs, loads or connects but what this server gives; nobody shows the page in a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' blob:; media-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const PAGE: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// A file of the page.
struct File {
    path: &'static str,
    kind: &'static str,
    content: &'static str,
}

macro_rules! file {
    ($kind:expr, $path:literal) => {
        File {
            path: $path,
            kind: $kind,
            content: include_str!(concat!("../page/", $path)),
        }
    };
}

const INDEX: File = file!(PAGE, "index.html");
const FILES: &[File] = &[
    file!(STYLE, "css/base.css"),
    file!(STYLE, "css/chat.css"),
    file!(STYLE, "css/composer.css"),
    file!(STYLE, "css/inspector.css"),
    file!(STYLE, "css/list.css"),
    file!(STYLE, "css/narrow.css"),
    file!(STYLE, "css/parts.css"),
    file!(PICTURE, "icon.svg"),
    file!(SCRIPT, "js/api.js"),
    file!(SCRIPT, "js/bus.js"),
    file!(SCRIPT, "js/clock.js"),
    file!(SCRIPT, "js/composer.js"),
    file!(SCRIPT, "js/dialogs.js"),
    file!(SCRIPT, "js/dom.js"),
    file!(SCRIPT, "js/faces.js"),
    file!(SCRIPT, "js/inspector/connect.js"),
    file!(SCRIPT, "js/inspector/faults.js"),
    file!(SCRIPT, "js/inspector/json.js"),
    file!(SCRIPT, "js/inspector/message.js"),
    file!(SCRIPT, "js/inspector/panel.js"),
    file!(SCRIPT, "js/inspector/settings.js"),
    file!(SCRIPT, "js/inspector/traffic.js"),
    file!(SCRIPT, "js/inspector/violations.js"),
    file!(SCRIPT, "js/main.js"),
    file!(SCRIPT, "js/markdown.js"),
    file!(SCRIPT, "js/media.js"),
    file!(SCRIPT, "js/prefs.js"),
    file!(SCRIPT, "js/route.js"),
    file!(SCRIPT, "js/shortcuts.js"),
    file!(SCRIPT, "js/store.js"),
    file!(SCRIPT, "js/stream.js"),
    file!(SCRIPT, "js/theme.js"),
    file!(SCRIPT, "js/toast.js"),
    file!(SCRIPT, "js/view/actions.js"),
    file!(SCRIPT, "js/view/cards.js"),
    file!(SCRIPT, "js/view/chat.js"),
    file!(SCRIPT, "js/view/empty.js"),
    file!(SCRIPT, "js/view/keyboard.js"),
    file!(SCRIPT, "js/view/list.js"),
    file!(SCRIPT, "js/view/log.js"),
    file!(SCRIPT, "js/view/message.js"),
    file!(SCRIPT, "js/view/preview.js"),
    file!(SCRIPT, "js/view/reactions.js"),
    file!(SCRIPT, "js/words.js"),
    file!(SCRIPT, "js/words/en.js"),
    file!(SCRIPT, "js/words/zh.js"),
];

pub(crate) fn router() -> Router<Arc<Platform>> {
    Router::new()
        .route("/", get(async || serve(&INDEX)))
        .route("/page/{*path}", get(file))
}

async fn file(Path(path): Path<String>) -> Response {
    match FILES.iter().find(|file| file.path == path) {
        Some(file) => serve(file),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn serve(file: &File) -> Response {
    let mut response = file.content.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, file.kind),
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::{fs, path};

    use super::*;

    /// The files below a folder.
    fn collect(root: &path::Path, folder: &path::Path, into: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap().path();
            if entry.is_dir() {
                collect(root, &entry, into);
            } else {
                let name = entry.strip_prefix(root).unwrap().to_str().unwrap();
                into.insert(name.replace(path::MAIN_SEPARATOR, "/"));
            }
        }
    }

    #[test]
    fn every_file_is_served() {
        let root = path::Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
        let mut files = BTreeSet::new();
        collect(&root, &root, &mut files);
        let served = FILES.iter().chain([&INDEX]);
        let served: BTreeSet<String> = served.map(|file| file.path.to_owned()).collect();
        assert_eq!(served, files);
    }

    #[test]
    fn no_text_of_others_becomes_markup() {
        for file in FILES {
            for way in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
            ] {
                assert!(!file.content.contains(way), "{} uses {way}", file.path);
            }
        }
    }

    #[test]
    fn both_languages_say_the_same_things() {
        let keys = |path: &str| -> BTreeSet<String> {
            let file = FILES.iter().find(|file| file.path == path).unwrap();
            let lines = file
                .content
                .lines()
                .filter_map(|line| line.split_once(": \""));
            lines.map(|(key, _)| key.trim().replace('"', "")).collect()
        };
        let english = keys("js/words/en.js");
        assert!(english.len() > 200);
        assert_eq!(english, keys("js/words/zh.js"));
    }
}
