//! RAR 4 and 5, their headers only ("RAR 5.0 archive format" and technote.txt of WinRAR): names, sizes, encryption. No
//! free library reads RAR, so nothing is unpacked; entries that are merely stored can be looked at as they stand.
//! Headers that are encrypted show nothing but that.

use super::{Data, Entry, Listing, name_text, u16_at, u32_at};

const SIGNATURE_4_BYTES: usize = 7;
const SIGNATURE_5_BYTES: usize = 8;

/// Block types of RAR 4.
const MAIN_4: u8 = 0x73;
const FILE_4: u8 = 0x74;
const SERVICE_4: u8 = 0x7a;
const END_4: u8 = 0x7b;

/// Lists the headers of a RAR 4 archive, at most `entries_max`.
pub(super) fn list_4(bytes: &[u8], entries_max: usize) -> Listing<'_> {
    let mut listing = Listing::default();
    let mut position = SIGNATURE_4_BYTES;
    for blocks in 0.. {
        let Some(header) = bytes.get(position..).filter(|rest| rest.len() >= 7) else {
            break;
        };
        if blocks >= entries_max {
            listing.is_cut = true;
            break;
        }
        let Some(block) = Block4::read(header) else {
            listing.is_damaged = true;
            break;
        };
        match block.kind {
            // 0x0080: all further headers are encrypted.
            MAIN_4 if block.flags & 0x80 != 0 => {
                listing.is_sealed = true;
                break;
            }
            FILE_4 => listing.entries.extend(block.entry()),
            END_4 => break,
            _ => {}
        }
        position += block.header.len() + block.data.len();
    }
    listing
}

/// A block of a RAR 4 archive: CRC, type, flags, size of the header, and of the data behind it.
struct Block4<'a> {
    kind: u8,
    flags: u16,
    header: &'a [u8],
    data: &'a [u8],
}

impl<'a> Block4<'a> {
    fn read(bytes: &'a [u8]) -> Option<Block4<'a>> {
        let kind = *bytes.get(2)?;
        let flags = u16_at(bytes, 3)?;
        let header_bytes = usize::from(u16_at(bytes, 5)?).max(7);
        let header = bytes.get(..header_bytes)?;
        let is_file = matches!(kind, FILE_4 | SERVICE_4);
        let mut data_bytes = 0;
        if is_file || flags & 0x8000 != 0 {
            data_bytes = u64::from(u32_at(header, 7)?);
            // 0x0100: the high halves of both sizes follow the attributes.
            if is_file && flags & 0x100 != 0 {
                data_bytes |= u64::from(u32_at(header, 32)?) << 32;
            }
        }
        let rest = bytes.get(header_bytes..)?;
        let data_bytes = usize::try_from(data_bytes).unwrap_or(usize::MAX);
        Some(Block4 {
            kind,
            flags,
            header,
            data: rest.get(..data_bytes).unwrap_or(rest),
        })
    }

    /// The file of this block, unless it is a directory.
    fn entry(&self) -> Option<Entry<'a>> {
        let header = self.header;
        // 0x00e0 holds the dictionary size; all ones stand for a directory.
        if self.flags & 0xe0 == 0xe0 {
            return None;
        }
        let has_high_sizes = self.flags & 0x100 != 0;
        let mut size = u64::from(u32_at(header, 11)?);
        if has_high_sizes {
            size |= u64::from(u32_at(header, 36)?) << 32;
        }
        let name_at = if has_high_sizes { 40 } else { 32 };
        let name_bytes = usize::from(u16_at(header, 26)?);
        let name = header.get(name_at..name_at + name_bytes)?;
        let (name, unicode) = match memchr::memchr(0, name) {
            // 0x0200: behind a NUL the name follows in a packed UTF-16.
            Some(nul) if self.flags & 0x200 != 0 => {
                let (plain, packed) = name.split_at(nul);
                (plain, unpack_name(plain, packed.get(1..)?))
            }
            _ => (name, None),
        };
        let plain = name_text(name);
        let name = unicode.unwrap_or_else(|| plain.clone());
        let is_encrypted = self.flags & 0x4 != 0;
        // Method 0x30 is storing.
        let is_stored = header.get(25) == Some(&0x30);
        Some(Entry {
            aliases: Some(plain)
                .into_iter()
                .filter(|alias| *alias != name)
                .collect(),
            name,
            is_encrypted,
            size,
            packed_size: self.data.len() as u64,
            data: data(is_stored && !is_encrypted, self.data),
        })
    }
}

