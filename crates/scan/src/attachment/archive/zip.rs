//! ZIP (APPNOTE.TXT 6.3.10): the central directory, and where there is none the local headers one after the other.
//! Sizes above 4 GiB (Zip64) are understood; what spans several disks is not.

use std::ops::Range;

use memchr::memmem;

use super::{ALIASES_MAX, Data, Entry, Listing, name_text, u16_at, u32_at, u64_at};

const LOCAL_HEADER: &[u8] = b"PK\x03\x04";
const CENTRAL_HEADER: &[u8] = b"PK\x01\x02";
const DIRECTORY_END: &[u8] = b"PK\x05\x06";
const ZIP64_DIRECTORY_END: &[u8] = b"PK\x06\x06";
const ZIP64_LOCATOR: &[u8] = b"PK\x06\x07";

/// The end record is 22 bytes and a comment of at most 65,535 (4.3.16).
const DIRECTORY_END_BYTES: usize = 22;
const DIRECTORY_END_SOUGHT: usize = DIRECTORY_END_BYTES + 65_535;

/// General purpose flags (4.4.4).
const FLAG_ENCRYPTED: u16 = 1;
const FLAG_SIZES_FOLLOW: u16 = 1 << 3;
const FLAG_DIRECTORY_ENCRYPTED: u16 = 1 << 13;

/// Compression methods (4.4.5).
const METHOD_STORED: u16 = 0;
const METHOD_DEFLATED: u16 = 8;
const METHOD_AES: u16 = 99;

/// Lists at most `entries_max` entries.
pub(super) fn list(bytes: &[u8], entries_max: usize) -> Listing<'_> {
    let mut listing = Listing::default();
    let mut spans = Vec::new();
    if let Some(directory) = directory(bytes) {
        central(bytes, &directory, entries_max, &mut listing, &mut spans);
    }
    if spans.is_empty() {
        // No directory, or an empty one before which there are files: a program that repairs archives finds them.
        listing.is_damaged = bytes.starts_with(LOCAL_HEADER);
        local(bytes, entries_max, &mut listing);
    }
    spans.sort_unstable_by_key(|span| (span.start, span.end));
    listing.is_overlapping = spans
        .windows(2)
        .any(|pair| matches!(pair, [first, second] if second.start < first.end));
    listing
}

/// Whether there is an end of a central directory that points to one.
pub(super) fn has_directory(bytes: &[u8]) -> bool {
    directory(bytes).is_some_and(|directory| {
        bytes
            .get(directory.start..)
            .is_some_and(|rest| rest.starts_with(CENTRAL_HEADER))
    })
}

/// Where the central directory stands, and what is to be added to the offsets in it.
struct Directory {
    start: usize,
    end: usize,
    prefix: usize,
}

fn directory(bytes: &[u8]) -> Option<Directory> {
    let tail_start = bytes.len().saturating_sub(DIRECTORY_END_SOUGHT);
    let end = tail_start + memmem::rfind(bytes.get(tail_start..)?, DIRECTORY_END)?;
    let mut size = u64::from(u32_at(bytes, end + 12)?);
    let mut offset = u64::from(u32_at(bytes, end + 16)?);
    let mut directory_end = end;
    if (size == u64::from(u32::MAX) || offset == u64::from(u32::MAX))
        && let Some(record) = zip64_record(bytes, end)
    {
        size = u64_at(bytes, record + 40)?;
        offset = u64_at(bytes, record + 48)?;
        directory_end = record;
    }
    // Something may stand before the archive, such as a program that unpacks it: offsets then count from its start.
    let start = directory_end.checked_sub(usize::try_from(size).ok()?)?;
    let prefix = start.checked_sub(usize::try_from(offset).ok()?);
    Some(match prefix {
        Some(prefix) => Directory {
            start,
            end: directory_end,
            prefix,
        },
        None => Directory {
            start: usize::try_from(offset).ok()?,
            end: directory_end,
            prefix: 0,
        },
    })
}

/// The Zip64 end record that the locator before the end record points to (4.3.14, 4.3.15).
fn zip64_record(bytes: &[u8], end: usize) -> Option<usize> {
    let locator = end.checked_sub(20)?;
    if !bytes.get(locator..)?.starts_with(ZIP64_LOCATOR) {
        return None;
    }
    let claimed = usize::try_from(u64_at(bytes, locator + 8)?).ok()?;
    // With something before the archive the claim is off; then the record stands right before its locator.
    [claimed, locator.checked_sub(56)?].into_iter().find(|at| {
        bytes
            .get(*at..)
            .is_some_and(|rest| rest.starts_with(ZIP64_DIRECTORY_END))
    })
}

fn central<'a>(
    bytes: &'a [u8],
    directory: &Directory,
    entries_max: usize,
    listing: &mut Listing<'a>,
    spans: &mut Vec<Range<usize>>,
) {
    let mut position = directory.start;
    let mut headers = 0;
    while position < directory.end {
        let Some(header) = Central::read(bytes, position) else {
            listing.is_damaged = true;
            return;
        };
        if headers >= entries_max {
            listing.is_cut = true;
            return;
        }
        headers += 1;
        position = header.next;
        listing.is_sealed |= header.flags & FLAG_DIRECTORY_ENCRYPTED != 0;
        if let Some((entry, span)) = header.entry(bytes, directory.prefix) {
            spans.push(span);
            if !entry.name.ends_with('/') {
                listing.entries.push(entry);
            }
        } else {
            listing.is_damaged = true;
        }
    }
}

/// A central header (4.3.12).
struct Central<'a> {
    flags: u16,
    method: u16,
    name: &'a [u8],
    extra: &'a [u8],
    packed_size: u64,
    size: u64,
    local_at: u64,
    next: usize,
}

