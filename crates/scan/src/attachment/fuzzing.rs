//! The body of the fuzz target `attachment`.

use bytes::Bytes;

use super::archive::{self, Data};
use super::signature::Format;
use super::{Attachment, AttachmentSettings, NAME};
use crate::limits;
use crate::view::View;

/// Entries that are looked at; few, so that the limit is reached.
const ENTRIES_MAX: usize = 100;

/// What listing an archive may cost, in bytes inflated.
const COST_MAX: usize = 8 * 1024 * 1024;

/// Any bytes as an attachment, called what their first line says; and as an archive of each format, whatever they begin
/// with.
pub fn attachment(bytes: &[u8]) {
    let line = memchr::memchr(b'\n', bytes).unwrap_or(0);
    let (name, content) = bytes.split_at(line);
    let content = content.strip_prefix(b"\n").unwrap_or(content);
    let begin = b"From: ann@example.com\r\nContent-Type: application/octet-stream\r\n\
        Content-Disposition: attachment; filename=\"";
    let message = [begin, name, b"\"\r\n\r\n", content].concat();
    let settings = AttachmentSettings {
        block_encrypted: true,
        block_unexamined: true,
        archive_entries_max: ENTRIES_MAX,
        inflated_bytes_max: 1024 * 1024,
        ..AttachmentSettings::default()
    };
    let engine = Attachment::new(settings);
    let finding = engine.inspect(&View::parse(&Bytes::from(message)));
    assert_eq!(finding.engine, NAME);
    crate::fuzzing::is_bounded(Ok(finding));
    for format in [
        Format::Zip,
        Format::Gzip,
        Format::Tar,
        Format::SevenZip,
        Format::Rar4,
        Format::Rar5,
    ] {
        listing(format, content, &String::from_utf8_lossy(name));
    }
}

/// What is listed is bounded, and its content lies inside of the archive.
fn listing(format: Format, archive: &[u8], name: &str) {
    let listing = archive::list(format, archive, name, ENTRIES_MAX, COST_MAX);
    assert!(listing.entries.len() <= ENTRIES_MAX);
    for entry in &listing.entries {
        assert!(entry.aliases.len() <= archive::ALIASES_MAX);
        let (Data::Stored(data) | Data::Deflated(data) | Data::Gzip(data)) = entry.data else {
            continue;
        };
        assert!(data.is_empty() || archive.as_ptr_range().contains(&data.as_ptr()));
        let inflated = entry.data.inflate(limits::REPLY_LINE_BYTES_MAX);
        assert!(inflated.bytes.len() <= limits::REPLY_LINE_BYTES_MAX);
    }
}
