//! How the file lies on the disk. Numbers are little-endian.
//!
//! Header, 512 bytes, written by one write that a disk does as a whole: magic (8), version (1), whether the file is finished
//! (1), zero (6), the file's salt (8), when it was begun in milliseconds since 1970 UTC (8), the name of the node with its
//! length before it, zeros, CRC-32 of what stands before (4).
//!
//! Records follow as in a segment (`crate::record`), each begun by the salt, the content always in the record; states of
//! recipients are fields of the coded envelope. The footer has 48 bytes: salt (8), kind (1), zero (3), messages (8),
//! recipients (8), bytes before it (8), zeros, CRC-32 (4).

use crate::codec::{Reader, clip, put_bytes};
use crate::record::{HEADER_BYTES, checked, finish};

/// Bytes of the header.
pub(crate) const FILE_HEADER_BYTES: usize = 512;
/// Bytes of the footer.
pub(crate) const FOOTER_BYTES: usize = HEADER_BYTES;
/// Bytes of a node's name that are kept: a domain (RFC 5321 4.5.3.1.2).
const NODE_BYTES_MAX: usize = 255;
const MAGIC: &[u8; 8] = b"GPEXPORT";
const VERSION: u8 = 1;
/// In the place where a record has its version.
const FOOTER_KIND: u8 = 0xff;

/// What the header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileHeader {
    /// Whether all was written: only then have the messages left their queue.
    pub(crate) finished: bool,
    /// What begins each record, and the name of this export: a number that is drawn anew for each.
    pub(crate) salt: u64,
    /// When it was begun, in milliseconds since 1970 UTC.
    pub(crate) begun: u64,
    /// The node that wrote it.
    pub(crate) node: String,
}

/// What stands where a header should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// A header.
    Whole(FileHeader),
    /// One of a version that this one cannot read.
    Later(u8),
    /// None that is whole.
    Damaged,
}

impl FileHeader {
    /// As it lies on the disk.
    pub(crate) fn encode(&self) -> [u8; FILE_HEADER_BYTES] {
        let mut bytes = Vec::with_capacity(FILE_HEADER_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[VERSION, u8::from(self.finished), 0, 0, 0, 0, 0, 0]);
        bytes.extend_from_slice(&self.salt.to_le_bytes());
        bytes.extend_from_slice(&self.begun.to_le_bytes());
        put_bytes(&mut bytes, clip(&self.node, NODE_BYTES_MAX).as_bytes());
        bytes.resize(FILE_HEADER_BYTES - 4, 0);
        let crc = crc32fast::hash(&bytes);
        let mut header = [0; FILE_HEADER_BYTES];
        let (start, end) = header.split_at_mut(FILE_HEADER_BYTES - 4);
        start.copy_from_slice(&bytes);
        end.copy_from_slice(&crc.to_le_bytes());
        header
    }

    /// Reads it.
    pub(crate) fn decode(bytes: &[u8]) -> Head {
        FileHeader::fields(bytes).unwrap_or(Head::Damaged)
    }

    fn fields(bytes: &[u8]) -> Option<Head> {
        let (covered, crc) = bytes
            .get(..FILE_HEADER_BYTES)?
            .split_at_checked(FILE_HEADER_BYTES - 4)?;
        (crc32fast::hash(covered).to_le_bytes() == crc).then_some(())?;
        let mut reader = Reader(covered);
        (reader.take(8)? == MAGIC).then_some(())?;
        let version = reader.byte()?;
        if version != VERSION {
            return Some(Head::Later(version));
        }
        let finished = reader.byte()? != 0;
        reader.take(6)?;
        Some(Head::Whole(FileHeader {
            finished,
            salt: reader.u64()?,
            begun: reader.u64()?,
            node: reader.text()?.to_owned(),
        }))
    }
}

/// What the footer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Footer {
    /// Messages in the file.
    pub(crate) messages: u64,
    /// Their recipients.
    pub(crate) recipients: u64,
    /// Where the footer begins.
    pub(crate) offset: u64,
}

impl Footer {
    /// As it lies on the disk, in a file with this salt.
    pub(crate) fn encode(&self, salt: u64) -> [u8; FOOTER_BYTES] {
        let mut bytes = Vec::with_capacity(FOOTER_BYTES);
        bytes.extend_from_slice(&salt.to_le_bytes());
        bytes.extend_from_slice(&[FOOTER_KIND, 0, 0, 0]);
        for number in [self.messages, self.recipients, self.offset] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        finish(bytes)
    }

    /// Reads it.
    pub(crate) fn decode(bytes: &[u8], salt: u64) -> Option<Footer> {
        let mut reader = Reader(checked(bytes)?);
        (reader.u64()? == salt).then_some(())?;
        (reader.byte()? == FOOTER_KIND).then_some(())?;
        reader.take(3)?;
        Some(Footer {
            messages: reader.u64()?,
            recipients: reader.u64()?,
            offset: reader.u64()?,
        })
    }
}
