//! 7z, by `sevenz-rust2` without its ciphers and its rarer methods: the names, which are compressed by LZMA as a rule,
//! and which of them are encrypted. Contents are not unpacked: a single entry may cost the unpacking of all before it.
//!
//! The library makes room for as many files as the directory has bytes, and a directory of gigabytes compresses to
//! nothing. How large it will be is therefore read here, from the packed directory's own description (7zFormat.txt of
//! the 7-Zip sources), before the library sees it.

use std::io::Cursor;

use sevenz_rust2::{Archive, Error, Password};

use super::{Data, Entry, Listing, name_text, u64_at};

/// Bytes of the unpacked directory: a few thousand files with long names. The library takes about 150 times as much.
const DIRECTORY_BYTES_MAX: u64 = 512 * 1024;

/// What a byte of the directory costs, in bytes inflated elsewhere: to make room for files that are claimed takes far longer
/// than to unpack the zeros that claim them, and a message can hold a thousand such archives of 200 bytes.
const DIRECTORY_BYTE_COST: u64 = 16;

/// Memory that unpacking the directory may take, its dictionary above all, in KiB. Most of it is never touched.
const MEMORY_KIB_MAX: usize = 80 * 1024;

const SIGNATURE_HEADER_BYTES: usize = 32;
const AES_256_SHA_256: &[u8] = &[0x06, 0xf1, 0x07, 0x01];

/// Property ids of the directory.
const END: u8 = 0;
const PACK_INFO: u8 = 6;
const UNPACK_INFO: u8 = 7;
const FOLDER: u8 = 0x0b;
const UNPACK_SIZES: u8 = 0x0c;
const PACKED_DIRECTORY: u8 = 0x17;

/// Lists at most `entries_max` entries, if its directory costs no more than `cost_max`.
pub(super) fn list(bytes: &[u8], entries_max: usize, cost_max: usize) -> Listing<'_> {
    let mut listing = Listing::default();
    match directory(bytes) {
        Some(Directory::Open(size)) if size <= DIRECTORY_BYTES_MAX => {
            let cost = usize::try_from(size * DIRECTORY_BYTE_COST).unwrap_or(usize::MAX);
            if cost > cost_max {
                listing.is_cut = true;
            } else {
                listing.cost = cost;
                read(bytes, entries_max, &mut listing);
            }
        }
        Some(Directory::Open(_)) => listing.is_cut = true,
        Some(Directory::Encrypted) => listing.is_sealed = true,
        None => listing.is_damaged = true,
    }
    listing
}

fn read<'a>(bytes: &'a [u8], entries_max: usize, listing: &mut Listing<'a>) {
    let mut reader = Cursor::new(bytes);
    match Archive::read_with_memory_limit(&mut reader, &Password::empty(), MEMORY_KIB_MAX) {
        Ok(archive) => {
            listing.is_cut = archive.files.len() > entries_max;
            listing.entries = entries(&archive, bytes.len(), entries_max);
        }
        Err(Error::MaxMemLimited { .. }) => listing.is_cut = true,
        Err(_) => listing.is_damaged = true,
    }
}

fn entries<'a>(archive: &Archive, bytes: usize, entries_max: usize) -> Vec<Entry<'a>> {
    let files = archive.files.iter().enumerate().take(entries_max);
    files
        .filter(|(_, file)| !file.is_directory())
        .map(|(index, file)| Entry {
            name: name_text(file.name().as_bytes()),
            aliases: Vec::new(),
            is_encrypted: archive.is_file_encrypted(index),
            size: file.size(),
            // Entries are packed together; the whole archive is the most that one of them can take.
            packed_size: bytes as u64,
            data: Data::Opaque,
        })
        .collect()
}

/// What the start of an archive says of its directory.
enum Directory {
    /// To be had, of so many bytes once unpacked.
    Open(u64),
    Encrypted,
}

/// None for a directory that is not there, and for one without a start header: the library would search for it at a
/// quadratic cost.
fn directory(bytes: &[u8]) -> Option<Directory> {
    let offset = usize::try_from(u64_at(bytes, 12)?).ok()?;
    let size = u64_at(bytes, 20)?;
    let start = SIGNATURE_HEADER_BYTES.checked_add(offset)?;
    let end = start.checked_add(usize::try_from(size).ok()?)?;
    let mut reader = Reader(bytes.get(start..end)?);
    if reader.byte()? != PACKED_DIRECTORY {
        return Some(Directory::Open(size));
    }
    // One packed stream: where, how many, their sizes and checksums.
    reader.expect(PACK_INFO)?;
    reader.number()?;
    let streams = reader.number()?;
    reader.skip_to_end_of_pack_info(streams)?;
    // One folder of one or more coders.
    reader.expect(UNPACK_INFO)?;
    reader.expect(FOLDER)?;
    if reader.number()? != 1 || reader.byte()? != 0 {
        return None;
    }
    let (unpacked, is_encrypted) = reader.coders()?;
    if is_encrypted {
        return Some(Directory::Encrypted);
    }
    reader.expect(UNPACK_SIZES)?;
    let mut largest = 0;
    for _ in 0..unpacked {
        largest = largest.max(reader.number()?);
    }
    Some(Directory::Open(largest))
}

/// Reads the directory's primitive values.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn expect(&mut self, id: u8) -> Option<()> {
        (self.byte()? == id).then_some(())
    }

    fn take(&mut self, bytes: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(bytes).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    /// The leading ones of the first byte count the bytes that follow, lowest first; its other bits are the highest.
    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        let count = first.leading_ones();
        let mut value = 0;
        for shift in 0..count {
            value |= u64::from(self.byte()?) << (8 * shift);
        }
        if count < 7 {
            value |= u64::from(first & (0x7f >> count)) << (8 * count);
        }
        Some(value)
    }

    /// Behind the sizes (9) and checksums (10) of `streams` packed streams.
    fn skip_to_end_of_pack_info(&mut self, streams: u64) -> Option<()> {
        if !(1..=4).contains(&streams) {
            return None;
        }
        loop {
            match self.byte()? {
                END => return Some(()),
                9 => {
                    for _ in 0..streams {
                        self.number()?;
                    }
                }
                // All are defined, four bytes each.
                10 if self.byte()? != 0 => {
                    self.take(4 * streams)?;
                }
                _ => return None,
            }
        }
    }

    /// How many streams the coders of one folder give, and whether one of them decrypts.
    fn coders(&mut self) -> Option<(u64, bool)> {
        let coders = self.number()?;
        if !(1..=8).contains(&coders) {
            return None;
        }
        let mut is_encrypted = false;
        for _ in 0..coders {
            let flags = self.byte()?;
            is_encrypted |= self.take(u64::from(flags & 0x0f))? == AES_256_SHA_256;
            // 0x10: other than one stream in and one out, which the library does not read in a directory.
            if flags & 0x10 != 0 {
                return None;
            }
            if flags & 0x20 != 0 {
                let properties = self.number()?;
                self.take(properties)?;
            }
        }
        // Each coder but the last is bound to another.
        for _ in 1..coders {
            self.number()?;
            self.number()?;
        }
        Some((coders, is_encrypted))
    }
}
