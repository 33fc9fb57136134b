//! The messages of the accuracy bench: unpacked, stripped, in a folder for each part of the corpora.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::strip::stripped;
use crate::{install, specimens, workspace};

/// Where the corpora lie, beside the checkout and no part of it.
const ARCHIVES: &str = "../shared/corpora";

/// The year of the messages of our own, as of all others.
const YEAR: u32 = 2010;

/// What a part of the messages is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Legitimate mail that models are trained with, in turn.
    Ham,
    /// Spam that models are trained with, in turn.
    Spam,
    /// Legitimate mail that no model has seen.
    UnseenHam,
    /// Spam that no model has seen.
    UnseenSpam,
}

/// A part of the messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// Also the name of its folder.
    pub(super) name: &'static str,
    pub(super) role: Role,
}

/// All parts. `hard_ham_2` is left out: it is another edition of `hard_ham`, with most of its messages.
pub(super) const PARTS: [Part; 7] = [
    part("easy_ham", Role::Ham),
    part("easy_ham_2", Role::Ham),
    part("hard_ham", Role::Ham),
    part("spam", Role::Spam),
    part("spam_2", Role::Spam),
    part("modern", Role::UnseenHam),
    part("phishing", Role::UnseenSpam),
];

const fn part(name: &'static str, role: Role) -> Part {
    Part { name, role }
}

/// The folder with all parts, made if it is not there.
pub(super) fn prepare() -> Result<PathBuf> {
    let done = workspace::target("accuracy/messages");
    if done.is_dir() {
        return Ok(done);
    }
    install::packages(install::CORPORA)?;
    let partial = workspace::target("accuracy/partial");
    if partial.is_dir() {
        fs::remove_dir_all(&partial)?;
    }
    let raw = partial.join("raw");
    fs::create_dir_all(&raw)?;
    for archive in ["spamassassin-public.tar.zst", "phishing-2022-2025.tar.zst"] {
        unpack(&workspace::root().join(ARCHIVES).join(archive), &raw)?;
    }
    specimens::write_year(&raw.join("modern"), YEAR)?;
    for part in PARTS {
        let below = match part.role {
            Role::Ham | Role::Spam => Path::new("sa").join(part.name),
            Role::UnseenHam | Role::UnseenSpam => part.name.into(),
        };
        let count = strip_all(&raw.join(below), &partial.join("messages").join(part.name))?;
        println!("{count:>6} messages of {}", part.name);
    }
    fs::rename(partial.join("messages"), &done)?;
    fs::remove_dir_all(&partial)?;
    Ok(done)
}

fn unpack(archive: &Path, to: &Path) -> Result<()> {
    let status = Command::new("tar")
        .args(["--use-compress-program", "zstd --long=27", "-xf"])
        .arg(archive)
        .arg("-C")
        .arg(to)
        .status()
        .context("tar")?;
    ensure!(status.success(), "cannot unpack {}", archive.display());
    Ok(())
}

fn strip_all(from: &Path, to: &Path) -> Result<usize> {
    fs::create_dir_all(to)?;
    let mut count = 0;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        // The corpus's list of moves, and our own table of contents, are no messages.
        if name == "cmds" || name == "index.tsv" {
            continue;
        }
        fs::write(to.join(name), stripped(&fs::read(&path)?))?;
        count += 1;
    }
    Ok(count)
}
