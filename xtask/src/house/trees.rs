//! Who may depend on whom, over the whole dependency tree of each crate with all its features.

use std::collections::BTreeSet;

use super::{Breach, Facts};
use crate::error::Result;

/// Sockets, TLS, HTTP and async runtimes: what a crate of plain types has no use for.
const IO_AND_RUNTIMES: &[&str] = &[
    "async-io",
    "async-std",
    "hyper",
    "hyper-util",
    "mio",
    "polling",
    "rustls",
    "smol",
    "socket2",
    "tokio",
    "tokio-rustls",
    "tokio-tungstenite",
    "tokio-util",
    "tungstenite",
];

const HTTP_STACK: &[&str] = &["hyper", "hyper-rustls", "hyper-util"];

/// Whatever brings more than its own layer.
const WHOLE_BOT: &[&str] = &["qq-client", "qq-cluster", "qqbot", "reqwest"];

/// Crates that do not know each other; only `qq-client` sees them all.
const PEERS: &[&str] = &["qq-http", "qq-gateway", "qq-webhook", "qq-cache"];

const JUDGE: &str = "qq-emulator";

/// What scripts depend on, and how many packages come with it at most, itself included.
const SCRIPTABLE: &str = "qq-http";
const MOST_PACKAGES: usize = 59;

/// What must not be in the tree of one crate.
struct Ban<'a> {
    of: &'a str,
    edges: &'static str,
    names: BTreeSet<&'a str>,
    why: &'static str,
}

pub(super) fn check(facts: &Facts<'_>) -> Result<Vec<Breach>> {
    let mut breaches = Vec::new();
    for ban in bans(&facts.member_names()) {
        let printed = facts.project.ask_cargo(&[
            "tree",
            "--locked",
            "--package",
            ban.of,
            "--edges",
            ban.edges,
            "--all-features",
            "--target=all",
            "--prefix=none",
            "--format={p}",
        ])?;
        breaches.extend(judge(&ban, &names_in(&printed)));
    }
    if facts.member_names().contains(SCRIPTABLE) {
        let printed = facts.project.ask_cargo(&[
            "tree",
            "--locked",
            "--package",
            SCRIPTABLE,
            "--edges=normal",
            "--prefix=none",
            "--format={p}",
        ])?;
        breaches.extend(judge_size(&printed));
    }
    Ok(breaches)
}

/// Packages are told apart by name and version.
fn judge_size(printed: &str) -> Option<Breach> {
    let packages: BTreeSet<_> = printed
        .lines()
        .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>())
        .filter(|package| !package.is_empty())
        .collect();
    (packages.len() > MOST_PACKAGES).then(|| {
        Breach::new(
            SCRIPTABLE,
            format!(
                "{} packages with itself, where at most {MOST_PACKAGES} were promised; \
                 `cargo tree -p {SCRIPTABLE} -e normal` lists them",
                packages.len()
            ),
        )
    })
}

/// The bans that apply to the crates that exist.
fn bans<'a>(members: &BTreeSet<&'a str>) -> Vec<Ban<'a>> {
    let mut bans = vec![
        Ban {
            of: "qq-model",
            edges: "normal",
            names: IO_AND_RUNTIMES.iter().copied().collect(),
            why: "qq-model is types only: no I/O, no runtime",
        },
        Ban {
            of: "qq-gateway",
            edges: "normal",
            names: HTTP_STACK.iter().chain(WHOLE_BOT).copied().collect(),
            why: "a shard needs no HTTP client and no bot around it",
        },
        Ban {
            of: JUDGE,
            edges: "normal,build",
            names: members
                .iter()
                .copied()
                .filter(|name| *name != JUDGE)
                .collect(),
            why: "the emulator judges the other crates, so it shares no code with them",
        },
    ];
    bans.extend(PEERS.iter().map(|peer| {
        Ban {
            of: peer,
            edges: "normal,build",
            names: PEERS
                .iter()
                .copied()
                .filter(|other| other != peer)
                .collect(),
            why: "what these crates share lives in qq-model or qq-transport",
        }
    }));
    bans.retain(|ban| members.contains(ban.of));
    bans
}

