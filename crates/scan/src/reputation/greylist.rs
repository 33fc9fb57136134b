//! Greylisting (RFC 6647): a newcomer is asked to come again, as every mail server does and a captured machine seldom.
//!
//! Keyed by the client's network and the domain that answers for the message, so that a farm of servers counts as one. Whoever
//! has come again is let through from then on, for weeks after it was last seen. Who has to be asked at all is the
//! policy's affair; the table is bounded, and kept over a restart.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::record::Key;

mod file;

/// Entries at most; each takes some 50 bytes.
const ENTRIES_MAX: usize = 200_000;

/// Entries of one network that wait without being the first to go when room is made: whoever may give any domain could fill
/// the table otherwise.
const WAITING_OF_NETWORK_MAX: u32 = 64;

/// How long whoever has come again is known after it was last seen.
const PASSED_SECONDS: u32 = 35 * 86_400;

/// When a newcomer may come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GreylistSettings {
    /// Not before this has passed.
    pub delay: Duration,
    /// And not after: then it is a newcomer again.
    pub window: Duration,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grey {
    /// It has come again, or did so before.
    Passes,
    /// It is to come again after so many seconds.
    Waits(u32),
}

/// Whoever was asked to come again, and whoever did. Shared by reference.
///
/// Times are seconds since 1970, given by the caller.
#[derive(Debug, Default)]
pub struct Greylist {
    entries: Mutex<Entries>,
}

type Entries = HashMap<Pair, Seen>;

/// A network and what stands for a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Pair {
    network: IpAddr,
    domain: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    first: u32,
    last: u32,
    has_passed: bool,
    /// Seconds after `first` at which it is a newcomer again.
    window: u32,
}

impl Greylist {
    /// What becomes of a message from this client, for which this domain answers.
    pub fn check(&self, ip: IpAddr, domain: &str, settings: &GreylistSettings, now: u32) -> Grey {
        let pair = Pair::new(ip, domain);
        let delay = seconds(settings.delay);
        let window = seconds(settings.window);
        let mut entries = self.lock();
        if let Some(seen) = entries.get_mut(&pair).filter(|seen| !seen.is_over(now)) {
            // The clock was set back: it waits as long as anybody, and no longer.
            seen.first = seen.first.min(now);
            seen.last = now;
            let waited = now.saturating_sub(seen.first);
            if seen.has_passed || waited >= delay {
                seen.has_passed = true;
                return Grey::Passes;
            }
            return Grey::Waits(delay - waited);
        }
        make_room(&mut entries, now);
        let seen = Seen {
            first: now,
            last: now,
            has_passed: false,
            window,
        };
        entries.insert(pair, seen);
        if delay == 0 {
            Grey::Passes
        } else {
            Grey::Waits(delay)
        }
    }

    /// Forgets whoever does not count any more.
    pub fn tidy_up(&self, now: u32) {
        self.lock().retain(|_, seen| !seen.is_over(now));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Writes it to `path`, whole or not at all. Blocks on the disk.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let bytes = file::written(&self.lock());
        super::record::snapshot::replace(path, &bytes)
    }

    /// Reads what was saved to `path`. `Some` tells what is wrong with a file that is damaged and was set aside.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn load(&self, path: &Path) -> io::Result<Option<&'static str>> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match file::read(&bytes) {
            Ok(entries) => {
                *self.lock() = entries;
                Ok(None)
            }
            Err(what) => {
                fs::rename(path, path.with_extension("damaged"))?;
                Ok(Some(what))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pair {
    fn new(ip: IpAddr, domain: &str) -> Pair {
        let network = match Key::network(ip) {
            Key::Network(ip) => ip,
            _ => ip,
        };
        Pair {
            network,
            domain: stands_for(domain),
        }
    }
}

impl Seen {
    fn is_over(&self, now: u32) -> bool {
        if self.has_passed {
            now.saturating_sub(self.last) >= PASSED_SECONDS
        } else {
            now.saturating_sub(self.first) >= self.window
        }
    }
}

/// Room for one more: whoever does not count any more goes, then whoever waits, those of crowded networks before others, then
/// whoever was seen longest ago.
fn make_room(entries: &mut Entries, now: u32) {
    if entries.len() < ENTRIES_MAX {
        return;
    }
    // An eighth goes in all, so that looking at all of them is paid for by as many that are new.
    entries.retain(|_, seen| !seen.is_over(now));
    let most = ENTRIES_MAX - ENTRIES_MAX / 8;
    let mut left = entries.len().saturating_sub(most);
    if left == 0 {
        return;
    }
    let mut waiting: HashMap<IpAddr, u32> = HashMap::new();
    for (pair, _) in entries.iter().filter(|(_, seen)| !seen.has_passed) {
        *waiting.entry(pair.network).or_default() += 1;
    }
    let worth = |pair: &Pair, seen: &Seen| {
        let waiting = waiting.get(&pair.network).copied().unwrap_or_default();
        let has_room = waiting <= WAITING_OF_NETWORK_MAX;
        (seen.has_passed, seen.has_passed || has_room, seen.last)
    };
    let mut worths: Vec<_> = entries
        .iter()
        .map(|(pair, seen)| worth(pair, seen))
        .collect();
    let (_, bound, _) = worths.select_nth_unstable(left - 1);
    let bound = *bound;
    entries.retain(|pair, seen| {
        let goes = left > 0 && worth(pair, seen) <= bound;
        left -= usize::from(goes);
        !goes
    });
}

/// 64 bits for a domain (FNV-1a): two that share them let each other pass, which harms nobody.
fn stands_for(domain: &str) -> u64 {
    domain.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
