//! The exceptions to the limits in `size`, each with its present value: a ratchet that only turns downward.
//!
//! What has an entry may not grow; once it fits its limit the entry has to go, once it shrank the entry has to follow
//! (`--bless` does both). Raising an entry or adding one is an edit by hand, in a commit that says why.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::Problems;
use super::size::Size;
use crate::workspace;

const FILE: &str = "xtask/tidy.ratchet";
const HEADER: &str = "\
# What may be larger than its limit, and how large it is. Values only go down: `cargo xtask tidy --bless` lowers them
# and drops what is no longer needed. To raise one, edit it here and say why in the commit.
";

/// The entries of the committed file, in its order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ratchet {
    entries: Vec<(String, usize)>,
}

impl Ratchet {
    pub(super) fn read() -> Result<Ratchet> {
        let text = fs::read_to_string(workspace::root().join(FILE)).context(FILE)?;
        Ratchet::parse(&text)
    }

    fn parse(text: &str) -> Result<Ratchet> {
        let mut entries = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let entry = line.rsplit_once(' ').and_then(|(key, value)| {
                let value = value.parse().ok()?;
                Some((key.to_owned(), value))
            });
            let entry =
                entry.with_context(|| format!("{FILE}:{}: no number at its end", index + 1))?;
            let is_new = entries.iter().all(|(key, _)| *key != entry.0);
            ensure!(is_new, "{FILE}:{}: {} stands twice", index + 1, entry.0);
            entries.push(entry);
        }
        Ok(Ratchet { entries })
    }

    pub(super) fn write(&self) -> Result<()> {
        fs::write(workspace::root().join(FILE), self.print()).context(FILE)
    }

    fn print(&self) -> String {
        let lines = self.entries.iter();
        let lines = lines.map(|(key, value)| format!("{key} {value}\n"));
        std::iter::once(HEADER.to_owned()).chain(lines).collect()
    }

    /// The same with every entry lowered to what is there now, and without those that are not needed.
    pub(super) fn lowered_to(&self, sizes: &[Size]) -> Ratchet {
        let entries = self.entries.iter().filter_map(|(key, allowed)| {
            let size = largest(sizes, key)?;
            Some((key.clone(), size.value.min(*allowed)))
        });
        Ratchet {
            entries: entries.collect(),
        }
    }

    /// Says what is over its limit, what grew, and which entries are out of date.
    pub(super) fn compare(&self, sizes: &[Size], problems: &mut Problems) {
        for (key, allowed) in &self.entries {
            match largest(sizes, key) {
                None => problems.push(format!(
                    "{FILE}: `{key}` is within its limit now: remove the entry (or --bless)"
                )),
                Some(size) if size.value < *allowed && !is_budget(key) => problems.push(format!(
                    "{FILE}: `{key}` is down to {}: lower the entry (or --bless)",
                    size.value
                )),
                Some(_) => {}
            }
        }
        for size in sizes {
            let entry = self.entries.iter().find(|(key, _)| *key == size.key);
            let (allowed, word) = match entry {
                Some((_, allowed)) => (*allowed, "in tidy.ratchet"),
                None => (size.limit, "allowed"),
            };
            if size.value > allowed {
                problems.push(format!(
                    "{}: {} is {}, {allowed} {word}",
                    size.place, size.key, size.value
                ));
            }
        }
    }
}

/// A budget may have room: the number of packages moves with every update, and only its growth matters.
fn is_budget(key: &str) -> bool {
    key.starts_with("packages ")
}

/// Two functions of one file may bear one name: the entry stands for the longer.
fn largest<'a>(sizes: &'a [Size], key: &str) -> Option<&'a Size> {
    let same = sizes.iter().filter(|size| size.key == key);
    same.max_by_key(|size| size.value)
}

#[cfg(test)]
mod tests;
