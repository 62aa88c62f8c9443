//! Programs the tasks use beside cargo: where they are, and how to get them.

use std::env;
use std::path::{Path, PathBuf};

/// A program that may be missing from a machine.
#[derive(Debug)]
pub(crate) struct Tool {
    /// What people call it.
    pub(crate) name: &'static str,
    /// File names it goes by, the preferred one first.
    programs: &'static [&'static str],
    /// The exact command that installs it: Debian and its kin, then macOS.
    install: [&'static str; 2],
}

pub(crate) const CHROMIUM: Tool = Tool {
    name: "chromium",
    programs: &[
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ],
    install: [
        "apt-get install --no-install-recommends chromium chromium-driver",
        "brew install --cask chromium",
    ],
};

pub(crate) const CHROMEDRIVER: Tool = Tool {
    name: "chromedriver",
    programs: &["chromedriver"],
    install: [
        "apt-get install --no-install-recommends chromium chromium-driver",
        "brew install --cask chromedriver",
    ],
};

pub(crate) const PYTHON: Tool = Tool {
    name: "python3",
    programs: &["python3"],
    install: [
        "apt-get install --no-install-recommends python3 python3-venv",
        "brew install python",
    ],
};

pub(crate) const NODE: Tool = Tool {
    name: "node",
    programs: &["node", "nodejs"],
    install: [
        "apt-get install --no-install-recommends nodejs npm",
        "brew install node",
    ],
};

pub(crate) const NPM: Tool = Tool {
    name: "npm",
    programs: &["npm"],
    install: [
        "apt-get install --no-install-recommends nodejs npm",
        "brew install node",
    ],
};

pub(crate) const NATS_SERVER: Tool = Tool {
    name: "nats-server",
    programs: &["nats-server", "/usr/sbin/nats-server"],
    install: [
        "apt-get install --no-install-recommends nats-server",
        "brew install nats-server",
    ],
};

pub(crate) const GIT: Tool = Tool {
    name: "git",
    programs: &["git"],
    install: [
        "apt-get install --no-install-recommends git",
        "brew install git",
    ],
};

/// A part of the Rust toolchain that cargo runs as a command of its own.
pub(crate) struct Component {
    pub(crate) name: &'static str,
    /// The word after `cargo`.
    pub(crate) command: &'static str,
}

pub(crate) const COMPONENTS: &[Component] = &[
    Component {
        name: "rustfmt",
        command: "fmt",
    },
    Component {
        name: "clippy",
        command: "clippy",
    },
];

impl Component {
    /// What to tell somebody who does not have it.
    pub(crate) fn missing(&self) -> String {
        let name = self.name;
        format!("{name} not found; install it with `rustup component add {name}`")
    }
}

impl Tool {
    /// Where the tool is, if a folder of `PATH` has it.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        let path = env::var_os("PATH").unwrap_or_default();
        self.find_in(env::split_paths(&path))
    }

    /// What to tell somebody who does not have it.
    pub(crate) fn missing(&self) -> String {
        let [debian, macos] = self.install;
        let command = if cfg!(target_os = "macos") {
            macos
        } else {
            debian
        };
        format!("{} not found; install it with `{command}`", self.name)
    }

    fn find_in(&self, folders: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
        let folders: Vec<PathBuf> = folders.collect();
        self.programs.iter().find_map(|program| {
            let file = format!("{program}{}", env::consts::EXE_SUFFIX);
            folders
                .iter()
                .map(|folder| folder.join(&file))
                .find(|path| is_program(path))
        })
    }
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_comes_with_the_command_that_installs_it() {
        for tool in [CHROMIUM, CHROMEDRIVER, PYTHON, NODE, NPM, GIT] {
            let text = tool.missing();
            assert!(
                text.contains(tool.name) && text.contains("install "),
                "{text}"
            );
            assert_eq!(tool.find_in(std::iter::empty()), None);
        }
        for component in COMPONENTS {
            let text = component.missing();
            assert!(text.contains("component add"), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_a_program_counts_and_the_preferred_name_wins() {
        let tool = Tool {
            name: "shell",
            programs: &["no-such-shell", "sh"],
            install: ["", ""],
        };
        let bin = || std::iter::once(PathBuf::from("/bin"));
        assert_eq!(tool.find_in(bin()), Some(PathBuf::from("/bin/sh")));
        let text_file = Tool {
            programs: &["passwd"],
            ..tool
        };
        let etc = std::iter::once(PathBuf::from("/etc"));
        assert_eq!(text_file.find_in(etc), None);
    }
}
