//! The walk through a message's files and into their archives, within one budget of entries and inflated bytes for the
//! whole message. It yields facts; what they lead to is decided by `fact`.

use std::borrow::Cow;

use super::archive::{self, Data, Entry, Inflated, Listing};
use super::fact::{Fact, Kind};
use super::kind;
use super::name::{Name, shown};
use super::signature::{self, Executable, Format};
use super::{Rules, table, test_string};
use crate::view::{self, Part, View};

/// Facts kept of one message.
const FACTS_MAX: usize = 50;

/// Compressors of a single file whose name says what is inside; nothing is unpacked.
const SINGLE_STREAM: &[&str] = &["bz2", "xz", "zst", "lz", "lz4", "lzma", "z"];

/// Archives by name, for entries whose content cannot be had.
const ARCHIVE: &[&str] = &["zip", "rar", "7z", "gz", "tgz", "tar", "arj", "lzh", "cab"];

/// Everything worth telling of the message.
pub(super) fn facts(rules: &Rules, view: &View) -> Vec<Fact> {
    let mut walk = Walk::new(rules);
    for part in view.parts() {
        match part.kind() {
            view::Kind::Leaf => walk.leaf(part),
            view::Kind::Message => walk.names(&names_of(part), Some(&part.head(512)), None),
            view::Kind::Multipart => {}
        }
    }
    if view.is_cut_short() {
        walk.add(Kind::MimeLimit, "the message");
    }
    walk.facts
}

/// Whether some part is an archive that would be looked into.
pub(super) fn has_archive(view: &View) -> bool {
    view.leaves().any(|part| {
        signature::format(&part.head(1_024)).is_some()
            || names_of(part)
                .iter()
                .any(|name| Name::read(name).extension == "zip")
    })
}

fn names_of(part: &Part) -> Vec<&str> {
    part.file_names().iter().map(String::as_str).collect()
}

struct Walk<'r> {
    rules: &'r Rules,
    facts: Vec<Fact>,
    entries_left: usize,
    inflated_left: usize,
}

/// An archive that is being looked into.
struct Archive<'a> {
    format: Format,
    bytes: &'a [u8],
    name: &'a str,
    /// The attachment that it came in: what the one who sent it knows it by.
    attachment: &'a str,
    /// 1 for an attachment itself.
    level: usize,
}

