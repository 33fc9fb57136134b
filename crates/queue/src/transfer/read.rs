//! Reading the file piece by piece: one message is in memory at a time, whatever the file holds.
//!
//! What is damaged is told with its place, and the next record is searched by the file's salt. A header with a right checksum
//! is believed about its record's length once more bytes than twice the file were read in vain, so that each byte is looked
//! at a bounded number of times, whoever made the file.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use memchr::memmem;

use super::format::{FILE_HEADER_BYTES, FOOTER_BYTES, FileHeader, Footer, Head};
use crate::journal::Fate;
use crate::record::{HEADER_BYTES, RecordHeader, envelope};
use crate::{DiskFile, Envelope};

/// Bytes of a content that are taken into memory; a message of more cannot be accepted either.
pub(crate) const CONTENT_BYTES_MAX: u64 = 1 << 30;
/// Bytes that are searched at a time.
const WINDOW_BYTES: usize = 64 << 10;

/// What a file holds at one place.
#[derive(Debug, PartialEq)]
pub(crate) enum Piece {
    /// A message.
    Message(Box<Message>),
    /// The footer.
    Footer(Footer),
    /// A stretch that is neither.
    Damaged {
        /// Where it begins.
        offset: u64,
        /// How long it is.
        bytes: u64,
        /// What is wrong.
        detail: &'static str,
    },
    /// Nothing more.
    End,
}

/// A message as it stands in a file.
#[derive(Debug, PartialEq)]
pub(crate) struct Message {
    /// Where.
    pub(crate) offset: u64,
    /// Its envelope, with the recipients that were exported.
    pub(crate) envelope: Envelope,
    /// How those fare of which more is known than that they wait, by their indices, in order.
    pub(crate) fates: Vec<(u32, Fate)>,
    /// Header section and body.
    pub(crate) content: Bytes,
}

/// A file that is being read.
pub(crate) struct FileReader {
    file: Arc<dyn DiskFile>,
    header: Option<FileHeader>,
    salt: u64,
    length: u64,
    at: u64,
    /// Bytes that were read for records that turned out to be none.
    in_vain: u64,
}

/// Why a file cannot be read at all.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It is of a later version.
    Later(u8),
    /// It is no export, or its header and first record are both damaged.
    Foreign,
    /// The disk failed.
    Disk(io::Error),
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Unreadable {
        Unreadable::Disk(error)
    }
}

