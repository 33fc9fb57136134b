//! Which messages belong together: the same body, almost the same body, the same thread. A test on messages whose
//! like was trained with would tell nothing.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use super::features::words;
use crate::content::reading::Reading;

/// Bands of the near-duplicates' hashes, and hashes in each.
const BANDS: usize = 6;
const BAND_HASHES: usize = 3;

/// What ties a message to others: any key in common puts two into one cluster.
#[derive(Clone, Debug, Default)]
pub struct Ties {
    /// The hash of the body's words, the same for duplicates; `None` if there are too few to tell.
    pub body: Option<u64>,
    keys: Vec<u64>,
}

impl Ties {
    /// The ties of a message.
    pub fn of(reading: &Reading) -> Ties {
        let state = fixed_hasher();
        let words: Vec<String> = words(reading.visible()).collect();
        let mut keys = Vec::new();
        let body = (words.len() > 5).then(|| state.hash_one(&words));
        keys.extend(body);
        let mut least = [u64::MAX; BANDS * BAND_HASHES];
        for three in words.windows(3) {
            let hash = state.hash_one(three);
            for (index, least) in least.iter_mut().enumerate() {
                *least = (*least).min(mixed(hash, index as u64));
            }
        }
        if words.len() > 20 {
            let bands = least.chunks(BAND_HASHES).enumerate();
            keys.extend(bands.map(|band| state.hash_one(band)));
        }
        let header = reading.header();
        for name in ["message-id", "in-reply-to", "references"] {
            for value in header.values(name) {
                let identifiers = value.split_whitespace().filter(|word| word.contains('@'));
                keys.extend(
                    identifiers
                        .take(50)
                        .map(|word| state.hash_one(("id", word))),
                );
            }
        }
        let thread = thread(reading.subject());
        if thread.len() > 8 {
            keys.push(state.hash_one(("subject", thread)));
        }
        Ties { body, keys }
    }
}

/// The number of each message's cluster, by its ties.
pub fn clusters<'t>(ties: impl Iterator<Item = &'t Ties>) -> Vec<usize> {
    let mut parents: Vec<usize> = Vec::new();
    let mut first: HashMap<u64, usize> = HashMap::new();
    for (index, ties) in ties.enumerate() {
        parents.push(index);
        for key in &ties.keys {
            let other = *first.entry(*key).or_insert(index);
            let (a, b) = (root(&mut parents, index), root(&mut parents, other));
            if let Some(parent) = parents.get_mut(a.max(b)) {
                *parent = a.min(b);
            }
        }
    }
    let roots: Vec<usize> = (0..parents.len())
        .map(|at| root(&mut parents, at))
        .collect();
    // Numbered by their order, so that numbers modulo a number of folds are even.
    let mut numbers = HashMap::new();
    let number = |root| {
        let next = numbers.len();
        *numbers.entry(root).or_insert(next)
    };
    roots.into_iter().map(number).collect()
}

fn root(parents: &mut [usize], of: usize) -> usize {
    let mut at = of;
    while let Some(parent) = parents.get(at).copied().filter(|parent| *parent != at) {
        let above = parents.get(parent).copied().unwrap_or(parent);
        if let Some(slot) = parents.get_mut(at) {
            *slot = above;
        }
        at = above;
    }
    at
}

/// A subject without what replies and lists put before it.
fn thread(subject: &str) -> String {
    let mut rest = subject.trim();
    loop {
        let bare = ["re:", "fw:", "fwd:", "aw:"].iter().find_map(|mark| {
            let start = rest.get(..mark.len())?;
            start
                .eq_ignore_ascii_case(mark)
                .then(|| rest.get(mark.len()..))?
        });
        let bare = bare.or_else(|| {
            rest.strip_prefix('[')?
                .split_once(']')
                .map(|(_, bare)| bare)
        });
        match bare {
            Some(bare) => rest = bare.trim_start(),
            None => return rest.to_lowercase(),
        }
    }
}

fn mixed(hash: u64, salt: u64) -> u64 {
    let mixed =
        (hash ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 31)
}

/// A hasher without a random key: clusters are the same in each run.
fn fixed_hasher() -> BuildHasherDefault<DefaultHasher> {
    BuildHasherDefault::default()
}
