//! Paths that exist on one machine only have no place in a versioned file.

use super::{Breach, Facts};
use crate::error::Result;

/// Folders at the root of a file system that belong to one machine. Written in halves, so that this
/// file keeps its own rule.
const MACHINE: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("C:\\Us", "ers\\"),
];

/// Where people's folders are; a name must follow.
const HOMES: &str = concat!("/ho", "me/");

pub(super) fn check(facts: &Facts<'_>) -> Result<Vec<Breach>> {
    let mut breaches = Vec::new();
    for file in &facts.files {
        let Some(bytes) = facts.read_bytes(file)? else {
            continue;
        };
        if let Some(text) = as_text(&bytes) {
            breaches.extend(machine_paths(file, text));
        }
    }
    Ok(breaches)
}

/// `None` for pictures and other files that are no text.
fn as_text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
}

fn machine_paths(file: &str, text: &str) -> Vec<Breach> {
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let found = MACHINE
                .iter()
                .copied()
                .find(|path| starts_a_path(line, path, |_| true))
                .or_else(|| starts_a_path(line, HOMES, char::is_alphanumeric).then_some(HOMES))?;
            let problem = format!("names a path under {found}, which only one machine has");
            Some(Breach::new(format!("{file}:{}", index + 1), problem))
        })
        .collect()
}

/// Whether `path` stands in the line at the start of a path: not as the tail of a longer one.
fn starts_a_path(line: &str, path: &str, next_is: impl Fn(char) -> bool) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let longer = line[..at]
            .chars()
            .next_back()
            .is_some_and(|before| before.is_alphanumeric() || "_-.~}>/".contains(before));
        let next = line[at + path.len()..].chars().next();
        !longer && next.is_none_or(&next_is)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_found_with_its_line() {
        for path in MACHINE {
            let text = format!("first\nsee `{path}main/x`");
            let found = machine_paths("a.md", &text);
            assert_eq!(found.len(), 1, "{path}");
            assert_eq!(found[0].place, "a.md:2");
        }
        let home = format!("cd {HOMES}mia/bots");
        assert_eq!(machine_paths("a.md", &home).len(), 1);
        assert_eq!(machine_paths("a.md", &format!("({})", MACHINE[0])).len(), 1);
    }

    #[test]
    fn paths_below_other_folders_and_placeholders_are_fine() {
        for path in MACHINE.iter().copied().chain([HOMES]) {
            for text in [
                format!("docs{path}x"),
                format!("https://example.com{path}x"),
                format!("..{path}x"),
                format!("$HOME/.cache{path}"),
            ] {
                assert_eq!(machine_paths("a.md", &text), [], "{text}");
            }
        }
        assert_eq!(machine_paths("a.md", &format!("{HOMES}<name>/")), []);
    }

    #[test]
    fn pictures_are_not_text() {
        assert_eq!(as_text(b"\x89PNG\r\n\x1a\n\0"), None);
        assert_eq!(as_text(b"a\0b"), None);
        assert_eq!(as_text("文".as_bytes()), Some("文"));
    }
}
