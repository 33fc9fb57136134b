//! Suspensions: a small file of their own, written anew at each change, so that they outlive restarts.
//!
//! One line each, fields separated by tabs: kind, name, milliseconds since 1970 UTC, actor, reason; CRC-32 in hex before.

use std::io::{self, IoSlice};

use super::Queue;
use super::shared::{Shared, wall};
use crate::codec::clip;
use crate::limits::{ACTOR_BYTES_MAX, REASON_BYTES_MAX, SUSPENSIONS_MAX};
use crate::{Actor, Notice, Suspended, Suspension};

impl Queue {
    /// Delivers nothing of this any more until it is resumed. Synced before it returns; restarts keep it. Again for what is
    /// suspended already: the new actor and reason count.
    ///
    /// # Errors
    /// If it could not be written, or there are too many: then nothing has changed.
    pub fn suspend(&self, what: Suspended, by: &Actor) -> io::Result<()> {
        let shared = &self.shared;
        let mut all = shared.suspended();
        let mut new: Vec<Suspension> = all
            .iter()
            .filter(|known| known.what != what)
            .cloned()
            .collect();
        if new.len() >= SUSPENSIONS_MAX {
            return Err(io::Error::other("too many suspensions: resume some first"));
        }
        let by = Actor {
            name: plain(clip(&by.name, ACTOR_BYTES_MAX)),
            reason: plain(clip(&by.reason, REASON_BYTES_MAX)),
        };
        new.push(Suspension {
            what: what.clone(),
            by,
            since: wall(),
        });
        shared.write_suspensions(&new)?;
        *all = new;
        shared.plan().schedule.suspend(what, shared.now());
        Ok(())
    }

    /// Goes on with it; false if it was not suspended. Nothing is kept of a suspension that is over: who ended it is the
    /// caller's to record.
    ///
    /// # Errors
    /// If it could not be written: then it stays suspended.
    pub fn resume(&self, what: &Suspended) -> io::Result<bool> {
        let shared = &self.shared;
        let mut all = shared.suspended();
        let new: Vec<Suspension> = all
            .iter()
            .filter(|known| known.what != *what)
            .cloned()
            .collect();
        if new.len() == all.len() {
            return Ok(false);
        }
        shared.write_suspensions(&new)?;
        *all = new;
        shared.plan().schedule.resume(what, shared.now());
        shared.rouse();
        Ok(true)
    }

    /// What is suspended.
    pub fn suspensions(&self) -> Vec<Suspension> {
        self.shared.suspended().clone()
    }
}

impl Shared {
    /// Reads those of earlier runs. A line that cannot be read is told and left out.
    pub(crate) fn load_suspensions(&self) {
        let bytes = match self
            .store
            .read_all(&self.store.settings.folder.join("suspensions"))
        {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => {
                self.store.tell(Notice::DiskFault {
                    what: "reading the suspensions",
                    detail: error.to_string(),
                });
                return;
            }
        };
        let text = String::from_utf8_lossy(&bytes);
        let mut all = self.suspended();
        let now = self.now();
        for line in text.lines().take(SUSPENSIONS_MAX) {
            let Some(suspension) = read(line) else {
                self.store.tell(Notice::DiskFault {
                    what: "reading the suspensions",
                    detail: "a line is damaged".to_owned(),
                });
                continue;
            };
            self.plan().schedule.suspend(suspension.what.clone(), now);
            all.push(suspension);
        }
    }

    fn write_suspensions(&self, all: &[Suspension]) -> io::Result<()> {
        let folder = &self.store.settings.folder;
        let (new, path) = (folder.join("suspensions.new"), folder.join("suspensions"));
        let text: String = all.iter().map(line).collect();
        // One that a crash has left behind.
        drop(self.store.disk.remove(&new));
        let file = self.store.disk.create(&new)?;
        file.write_at(0, &[IoSlice::new(text.as_bytes())])?;
        self.store.sync(&*file)?;
        self.store.disk.rename(&new, &path)?;
        self.store.disk.sync_folder(folder)
    }
}

pub(crate) fn line(suspension: &Suspension) -> String {
    let (kind, name) = match &suspension.what {
        Suspended::Domain(name) => ("domain", name),
        Suspended::Customer(name) => ("customer", name),
        Suspended::Site(name) => ("site", name),
    };
    let Actor {
        name: actor,
        reason,
    } = &suspension.by;
    let fields = format!(
        "{kind}\t{}\t{}\t{actor}\t{reason}",
        plain(name),
        suspension.since
    );
    format!("{:08x}\t{fields}\n", crc32fast::hash(fields.as_bytes()))
}

pub(crate) fn read(line: &str) -> Option<Suspension> {
    let (crc, fields) = line.split_once('\t')?;
    (u32::from_str_radix(crc, 16).ok()? == crc32fast::hash(fields.as_bytes())).then_some(())?;
    let mut fields = fields.splitn(5, '\t');
    let (kind, name) = (fields.next()?, fields.next()?.to_owned());
    let what = match kind {
        "domain" => Suspended::Domain(name),
        "customer" => Suspended::Customer(name),
        "site" => Suspended::Site(name),
        _ => return None,
    };
    let since = fields.next()?.parse().ok()?;
    let by = Actor {
        name: fields.next()?.to_owned(),
        reason: fields.next()?.to_owned(),
    };
    Some(Suspension { what, by, since })
}

/// Without what separates fields and lines.
fn plain(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}
