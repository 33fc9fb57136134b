//! A file in memory that can only be read, and the reading of all of it: for tests and fuzz targets.

use std::io::{self, IoSlice};

use super::format::{FILE_HEADER_BYTES, FOOTER_BYTES};
use super::read::{FileReader, Piece};
use crate::DiskFile;

/// The file.
pub(crate) struct Memory(pub(crate) Vec<u8>);

impl DiskFile for Memory {
    fn write_at(&self, _: u64, _: &[IoSlice<'_>]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.0.get(start..).unwrap_or_default();
        let both = buffer.iter_mut().zip(rest);
        Ok(both.map(|(to, from)| *to = *from).count())
    }

    fn bytes(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// All pieces, which must lie one behind the other and reach to the end.
pub(crate) fn all_pieces(mut reader: FileReader) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = FILE_HEADER_BYTES as u64;
    // A file in memory does not fail.
    while let Ok(piece) = reader.next() {
        match &piece {
            Piece::End => break,
            Piece::Message(message) => assert_eq!(message.offset, at),
            Piece::Footer(_) => assert_eq!(reader.at(), at + FOOTER_BYTES as u64),
            Piece::Damaged { offset, bytes, .. } => {
                assert_eq!((*offset, offset + bytes), (at, reader.at()));
            }
        }
        assert!(reader.at() > at);
        at = reader.at();
        pieces.push(piece);
    }
    assert_eq!(at, reader.length());
    pieces
}
