//! Policies on disk, one file for each domain: they hold across a restart, which is what protects a domain while somebody keeps
//! its records from us (RFC 8461 section 10.2).
//!
//! A file is replaced as a whole. What cannot be read is told and left out: the policy is fetched again.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::policy::Policy;

/// The first line of a file.
const MAGIC: &str = "gatepost-mta-sts 1";
/// Bytes of a file: a policy and four lines.
const FILE_BYTES_MAX: u64 = 80 * 1024;
/// Files that are read at start.
const FILES_MAX: usize = 50_000;

/// A policy as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The domain: lower case, A-labels.
    pub domain: String,
    /// The id in its record, when it was fetched.
    pub id: String,
    /// When it was fetched, in seconds since 1970 UTC.
    pub fetched: u64,
    /// The policy.
    pub policy: Policy,
}

/// A file that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Where it is.
    pub path: PathBuf,
    /// What is wrong with it.
    pub detail: String,
}

impl Kept {
    /// Whether it holds at `now`, in seconds since 1970 UTC. One from the future does: clocks are set back too.
    pub fn holds(&self, now: u64) -> bool {
        now.saturating_sub(self.fetched) < self.policy.max_age.as_secs()
    }

    fn text(&self) -> String {
        let Kept {
            domain,
            id,
            fetched,
            policy,
        } = self;
        let policy = policy.lines.join("\n");
        format!("{MAGIC}\ndomain: {domain}\nid: {id}\nfetched: {fetched}\n\n{policy}\n")
    }

    fn read(text: &str) -> Result<Kept, String> {
        let (head, policy) = text.split_once("\n\n").ok_or("its end is missing")?;
        let mut lines = head.lines();
        if lines.next() != Some(MAGIC) {
            return Err(format!("it does not begin with `{MAGIC}`"));
        }
        let mut line = |key: &str| {
            let value = lines.next().and_then(|line| line.strip_prefix(key));
            value.ok_or_else(|| format!("the line `{key}` is missing"))
        };
        let (domain, id, fetched) = (line("domain: ")?, line("id: ")?, line("fetched: ")?);
        Ok(Kept {
            domain: domain.to_owned(),
            id: id.to_owned(),
            fetched: fetched
                .parse()
                .map_err(|_| "`fetched` is no number".to_owned())?,
            policy: policy
                .parse()
                .map_err(|error: super::policy::InvalidPolicy| error.to_string())?,
        })
    }
}

/// The policies in `folder` that hold, and what could not be read. Files of policies that no longer hold are removed. It blocks.
///
/// # Errors
/// The folder cannot be made or read.
pub fn read_all(folder: &Path) -> io::Result<(Vec<Kept>, Vec<Damaged>)> {
    fs::create_dir_all(folder)?;
    let (mut kept, mut damaged) = (Vec::new(), Vec::new());
    let now = unix_seconds();
    for entry in fs::read_dir(folder)?.take(FILES_MAX) {
        let path = entry?.path();
        match read(&path) {
            Ok(policy) if policy.holds(now) => kept.push(policy),
            Ok(_) => _ = fs::remove_file(&path),
            // What a crash left of a write; the file that it was to replace is there.
            Err(_) if is_draft(&path) => _ = fs::remove_file(&path),
            Err(detail) => damaged.push(Damaged { path, detail }),
        }
    }
    Ok((kept, damaged))
}

/// Writes a policy, in place of the one before it. It blocks.
///
/// # Errors
/// Those of the file system.
pub fn write(folder: &Path, kept: &Kept) -> io::Result<()> {
    let path = path(folder, &kept.domain)?;
    let draft = folder.join(format!(".{:016x}", fastrand::u64(..)));
    let written = File::create(&draft).and_then(|mut file| {
        file.write_all(kept.text().as_bytes())?;
        // Without it a crash could leave an empty file under the right name.
        file.sync_all()
    });
    let written = written.and_then(|()| fs::rename(&draft, &path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

/// Removes a policy. It blocks.
pub fn remove(folder: &Path, domain: &str) {
    if let Ok(path) = path(folder, domain) {
        // It may be gone already.
        let _ = fs::remove_file(path);
    }
}

fn read(path: &Path) -> Result<Kept, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    let read = file.take(FILE_BYTES_MAX).read_to_string(&mut text);
    read.map_err(|error| error.to_string())?;
    let kept = Kept::read(&text)?;
    match path.file_name() {
        Some(name) if name == kept.domain.as_str() => Ok(kept),
        _ => Err(format!(
            "it is the policy of `{}`",
            kept.domain.escape_debug()
        )),
    }
}

fn is_draft(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// A domain is its own file name: labels hold nothing that a file system minds.
fn path(folder: &Path, domain: &str) -> io::Result<PathBuf> {
    let within = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if domain.is_empty() || domain.starts_with('.') || !domain.bytes().all(within) {
        let text = format!("`{}` is no domain name", domain.escape_debug());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    Ok(folder.join(domain))
}

/// Seconds since 1970 UTC.
pub fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_secs()
}

#[cfg(test)]
mod tests;
