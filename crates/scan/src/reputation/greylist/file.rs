//! The greylist on the disk: `GPGREYL1`, entries of 37 bytes, and the CRC-32 of all before it; numbers little-endian. IPv4
//! networks are written mapped into IPv6.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use super::{ENTRIES_MAX, Entries, Pair, Seen};

const MAGIC: &[u8; 8] = b"GPGREYL1";
const ENTRY_BYTES: usize = 37;

/// The bytes of a file.
pub(super) fn written(entries: &Entries) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * ENTRY_BYTES + 12);
    bytes.extend(MAGIC);
    for (pair, seen) in entries {
        let network = match pair.network {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        bytes.extend(network.octets());
        bytes.extend(pair.domain.to_le_bytes());
        for number in [seen.first, seen.last, seen.window] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.push(u8::from(seen.has_passed));
    }
    let sum = crc32fast::hash(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// The entries of a file, or what is wrong with it.
pub(super) fn read(bytes: &[u8]) -> Result<Entries, &'static str> {
    let (content, sum) = bytes.split_last_chunk::<4>().ok_or("it is too short")?;
    let list = content
        .strip_prefix(MAGIC)
        .ok_or("it does not begin as a greylist does")?;
    if crc32fast::hash(content) != u32::from_le_bytes(*sum) {
        return Err("its checksum is wrong");
    }
    if list.len() % ENTRY_BYTES != 0 {
        return Err("it is cut off");
    }
    let mut entries = HashMap::new();
    for entry in list.chunks_exact(ENTRY_BYTES).take(ENTRIES_MAX) {
        let (pair, seen) = read_entry(entry).ok_or("it has an entry that is none")?;
        entries.insert(pair, seen);
    }
    Ok(entries)
}

fn read_entry(entry: &[u8]) -> Option<(Pair, Seen)> {
    let (network, rest) = entry.split_first_chunk::<16>()?;
    let (domain, rest) = rest.split_first_chunk::<8>()?;
    let (first, rest) = rest.split_first_chunk::<4>()?;
    let (last, rest) = rest.split_first_chunk::<4>()?;
    let (window, rest) = rest.split_first_chunk::<4>()?;
    let has_passed = match rest {
        [0] => false,
        [1] => true,
        _ => return None,
    };
    let pair = Pair {
        network: IpAddr::V6(Ipv6Addr::from(*network)).to_canonical(),
        domain: u64::from_le_bytes(*domain),
    };
    let seen = Seen {
        first: u32::from_le_bytes(*first),
        last: u32::from_le_bytes(*last),
        window: u32::from_le_bytes(*window),
        has_passed,
    };
    Some((pair, seen))
}

#[cfg(test)]
mod tests;