fn judge(ban: &Ban<'_>, tree: &BTreeSet<&str>) -> Vec<Breach> {
    ban.names
        .intersection(tree)
        .map(|name| {
            Breach::new(
                ban.of,
                format!(
                    "depends on {name}; {}. `cargo tree -p {} -e {} --all-features -i {name}` shows the way",
                    ban.why, ban.of, ban.edges
                ),
            )
        })
        .collect()
}

/// The package names in what `cargo tree --prefix none --format {p}` prints.
fn names_in(printed: &str) -> BTreeSet<&str> {
    printed
        .lines()
        .filter(|line| !line.starts_with('['))
        .filter_map(|line| line.split_whitespace().next())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &[&str] = &[
        "qq-model",
        "qq-http",
        "qq-gateway",
        "qq-webhook",
        "qq-cache",
        "qq-client",
        "qq-emulator",
    ];

    fn breaches(of: &str, printed: &str) -> Vec<Breach> {
        let members = ALL.iter().copied().collect();
        let tree = names_in(printed);
        bans(&members)
            .iter()
            .filter(|ban| ban.of == of)
            .flat_map(|ban| judge(ban, &tree))
            .collect()
    }

    #[test]
    fn a_runtime_below_qq_model_is_found() {
        let clean = "qq-model v0.1.0 (somewhere)\nserde v1.0.0\ntokio-stream-like v0.1.0";
        assert_eq!(breaches("qq-model", clean), []);
        for name in ["tokio", "hyper", "mio", "socket2", "rustls"] {
            let tree = format!("{clean}\n{name} v1.2.3 (*)");
            let found = breaches("qq-model", &tree);
            assert_eq!(found.len(), 1, "{name}");
            assert!(found[0].problem.contains(name));
        }
    }

    #[test]
    fn a_tree_that_grew_is_found() {
        let tree = |count: usize| {
            let lines = (0..count).map(|n| format!("crate-{n} v1.0.0\ncrate-{n} v1.0.0 (*)\n"));
            lines.collect::<String>()
        };
        assert_eq!(judge_size(&tree(MOST_PACKAGES)), None);
        let problem = judge_size(&tree(MOST_PACKAGES + 1)).unwrap().problem;
        assert!(problem.contains("60 packages"), "{problem}");
        let twice = format!("{}crate-0 v2.0.0\n", tree(MOST_PACKAGES));
        assert!(
            judge_size(&twice).is_some(),
            "two versions are two packages"
        );
    }

    #[test]
    fn peers_that_know_each_other_are_found() {
        for peer in PEERS {
            for other in PEERS.iter().filter(|other| *other != peer) {
                let tree = format!("{peer} v0.1.0\n[build-dependencies]\n{other} v0.1.0");
                assert_eq!(breaches(peer, &tree).len(), 1, "{peer} and {other}");
            }
            assert_eq!(
                breaches(peer, &format!("{peer} v0.1.0\nqq-model v0.1.0")),
                []
            );
        }
    }

    #[test]
    fn an_http_client_below_the_gateway_is_found() {
        assert_eq!(breaches("qq-gateway", "qq-gateway v0.1.0\nhttp v1.0.0"), []);
        for name in [
            "hyper",
            "hyper-util",
            "reqwest",
            "qq-cache",
            "qq-client",
            "qqbot",
        ] {
            let tree = format!("qq-gateway v0.1.0\n{name} v1.0.0");
            assert_eq!(breaches("qq-gateway", &tree).len(), 1, "{name}");
        }
    }

    #[test]
    fn an_emulator_that_knows_another_crate_is_found() {
        assert_eq!(
            breaches("qq-emulator", "qq-emulator v0.1.0\naxum v0.8.0"),
            []
        );
        for other in ALL.iter().filter(|name| **name != "qq-emulator") {
            let tree = format!("qq-emulator v0.1.0\n{other} v0.1.0");
            assert_eq!(breaches("qq-emulator", &tree).len(), 1, "{other}");
        }
    }

    #[test]
    fn crates_that_do_not_exist_yet_are_not_asked_about() {
        let members = ["qq-model", "qq-http"].into_iter().collect();
        let of: Vec<&str> = bans(&members).iter().map(|ban| ban.of).collect();
        assert_eq!(of, ["qq-model", "qq-http"]);
    }
}
