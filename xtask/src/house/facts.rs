//! What cargo and git say about the workspace, read once for all rules.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Context as _, Error, Result};
use crate::project::Project;
use crate::tools;

/// The workspace as the rules see it.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) project: &'a Project,
    /// The packages of the workspace.
    pub(crate) members: Vec<Member>,
    /// Every package in the graph, the workspace's own included.
    pub(crate) packages: Vec<Package>,
    /// Files under version control or about to be, relative to the root, with `/` between folders.
    pub(crate) files: Vec<String>,
}

/// A package of the dependency graph.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// One package of the workspace.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) manifest: PathBuf,
    pub(crate) license: Option<String>,
    pub(crate) rust_version: Option<String>,
    pub(crate) targets: Vec<Target>,
}

/// A target of a package: `kind` is `lib`, `bin`, `example`, `test`, ...
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) source: PathBuf,
}

impl<'a> Facts<'a> {
    pub(crate) fn gather(project: &'a Project) -> Result<Self> {
        let metadata = project.metadata()?;
        let (members, packages) = read_metadata(&metadata)
            .ok_or_else(|| Error::new("cargo metadata has another shape than expected"))?;
        Ok(Self {
            project,
            members,
            packages,
            files: versioned_files(project)?,
        })
    }

    /// The text of a file, or `None` if there is no such file.
    pub(crate) fn read(&self, file: &str) -> Result<Option<String>> {
        Ok(self
            .read_bytes(file)?
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The bytes of a file, or `None` if there is no such file.
    pub(crate) fn read_bytes(&self, file: &str) -> Result<Option<Vec<u8>>> {
        match fs::read(self.project.root().join(file)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context(|| format!("reading {file}")),
        }
    }

    /// A path as it is written in the files: relative to the root, with `/` between folders.
    pub(crate) fn relative(&self, path: &Path) -> String {
        path.strip_prefix(self.project.root())
            .unwrap_or(path)
            .to_string_lossy()
            .replace('\\', "/")
    }

    /// The names of the packages of the workspace.
    pub(crate) fn member_names(&self) -> BTreeSet<&str> {
        self.members
            .iter()
            .map(|member| member.name.as_str())
            .collect()
    }
}

/// Files that git tracks or would add. Deleted ones may still be listed.
fn versioned_files(project: &Project) -> Result<Vec<String>> {
    if tools::GIT.find().is_none() {
        return Err(Error::new(tools::GIT.missing()));
    }
    let listed = project.ask_git(&[
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ])?;
    Ok(listed
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}

fn read_metadata(metadata: &Value) -> Option<(Vec<Member>, Vec<Package>)> {
    let own: BTreeSet<&str> = metadata["workspace_members"]
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let mut members = Vec::new();
    let mut packages = Vec::new();
    for package in metadata["packages"].as_array()? {
        let text = |key: &str| package[key].as_str().map(str::to_owned);
        packages.push(Package {
            name: text("name")?,
            version: text("version")?,
        });
        if own.contains(package["id"].as_str()?) {
            members.push(Member {
                name: text("name")?,
                manifest: text("manifest_path")?.into(),
                license: text("license"),
                rust_version: text("rust_version"),
                targets: package["targets"]
                    .as_array()?
                    .iter()
                    .map(read_target)
                    .collect::<Option<_>>()?,
            });
        }
    }
    Some((members, packages))
}

fn read_target(target: &Value) -> Option<Target> {
    Some(Target {
        name: target["name"].as_str()?.to_owned(),
        kind: target["kind"][0].as_str()?.to_owned(),
        source: target["src_path"].as_str()?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_told_from_dependencies() {
        let metadata = serde_json::json!({
            "workspace_members": ["own"],
            "packages": [
                {"id": "own", "name": "qq-model", "version": "0.1.0", "manifest_path": "Cargo.toml",
                 "license": "MIT", "rust_version": null,
                 "targets": [{"name": "qq_model", "kind": ["lib"], "src_path": "src/lib.rs"}]},
                {"id": "other", "name": "bytes", "version": "1.0.0"},
            ],
        });
        let (members, packages) = read_metadata(&metadata).unwrap();
        assert_eq!(packages.len(), 2);
        assert_eq!(members.len(), 1);
        assert_eq!(members[0].license.as_deref(), Some("MIT"));
        assert_eq!(members[0].rust_version, None);
        assert_eq!(members[0].targets[0].kind, "lib");
        assert!(read_metadata(&serde_json::json!({})).is_none());
    }
}