impl<'r> Walk<'r> {
    fn new(rules: &'r Rules) -> Walk<'r> {
        Walk {
            rules,
            facts: Vec::new(),
            entries_left: rules.settings.archive_entries_max,
            inflated_left: rules.settings.inflated_bytes_max,
        }
    }

    fn add(&mut self, kind: Kind, what: &str) {
        let fact = Fact {
            kind,
            what: what.to_owned(),
        };
        if self.facts.len() < FACTS_MAX && !self.facts.contains(&fact) {
            self.facts.push(fact);
        }
    }

    fn leaf(&mut self, part: &Part) {
        let is_text = part.is_text() || part.media_type().starts_with("multipart/");
        if is_text && test_string::has_gtube(part.content()) {
            self.add(Kind::Gtube, "the message");
        }
        let mut head = part.head(signature::HEAD_BYTES);
        let names = names_of(part);
        if names.is_empty() && is_text {
            if test_string::is_eicar(&head) {
                self.add(Kind::Eicar, "the message");
            }
            return;
        }
        if signature::may_be_disc_image(&head) {
            head = part.head(signature::ISO_HEAD_BYTES);
        }
        let name = names.first().copied().unwrap_or_default();
        self.names(&names, Some(&head), None);
        self.content(name, &head, None);
        let format = signature::format(&head).or_else(|| {
            let is_zip = Name::read(name).extension == "zip";
            (is_zip && archive::is_zip_with_prefix(part.content())).then_some(Format::Zip)
        });
        if let Some(format) = format {
            let attachment = what(name, None);
            self.archive(&Archive {
                format,
                bytes: part.content(),
                name,
                attachment: &attachment,
                level: 1,
            });
        }
    }

    /// Checks what a file is called. `head` is its beginning, if that can be had.
    fn names(&mut self, names: &[&str], head: Option<&[u8]>, attachment: Option<&str>) {
        for name in names {
            let what = what(name, attachment);
            let read = Name::read(name);
            if read.is_reversed {
                self.add(Kind::ReversedName, &what);
            }
            if matches!(
                &*read.extension,
                "docm" | "xlsm" | "pptm" | "dotm" | "xltm" | "ppsm"
            ) {
                self.add(Kind::OfficeMacro, &what);
            }
            let is_banned = self.extension(&read, head, &what);
            if !is_banned && SINGLE_STREAM.contains(&&*read.extension) {
                let stem = name.trim_end();
                let stem = stem.get(..stem.rfind('.').unwrap_or_default());
                let inner = Name::read(stem.unwrap_or_default());
                self.extension(&inner, None, &what);
            }
        }
    }

    /// Whether the name's extension is banned.
    fn extension(&mut self, name: &Name, head: Option<&[u8]>, what: &str) -> bool {
        let Some(words) = self.rules.banned.get(&name.extension) else {
            return false;
        };
        if head.is_some_and(|head| is_harmless(&name.extension, head)) {
            return false;
        }
        let is_disguised = table::is_document(&name.inner_extension) || name.is_pushed_away;
        if is_disguised {
            self.add(Kind::DoubleExtension, what);
        }
        let extension = name.extension.clone();
        self.add(Kind::ExecutableName { words, extension }, what);
        true
    }

    /// Checks what a file holds by its beginning.
    fn content(&mut self, name: &str, head: &[u8], attachment: Option<&str>) {
        let what = what(name, attachment);
        if test_string::is_eicar(head) {
            self.add(Kind::Eicar, &what);
        }
        let extension = Name::read(name).extension;
        match signature::executable(head) {
            Some(executable) if !self.is_allowed(executable, &extension) => {
                self.add(Kind::ExecutableContent(executable), &what);
            }
            Some(_) => {}
            None => {
                if let Some(found) = kind::mismatch(&extension, head) {
                    self.add(Kind::NameContentMismatch(found), &what);
                }
            }
        }
    }

    /// Whether the settings let such a program through under this extension.
    fn is_allowed(&self, executable: Executable, extension: &str) -> bool {
        let allowed = &self.rules.settings.allowed_extensions;
        executable.extensions().contains(&extension)
            && allowed.iter().any(|allowed| {
                allowed
                    .trim_start_matches('.')
                    .eq_ignore_ascii_case(extension)
            })
    }

    fn archive(&mut self, archive: &Archive<'_>) {
        let Archive {
            format,
            bytes,
            name,
            ..
        } = *archive;
        let listing = archive::list(format, bytes, name, self.entries_left, self.inflated_left);
        self.inflated_left = self.inflated_left.saturating_sub(listing.cost);
        let attachment = archive.attachment;
        if listing.is_sealed || listing.entries.iter().any(|entry| entry.is_encrypted) {
            self.add(Kind::EncryptedArchive, attachment);
        }
        if listing.is_damaged {
            self.add(Kind::ArchiveDamaged, attachment);
        }
        let is_bomb = self.is_bomb(archive, &listing);
        let is_office = table::is_zipped_document(&Name::read(name).extension)
            && listing.entries.iter().any(is_document_mark);
        self.entries_left = self.entries_left.saturating_sub(listing.entries.len());
        for entry in &listing.entries {
            if is_office {
                if entry.name.ends_with("vbaProject.bin") {
                    self.add(Kind::OfficeMacro, attachment);
                }
            } else {
                self.entry(archive, entry, is_bomb);
            }
        }
        if listing.is_cut {
            self.add(Kind::ArchiveUnexamined, attachment);
        }
    }

    /// Whether the listing alone says that the archive is made to burst.
    fn is_bomb(&mut self, archive: &Archive<'_>, listing: &Listing<'_>) -> bool {
        let claimed = listing
            .entries
            .iter()
            .fold(0_u64, |sum, entry| sum.saturating_add(entry.size));
        let is_single_bomb = listing
            .entries
            .iter()
            .any(|entry| self.is_excessive(entry.size, entry.packed_size));
        let is_bursting = is_single_bomb || self.is_excessive(claimed, archive.bytes.len() as u64);
        if is_bursting || listing.is_overlapping {
            self.add(Kind::ArchiveBomb, archive.attachment);
        }
        is_bursting || listing.is_overlapping
    }

    /// Whether `size` exceeds what is inflated at all, and `packed_size` by more than any real file does.
    fn is_excessive(&self, size: u64, packed_size: u64) -> bool {
        size > self.rules.settings.inflated_bytes_max as u64
            && size / packed_size.max(1) > self.rules.settings.ratio_max
    }

    fn entry(&mut self, archive: &Archive<'_>, entry: &Entry<'_>, is_bomb: bool) {
        let attachment = Some(archive.attachment);
        let mut names = vec![entry.name.as_str()];
        names.extend(entry.aliases.iter().map(String::as_str));
        if is_bomb || matches!(entry.data, Data::Opaque) {
            self.names(&names, None, attachment);
            let is_archive = ARCHIVE.contains(&&*Name::read(&entry.name).extension);
            if is_archive && !entry.is_encrypted {
                self.add(Kind::ArchiveUnexamined, archive.attachment);
            }
            return;
        }
        let head = self
            .inflate(archive, entry.data, signature::HEAD_BYTES)
            .bytes;
        self.names(&names, Some(&head), attachment);
        self.content(&entry.name, &head, attachment);
        if let Some(format) = signature::format(&head) {
            self.inner_archive(archive, entry, format);
        }
    }

    fn inner_archive(&mut self, outer: &Archive<'_>, entry: &Entry<'_>, format: Format) {
        if outer.level >= self.rules.archive_depth_max() {
            self.add(Kind::ArchiveDeep, outer.attachment);
            return;
        }
        let bytes = match entry.data {
            Data::Stored(bytes) => Cow::Borrowed(bytes),
            data => {
                let inflated = self.inflate(outer, data, usize::MAX);
                if inflated.is_cut {
                    self.exhausted(outer, entry);
                }
                Cow::Owned(inflated.bytes)
            }
        };
        self.archive(&Archive {
            format,
            bytes: &bytes,
            name: &entry.name,
            attachment: outer.attachment,
            level: outer.level + 1,
        });
    }

    /// At most `bytes_max` bytes of `data`, and no more than the budget has left.
    fn inflate(&mut self, archive: &Archive<'_>, data: Data<'_>, bytes_max: usize) -> Inflated {
        let inflated = data.inflate(bytes_max.min(self.inflated_left));
        self.inflated_left -= inflated.bytes.len();
        if self.inflated_left == 0 {
            self.add(Kind::ArchiveUnexamined, archive.attachment);
        }
        inflated
    }

    /// An inner archive that is larger than the budget: a bomb, if it is small where it stands.
    fn exhausted(&mut self, outer: &Archive<'_>, entry: &Entry<'_>) {
        let inflated = self.rules.settings.inflated_bytes_max as u64;
        let ratio = inflated / entry.packed_size.min(outer.bytes.len() as u64).max(1);
        if ratio > self.rules.settings.ratio_max {
            self.add(Kind::ArchiveBomb, outer.attachment);
        }
    }
}

/// The file as it is named to people: `name`, and the attachment that holds it.
fn what(name: &str, attachment: Option<&str>) -> String {
    let name = match shown(name) {
        name if name.is_empty() => "attachment without a name".to_owned(),
        name => name,
    };
    match attachment {
        Some(attachment) => format!("{name} in {attachment}"),
        None => name,
    }
}

/// An entry by which Office Open XML (ISO/IEC 29500-2), OpenDocument and EPUB are known.
fn is_document_mark(entry: &Entry<'_>) -> bool {
    matches!(
        &*entry.name,
        "[Content_Types].xml" | "mimetype" | "META-INF/manifest.xml" | "META-INF/container.xml"
    )
}

/// Whether a file with a banned extension is none of what the extension stands for. `Report for example.com` is a name
/// that people give, while no program is mere text but the EICAR test file, which is known by itself; and an Internet
/// shortcut to a web page is a link, not a way to run what lies on somebody's file server.
fn is_harmless(extension: &str, head: &[u8]) -> bool {
    match extension {
        "com" => is_plain_text(head),
        "url" => is_web_shortcut(head),
        _ => false,
    }
}

/// Whether every address in an Internet shortcut is one of the web.
fn is_web_shortcut(head: &[u8]) -> bool {
    let is_web = |address: &[u8]| {
        let address = address.trim_ascii().to_ascii_lowercase();
        address.starts_with(b"http://") || address.starts_with(b"https://")
    };
    let mut addresses = head
        .split(|byte| matches!(byte, b'\r' | b'\n'))
        .filter_map(|line| {
            let (key, address) = line.split_at_checked(memchr::memchr(b'=', line)?)?;
            let is_address = key.trim_ascii().to_ascii_uppercase().ends_with(b"URL");
            is_address.then_some(address.get(1..)?)
        })
        .peekable();
    // `IconFile` and the like may point to a file server too.
    is_plain_text(head)
        && addresses.peek().is_some()
        && addresses.all(is_web)
        && memchr::memmem::find(head, b"\\\\").is_none()
        && memchr::memmem::find(head, b"file:").is_none()
}

fn is_plain_text(head: &[u8]) -> bool {
    !head
        .iter()
        .any(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\r' | b'\n' | 0x0c | 0x1b))
}
