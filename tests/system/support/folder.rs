//! Folders of a test, and what is in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A fresh folder below the target folder. It is removed at the end, unless the test fails.
pub struct Folder(PathBuf);

impl Folder {
    /// An empty folder; `name` helps to find it after a failure.
    pub fn new(name: &str) -> Folder {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file here, and returns its path.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, contents).unwrap();
        path
    }

    /// A copy of [`super::SMALL`] here.
    pub fn small(&self) -> PathBuf {
        self.write("small.yaml", super::SMALL)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// Every file and link below a folder by its relative path; the contents of a link are its target.
pub fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
            let kind = path.symlink_metadata().unwrap().file_type();
            if kind.is_symlink() {
                let target = std::fs::read_link(&path).unwrap();
                files.insert(name, target.to_string_lossy().into_owned().into_bytes());
            } else if kind.is_dir() {
                open.push(path);
            } else {
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// [`tree`], with the one part taken out that may differ between equal runs: the provenance in
/// `manifest.json`, and in the report what quotes it.
pub fn results(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = tree(folder);
    for (name, bytes) in &mut files {
        if name.ends_with("manifest.json") {
            let mut manifest: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            manifest["provenance"]["command"].take();
            *bytes = manifest.to_string().into_bytes();
        }
    }
    files
}

/// Asserts that two trees are the same, and names the first file that is not.
pub fn assert_same(
    left: &BTreeMap<String, Vec<u8>>,
    right: &BTreeMap<String, Vec<u8>>,
    what: &str,
) {
    let names = |tree: &BTreeMap<String, Vec<u8>>| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(left), names(right), "{what}: other files");
    for (name, bytes) in left {
        let other = &right[name];
        let at = bytes.iter().zip(other).position(|(a, b)| a != b);
        assert!(bytes == other, "{what}: {name} differs, first at byte {at:?}");
    }
}
