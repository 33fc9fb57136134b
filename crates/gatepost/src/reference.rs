//! References: the short id of a transaction in replies, logs, trace fields, console and release page.
//!
//! `K7QX-3M9D-2F` is 50 bits in Crockford's base32: 8 bits of node number, then 42 bits that no other transaction of
//! the node has. These are 30 bits of seconds since 2024 and 12 bits of sequence, mixed so that neighbours look unlike
//! and nobody confuses them on the telephone. A reference is a name, not a secret: it opens nothing by itself.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[cfg(test)]
mod tests;

/// 2024-01-01T00:00:00Z in Unix seconds. 30 bits of seconds reach into 2058.
const EPOCH_UNIX_SECONDS: u64 = 1_704_067_200;

/// Bits of the sequence within one second. A second that issues more borrows from the next.
const SEQUENCE_BITS: u32 = 12;

/// Bits that are the node's own.
const UNIQUE_BITS: u32 = 42;
const UNIQUE_MASK: u64 = (1 << UNIQUE_BITS) - 1;

/// Crockford's base32: no I, L, O, U.
const SYMBOLS: [u8; 32] = *b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Symbols of a reference, five bits each.
const SYMBOL_COUNT: usize = 10;

/// The id of a transaction. `Display` gives `K7QX-3M9D-2F`; reading is tolerant of how people write it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference(u64);

impl Reference {
    /// The number of the node that issued it.
    pub fn node(self) -> u8 {
        // 50 bits: the shift leaves 8.
        (self.0 >> UNIQUE_BITS) as u8
    }

    /// When it was issued, in Unix seconds; up to a second late, or later where more than 4096 a second were issued.
    pub fn unix_seconds(self) -> u64 {
        EPOCH_UNIX_SECONDS + (unmix(self.0 & UNIQUE_MASK) >> SEQUENCE_BITS)
    }

    /// As text, without allocating.
    pub fn to_ascii(self) -> [u8; 12] {
        let mut text = *b"0000-0000-00";
        let mut rest = self.0;
        for at in [11, 10, 8, 7, 6, 5, 3, 2, 1, 0] {
            // Masked to 0..32; `at` is within the 12 bytes.
            text[at] = SYMBOLS[(rest & 31) as usize];
            rest >>= 5;
        }
        text
    }

    fn new(node: u8, count: u64) -> Reference {
        Reference(u64::from(node) << UNIQUE_BITS | mix(count & UNIQUE_MASK))
    }
}

/// Issues the references of one node. Shared by all tasks.
#[derive(Debug)]
pub struct References {
    node: u8,
    /// The last count issued: seconds and sequence, unmixed; 0 before the first.
    last: AtomicU64,
}

impl References {
    /// For the node of this number; see [`node_number`].
    pub fn new(node: u8) -> References {
        References {
            node,
            last: AtomicU64::new(0),
        }
    }

    /// For a node that knows the last reference it issued before it was restarted: goes on behind it, whatever the
    /// clock says.
    pub fn resume(node: u8, last: Reference) -> References {
        References {
            node,
            last: AtomicU64::new(unmix(last.0 & UNIQUE_MASK)),
        }
    }

    /// The number of the node.
    pub fn node(&self) -> u8 {
        self.node
    }

    /// The next one. `now_unix_seconds` may stand still or step back: references stay distinct.
    ///
    /// The first of a process begins with the second after `now`, so that a process that was restarted within a second
    /// repeats none of its predecessor's.
    pub fn next(&self, now_unix_seconds: u64) -> Reference {
        let now = now_unix_seconds.saturating_sub(EPOCH_UNIX_SECONDS) << SEQUENCE_BITS;
        let second = 1 << SEQUENCE_BITS;
        let after = |last: u64| match last {
            0 => now + second,
            _ => now.max(last + 1),
        };
        // Nothing but the count itself is shared: relaxed ordering is enough.
        let last = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                Some(after(last))
            })
            .unwrap_or_else(|last| last);
        Reference::new(self.node, after(last))
    }
}

/// The node number of a node that was given none: a hash of its name (FNV-1a, folded to 8 bits). Two of a handful of
/// nodes may share a number; their references then still differ unless issued in the same second.
pub fn node_number(name: &str) -> u8 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
    });
    let [a, b, c, d] = hash.to_be_bytes();
    a ^ b ^ c ^ d
}

/// Two odd multipliers and their inverses modulo 2^42: multiplication by an odd number is a bijection there.
const FACTORS: [u64; 2] = [
    0x2_545f_4914_f6c5 & UNIQUE_MASK | 1,
    0x1_9e37_79b9_7f4a & UNIQUE_MASK | 1,
];
const INVERSES: [u64; 2] = [inverse(FACTORS[0]), inverse(FACTORS[1])];

/// The inverse of an odd number modulo 2^42, by Newton's iteration: each step doubles the number of right bits.
const fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut step = 0;
    while step < 5 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse)));
        step += 1;
    }
    inverse & UNIQUE_MASK
}

/// Spreads neighbouring counts over the 42 bits, without collisions.
fn mix(count: u64) -> u64 {
    FACTORS.iter().fold(fold(count), |mixed, factor| {
        fold(mixed.wrapping_mul(*factor) & UNIQUE_MASK)
    })
}

/// Undoes `mix`.
fn unmix(mixed: u64) -> u64 {
    let count = INVERSES.iter().rev().fold(mixed, |mixed, inverse| {
        fold(mixed).wrapping_mul(*inverse) & UNIQUE_MASK
    });
    fold(count)
}

/// Brings the upper half of the bits into the lower one; its own inverse.
fn fold(bits: u64) -> u64 {
    bits ^ (bits >> (UNIQUE_BITS / 2))
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.to_ascii() {
            fmt::Write::write_char(f, char::from(byte))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidReference;

impl fmt::Display for InvalidReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a reference (such as K7QX-3M9D-2F)")
    }
}

impl std::error::Error for InvalidReference {}

impl FromStr for Reference {
    type Err = InvalidReference;

    /// Takes lower case, O for 0, I and L for 1, and dashes, blanks and brackets anywhere.
    fn from_str(text: &str) -> Result<Reference, InvalidReference> {
        let mut bits = 0;
        let mut count = 0;
        for byte in text.bytes() {
            let symbol = match byte.to_ascii_uppercase() {
                b'-' | b' ' | b'[' | b']' => continue,
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            let value = SYMBOLS.iter().position(|known| *known == symbol);
            let value = value.ok_or(InvalidReference)?;
            count += 1;
            if count > SYMBOL_COUNT {
                return Err(InvalidReference);
            }
            bits = bits << 5 | value as u64;
        }
        if count == SYMBOL_COUNT {
            Ok(Reference(bits))
        } else {
            Err(InvalidReference)
        }
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Reference, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
