//! A record of a segment: one message, its envelope and content behind a header with checksums.
//!
//! Header, 48 bytes, little-endian: the segment's salt (8), version (1), flags (1), zero (2), message id (8), bytes of the
//! envelope (4), bytes of the content (8), CRC-32 of the envelope (4), CRC-32 of the content (4), zero (4), CRC-32 of what
//! stands before (4). A segment begins with such a header of its own, of 48 bytes as well.
//!
//! The salt is a number that no sender can know: content that imitates a record is not taken for one when a damaged stretch
//! is searched for the next.

use std::io::{self, IoSlice};

use bytes::Bytes;
use memchr::memmem;

use crate::codec::Reader;
use crate::limits::ENVELOPE_BYTES_MAX;

pub(crate) mod envelope;
#[cfg(test)]
mod tests;

/// Bytes of the header of a record, and of a segment.
pub(crate) const HEADER_BYTES: usize = 48;
const SEGMENT_MAGIC: &[u8; 8] = b"GPQUEUE1";
const VERSION: u8 = 1;
/// The content is a file of its own.
const FLAG_APART: u8 = 1;
/// The message was moved here from an older segment.
const FLAG_MOVED: u8 = 2;

/// The header of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Its number.
    pub(crate) number: u64,
    /// What begins each of its records.
    pub(crate) salt: u64,
    /// The segment that was written before it in the same run, 0 for none.
    pub(crate) before: u64,
    /// Where that one ends: what stands behind was refused and is not to be believed.
    pub(crate) before_end: u64,
    /// Whether something does stand behind: the segment that says so outlives the other.
    pub(crate) cut: bool,
}

impl SegmentHeader {
    /// As it lies on the disk.
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(SEGMENT_MAGIC);
        for number in [self.number, self.salt, self.before, self.before_end] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.push(u8::from(self.cut));
        finish(bytes)
    }

    /// Reads it.
    pub(crate) fn decode(bytes: &[u8]) -> Option<SegmentHeader> {
        let mut reader = Reader(checked(bytes)?);
        (reader.take(8)? == SEGMENT_MAGIC).then_some(())?;
        Some(SegmentHeader {
            number: reader.u64()?,
            salt: reader.u64()?,
            before: reader.u64()?,
            before_end: reader.u64()?,
            cut: reader.byte()? != 0,
        })
    }
}

/// The header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    /// Which message.
    pub(crate) id: u64,
    /// Whether the content is a file of its own.
    pub(crate) apart: bool,
    /// Whether it was moved here from an older segment.
    pub(crate) moved: bool,
    /// Bytes of the coded envelope.
    pub(crate) envelope_bytes: u32,
    /// Bytes of the content.
    pub(crate) content_bytes: u64,
    /// CRC-32 of the coded envelope.
    pub(crate) envelope_crc: u32,
    /// CRC-32 of the content.
    pub(crate) content_crc: u32,
}

impl RecordHeader {
    /// As it lies on the disk, in a segment with this salt.
    pub(crate) fn encode(&self, salt: u64) -> [u8; HEADER_BYTES] {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(&salt.to_le_bytes());
        let apart = if self.apart { FLAG_APART } else { 0 };
        let moved = if self.moved { FLAG_MOVED } else { 0 };
        bytes.extend_from_slice(&[VERSION, apart | moved, 0, 0]);
        bytes.extend_from_slice(&self.id.to_le_bytes());
        bytes.extend_from_slice(&self.envelope_bytes.to_le_bytes());
        bytes.extend_from_slice(&self.content_bytes.to_le_bytes());
        bytes.extend_from_slice(&self.envelope_crc.to_le_bytes());
        bytes.extend_from_slice(&self.content_crc.to_le_bytes());
        finish(bytes)
    }

    /// Reads it.
    pub(crate) fn decode(bytes: &[u8], salt: u64) -> Option<RecordHeader> {
        let mut reader = Reader(checked(bytes)?);
        (reader.u64()? == salt).then_some(())?;
        (reader.byte()? == VERSION).then_some(())?;
        let flags = reader.byte()?;
        reader.take(2)?;
        let header = RecordHeader {
            id: reader.u64()?,
            apart: flags & FLAG_APART != 0,
            moved: flags & FLAG_MOVED != 0,
            envelope_bytes: reader.u32()?,
            content_bytes: reader.u64()?,
            envelope_crc: reader.u32()?,
            content_crc: reader.u32()?,
        };
        (header.envelope_bytes as usize <= ENVELOPE_BYTES_MAX).then_some(header)
    }

    /// Bytes of the whole record in its segment.
    pub(crate) fn record_bytes(&self) -> u64 {
        let content = if self.apart { 0 } else { self.content_bytes };
        (HEADER_BYTES as u64 + u64::from(self.envelope_bytes)).saturating_add(content)
    }
}

