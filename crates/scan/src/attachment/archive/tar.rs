//! Tape archives (POSIX.1-2017 pax, "ustar Interchange Format"; GNU long names; the old V7 form by its checksum).
//! Links and devices are passed over; sparse files are listed with what they take in the archive.

use super::{Data, Entry, Listing, name_text};

const BLOCK: usize = 512;

/// Whether a file that begins with `head` is a tape archive: the checksum of its first header is right.
pub(in crate::attachment) fn is_tar(head: &[u8]) -> bool {
    head.first_chunk::<BLOCK>()
        .is_some_and(|header| header[0] != 0 && has_checksum(header))
}

/// Lists at most `entries_max` entries.
pub(super) fn list(bytes: &[u8], entries_max: usize) -> Listing<'_> {
    let mut listing = Listing::default();
    let mut position = 0;
    let mut headers = 0;
    let mut long_name = None;
    while let Some(header) = bytes.get(position..).and_then(<[u8]>::first_chunk::<BLOCK>) {
        if header.iter().all(|byte| *byte == 0) {
            break;
        }
        if headers >= entries_max {
            listing.is_cut = true;
            break;
        }
        headers += 1;
        if !has_checksum(header) {
            listing.is_damaged = true;
            break;
        }
        let size = number(&header[124..136]);
        let data_at = position + BLOCK;
        let rest = bytes.get(data_at..).unwrap_or_default();
        let taken = usize::try_from(size).unwrap_or(usize::MAX).min(rest.len());
        let data = rest.get(..taken).unwrap_or_default();
        match header[156] {
            b'L' => long_name = Some(name_text(until_nul(data))),
            b'x' => long_name = pax_path(data).or(long_name),
            0 | b'0' | b'7' => {
                let name = long_name.take().unwrap_or_else(|| header_name(header));
                if !name.ends_with('/') {
                    listing.entries.push(Entry {
                        name,
                        aliases: Vec::new(),
                        is_encrypted: false,
                        size,
                        packed_size: taken as u64,
                        data: Data::Stored(data),
                    });
                }
            }
            _ => long_name = None,
        }
        position = data_at + taken.next_multiple_of(BLOCK);
    }
    listing
}

/// The checksum is the sum of the header's bytes with its own field taken as blanks.
fn has_checksum(header: &[u8; BLOCK]) -> bool {
    let sum: u64 = header
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            u64::from(if (148..156).contains(&at) {
                b' '
            } else {
                *byte
            })
        })
        .sum();
    number(&header[148..156]) == sum
}

/// Octal digits among blanks and NULs, or the GNU base-256 form, told by the first bit.
fn number(field: &[u8]) -> u64 {
    if let [first, rest @ ..] = field
        && first & 0x80 != 0
    {
        return rest.iter().fold(u64::from(first & 0x7f), |value, byte| {
            value.saturating_mul(256).saturating_add(u64::from(*byte))
        });
    }
    field
        .iter()
        .skip_while(|byte| **byte == b' ')
        .map_while(|byte| char::from(*byte).to_digit(8))
        .fold(0, |value, digit| {
            value.saturating_mul(8).saturating_add(u64::from(digit))
        })
}

fn header_name(header: &[u8; BLOCK]) -> String {
    let name = name_text(until_nul(&header[..100]));
    let prefix = until_nul(&header[345..500]);
    if prefix.is_empty() || !header[257..].starts_with(b"ustar\0") {
        return name;
    }
    format!("{}/{name}", name_text(prefix))
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The path record of a pax extended header: records are `LENGTH KEY=VALUE` and a line feed.
fn pax_path(mut records: &[u8]) -> Option<String> {
    loop {
        let blank = memchr::memchr(b' ', records)?;
        let length: usize = str::from_utf8(records.get(..blank)?).ok()?.parse().ok()?;
        let record = records.get(blank + 1..length)?;
        if let Some(path) = record.strip_prefix(b"path=") {
            return Some(name_text(path.strip_suffix(b"\n").unwrap_or(path)));
        }
        records = records.get(length..)?;
    }
}
