//! What the whole dependency graph may hold: one stack for each purpose, in one version.

use std::collections::BTreeSet;

use super::facts::Package;
use super::{Breach, Facts};
use crate::error::Result;

/// Other TLS and HTTP stacks than ours.
const BANNED: &[&str] = &["native-tls", "openssl", "openssl-sys", "reqwest"];

/// The stacks that everything shares.
const SINGLE: &[&str] = &["hyper", "rustls", "tokio-tungstenite", "tungstenite"];

pub(super) fn check(facts: &Facts<'_>) -> Result<Vec<Breach>> {
    Ok(judge(&facts.packages))
}

fn judge(packages: &[Package]) -> Vec<Breach> {
    let versions = |wanted: &str| -> BTreeSet<&str> {
        packages
            .iter()
            .filter(|package| package.name == wanted)
            .map(|package| package.version.as_str())
            .collect()
    };
    let banned = BANNED
        .iter()
        .filter(|name| !versions(name).is_empty())
        .map(|name| {
            let problem = format!(
                "{name} is in the graph; `cargo tree --workspace --target all -i {name}` shows who brings it. \
                 TLS is rustls and HTTP is hyper here"
            );
            Breach::new("Cargo.lock", problem)
        });
    let doubled = SINGLE.iter().filter_map(|name| {
        let versions = versions(name);
        (versions.len() > 1).then(|| {
            let versions: Vec<&str> = versions.into_iter().collect();
            let problem = format!(
                "{name} is in the graph more than once ({}); bring its users to one version",
                versions.join(", ")
            );
            Breach::new("Cargo.lock", problem)
        })
    });
    banned.chain(doubled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(packages: &[(&str, &str)]) -> Vec<Breach> {
        let packages: Vec<_> = packages
            .iter()
            .map(|(name, version)| Package {
                name: (*name).to_owned(),
                version: (*version).to_owned(),
            })
            .collect();
        judge(&packages)
    }

    #[test]
    fn a_second_stack_is_found() {
        assert_eq!(breaches(&[("rustls", "0.23.1"), ("hyper", "1.2.0")]), []);
        for name in BANNED {
            let found = breaches(&[(name, "0.1.0"), ("hyper", "1.2.0")]);
            assert_eq!(found.len(), 1);
            assert!(found[0].problem.contains(name));
        }
    }

    #[test]
    fn a_second_version_is_found() {
        for name in SINGLE {
            let found = breaches(&[(name, "0.14.0"), (name, "1.2.0")]);
            assert_eq!(found.len(), 1);
            assert!(found[0].problem.contains("0.14.0, 1.2.0"));
        }
    }
}