/// Pads a header and puts its checksum behind.
pub(crate) fn finish(mut bytes: Vec<u8>) -> [u8; HEADER_BYTES] {
    bytes.resize(HEADER_BYTES - 4, 0);
    let crc = crc32fast::hash(&bytes);
    let mut header = [0; HEADER_BYTES];
    let (start, end) = header.split_at_mut(HEADER_BYTES - 4);
    start.copy_from_slice(&bytes);
    end.copy_from_slice(&crc.to_le_bytes());
    header
}

/// What the checksum at the end of a header covers, if it is right.
pub(crate) fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (covered, crc) = bytes
        .get(..HEADER_BYTES)?
        .split_at_checked(HEADER_BYTES - 4)?;
    (crc32fast::hash(covered).to_le_bytes() == crc).then_some(covered)
}

/// A message that is ready to be written: everything but its place.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// Its header, the same in each segment but for the salt.
    pub(crate) header: RecordHeader,
    /// The coded envelope.
    pub(crate) envelope: Bytes,
    /// The content in slices; empty if it lies apart.
    pub(crate) content: Vec<Bytes>,
}

impl Draft {
    /// The slices to be written behind an encoded header.
    pub(crate) fn slices<'a>(
        &'a self,
        header: &'a [u8; HEADER_BYTES],
    ) -> impl Iterator<Item = IoSlice<'a>> {
        let content = self.content.iter().map(|slice| IoSlice::new(slice));
        [IoSlice::new(header), IoSlice::new(&self.envelope)]
            .into_iter()
            .chain(content)
    }
}

/// The checksum of a content in slices.
pub(crate) fn crc_of(slices: &[Bytes]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for slice in slices {
        hasher.update(slice);
    }
    hasher.finalize()
}

/// What a scan over the bytes of a segment finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// A record whose checksums are right.
    Record {
        /// Where it begins.
        offset: u64,
        /// Its header.
        header: RecordHeader,
        /// The coded envelope.
        envelope: &'a [u8],
    },
    /// A stretch that is no record.
    Damaged {
        /// Where it begins.
        offset: u64,
        /// How long it is.
        bytes: u64,
        /// Whether it reaches to the end of the segment, as a write does that a power failure cut short.
        last: bool,
        /// What is wrong.
        detail: &'static str,
    },
}

/// Reads all records of a segment whose header has been read. Each byte is looked at a bounded number of times: the search
/// for the next record compares the salt, and only where that is found is a header checked.
pub(crate) fn scan<'a>(bytes: &'a [u8], salt: u64) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    let salt_bytes = salt.to_le_bytes();
    let finder = memmem::Finder::new(&salt_bytes);
    let mut at = HEADER_BYTES;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match whole(rest, salt) {
            Ok((header, envelope)) => {
                found.push(Found::Record {
                    offset: at as u64,
                    header,
                    envelope,
                });
                at += usize::try_from(header.record_bytes()).unwrap_or(rest.len());
            }
            Err((detail, skip)) => {
                let next = next_header(rest, skip, &finder, salt);
                let length = next.unwrap_or(rest.len());
                let (offset, bytes) = (at as u64, length as u64);
                found.push(Found::Damaged {
                    offset,
                    bytes,
                    last: next.is_none(),
                    detail,
                });
                at += length;
            }
        }
    }
    found
}

/// The record at the front, or what is wrong with it and how many bytes hold no other record for certain.
fn whole(bytes: &[u8], salt: u64) -> Result<(RecordHeader, &[u8]), (&'static str, usize)> {
    let header = RecordHeader::decode(bytes, salt).ok_or(("the header is damaged", 1))?;
    let mut body = Reader(bytes.get(HEADER_BYTES..).unwrap_or_default());
    // What a header with a right checksum announces is its own: another record is searched behind the header only because
    // the content may not have been written at all.
    let short = ("the record is cut short", HEADER_BYTES);
    let envelope = body.take(header.envelope_bytes as usize).ok_or(short)?;
    if crc32fast::hash(envelope) != header.envelope_crc {
        return Err(("the envelope is damaged", HEADER_BYTES));
    }
    if !header.apart {
        let bytes = usize::try_from(header.content_bytes).map_err(|_| short)?;
        if crc32fast::hash(body.take(bytes).ok_or(short)?) != header.content_crc {
            return Err(("the content is damaged", HEADER_BYTES));
        }
    }
    Ok((header, envelope))
}

fn next_header(bytes: &[u8], skip: usize, finder: &memmem::Finder<'_>, salt: u64) -> Option<usize> {
    let mut at = skip;
    loop {
        at += finder.find(bytes.get(at..)?)?;
        if RecordHeader::decode(bytes.get(at..)?, salt).is_some() {
            return Some(at);
        }
        at += 1;
    }
}

/// Why bytes that were read are no record.
pub(crate) fn damaged(detail: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, detail)
}
