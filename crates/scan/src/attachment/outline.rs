//! What one part is as a file, told without unpacking anything: for the content engine, which judges what comes along
//! with a text and leaves it to this engine's own walk to forbid.

use memchr::memmem;

use super::archive;
use super::name::{Name, shown};
use super::signature::{self, Format};
use super::{kind, table};
use crate::view::Part;

/// Entries of an archive that are looked at.
const ENTRIES_MAX: usize = 200;

/// What listing an archive may cost, in bytes inflated: enough for some thousand files.
const COST_MAX: usize = 1024 * 1024;

/// Bytes of a compound file that are searched for its streams.
const COMPOUND_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What a part is as a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    /// The name as it is shown to people.
    pub(crate) name: String,
    /// The extension in lower case.
    pub(crate) extension: String,
    /// The extension before the last, or a reversed name, hides what it is.
    pub(crate) is_disguised: bool,
    /// What runs when it is opened, by its content or its name, in words.
    pub(crate) executable: Option<&'static str>,
    /// What runs in the archive that it is.
    pub(crate) inner_executable: Option<&'static str>,
    /// An archive that can be listed.
    pub(crate) is_archive: bool,
    /// An archive or a document that opens by a password only.
    pub(crate) is_encrypted: bool,
    /// An office document with macros.
    pub(crate) has_macro: bool,
    /// The media type that the content betrays although the name promises another.
    pub(crate) mismatch: Option<&'static str>,
}

impl Outline {
    pub(crate) fn of(part: &Part) -> Outline {
        let name = part.file_name().unwrap_or_default();
        let read = Name::read(name);
        let mut head = part.head(signature::HEAD_BYTES);
        if signature::may_be_disc_image(&head) {
            head = part.head(signature::ISO_HEAD_BYTES);
        }
        let executable = signature::executable(&head).filter(|found| found.runs_when_opened());
        let mut outline = Outline {
            name: shown(name),
            is_disguised: read.is_reversed
                || (table::words(&read.extension).is_some()
                    && (table::is_document(&read.inner_extension) || read.is_pushed_away)),
            executable: executable
                .map(signature::Executable::words)
                .or_else(|| table::words(&read.extension)),
            mismatch: kind::mismatch(&read.extension, &head),
            extension: read.extension,
            ..Outline::default()
        };
        match signature::format(&head) {
            Some(format) => outline.archive(format, part),
            None if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]) => {
                outline.compound(part);
            }
            None => {}
        }
        outline
    }

    fn archive(&mut self, format: Format, part: &Part) {
        let name = part.file_name().unwrap_or_default();
        let listing = archive::list(format, part.content(), name, ENTRIES_MAX, COST_MAX);
        self.is_encrypted = listing.is_sealed || listing.entries.iter().any(|e| e.is_encrypted);
        if table::is_zipped_document(&self.extension) {
            self.has_macro = listing
                .entries
                .iter()
                .any(|entry| entry.name.ends_with("vbaProject.bin"));
            return;
        }
        self.is_archive = true;
        self.inner_executable = listing
            .entries
            .iter()
            .find_map(|entry| table::words(&Name::read(&entry.name).extension));
    }

    /// A compound file (MS-CFB): the names of its streams stand in UTF-16.
    fn compound(&mut self, part: &Part) {
        let content = part.content();
        let content = content.get(..COMPOUND_BYTES_MAX).unwrap_or(content);
        let has = |name: &str| {
            let wide: Vec<u8> = name.bytes().flat_map(|byte| [byte, 0]).collect();
            memmem::find(content, &wide).is_some()
        };
        self.has_macro = has("_VBA_PROJECT");
        self.is_encrypted = has("EncryptedPackage");
    }
}