impl<'a> Central<'a> {
    fn read(bytes: &'a [u8], at: usize) -> Option<Central<'a>> {
        if !bytes.get(at..)?.starts_with(CENTRAL_HEADER) {
            return None;
        }
        let name_start = at + 46;
        let name_end = name_start + usize::from(u16_at(bytes, at + 28)?);
        let extra_end = name_end + usize::from(u16_at(bytes, at + 30)?);
        let mut header = Central {
            flags: u16_at(bytes, at + 8)?,
            method: u16_at(bytes, at + 10)?,
            name: bytes.get(name_start..name_end)?,
            extra: bytes.get(name_end..extra_end)?,
            packed_size: u64::from(u32_at(bytes, at + 20)?),
            size: u64::from(u32_at(bytes, at + 24)?),
            local_at: u64::from(u32_at(bytes, at + 42)?),
            next: extra_end + usize::from(u16_at(bytes, at + 32)?),
        };
        header.zip64();
        Some(header)
    }

    /// Sizes and offset from the Zip64 extra field, each there only if its place in the header is all ones (4.5.3).
    fn zip64(&mut self) {
        let Some(mut rest) = extra_field(self.extra, 0x0001) else {
            return;
        };
        for value in [&mut self.size, &mut self.packed_size, &mut self.local_at] {
            if *value == u64::from(u32::MAX)
                && let Some((number, tail)) = rest.split_first_chunk()
            {
                *value = u64::from_le_bytes(*number);
                rest = tail;
            }
        }
    }

    /// The entry and the bytes of the archive that it takes, if its local header is there.
    fn entry(&self, bytes: &'a [u8], prefix: usize) -> Option<(Entry<'a>, Range<usize>)> {
        let start = usize::try_from(self.local_at).ok()?.checked_add(prefix)?;
        let local = bytes.get(start..)?;
        if !local.starts_with(LOCAL_HEADER) {
            return None;
        }
        let name_bytes = usize::from(u16_at(local, 26)?);
        let data_at = 30 + name_bytes + usize::from(u16_at(local, 28)?);
        let packed = local.get(data_at..)?;
        let packed_size = usize::try_from(self.packed_size).unwrap_or(usize::MAX);
        let packed = packed.get(..packed_size).unwrap_or(packed);
        let mut entry = Entry {
            name: name_text(self.name),
            aliases: Vec::new(),
            is_encrypted: self.flags & FLAG_ENCRYPTED != 0 || self.method == METHOD_AES,
            size: self.size,
            packed_size: self.packed_size,
            data: data(self.flags, self.method, packed),
        };
        // The name in the local header, and the Unicode name (4.6.9): some programs prefer these.
        let local_name = local.get(30..30 + name_bytes).map(name_text);
        let unicode_name = extra_field(self.extra, 0x7075)
            .and_then(|field| field.get(5..))
            .map(name_text);
        for alias in [local_name, unicode_name].into_iter().flatten() {
            if alias != entry.name && entry.aliases.len() < ALIASES_MAX {
                entry.aliases.push(alias);
            }
        }
        Some((entry, start..start + data_at + packed.len()))
    }
}

/// The extra field with this header id (4.5.1).
fn extra_field(mut extra: &[u8], id: u16) -> Option<&[u8]> {
    loop {
        let found = u16_at(extra, 0)?;
        let end = 4 + usize::from(u16_at(extra, 2)?);
        if found == id {
            return extra.get(4..end);
        }
        extra = extra.get(end..)?;
    }
}

fn data(flags: u16, method: u16, packed: &[u8]) -> Data<'_> {
    match method {
        _ if flags & FLAG_ENCRYPTED != 0 => Data::Opaque,
        METHOD_STORED => Data::Stored(packed),
        METHOD_DEFLATED => Data::Deflated(packed),
        _ => Data::Opaque,
    }
}

/// Local headers (4.3.7) from the start on. Where sizes only follow the data, the next header is searched.
fn local<'a>(bytes: &'a [u8], entries_max: usize, listing: &mut Listing<'a>) {
    let mut position = 0;
    while let Some((entry, next)) = local_entry(bytes, position) {
        if listing.entries.len() >= entries_max {
            listing.is_cut = true;
            return;
        }
        if !entry.name.ends_with('/') {
            listing.entries.push(entry);
        }
        position = next;
    }
}

/// The entry whose local header is at `at`, and where the next one may be: always further on.
fn local_entry(bytes: &[u8], at: usize) -> Option<(Entry<'_>, usize)> {
    let header = bytes.get(at..)?;
    if !header.starts_with(LOCAL_HEADER) {
        return None;
    }
    let flags = u16_at(header, 6)?;
    let name_end = 30 + usize::from(u16_at(header, 26)?);
    let data_at = name_end + usize::from(u16_at(header, 28)?);
    let rest = header.get(data_at..)?;
    let claimed = usize::try_from(u32_at(header, 18)?).ok()?;
    let packed = if flags & FLAG_SIZES_FOLLOW != 0 && claimed == 0 {
        let end = memmem::find(rest, LOCAL_HEADER).unwrap_or(rest.len());
        rest.get(..end)?
    } else {
        rest.get(..claimed).unwrap_or(rest)
    };
    let entry = Entry {
        name: name_text(header.get(30..name_end)?),
        aliases: Vec::new(),
        is_encrypted: flags & FLAG_ENCRYPTED != 0,
        size: u64::from(u32_at(header, 22)?),
        packed_size: packed.len() as u64,
        data: data(flags, u16_at(header, 8)?, packed),
    };
    Some((entry, at + data_at + packed.len()))
}
