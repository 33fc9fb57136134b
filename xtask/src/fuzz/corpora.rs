//! The shared corpora of real mail as folders: what `../shared/corpora` has, unpacked below `target/corpora`, where the tests
//! of the crate scan look for them and leave them too.
//!
//! Copies are told apart by the size of the archive that they come from. None of it is part of the repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{install, workspace};

/// Legitimate mail and spam, and phishing.
const ARCHIVES: &[&str] = &["spamassassin-public.tar.zst", "phishing-2022-2025.tar.zst"];

/// A folder for each corpus.
pub(super) fn unpacked() -> Result<Vec<PathBuf>> {
    install::packages(install::CORPORA)?;
    ARCHIVES.iter().map(|archive| folder(archive)).collect()
}

fn folder(archive: &str) -> Result<PathBuf> {
    let source = workspace::root().join("../shared/corpora").join(archive);
    let size = fs::metadata(&source)
        .with_context(|| format!("{}: the corpus has to be there", source.display()))?
        .len();
    let corpora = workspace::target("corpora");
    let name = archive.trim_end_matches(".tar.zst");
    let done = corpora.join(format!("{name}-{size}"));
    if !done.is_dir() {
        let partial = corpora.join(format!("partial-{}-{name}", std::process::id()));
        fs::create_dir_all(&partial).with_context(|| partial.display().to_string())?;
        unpack(&source, &partial)?;
        fs::rename(&partial, &done).with_context(|| done.display().to_string())?;
    }
    Ok(done)
}

fn unpack(archive: &Path, folder: &Path) -> Result<()> {
    let status = Command::new("tar")
        .args(["--use-compress-program", "zstd --long=27", "-xf"])
        .arg(archive)
        .arg("-C")
        .arg(folder)
        .status()
        .context("tar")?;
    ensure!(status.success(), "cannot unpack {}", archive.display());
    Ok(())
}