/// What is wrong with a place, and how many bytes hold no other record for certain.
type Wrong = (&'static str, u64);

impl FileReader {
    /// Reads the header. If only that is damaged the first record has the salt as well.
    pub(crate) fn open(file: Arc<dyn DiskFile>) -> Result<FileReader, Unreadable> {
        let length = file.bytes()?;
        let mut start = [0; FILE_HEADER_BYTES + HEADER_BYTES];
        let read = file.read_at(0, &mut start)?;
        let start = start.get(..read).unwrap_or_default();
        let (header, salt) = match FileHeader::decode(start) {
            Head::Whole(header) => (Some(header.clone()), header.salt),
            Head::Later(version) => return Err(Unreadable::Later(version)),
            Head::Damaged => (None, salt_of(start).ok_or(Unreadable::Foreign)?),
        };
        Ok(FileReader {
            file,
            header,
            salt,
            length,
            at: FILE_HEADER_BYTES as u64,
            in_vain: 0,
        })
    }

    /// The header, unless it is damaged.
    pub(crate) fn header(&self) -> Option<&FileHeader> {
        self.header.as_ref()
    }

    /// The name of the export.
    pub(crate) fn salt(&self) -> u64 {
        self.salt
    }

    /// Bytes of the file.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Where the next piece begins.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Goes on from here.
    pub(crate) fn seek(&mut self, at: u64) {
        self.at = at.max(FILE_HEADER_BYTES as u64);
    }

    /// Whether the file is finished, so that nothing of it is missing. A header that is damaged no longer tells; then a footer
    /// in its place does.
    pub(crate) fn is_finished(&self) -> io::Result<bool> {
        if let Some(header) = &self.header {
            return Ok(header.finished);
        }
        let Some(at) = self.length.checked_sub(FOOTER_BYTES as u64) else {
            return Ok(false);
        };
        let footer = Footer::decode(&self.bytes_at(at, FOOTER_BYTES)?, self.salt);
        Ok(footer.is_some_and(|footer| footer.offset == at))
    }

    /// Takes back all that was written, synced.
    pub(crate) fn erase(&mut self) -> io::Result<()> {
        self.file.truncate(0)?;
        self.length = 0;
        self.file.sync()
    }

    /// The next piece.
    pub(crate) fn next(&mut self) -> io::Result<Piece> {
        if self.at >= self.length {
            return Ok(Piece::End);
        }
        let offset = self.at;
        match self.whole(offset)? {
            Ok((piece, bytes)) => {
                self.at += bytes;
                Ok(piece)
            }
            Err((detail, skip)) => {
                self.at = self.search(offset.saturating_add(skip))?;
                Ok(Piece::Damaged {
                    offset,
                    bytes: self.at - offset,
                    detail,
                })
            }
        }
    }

    fn whole(&mut self, offset: u64) -> io::Result<Result<(Piece, u64), Wrong>> {
        let start = self.bytes_at(offset, HEADER_BYTES)?;
        if let Some(footer) = Footer::decode(&start, self.salt) {
            return Ok(Ok((Piece::Footer(footer), FOOTER_BYTES as u64)));
        }
        let Some(header) = RecordHeader::decode(&start, self.salt) else {
            return Ok(Err(("the header is damaged", 1)));
        };
        let behind_header = HEADER_BYTES as u64;
        if header.apart || header.content_bytes > CONTENT_BYTES_MAX {
            return Ok(Err(("the header is none of an export", behind_header)));
        }
        let bytes = header.record_bytes();
        if bytes > self.length - offset {
            return Ok(Err(("the record is cut short", behind_header)));
        }
        match self.record(offset, &header)? {
            Ok(message) => Ok(Ok((Piece::Message(Box::new(message)), bytes))),
            Err(detail) => {
                self.in_vain = self.in_vain.saturating_add(bytes);
                let is_followed = self.begins(offset + bytes)?;
                let is_enough = self.in_vain > self.length.saturating_mul(2);
                let skip = if is_followed || is_enough {
                    bytes
                } else {
                    behind_header
                };
                Ok(Err((detail, skip)))
            }
        }
    }

    fn record(
        &self,
        offset: u64,
        header: &RecordHeader,
    ) -> io::Result<Result<Message, &'static str>> {
        let at = offset + HEADER_BYTES as u64;
        let coded = self.bytes_at(at, header.envelope_bytes as usize)?;
        if crc32fast::hash(&coded) != header.envelope_crc {
            return Ok(Err("the envelope is damaged"));
        }
        let Some((envelope, fates)) = envelope::decode(&coded).zip(envelope::fates(&coded)) else {
            return Ok(Err("the envelope cannot be read"));
        };
        let fits = |(recipient, _): &(u32, Fate)| (*recipient as usize) < envelope.recipients.len();
        if !fates.iter().all(fits) {
            return Ok(Err("a state is that of no recipient"));
        }
        let bytes = usize::try_from(header.content_bytes).unwrap_or(usize::MAX);
        let content = self.bytes_at(at + u64::from(header.envelope_bytes), bytes)?;
        if content.len() != bytes || crc32fast::hash(&content) != header.content_crc {
            return Ok(Err("the content is damaged"));
        }
        Ok(Ok(Message {
            offset,
            envelope,
            fates,
            content: content.into(),
        }))
    }

    /// Whether a record or the footer begins here, or the file ends.
    fn begins(&self, at: u64) -> io::Result<bool> {
        let start = self.bytes_at(at, HEADER_BYTES)?;
        Ok(at == self.length || self.is_head(&start))
    }

    fn is_head(&self, bytes: &[u8]) -> bool {
        RecordHeader::decode(bytes, self.salt).is_some()
            || Footer::decode(bytes, self.salt).is_some()
    }

    /// Where the next record or the footer begins, at this place or behind it.
    fn search(&self, from: u64) -> io::Result<u64> {
        let salt = self.salt.to_le_bytes();
        let finder = memmem::Finder::new(&salt);
        let mut at = from.min(self.length);
        while at < self.length {
            let window = self.bytes_at(at, WINDOW_BYTES)?;
            let mut place = 0;
            while let Some(found) = window.get(place..).and_then(|rest| finder.find(rest)) {
                place += found;
                if self.is_head(window.get(place..).unwrap_or_default()) {
                    return Ok(at + place as u64);
                }
                place += 1;
            }
            // A head that the window cuts off is met whole in the next one.
            let step = window.len().saturating_sub(HEADER_BYTES - 1);
            if window.len() < WINDOW_BYTES || step == 0 {
                break;
            }
            at += step as u64;
        }
        Ok(self.length)
    }

    /// So many bytes from here on, or those that there are.
    fn bytes_at(&self, at: u64, bytes: usize) -> io::Result<Vec<u8>> {
        let left = self.length.saturating_sub(at);
        let bytes = bytes.min(usize::try_from(left).unwrap_or(usize::MAX));
        let mut buffer = vec![0; bytes];
        let read = self.file.read_at(at, &mut buffer)?;
        buffer.truncate(read);
        Ok(buffer)
    }
}

fn salt_of(start: &[u8]) -> Option<u64> {
    let first = start.get(FILE_HEADER_BYTES..)?;
    let salt = u64::from_le_bytes(first.get(..8)?.try_into().ok()?);
    let is_head =
        RecordHeader::decode(first, salt).is_some() || Footer::decode(first, salt).is_some();
    is_head.then_some(salt)
}