/// The Unicode name of a RAR 4 entry: pairs of bits say for each character whether it has no high byte, the common high
/// byte, its own, or is one of a run copied from `plain`.
fn unpack_name(plain: &[u8], packed: &[u8]) -> Option<String> {
    let mut input = packed.iter().copied();
    let high = u16::from(input.next()?) << 8;
    let mut units: Vec<u16> = Vec::new();
    let (mut flags, mut flag_bits) = (0_u8, 0);
    loop {
        if flag_bits == 0 {
            let Some(next) = input.next() else { break };
            (flags, flag_bits) = (next, 8);
        }
        let Some(first) = input.next() else { break };
        match flags >> 6 {
            0 => units.push(u16::from(first)),
            1 => units.push(high | u16::from(first)),
            2 => units.push(u16::from(input.next()?) << 8 | u16::from(first)),
            _ => {
                let count = usize::from(first & 0x7f) + 2;
                let (correction, high) = if first & 0x80 != 0 {
                    (input.next()?, high)
                } else {
                    (0, 0)
                };
                let run = plain.iter().skip(units.len()).take(count);
                units.extend(run.map(|byte| high | u16::from(byte.wrapping_add(correction))));
            }
        }
        flags <<= 2;
        flag_bits -= 2;
        if units.len() > super::NAME_BYTES_MAX {
            break;
        }
    }
    (!units.is_empty()).then(|| String::from_utf16_lossy(&units))
}

/// Lists the headers of a RAR 5 archive, at most `entries_max`.
pub(super) fn list_5(bytes: &[u8], entries_max: usize) -> Listing<'_> {
    let mut listing = Listing::default();
    let mut rest = bytes.get(SIGNATURE_5_BYTES..).unwrap_or_default();
    for blocks in 0.. {
        if rest.is_empty() {
            break;
        }
        if blocks >= entries_max {
            listing.is_cut = true;
            break;
        }
        let Some((block, next)) = Block5::read(rest) else {
            listing.is_damaged = true;
            break;
        };
        match block.kind {
            2 => listing.entries.extend(block.entry()),
            // All further headers are encrypted.
            4 => {
                listing.is_sealed = true;
                break;
            }
            5 => break,
            _ => {}
        }
        rest = next;
    }
    listing
}

/// A block of a RAR 5 archive: CRC, size, type, flags, fields of its type, extra area, data.
struct Block5<'a> {
    kind: u64,
    fields: &'a [u8],
    extra: &'a [u8],
    data: &'a [u8],
}

impl<'a> Block5<'a> {
    fn read(bytes: &'a [u8]) -> Option<(Block5<'a>, &'a [u8])> {
        let mut reader = Reader(bytes.get(4..)?);
        let header_bytes = usize::try_from(reader.number()?).ok()?;
        let (header, rest) = reader.0.split_at_checked(header_bytes)?;
        let mut reader = Reader(header);
        let kind = reader.number()?;
        let flags = reader.number()?;
        let extra_bytes = if flags & 1 != 0 { reader.number()? } else { 0 };
        let data_bytes = if flags & 2 != 0 { reader.number()? } else { 0 };
        let extra_bytes = usize::try_from(extra_bytes).ok()?;
        let fields_bytes = reader.0.len().checked_sub(extra_bytes)?;
        let (fields, extra) = reader.0.split_at_checked(fields_bytes)?;
        let data_bytes = usize::try_from(data_bytes).unwrap_or(usize::MAX);
        let (data, next) = rest.split_at(data_bytes.min(rest.len()));
        let block = Block5 {
            kind,
            fields,
            extra,
            data,
        };
        Some((block, next))
    }

    /// The file of this block, unless it is a directory.
    fn entry(&self) -> Option<Entry<'a>> {
        let mut reader = Reader(self.fields);
        let flags = reader.number()?;
        let size = reader.number()?;
        reader.number()?; // attributes
        if flags & 2 != 0 {
            reader.skip(4)?; // time
        }
        if flags & 4 != 0 {
            reader.skip(4)?; // CRC
        }
        let compression = reader.number()?;
        reader.number()?; // operating system
        let name_bytes = usize::try_from(reader.number()?).ok()?;
        let name = reader.0.get(..name_bytes)?;
        if flags & 1 != 0 {
            return None; // directory
        }
        let is_encrypted = self.has_encryption_record();
        let is_stored = compression >> 7 & 7 == 0;
        Some(Entry {
            name: name_text(name),
            aliases: Vec::new(),
            is_encrypted,
            // 0x0008: the size is unknown.
            size: if flags & 8 != 0 { 0 } else { size },
            packed_size: self.data.len() as u64,
            data: data(is_stored && !is_encrypted, self.data),
        })
    }

    /// Whether the extra area has a record of type 1.
    fn has_encryption_record(&self) -> bool {
        let mut reader = Reader(self.extra);
        while let Some(size) = reader.number() {
            let Some(record) = usize::try_from(size)
                .ok()
                .and_then(|size| reader.0.get(..size))
            else {
                return false;
            };
            if Reader(record).number() == Some(1) {
                return true;
            }
            if record.is_empty() || reader.skip(record.len()).is_none() {
                return false;
            }
        }
        false
    }
}

fn data(is_readable: bool, bytes: &[u8]) -> Data<'_> {
    if is_readable {
        Data::Stored(bytes)
    } else {
        Data::Opaque
    }
}

/// Reads the numbers of RAR 5: seven bits a byte, lowest first, the highest bit set on all but the last.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn skip(&mut self, bytes: usize) -> Option<()> {
        self.0 = self.0.get(bytes..)?;
        Some(())
    }
}
