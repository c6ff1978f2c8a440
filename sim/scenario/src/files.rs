//! The files of a scenario: only regular ones, only below its folder, only so large.

use crate::limits;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// Where files that a scenario names may lie.
#[derive(Clone, Debug, Default)]
pub(crate) struct Root {
    /// Folder of the scenario; none if it did not come from a file.
    folder: Option<PathBuf>,
}

/// Why a file cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Code of the diagnostic.
    pub code: &'static str,
    pub message: String,
    pub help: &'static str,
}

const PATH_HELP: &str = "name a file in the scenario's folder or below it, with `/` between \
                         folders: copy it there if it lies elsewhere";

fn refused(message: impl Into<String>) -> Refused {
    Refused { code: "E0501", message: message.into(), help: PATH_HELP }
}

fn unreadable(message: impl Into<String>) -> Refused {
    Refused { code: "E0502", message: message.into(), help: "check the name and its permissions" }
}

impl Root {
    /// The folder of a scenario file.
    pub(crate) fn of(scenario: &Path) -> Root {
        let parent = scenario.parent().filter(|parent| !parent.as_os_str().is_empty());
        Root { folder: Some(parent.unwrap_or(Path::new(".")).to_owned()) }
    }

    /// The file of a relative name, if it is allowed.
    pub(crate) fn resolve(&self, name: &str) -> Result<PathBuf, Refused> {
        check_name(name)?;
        let Some(folder) = &self.folder else {
            return Err(unreadable("this scenario has no folder to read files from"));
        };
        let cannot =
            |error: std::io::Error| unreadable(format!("cannot read it: {}", kind(&error)));
        let root = folder.canonicalize().map_err(cannot)?;
        let path = root.join(name).canonicalize().map_err(cannot)?;
        if path.starts_with(&root) {
            Ok(path)
        } else {
            Err(refused("it is a link that leads out of the scenario's folder"))
        }
    }
}

/// Refuses names that are not plain relative paths.
fn check_name(name: &str) -> Result<(), Refused> {
    if name.contains(['\\', ':', '\0']) || name.chars().any(char::is_control) {
        return Err(refused("it has a backslash, colon or control character"));
    }
    if name.len() > 1_024 {
        return Err(refused("it is longer than 1,024 bytes"));
    }
    for component in Path::new(name).components() {
        match component {
            Component::Normal(_) | Component::CurDir => {}
            Component::ParentDir => return Err(refused("it has `..`")),
            Component::RootDir | Component::Prefix(_) => return Err(refused("it is absolute")),
        }
    }
    Ok(())
}

/// What kind of error it is, in words that are the same on every machine.
fn kind(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".into(),
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        other => other.to_string(),
    }
}

/// The contents of a regular file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Refused> {
    let cannot = |error: std::io::Error| unreadable(format!("cannot read it: {}", kind(&error)));
    let metadata = std::fs::metadata(path).map_err(cannot)?;
    if !metadata.is_file() {
        return Err(unreadable("it is not a regular file"));
    }
    if metadata.len() > limit {
        return Err(too_large(limit));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(cannot)?;
    // The file may grow between the two calls; the limit holds all the same.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > limit { Err(too_large(limit)) } else { Ok(bytes) }
}

fn too_large(limit: u64) -> Refused {
    Refused {
        code: "E0004",
        message: format!("it is larger than {} MiB", limit >> 20),
        help: "split it with `includes`, or put recorded data into a data file",
    }
}

/// The largest file that fits into what is left of the limit for all files.
pub(crate) fn text_limit(used: u64) -> u64 {
    limits::FILE_BYTES_MAX.min(limits::TOTAL_BYTES_MAX.saturating_sub(used))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_the_folder() {
        for name in ["/etc/passwd", "../x", "a/../../x", "C:\\x", "a\\b", "C:x", "a\u{7}", "x\0y"] {
            assert_eq!(check_name(name).unwrap_err().code, "E0501", "{name:?}");
        }
        assert!(check_name("data/x.parquet").is_ok());
        let nowhere = Root::default();
        assert_eq!(nowhere.resolve("x").unwrap_err().code, "E0502");
    }

    #[cfg(unix)]
    #[test]
    fn links_cannot_leave_the_folder_either() {
        let folder = std::env::temp_dir().join(format!("steerlab-files-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("in")).unwrap();
        std::fs::write(folder.join("secret"), "x").unwrap();
        std::fs::write(folder.join("in/a"), "12345").unwrap();
        let _ = std::os::unix::fs::symlink("../secret", folder.join("in/out"));
        let root = Root::of(&folder.join("in/scenario.yaml"));
        assert_eq!(root.resolve("out").unwrap_err().code, "E0501");
        let inside = root.resolve("a").unwrap();
        assert_eq!(read(&inside, 5).unwrap(), b"12345");
        assert_eq!(read(&inside, 4).unwrap_err().code, "E0004");
        assert_eq!(read(&folder, 5).unwrap_err().code, "E0502");
        assert_eq!(root.resolve("missing").unwrap_err().code, "E0502");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
