//! The shared corpora of real mail, unpacked once per machine into `target/corpora`. To be included by tests with
//! `#[path]`; std and the `tar` command only.
//!
//! Copies are told apart by the size of the archive that they come from. The set is not part of the repository: without
//! `../shared/corpora` beside the workspace a test that needs it fails, it does not skip.

#![allow(
    dead_code,
    reason = "each test that includes this file uses a part of it"
)]

use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::{env, fs, io};

/// Legitimate and spam messages of the SpamAssassin public corpus, in folders below this one.
pub(crate) fn spamassassin() -> PathBuf {
    unpacked("spamassassin-public.tar.zst").join("sa")
}

/// Phishing messages of honeypots.
pub(crate) fn phishing() -> PathBuf {
    unpacked("phishing-2022-2025.tar.zst").join("phishing")
}

/// Every message below `folder`, in the order of its path.
pub(crate) fn messages(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(folder, &mut files).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    // `cmds` is the corpus's own list of moves, no message.
    files.retain(|file| file.file_name().is_some_and(|name| name != "cmds"));
    files.sort();
    files
}

/// Whether the messages below the folder of this file are legitimate: the SpamAssassin folders say so by name.
pub(crate) fn is_ham(file: &Path) -> bool {
    file.components()
        .any(|part| part.as_os_str().to_string_lossy().contains("ham"))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// The folder with the content of `archive`. Several tests may ask at once: each unpacks beside, the first one renames.
fn unpacked(archive: &str) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let source = workspace.join("../shared/corpora").join(archive);
    let size = fs::metadata(&source)
        .unwrap_or_else(|error| panic!("{}: {error}", source.display()))
        .len();
    let target = target_folder(&workspace).join("corpora");
    let done = target.join(format!("{}-{size}", archive.trim_end_matches(".tar.zst")));
    if done.is_dir() {
        return done;
    }
    let partial = target.join(format!("partial-{}-{archive}", process::id()));
    fs::create_dir_all(&partial).unwrap_or_else(|error| panic!("{}: {error}", partial.display()));
    let unpacking = Command::new("tar")
        .args(["--use-compress-program", "zstd --long=27", "-xf"])
        .arg(&source)
        .arg("-C")
        .arg(&partial)
        .status();
    let is_unpacked = matches!(unpacking, Ok(status) if status.success());
    assert!(
        is_unpacked,
        "tar cannot unpack {}: {unpacking:?}",
        source.display()
    );
    if fs::rename(&partial, &done).is_err() {
        // Another process was faster.
        let _ = fs::remove_dir_all(&partial);
    }
    assert!(done.is_dir(), "{} is missing", done.display());
    done
}

/// Where cargo puts what it builds.
fn target_folder(workspace: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from)
}
