//! Writing the file: records one behind the other, then the footer, and last the word that it is finished.
//!
//! A file that does not say so is nobody's: its messages are in the queue that they came from. One that says so is whole, but
//! has taken its messages over only when it has its name (`queue::export`).

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::format::{FILE_HEADER_BYTES, FileHeader, Footer};
use crate::journal::{Exporting, Fate};
use crate::limits::ENVELOPE_BYTES_MAX;
use crate::record::{RecordHeader, envelope};
use crate::{Disk, DiskFile, Envelope, RecipientState};

/// A file that is being written.
pub(crate) struct FileWriter {
    disk: Arc<dyn Disk>,
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    header: FileHeader,
    footer: Footer,
}

impl FileWriter {
    /// Makes the file, which must not exist: its name and header are synced.
    pub(crate) fn create(
        disk: &Arc<dyn Disk>,
        path: &Path,
        node: &str,
        begun: u64,
    ) -> io::Result<FileWriter> {
        let header = FileHeader {
            finished: false,
            salt: disk.nonce(),
            begun,
            node: node.to_owned(),
        };
        let writer = FileWriter {
            disk: Arc::clone(disk),
            file: disk.create(path)?,
            path: path.to_owned(),
            header,
            footer: Footer {
                offset: FILE_HEADER_BYTES as u64,
                ..Footer::default()
            },
        };
        let begun = writer
            .write_header()
            .and_then(|()| writer.disk.sync_folder(folder(path)));
        if let Err(error) = begun {
            // It holds nothing yet.
            drop(disk.remove(path));
            return Err(error);
        }
        Ok(writer)
    }

    /// The name of this export.
    pub(crate) fn salt(&self) -> u64 {
        self.header.salt
    }

    /// What is written so far.
    pub(crate) fn written(&self) -> Footer {
        self.footer
    }

    fn write_header(&self) -> io::Result<()> {
        self.file
            .write_at(0, &[IoSlice::new(&self.header.encode())])?;
        self.file.sync()
    }

    /// Appends a message with how its recipients fare, in their order.
    pub(crate) fn add(
        &mut self,
        id: u64,
        envelope: &Envelope,
        fates: &[Fate],
        content: &Bytes,
    ) -> io::Result<()> {
        let Some(coded) = coded(envelope, fates) else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the envelope is too long",
            ));
        };
        let header = RecordHeader {
            id,
            apart: false,
            moved: false,
            envelope_bytes: coded.len() as u32,
            content_bytes: content.len() as u64,
            envelope_crc: crc32fast::hash(&coded),
            content_crc: crc32fast::hash(content),
        };
        let slices = [&header.encode(self.header.salt)[..], &coded, content];
        self.file
            .write_at(self.footer.offset, &slices.map(IoSlice::new))?;
        self.footer.offset += header.record_bytes();
        self.footer.messages += 1;
        self.footer.recipients += envelope.recipients.len() as u64;
        Ok(())
    }

    /// Writes the footer, syncs all of it, and declares the file finished; returns how long it is.
    pub(crate) fn finish(&mut self) -> io::Result<u64> {
        let footer = self.footer.encode(self.header.salt);
        self.file
            .write_at(self.footer.offset, &[IoSlice::new(&footer)])?;
        self.file.sync()?;
        self.disk.sync_folder(folder(&self.path))?;
        self.header.finished = true;
        self.write_header()?;
        Ok(self.footer.offset + footer.len() as u64)
    }
}

/// The folder that holds this file.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

/// Envelope and states; without what an earlier attempt met where that would not fit.
fn coded(envelope: &Envelope, fates: &[Fate]) -> Option<Vec<u8>> {
    let start = envelope::encode(envelope);
    let fits = |coded: &Vec<u8>| coded.len() <= ENVELOPE_BYTES_MAX;
    let mut whole = start.clone();
    envelope::put_fates(&mut whole, fates);
    if fits(&whole) {
        return Some(whole);
    }
    let bare: Vec<Fate> = fates
        .iter()
        .map(|fate| Fate {
            last: None,
            by: None,
            ..fate.clone()
        })
        .collect();
    let mut short = start;
    envelope::put_fates(&mut short, &bare);
    Some(short).filter(fits)
}

/// How a recipient fares apart from its being exported: what the file says of it.
pub(crate) fn as_before(mut fate: Fate) -> Fate {
    match fate.exporting {
        Exporting::No => {}
        Exporting::Waited => fate.state = RecipientState::Waiting,
        Exporting::Held => fate.state = RecipientState::Held,
    }
    fate.exporting = Exporting::No;
    fate
}
