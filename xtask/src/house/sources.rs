//! What the Rust sources must and must not hold.

use super::rust_text::{self, Piece, Token};
use super::{Breach, Facts};
use crate::error::Result;

/// The end of every host name of the platform.
const HOST: &str = "qq.com";

/// Where those names may stand.
const HOST_ROOM: &[&str] = &[
    "crates/qq-model/src/environment.rs",
    "crates/qq-model/src/environment/",
];

pub(super) fn check_unsafe(facts: &Facts<'_>) -> Result<Vec<Breach>> {
    let mut breaches = Vec::new();
    for member in &facts.members {
        for target in &member.targets {
            if !matches!(
                target.kind.as_str(),
                "lib" | "rlib" | "cdylib" | "proc-macro" | "bin"
            ) {
                continue;
            }
            let file = facts.relative(&target.source);
            let text = facts.read(&file)?.unwrap_or_default();
            breaches.extend(allows_unsafe(&file, &text));
        }
    }
    Ok(breaches)
}

pub(super) fn check_hosts(facts: &Facts<'_>) -> Result<Vec<Breach>> {
    let mut breaches = Vec::new();
    for file in facts.files.iter().filter(|file| must_be_hostless(file)) {
        if let Some(text) = facts.read(file)? {
            breaches.extend(hosts_in(file, &text));
        }
    }
    Ok(breaches)
}

fn allows_unsafe(file: &str, text: &str) -> Option<Breach> {
    const OPENING: [Piece<'_>; 5] = [
        Piece::Sign('#'),
        Piece::Sign('!'),
        Piece::Sign('['),
        Piece::Word("forbid"),
        Piece::Sign('('),
    ];
    let tokens: Vec<Piece<'_>> = rust_text::tokens(text)
        .iter()
        .map(|token| token.piece)
        .collect();
    let forbids = tokens
        .windows(OPENING.len())
        .enumerate()
        .any(|(at, window)| {
            window == OPENING
                && tokens[at + OPENING.len()..]
                    .iter()
                    .take_while(|piece| **piece != Piece::Sign(')'))
                    .any(|piece| *piece == Piece::Word("unsafe_code"))
        });
    (!forbids).then(|| Breach::new(file, "needs `#![forbid(unsafe_code)]` at its top"))
}

/// Rust sources of the crates that are compiled into products.
fn must_be_hostless(file: &str) -> bool {
    let in_sources = file.strip_prefix("crates/").is_some_and(|path| {
        path.split_once('/')
            .is_some_and(|(_, path)| path.starts_with("src/"))
    });
    let for_tests =
        file.ends_with("/tests.rs") || file.contains("/src/tests/") || file.contains("/tests/");
    in_sources
        && file.ends_with(".rs")
        && !for_tests
        && !HOST_ROOM.iter().any(|room| file.starts_with(room))
}

/// String literals that name a platform host, outside documentation and `#[cfg(test)]` items.
fn hosts_in(file: &str, text: &str) -> Vec<Breach> {
    if !text.contains(HOST) {
        return Vec::new();
    }
    let code = rust_text::without_docs(&rust_text::without_tests(&rust_text::tokens(text)));
    code.iter()
        .filter(|token| names_host(token))
        .map(|token| {
            let problem = format!(
                "a string literal names a host under {HOST}; take it from qq_model's Environment"
            );
            Breach::new(format!("{file}:{}", token.line), problem)
        })
        .collect()
}

fn names_host(token: &Token<'_>) -> bool {
    matches!(token.piece, Piece::Text(text) if text.contains(HOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_without_the_attribute_is_found() {
        for good in [
            "//! Docs.\n#![forbid(unsafe_code)]\n",
            "#![ forbid( missing_docs, unsafe_code ) ]",
        ] {
            assert_eq!(allows_unsafe("lib.rs", good), None, "{good}");
        }
        for bad in [
            "",
            "// #![forbid(unsafe_code)]",
            "#![deny(unsafe_code)]",
            "#![forbid(missing_docs)] fn unsafe_code() {}",
            "const A: &str = \"#![forbid(unsafe_code)]\";",
        ] {
            assert!(allows_unsafe("lib.rs", bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_host_in_code_is_found_and_one_in_documentation_is_not() {
        let documented = "/// See <https://bot.q.qq.com/wiki/>.\n#[doc = \"qq.com\"]\nfn f() {}\n\
                          #[cfg(test)]\nmod tests { const A: &str = \"api.sgroup.qq.com\"; }";
        assert_eq!(hosts_in("a.rs", documented), []);
        let bad = "fn f() {\n    g(\"https://api.sgroup.qq.com\");\n    g(r\"qq.com\");\n}";
        let places: Vec<String> = hosts_in("a.rs", bad)
            .into_iter()
            .map(|breach| breach.place)
            .collect();
        assert_eq!(places, ["a.rs:2", "a.rs:3"]);
    }

    #[test]
    fn the_rule_is_about_product_sources_outside_the_environment() {
        for bound in [
            "crates/qq-http/src/lib.rs",
            "crates/qq-http/src/token/manager.rs",
            "crates/qq-model/src/environments.rs",
            "crates/qq-webhook/src/lib.rs",
        ] {
            assert!(must_be_hostless(bound), "{bound}");
        }
        for free in [
            "crates/qq-model/src/environment.rs",
            "crates/qq-model/src/environment/hosts.rs",
            "crates/qq-http/tests/send.rs",
            "crates/qq-http/src/token/tests.rs",
            "crates/qq-http/README.md",
            "examples/ping.rs",
        ] {
            assert!(!must_be_hostless(free), "{free}");
        }
    }
}
